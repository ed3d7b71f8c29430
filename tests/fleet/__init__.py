"""A real multi-host Docker fleet on one Linux machine.

Every host is a handful of namespaces, not a VM and not a container: a network of its own (interfaces, routes,
iptables), its own process 1 (killing it kills everything on the host), its own mounts (so that /var/run/docker.sock is
the host's own) and host name. Inside run an unmodified dockerd or Podman and an unmodified sshd. All hosts are plugged
into two bridges that live in one more namespace:

    management  198.18.<2*ID>.0/24     eth0   where fleettop connects from
    cluster     198.18.<2*ID+1>.0/24   eth1   swarm traffic, and the far side of the jump host

The machine gets one interface (ft<ID>root), so a test connects without entering any namespace. The machine's own
Docker, its firewall and its bridges are never touched. By hand: ``python -m tests.fleet --help``.
"""

from .faults import FAULTS
from .fleet import Fleet
from .image import IMAGE
from .preflight import missing

__all__ = ["FAULTS", "IMAGE", "Fleet", "missing"]
