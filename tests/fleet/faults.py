"""What can go wrong on a host, done to it for real, and undone again."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import credentials, network, slow_packets, syslog
from .hosts import Hosts
from .shell import CommandFailed, sh
from .site import Host, Site
from .waiting import wait_for
from .wall_clock import set_clock

FAULTS = {
    "link": "interface down [eth0|eth1]: no answer to ARP, so EHOSTUNREACH after about 3 s",
    "drop": "packets vanish on eth0 [or eth1, or :PORT]: connecting hangs",
    "reject": "every connection [to :PORT] is reset at once",
    "delay": "MS [JITTER_MS [LOSS_PERCENT]] of delay",
    "loss": "PERCENT of packets lost",
    "rate": "KBIT/S at most, of what the host sends",
    "freeze": "SIGSTOP dockerd: its socket accepts, nothing answers",
    "freeze-sshd": "SIGSTOP the sshd listener: it accepts, no greeting",
    "kill": "kill -9 dockerd (containers live on under their shims)",
    "kill-containerd": "kill -9 containerd (dockerd starts another)",
    "kill-sshd": "kill the sshd listener (open sessions live on)",
    "cut-ssh": "kill sshd's open sessions (the listener lives on)",
    "hostkey": "another ssh host key than the one in known_hosts",
    "reboot": "power cycle, [SECONDS] away",
    "off": "power off",
    "disk": "the host's disk is full to the last byte",
    "clock": "SECONDS that dockerd's wall clock is off (x86-64)",
    "cert-expired": "the engine's certificate is over; restarts dockerd",
    "cert-name": "the engine's certificate is for another name; restarts dockerd",
    "cert-stranger": "the engine's certificate is signed by another authority; restarts dockerd",
    "leave-swarm": "the host leaves the swarm by force",
}

QUEUE = 7


class Faults:
    """Does things to the hosts of one fleet."""

    def __init__(self, site: Site, hosts: Hosts) -> None:
        self.site = site
        self.hosts = hosts
        self._do: dict[str, Callable[..., None]] = {
            "link": self._link,
            "drop": self._drop,
            "reject": self._reject,
            "delay": self._delay,
            "loss": self._loss,
            "rate": self._rate,
            "freeze": lambda host: hosts.signal(host.name, "dockerd", signal.SIGSTOP),
            "freeze-sshd": lambda host: os.kill(hosts.sshd_listener(host.name), signal.SIGSTOP),
            "kill": lambda host: hosts.signal(host.name, "dockerd", signal.SIGKILL),
            "kill-containerd": lambda host: hosts.signal(host.name, "containerd", signal.SIGKILL),
            "kill-sshd": lambda host: os.kill(hosts.sshd_listener(host.name), signal.SIGKILL),
            "cut-ssh": self._cut_ssh,
            "hostkey": self._host_key,
            "reboot": self._reboot,
            "off": self._off,
            "disk": self._disk,
            "clock": self._clock,
            "cert-expired": lambda host: self._certificate(host, "expired"),
            "cert-name": lambda host: self._certificate(host, "name"),
            "cert-stranger": lambda host: self._certificate(host, "stranger"),
            "leave-swarm": self._leave_swarm,
        }

    def do(self, name: str, kind: str, *arguments: object) -> None:
        """Let something go wrong on a host. Raises ValueError for a kind that is not in FAULTS."""
        if kind not in self._do:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(FAULTS)}")
        self.mark(name)
        self._do[kind](self.site.state.hosts[name], *(str(argument) for argument in arguments))

    def mark(self, name: str) -> None:
        """Remember that something was done to a host."""
        state = self.site.state
        if name not in state.faulty:
            state.faulty.append(name)
            self.site.save(state)

    # -- the network

    def _link(self, host: Host, device: str = "") -> None:
        sh("ip", "-n", self.site.namespace(host.name), "link", "set", device or _device(host), "down")

    def _drop(self, host: Host, where: str = "") -> None:
        network.chains(self.site, host.name)
        if where.startswith(":"):
            self._rule(host, "FT_IN", "-i", _device(host), "-p", "tcp", "--dport", where[1:], "-j", "DROP")
        else:
            self._rule(host, "FT_IN", "-i", where or _device(host), "-j", "DROP")
            self._rule(host, "FT_OUT", "-o", where or _device(host), "-j", "DROP")

    def _reject(self, host: Host, where: str = "") -> None:
        network.chains(self.site, host.name)
        port = ("--dport", where[1:]) if where.startswith(":") else ()
        reset = ("-j", "REJECT", "--reject-with", "tcp-reset")
        self._rule(host, "FT_IN", "-i", _device(host), "-p", "tcp", *port, *reset)

    def _delay(self, host: Host, delay: str = "200", jitter: str = "0", loss: str = "0") -> None:
        if self._shape(host, "netem", "delay", f"{delay}ms", f"{jitter}ms", "loss", f"{loss}%"):
            return
        network.chains(self.site, host.name)
        queue = ("-j", "NFQUEUE", "--queue-num", QUEUE, "--queue-bypass")
        self._rule(host, "FT_IN", "-i", _device(host), *queue)
        program = (sys.executable, Path(slow_packets.__file__), QUEUE, delay, jitter, float(loss) / 100)
        self.hosts.spawn(host.name, "slow_packets", *program)
        bound = lambda: self.hosts.on(host.name, "cat", "/proc/net/netfilter/nfnetlink_queue")  # noqa: E731
        wait_for("packets are held back", bound, 5)

    def _loss(self, host: Host, percent: str = "5") -> None:
        if self._shape(host, "netem", "loss", f"{percent}%"):
            return
        network.chains(self.site, host.name)
        chance = ("-m", "statistic", "--mode", "random", "--probability", f"{float(percent) / 100:.4f}", "-j", "DROP")
        self._rule(host, "FT_IN", "-i", _device(host), *chance)
        self._rule(host, "FT_OUT", "-o", _device(host), *chance)

    def _rate(self, host: Host, kbit: str = "256") -> None:
        if not self._shape(host, *f"tbf rate {kbit}kbit burst 4kb latency 2s".split()):
            raise RuntimeError("this kernel cannot limit a rate (no sch_tbf)")

    def _rule(self, host: Host, chain: str, *rule: object) -> None:
        network.iptables(self.site, host.name, "-A", chain, *rule)

    def _shape(self, host: Host, *how: str) -> bool:
        """Whether the kernel can shape traffic so, and now does."""
        where = ("-n", self.site.namespace(host.name), "qdisc", "replace", "dev", _device(host), "root")
        try:
            sh("tc", *where, *how)
        except CommandFailed:
            return False
        return True

    # -- the machine and its daemons

    def _cut_ssh(self, host: Host) -> None:
        for process in self.hosts.sshd_sessions(host.name):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _host_key(self, host: Host) -> None:
        credentials.replace_host_key(self.site, host.name)
        os.kill(self.hosts.sshd_listener(host.name), signal.SIGKILL)
        self.hosts.start_sshd(host)
        self.hosts.await_sshd(host.name)

    def _off(self, host: Host) -> None:
        self.hosts.power_off(host.name)
        network.unplug(self.site, host.name)

    def _reboot(self, host: Host, seconds: str = "0") -> None:
        self._off(host)
        time.sleep(float(seconds))
        network.plug_in(self.site, host.name)
        self.hosts.boot(host)
        self.hosts.await_engine(host)

    def _disk(self, host: Host) -> None:
        with (self.site.home(host.name) / "disk/filler").open("wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 20)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def _clock(self, host: Host, seconds: str = "3600") -> None:
        for process in self.hosts.processes(host.name, "dockerd"):
            set_clock(process, int(seconds))

    def _certificate(self, host: Host, kind: str) -> None:
        credentials.replace_certificate(self.site, host, kind)
        self.hosts.restart_engine(host)

    def _leave_swarm(self, host: Host) -> None:
        sh("docker", "-H", f"unix://{self.site.socket(host.name)}", "swarm", "leave", "--force")

    # -- undoing

    def heal(self, host: Host) -> None:
        """Undo every fault of a host as far as it can be undone, and start what is not running."""
        network.clear(self.site, host.name)
        (self.site.home(host.name) / "disk/filler").unlink(missing_ok=True)
        other_sshd = credentials.restore_host_key(self.site, host.name)
        other_certificate = credentials.restore_certificate(self.site, host.name)
        if host.sshd:
            other_sshd = True
            state = self.site.state
            state.hosts[host.name].sshd = host.sshd = {}
            self.site.save(state)
        if host.log:
            other_sshd = True
            state = self.site.state
            state.hosts[host.name].log = host.log = ""
            self.site.save(state)
            if self.hosts.first_process(host.name) is not None:
                syslog.end(self.hosts, host)
        if self.hosts.first_process(host.name) is None:
            self.hosts.boot(host)
        else:
            self._heal_daemons(host, other_sshd=other_sshd, other_certificate=other_certificate)
        self.hosts.await_engine(host)
        self.hosts.await_sshd(host.name)
        state = self.site.state
        state.faulty = [name for name in state.faulty if name != host.name]
        self.site.save(state)

    def _heal_daemons(self, host: Host, *, other_sshd: bool, other_certificate: bool) -> None:
        for name in ("dockerd", "containerd", "sshd"):
            self.hosts.signal(host.name, name, signal.SIGCONT)
        self._full_speed(host)
        running = self.hosts.running(host.name)
        if other_sshd or not any(self._listens(process) for process in running["sshd"]):
            self.hosts.restart_sshd(host)
        if host.engine == "docker" and other_certificate and running["dockerd"]:
            self.hosts.restart_engine(host)
        elif host.engine and not running["dockerd"] and not running["podman"]:
            self.hosts.start_engine(host)
        for process in running["dockerd"]:
            try:
                set_clock(process, None)
            except (RuntimeError, OSError):
                continue

    def _full_speed(self, host: Host) -> None:
        for processes in self.hosts.running(host.name).values():
            for process in processes:
                try:
                    if slow_packets.__file__.encode() in Path(f"/proc/{process}/cmdline").read_bytes():
                        os.kill(process, signal.SIGKILL)
                except (FileNotFoundError, ProcessLookupError):
                    continue

    @staticmethod
    def _listens(process: int) -> bool:
        try:
            return b"[listener]" in Path(f"/proc/{process}/cmdline").read_bytes()
        except FileNotFoundError:
            return False

    def ailing(self, host: Host) -> bool:
        """Whether a host is off, or its engine or sshd is not there."""
        running = self.hosts.running(host.name)
        if not any(self._listens(process) for process in running["sshd"]):
            return True
        return bool(host.engine) and not self.hosts.engine_answers(host.name, timeout=3)


def _device(host: Host) -> str:
    return "eth1" if host.private else "eth0"
