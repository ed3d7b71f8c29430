"""The fleet as tests use it: up and down, addresses, load, faults, and clean between tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from fleettop.collectors.address import EngineAddress, TlsFiles

from . import credentials, debian13, load, network, registry, spare, swarm, syslog
from .engine_api import ask
from .faults import Faults
from .hosts import PODMAN_SOCKET, Hosts
from .image import IMAGE, build_image
from .shell import sh
from .site import Host, Site, State
from .teardown import take_down

Item = TypeVar("Item")
AT_ONCE = 8
FIRST_NEWER = 101
"""The last number of the addresses of hosts with Debian 13, from there on."""

BUILT_IN_NETWORKS = ("bridge", "host", "none", "podman", "docker_gwbridge", "ingress")


class Fleet:
    """Hosts h1, h2, … with Docker, and where asked for n1, n2, … with that of Debian 13, `bare` with none,
    `pod1` with Podman and `jump` in front of the private ones.

    Everything here blocks; beside a running event loop say ``await asyncio.to_thread(fleet.fault, "h1", "freeze")``
    where it takes longer than a moment.
    """

    def __init__(self, number: int = 0) -> None:
        self.site = Site(number)
        self.hosts = Hosts(self.site)
        self._faults = Faults(self.site, self.hosts)

    @property
    def folder(self) -> Path:
        """Where its keys (ssh/, tls/), sockets and logs (one folder a host) lie."""
        return self.site.folder

    @property
    def state(self) -> State:
        """Its hosts and what is known of them."""
        return self.site.state

    # -- up and down

    def up(
        self,
        *,
        hosts: int = 3,
        swarm: bool = False,
        managers: int = 1,
        private: int = 0,
        noforward: int = 0,
        podman: bool = False,
        newer: int = 0,
        bare: bool = False,
        all_newer: bool = False,
        tcp: str = "tls",
        disk: str = "512m",
    ) -> State:
        """Bring a fleet up, in about 3 s, after taking down what has the same number.

        The last `private` hosts are reached only through `jump`; the `noforward` ones before them have an sshd that
        forwards no sockets. `tcp` is `tls`, `plain` or `none`, for each host, separated by commas, repeated. `newer`
        hosts run Debian 13, and so does the `bare` one beside them, for engines that a test sets up; with `all_newer`
        h1, h2, … do as well.
        """
        began = time.monotonic()
        with self.site.lock():
            self._take_down()
            self.folder.mkdir(parents=True)
            state = self._plan(hosts, private, noforward, podman, tcp.split(","), disk)
            self._plan_newer(state, newer, bare, tcp.split(","), disk)
            for host in state.docker if all_newer else ():
                host.system = str(debian13.SYSTEM)
            state.swarm, state.managers = swarm, managers
            self.site.save(state)
            for step in (self._cables, self._credentials, self._boot, self._engines, self._swarm):
                step(state)
                state.seconds[step.__name__.strip("_")] = round(time.monotonic() - began, 2)
            self.site.save(state)
        return state

    def _plan(self, count: int, private: int, noforward: int, podman: bool, tcp: list[str], disk: str) -> State:
        management, cluster = self.site.management, self.site.cluster
        hosts = []
        for number in range(1, count + 1):
            hidden = number > count - private
            host = Host(
                name=f"h{number}",
                address=f"{cluster if hidden else management}.{number}",
                cluster=f"{cluster}.{number}",
                engine="docker",
                tcp=tcp[(number - 1) % len(tcp)],
                private=hidden,
                forward=hidden or number <= count - private - noforward,
                disk=disk,
            )
            hosts.append(host)
        if podman:
            last = count + 1
            address, other = f"{management}.{last}", f"{cluster}.{last}"
            hosts.append(Host(name="pod1", engine="podman", disk=disk, address=address, cluster=other))
        if private:
            last = network.JUMP_ADDRESS
            address, other = f"{management}.{last}", f"{cluster}.{last}"
            hosts.append(Host(name="jump", disk="16m", address=address, cluster=other))
        return State(hosts={host.name: host for host in hosts})

    def _plan_newer(self, state: State, count: int, bare: bool, tcp: list[str], disk: str) -> None:
        names = [*(f"n{number}" for number in range(1, count + 1)), *(["bare"] if bare else [])]
        for number, name in enumerate(names, FIRST_NEWER):
            host = Host(
                name=name,
                address=f"{self.site.management}.{number}",
                cluster=f"{self.site.cluster}.{number}",
                engine="" if name == "bare" else "docker",
                tcp="none" if name == "bare" else tcp[(number - FIRST_NEWER) % len(tcp)],
                disk=disk,
                system=str(debian13.SYSTEM),
            )
            state.hosts[name] = host

    def _cables(self, state: State) -> None:
        network.plug(self.site, state)

    def _credentials(self, state: State) -> None:
        credentials.make_ssh(self.site, state)
        credentials.make_tls(self.site, state)

    def _boot(self, state: State) -> None:
        _each(self.hosts.boot, state.hosts.values())

    def _engines(self, state: State) -> None:
        image = build_image()

        def load_image(host: Host) -> None:
            self.hosts.await_engine(host)
            status, answer = self.api(host.name, "POST", "/images/load?quiet=1", image, timeout=60)
            if status != 200:
                raise RuntimeError(f"{host.name}: loading the image answered {status}: {answer}")

        _each(load_image, state.engines)
        _each(self.hosts.await_sshd, state.hosts)

    def _swarm(self, state: State) -> None:
        if state.swarm:
            swarm.form(self.site, state)

    def down(self) -> list[str]:
        """Take everything away; may be repeated, also after a crash. Returns what is left behind: nothing."""
        with self.site.lock():
            return self._take_down()

    def _take_down(self) -> list[str]:
        left = take_down(self.site)
        self.hosts.let_go()
        return left

    # -- between tests

    def heal(self, host: str = "") -> None:
        """Undo every fault, on one host or on all, and start what is not running."""
        hosts = self.state.hosts
        _each(self._faults.heal, [hosts[host]] if host else list(hosts.values()), at_once=1)

    def wipe(self) -> None:
        """Heal, then remove every container, volume, network, service and image of a test; the engines stay."""
        state = self.state
        for host in state.docker:
            registry.end(self.site, self.hosts, host)
        for host in state.hosts.values():
            if host.name in state.faulty or self._faults.ailing(host):
                self._faults.heal(host)
        if state.swarm:
            swarm.clean(self.site, state)
        _each(self._wipe_engine, state.engines)

    def _wipe_engine(self, host: Host) -> None:
        containers = self.get(host.name, "/containers/json?all=1")
        for container in containers:
            self.api(host.name, "DELETE", f"/containers/{container['Id']}?force=1&v=1", timeout=30)
        for network_ in self.get(host.name, "/networks"):
            if network_["Name"] not in BUILT_IN_NETWORKS:
                self.api(host.name, "DELETE", f"/networks/{network_['Id']}")
        for volume in self.get(host.name, "/volumes").get("Volumes") or []:
            self.api(host.name, "DELETE", f"/volumes/{volume['Name']}?force=1")
        for image in self.get(host.name, "/images/json"):
            pulled = image.get("RepoDigests") or [] if host.engine == "docker" else []
            for name in (*(image.get("RepoTags") or []), *pulled):
                if not name.endswith((f"/{IMAGE}", IMAGE)) and "<none>" not in name:
                    self.api(host.name, "DELETE", f"/images/{name}?noprune=1")

    # -- ways to it

    def address(self, host: str, way: str = "unix", **changes: Any) -> EngineAddress:
        """The address of a host's engine by `unix`, `tls`, `tcp` (plain) or `ssh`; `changes` replace its parts.

        By ssh the host is called by its name, which the fleet's own ssh config knows; the user `ops` may use the
        engine, `guest` may not.
        """
        known = self.state.hosts[host]
        if way == "unix":
            address = EngineAddress(name=host, scheme="unix", socket=str(self.site.socket(host)))
        elif way == "tls":
            tls = self.tls_files()
            address = EngineAddress(name=host, scheme="tcp", host=known.address, port=2376, tls=tls)
        elif way == "tcp":
            address = EngineAddress(name=host, scheme="tcp", host=known.address, port=2375)
        elif way == "ssh":
            socket = PODMAN_SOCKET if known.engine == "podman" else ""
            config = self.folder / "ssh/config"
            address = EngineAddress(name=host, scheme="ssh", host=host, socket=socket, ssh_config=config)
        else:
            raise ValueError(f"no way {way!r}: unix, tls, tcp or ssh")
        return msgspec.structs.replace(address, **changes)

    def tls_files(self, client: str = "client", *, authority: str = "ca") -> TlsFiles:
        """What a client shows: `client`, `client-expired`, `client-stranger`; it trusts `ca` or `other-ca`."""
        folder = self.folder / "tls"
        ca = folder / authority / "ca.pem"
        return TlsFiles(ca=ca, cert=folder / client / "cert.pem", key=folder / client / "key.pem")

    def write_ssh_config(
        self, folder: Path, *, identity: str = "id_ed25519", known_hosts: str | None = None, user: str = "ops"
    ) -> Path:
        """A changed copy of the fleet's ssh config, with another key (`stranger`), user, or text of known_hosts."""
        known = None
        if known_hosts is not None:
            known = folder / "known_hosts"
            known.write_text(known_hosts)
        file = folder / "ssh_config"
        key = self.folder / "ssh" / identity
        file.write_text(credentials.ssh_config(self.site, self.state, identity=key, known_hosts=known, user=user))
        return file

    @property
    def known_hosts(self) -> str:
        """The right known_hosts, as text."""
        return (self.folder / "ssh/known_hosts").read_text()

    # -- using it

    def api(self, host: str, method: str, target: str, body: Any = None, timeout: float = 10) -> tuple[int, Any]:
        """One request to a host's engine: its status and decoded body."""
        return ask(self.site.socket(host), method, target, body, timeout)

    def get(self, host: str, target: str) -> Any:
        """What an engine answers to a GET. Raises RuntimeError unless the status is 200."""
        status, answer = self.api(host, "GET", target)
        if status != 200:
            raise RuntimeError(f"{host}: {target} answered {status}: {answer}")
        return answer

    def docker(self, host: str, *arguments: object, check: bool = True) -> str:
        """Run the docker command against a host's engine and return what it printed."""
        return sh("docker", "-H", f"unix://{self.site.socket(host)}", *arguments, check=check)

    def on(self, host: str, *command: object, check: bool = True) -> str:
        """Run a command on a host as root and return what it printed."""
        return self.hosts.on(host, *command, check=check)

    def run(self, host: str, project: str, service: str, command: str, number: int = 1, **config: Any) -> str:
        """Start one container as docker compose would, named PROJECT-SERVICE-NUMBER. Returns its id.

        `command` is `web` (give it Healthcheck=HEALTH), `logger`, `crash`, `oom`, `slowstop` or anything of busybox.
        `config` is by the names of the Engine API's create call: HostConfig={…}, Healthcheck={…}; Labels are added.
        """
        labels = {**load.compose_labels(project, service, number), **config.pop("Labels", {})}
        name = f"{project}-{service}-{number}"
        return load.start_container(self.site, host, name, command, {**config, "Labels": labels})

    def run_plain(self, host: str, name: str, command: str, **config: Any) -> str:
        """Start one container with no labels but the image's and those in `config`. Returns its id."""
        return load.start_container(self.site, host, name, command, config)

    def run_service(self, name: str, command: str, replicas: int = 1, **spec: Any) -> str:
        """Start a swarm service; `spec` replaces parts of the API's ServiceSpec. Returns its id."""
        return load.start_service(self.site, name, command, replicas, spec)

    def shop(self, *hosts: str) -> None:
        """Start a small compose project with good and bad services on the hosts named, or on all."""
        for host in hosts or [host.name for host in self.state.engines]:
            load.shop(self.site, host)

    def serve_registry(self, host: str = "h1") -> str:
        """Start a registry of images on a host until the next wipe. Returns the address that images are named by."""
        return registry.serve(self.site, self.hosts, self.state.hosts[host])

    def engine(self, *flags: str, host: str = "bare", **settings: Any) -> AbstractContextManager[None]:
        """A Docker engine on a host without one, for a block: by flags, and by settings of daemon.json (_ for -)."""
        named = {name.replace("_", "-"): value for name, value in settings.items()}
        return spare.engine(self.site, self.hosts, self.state.hosts[host], named, flags)

    def podman_health(self, host: str = "pod1") -> None:
        """Podman leaves health checks to systemd's timers; where none runs, somebody must run them."""
        for container in self.on(host, "podman", "ps", "-q").split():
            self.on(host, "podman", "healthcheck", "run", container, check=False)

    # -- breaking it

    def fault(self, host: str, kind: str, *arguments: object) -> None:
        """Let something of FAULTS happen to a host, until it is healed."""
        self._faults.do(host, kind, *arguments)

    def reconfigure_sshd(self, host: str, *, forward: bool | None = None, cli: bool = True, **options: object) -> None:
        """Restart a host's sshd, cutting its sessions: socket forwarding allowed or not, no docker command (`cli`)
        for who logs in, and any option of sshd_config (MaxSessions=1, MaxStartups="1:100:1"). Healing undoes it.
        """
        changes = {name: str(value) for name, value in options.items()}
        if forward is not None:
            changes["AllowStreamLocalForwarding"] = "yes" if forward else "no"
        if not cli:
            changes["SetEnv"] = "PATH=/nonexistent"
        self._faults.mark(host)
        state = self.state
        state.hosts[host].sshd = changes
        self.site.save(state)
        self.hosts.restart_sshd(state.hosts[host])

    def keep_log(self, host: str, kind: str = syslog.JOURNAL, *, readable: bool = True) -> None:
        """Let a host's sshd log who comes and goes, as on a real machine: into the `journal`, or into a file such as
        `/var/log/secure`; `readable` for the user ops. Cuts its sessions; healing undoes it.
        """
        self._faults.mark(host)
        state = self.state
        state.hosts[host].log = kind
        self.site.save(state)
        syslog.keep(self.hosts, state.hosts[host], kind, readable=readable)


def _each(do: Callable[[Item], object], items: Iterable[Item], at_once: int = AT_ONCE) -> None:
    with ThreadPoolExecutor(at_once) as pool:
        for _ in pool.map(do, items):
            pass
