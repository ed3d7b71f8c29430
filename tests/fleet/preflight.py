"""Can a fleet run on this machine?"""

from __future__ import annotations

import os
import shutil
import sys

from .image import BUSYBOX
from .shell import CommandFailed, sh, surroundings

COMMANDS = (
    *("dockerd", "containerd", "runc", "docker", "docker-init", "ip", "iptables", "nsenter", "unshare"),
    *("sshd", "ssh-keygen", "openssl", "hostname"),
)
PACKAGES = "docker.io openssh-server openssh-client openssl iproute2 iptables busybox-static podman"


def missing(*, podman: bool = True) -> list[str]:
    """The reasons why no fleet can run here; none: it can."""
    if sys.platform != "linux":
        return ["not Linux"]
    reasons = [] if os.geteuid() == 0 else ["not root"]
    path = surroundings()["PATH"]
    wanted = (*COMMANDS, "podman") if podman else COMMANDS
    reasons += [f"no {command}" for command in wanted if not shutil.which(command, path=path)]
    # A dynamically linked program names its interpreter (/lib/ld-…) near its start.
    if not BUSYBOX.exists() or b"/ld-" in BUSYBOX.read_bytes()[:4096]:
        reasons.append(f"no static {BUSYBOX}")
    return reasons or _namespaces()


def _namespaces() -> list[str]:
    name = f"ftprobe{os.getpid()}"
    try:
        sh("ip", "netns", "add", name)
        sh("nsenter", f"--net=/run/netns/{name}", "unshare", "-muipf", "--mount-proc", "true")
        sh("ip", "-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        sh("ip", "-n", name, "link", "add", "b0", "type", "bridge")
    except CommandFailed as error:
        return [f"no namespaces here: {error}"]
    finally:
        sh("ip", "netns", "del", name, check=False)
    return []
