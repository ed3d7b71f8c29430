"""Machines: powering them on and off, running things on them, their engine and their sshd."""

from __future__ import annotations

import http.client
import os
import re
import shlex
import signal
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .engine_api import ask
from .shell import CommandFailed, sh, surroundings
from .site import Host, Site
from .waiting import wait_for

DOCKER_GROUP, OPS, GUEST = 20000, 20001, 20002
PODMAN_SOCKET = "/run/podman/podman.sock"
PODMAN = "podman --runtime runc --cgroup-manager cgroupfs --events-backend file system service --time=0"
# --kill-child: whatever happens to unshare, the host dies with it.
UNSHARE = "unshare --mount --uts --ipc --pid --fork --kill-child --propagation private --mount-proc"

# `ip netns exec` would mount another /sys and lose /sys/fs/cgroup, so a host mounts its own and keeps that.
# Its process 1 must reap orphans, as engines and sshd leave some. A host with a system of its own has that as its root,
# and of the machine only the fleet's folder.
FIRST_PROCESS = r"""
set -e
D=$1; NAME=$2; SYSTEM=$3
hostname "$NAME"
mkdir -p $D/cg
mount --rbind /sys/fs/cgroup $D/cg
mount -t sysfs sysfs /sys
mount --move $D/cg /sys/fs/cgroup
mount -t tmpfs -o mode=755,size=64m tmpfs /run
mkdir -p /run/sshd /run/lock
if [ -n "$SYSTEM" ]; then
    mkdir -p $D/root $D/disk/upper $D/disk/work
    mount -t overlay -o lowerdir=$SYSTEM,upperdir=$D/disk/upper,workdir=$D/disk/work overlay $D/root
    mkdir -p $D/root${D%/*}
    for d in /proc /sys /dev /run ${D%/*}; do mount --rbind $d $D/root$d; done
    cd $D/root; pivot_root . .; umount -l .; cd /
fi
for d in /var/lib/docker /var/lib/containerd /var/lib/containers /etc/docker; do
    mkdir -p $d $D/disk$d; mount --bind $D/disk$d $d
done
for f in passwd group shadow hosts; do mount --bind $D/etc/$f /etc/$f; done
mkdir -p $D/home $D/disk/tmp; chmod 1777 $D/disk/tmp
mount --bind $D/home /home
: > $D/ready
exec docker-init -s -- sleep infinity
"""


class Hosts:
    """The machines of one fleet. Nothing is remembered but what the kernel knows."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._started: list[subprocess.Popen[bytes]] = []

    # -- what runs

    def first_process(self, host: str) -> int | None:
        """The number of a host's process 1 as seen from the machine; None where the host is off."""
        for number in self.everything_on(host):
            if _numbers_inside(number) == [str(number), "1"]:
                return number
        return None

    def everything_on(self, host: str) -> list[int]:
        """All processes in the network namespace of a host."""
        try:
            return [int(number) for number in sh("ip", "netns", "pids", self.site.namespace(host)).split()]
        except CommandFailed:
            return []

    def processes(self, host: str, name: str) -> list[int]:
        """The processes of that name on a host, its containers left out, as numbered on the machine."""
        first = self.first_process(host)
        if first is None:
            return []
        try:
            wanted = Path(f"/proc/{first}/ns/pid").readlink()
        except OSError:
            return []
        return sorted(number for number, space, called in _all_processes() if space == wanted and called == name)

    def running(self, host: str) -> dict[str, list[int]]:
        """All processes on a host by name, its containers left out."""
        first = self.first_process(host)
        found: dict[str, list[int]] = defaultdict(list)
        if first is not None:
            wanted = Path(f"/proc/{first}/ns/pid").readlink()
            for number, space, called in _all_processes():
                if space == wanted:
                    found[called].append(number)
        return found

    def enter(self, host: str) -> list[str]:
        """The words that run the command after them on a host. Raises RuntimeError where it is off."""
        first = self.first_process(host)
        if first is None:
            raise RuntimeError(f"{host} is off")
        return ["nsenter", "-t", str(first), "-m", "-u", "-i", "-n", "-p", "--"]

    def on(self, host: str, *command: object, check: bool = True) -> str:
        """Run a command on a host as root and return what it printed."""
        return sh(*self.enter(host), *command, check=check)

    def spawn(self, host: str, log: str, *command: object) -> None:
        """Start a daemon on a host; it becomes a child of the host's process 1."""
        line = shlex.join(str(word) for word in command)
        self.on(host, "sh", "-c", f"setsid {line} >>{self.site.home(host) / log}.log 2>&1 </dev/null &")

    def signal(self, host: str, name: str, number: signal.Signals) -> None:
        """Send a signal to all processes of that name on a host."""
        for process in self.processes(host, name):
            _signal(process, number)

    # -- power

    def boot(self, host: Host) -> None:
        """Power a host on: disk, namespaces, engine, sshd. What was on its disk is still there."""
        folder = self.site.home(host.name)
        (folder / "disk").mkdir(parents=True, exist_ok=True)
        if not (folder / "disk").is_mount():
            # In memory and limited: quick, a full disk cannot hurt the machine, and it outlives a reboot.
            options = f"size={host.disk},mode=755"
            sh("mount", "-t", "tmpfs", "-o", options, self.site.namespace(host.name), folder / "disk")
        self._write_accounts(folder)
        (folder / "ready").unlink(missing_ok=True)
        network = ("nsenter", f"--net=/run/netns/{self.site.namespace(host.name)}")
        with (folder / "init.log").open("ab") as log:
            first = subprocess.Popen(
                [*network, *shlex.split(UNSHARE), "sh", "-c", FIRST_PROCESS, "host", folder, host.name, host.system],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/", env=surroundings(),
            )  # fmt: skip
        self._started.append(first)
        booted = lambda: (folder / "ready").exists() and self.first_process(host.name)  # noqa: E731
        wait_for(f"{host.name} boots (see {folder}/init.log)", booted, 15, 0.01)
        self.start_engine(host)
        self.start_sshd(host)

    def _write_accounts(self, folder: Path) -> None:
        (folder / "etc").mkdir(exist_ok=True)
        passwd, group = (
            [
                line
                for line in Path(f"/etc/{name}").read_text().splitlines()
                if not re.match("(ops|guest|docker):", line)
            ]
            for name in ("passwd", "group")
        )
        passwd += [f"ops:x:{OPS}:{OPS}::/home/ops:/bin/sh", f"guest:x:{GUEST}:{GUEST}::/home/guest:/bin/sh"]
        group += [f"docker:x:{DOCKER_GROUP}:ops", f"ops:x:{OPS}:", f"guest:x:{GUEST}:"]
        shadow = ["root:*:19000:0:99999:7:::", "sshd:!:19000::::::"]
        shadow += ["ops:*:19000:0:99999:7:::", "guest:*:19000:0:99999:7:::"]
        hosts = ["127.0.0.1 localhost"] + [f"{host.cluster} {host.name}" for host in self.site.state.hosts.values()]
        for name, lines in (("passwd", passwd), ("group", group), ("shadow", shadow), ("hosts", hosts)):
            (folder / "etc" / name).write_text("\n".join(lines) + "\n")
        (folder / "etc/shadow").chmod(0o640)
        for user, number in (("ops", OPS), ("guest", GUEST)):
            (folder / "home" / user).mkdir(parents=True, exist_ok=True)
            os.chown(folder / "home" / user, number, number)

    def power_off(self, host: str) -> None:
        """Kill a host's process 1; the kernel takes everything on it along."""
        if (first := self.first_process(host)) is not None:
            _signal(first, signal.SIGKILL)
            wait_for(f"{host} is off", lambda: not self.everything_on(host), 15, 0.02)
        self.reap()

    def reap(self) -> None:
        """Take note of the hosts started from this process that have ended."""
        self._started = [process for process in self._started if process.poll() is None]

    def let_go(self) -> None:
        """Wait for every host started from this process to end: to be called once they are killed."""
        for process in self._started:
            process.wait(20)
        self._started = []

    # -- the engine

    def start_engine(self, host: Host) -> None:
        """Start the host's engine, if it has one, without waiting for it."""
        if host.engine == "docker":
            self.on(host.name, "rm", "-f", "/var/run/docker.pid")
            self.spawn(host.name, "dockerd", *self._dockerd(host))
        elif host.engine == "podman":
            self.on(host.name, "mkdir", "-p", Path(PODMAN_SOCKET).parent)
            self.on(host.name, "ln", "-sfn", self.site.socket(host.name), PODMAN_SOCKET)
            self.spawn(host.name, "podman", *shlex.split(PODMAN), f"unix://{self.site.socket(host.name)}")

    def _dockerd(self, host: Host) -> Iterator[object]:
        folder = self.site.home(host.name)
        yield from self.bare_dockerd(host)
        yield from ("--storage-driver", "overlay2")
        if host.tcp == "tls":
            authority = self.site.folder / "tls/ca/ca.pem"
            yield from ("-H", f"tcp://{host.address}:2376", "--tlsverify", "--tlscacert", authority)
            yield from ("--tlscert", folder / "tls/cert.pem", "--tlskey", folder / "tls/key.pem")
        elif host.tcp == "plain":
            yield from ("-H", f"tcp://{host.address}:2375", "--tls=false")

    def bare_dockerd(self, host: Host) -> Iterator[object]:
        """What starts any Docker engine on a host, whatever else it is set to."""
        yield "dockerd"
        yield from ("-H", "unix:///var/run/docker.sock", "-H", f"unix://{self.site.socket(host.name)}")
        yield from ("--group", "docker", "--exec-opt", "native.cgroupdriver=cgroupfs")
        yield from ("--cgroup-parent", f"{self.site.cgroup}/{host.name}")
        yield from ("--default-address-pool", "base=172.30.0.0/16,size=24", "--bip", "172.17.0.1/24")
        yield from ("--shutdown-timeout", "2")

    def engine_answers(self, host: str, timeout: float = 10) -> bool:
        """Whether an engine answers a ping."""
        try:
            return ask(self.site.socket(host), "GET", "/_ping", timeout=timeout)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def await_engine(self, host: Host) -> None:
        """Wait until the host's engine, if it has one, answers."""
        if host.engine:
            log = f"{self.site.home(host.name)}/{'dockerd' if host.engine == 'docker' else 'podman'}.log"
            wait_for(f"the engine of {host.name} (see {log})", lambda: self.engine_answers(host.name))
        if host.engine == "podman":  # as for ops and Docker: who is in the group may use it
            os.chown(self.site.socket(host.name), 0, DOCKER_GROUP)
            self.site.socket(host.name).chmod(0o660)

    def restart_engine(self, host: Host) -> None:
        """Stop a Docker engine, with its containers, and start it again."""
        self.signal(host.name, "dockerd", signal.SIGCONT)
        self.signal(host.name, "dockerd", signal.SIGTERM)
        wait_for(f"{host.name}: dockerd ends", lambda: not self.processes(host.name, "dockerd"), 30)
        self.start_engine(host)
        self.await_engine(host)

    # -- sshd

    def start_sshd(self, host: Host) -> None:
        """Start the host's sshd without waiting for it."""
        folder = self.site.home(host.name)
        options = {  # sshd takes the first value of an option
            **host.sshd,
            "Port": "22",
            "HostKey": f"{folder}/ssh/host",
            "AuthorizedKeysFile": f"{self.site.folder}/ssh/authorized_keys",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "yes",
            "PidFile": "/run/sshd.pid",
            "UseDNS": "no",
            "PrintMotd": "no",
            "LogLevel": "VERBOSE",
            "AllowTcpForwarding": "yes",
        }
        defaults = {"AllowStreamLocalForwarding": "yes" if host.forward else "no", "MaxSessions": "10"}
        options = {**defaults, "MaxStartups": "100", **options}
        (folder / "ssh/sshd_config").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
        self.spawn(
            host.name, "sshd", "/usr/sbin/sshd", "-D", *([] if host.log else ["-e"]), "-f", folder / "ssh/sshd_config"
        )

    def await_sshd(self, host: str) -> None:
        """Wait until a host's sshd greets; asked on the host itself, as a private one cannot be reached."""
        ask_sshd = "echo | busybox nc -w 2 127.0.0.1 22 | head -c 20"
        greets = lambda: "SSH-2" in self.on(host, "sh", "-c", ask_sshd, check=False)  # noqa: E731
        wait_for(f"sshd of {host} (see {self.site.home(host)}/sshd.log)", greets, 10)

    def restart_sshd(self, host: Host) -> None:
        """End a host's sshd with all its sessions and start it again."""
        self.signal(host.name, "sshd", signal.SIGCONT)
        self.signal(host.name, "sshd", signal.SIGKILL)
        wait_for(f"{host.name}: sshd ends", lambda: not self.processes(host.name, "sshd"), 10)
        self.start_sshd(host)
        self.await_sshd(host.name)

    def sshd_listener(self, host: str) -> int:
        """The sshd that takes new connections; it lives on when sessions are cut, and the other way round."""
        for number in self.processes(host, "sshd"):
            if b"[listener]" in Path(f"/proc/{number}/cmdline").read_bytes():
                return number
        raise RuntimeError(f"{host}: no sshd listens")

    def sshd_sessions(self, host: str) -> list[int]:
        """The sshd processes that serve open connections."""
        sessions = self.processes(host, "sshd-session")  # a program of its own from OpenSSH 9.8 on
        for number in self.processes(host, "sshd"):
            if b"[listener]" not in Path(f"/proc/{number}/cmdline").read_bytes():
                sessions.append(number)
        return sessions


def _all_processes() -> Iterator[tuple[int, Path, str]]:
    """Every process: its number, its process namespace, its name."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), (entry / "ns/pid").readlink(), (entry / "comm").read_text().strip()
            except OSError:
                continue


def _numbers_inside(process: int) -> list[str]:
    """The numbers a process has in its namespaces, outermost first."""
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return line.split()[1:]
    except OSError:
        pass
    return []


def _signal(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)
