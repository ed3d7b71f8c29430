"""The cables of a fleet: two bridges, a namespace for each host, and one interface for the machine."""

from __future__ import annotations

from .shell import sh
from .site import Host, Site, State

JUMP_ADDRESS = 250
ROOT_ADDRESS = 254


def plug(site: Site, state: State) -> None:
    """Make the bridges, the hosts' network namespaces and the machine's own interface."""
    sh("ip", "netns", "add", site.switch)
    _batch(
        site.switch,
        ["link set lo up"]
        + [f"link add name {bridge} type bridge" for bridge in ("mg", "cl")]
        + [f"link set {bridge} up" for bridge in ("mg", "cl")],
    )
    for host in state.hosts.values():
        _plug_host(site, host)
    root = site.root_interface
    sh("ip", "link", "add", root, *f"type veth peer name root.mg netns {site.switch}".split())
    sh("ip", "-n", site.switch, "link", "set", "root.mg", "master", "mg", "up")
    sh("ip", "addr", "add", f"{site.management}.{ROOT_ADDRESS}/24", "dev", root)
    sh("ip", "link", "set", root, "up")
    # Connecting straight to a private host must end here, not wander off through the machine's default route.
    sh("ip", "route", "add", f"{site.cluster}.0/24", "dev", root)


def _plug_host(site: Site, host: Host) -> None:
    namespace = site.namespace(host.name)
    sh("ip", "netns", "add", namespace)
    inside, outside = ["link set lo up"], []
    plugs = [("eth1", "cl", host.cluster)]
    if not host.private:
        plugs.append(("eth0", "mg", host.address))
    for device, bridge, address in plugs:
        inside += [
            f"link add name {device} type veth peer name {host.name}.{bridge} netns {site.switch}",
            f"addr add {address}/24 dev {device}",
            f"link set {device} up",
        ]
        outside.append(f"link set {host.name}.{bridge} master {bridge} up")
    _batch(namespace, inside)
    _batch(site.switch, outside)


def _batch(namespace: str, lines: list[str]) -> None:
    sh("ip", "-n", namespace, "-batch", "-", stdin="\n".join(lines) + "\n")


def iptables(site: Site, host: str, *arguments: object, check: bool = True) -> str:
    """Change the firewall of a host."""
    return sh("nsenter", f"--net=/run/netns/{site.namespace(host)}", "iptables", "-w", *arguments, check=check)


def chains(site: Site, host: str) -> None:
    """Make the chains FT_IN and FT_OUT, passed first; healing is flushing them."""
    for base, chain in (("INPUT", "FT_IN"), ("OUTPUT", "FT_OUT")):
        iptables(site, host, "-N", chain, check=False)
        iptables(site, host, "-D", base, "-j", chain, check=False)
        iptables(site, host, "-I", base, "1", "-j", chain)


def clear(site: Site, host: str) -> None:
    """Put a host's cables right: up, at full speed, nothing dropped."""
    namespace = site.namespace(host)
    for device in ("eth0", "eth1"):
        sh("ip", "-n", namespace, "link", "set", device, "up", check=False)
        sh("tc", "-n", namespace, "qdisc", "del", "dev", device, "root", check=False)
    for chain in ("FT_IN", "FT_OUT"):
        iptables(site, host, "-F", chain, check=False)


def unplug(site: Site, host: str) -> None:
    """Take a host off the network: no machine, no answer to ARP."""
    for device in ("eth0", "eth1"):
        sh("ip", "-n", site.namespace(host), "link", "set", device, "down", check=False)


def plug_in(site: Site, host: str) -> None:
    """The opposite of `unplug`."""
    for device in ("eth0", "eth1"):
        sh("ip", "-n", site.namespace(host), "link", "set", device, "up", check=False)
