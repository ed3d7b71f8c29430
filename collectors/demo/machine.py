"""One simulated machine with its engine: what stands on it, and the transitions a Docker engine makes.

The events come in the sequences that dockerd was seen to send: stop = kill(15) die stop · restart = kill die stop start
restart · kill = kill die · rm -f = kill die destroy · a crash with a restart policy = die start · out of memory = oom
die(137).
"""

from __future__ import annotations

from ..errors import Rejected
from .agenda import Action
from .site import Site
from .things import Container, Fate

LONGEST_BACKOFF = 60.0
SETTLED = 10.0
"""A container that ran this long is restarted at once next time (moby: restartmanager)."""
SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15}
_HARMLESS = (1, 10, 12)
_TASKS = "/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby"


class Machine(Site):
    """One engine and what happens to what runs on it."""

    # -- starting and ending

    def begin(self, container: Container, *, since: float | None = None, quiet: bool = False) -> None:
        """Start its processes. `since` and `quiet`: it has been running for long when the play begins."""
        if not quiet:
            self.tell_networks(container, "connect")
            self.tell_volumes(container, "mount")
        container.life += 1
        container.state = "running"
        container.started = self.agenda.now if since is None else since
        container.pid = self.chance.randrange(1_000, 400_000)
        container.error, container.asleep = "", 0.0
        container.oom_killed = False
        container.failing_since = None
        if not quiet:
            self.tell_of(container, "start")
        if container.plan.check is not None:
            container.health = "starting"
            if quiet:
                container.health = "healthy"
            else:
                self._later(
                    container, container.plan.nature.ready_seconds, lambda: self.set_health(container, "healthy")
                )
        if container.fate is not None:
            self.befall(container, container.fate)

    def start(self, container: Container) -> bool:
        """`docker start`. False: it runs already. Raises Rejected (409) where it cannot."""
        if container.state == "running":
            return False
        if container.state == "paused":
            raise Rejected("cannot start a paused container, try unpause instead", status=409)
        self._check_ports(container)
        container.stopped_by_hand = False
        container.restart_count = 0
        container.backoff = 0.1
        if not self._has_room(container):
            raise Rejected(container.error, status=500)
        self.begin(container)
        return True

    def _has_room(self, container: Container) -> bool:
        """Whether a start finds room on the disk; else it ends as moby leaves it: 128, with what the daemon said."""
        if self.full:
            container.state, container.exit_code = "exited", 128
            container.error = f"mkdir {_TASKS}/{container.id}: no space left on device"
        return not self.full

    def _check_ports(self, container: Container) -> None:
        wanted = {port.public for port in container.plan.ports if port.public is not None}
        for other in self.running() if wanted else ():
            if other is not container and (taken := wanted.intersection(p.public for p in other.plan.ports)):
                container.exit_code = 128
                container.error = (
                    f"driver failed programming external connectivity on endpoint {container.name}: "
                    f"Bind for 0.0.0.0:{taken.pop()} failed: port is already allocated"
                )
                raise Rejected(container.error, status=500)

    def stop(self, container: Container, *, timeout: float, done: Action, restart: bool = False) -> bool:
        """`docker stop` (and the first half of a restart); `done` is called when it is over. False: it does not run."""
        if container.state == "restarting":
            container.life += 1
            container.state, container.stopped_by_hand = "exited", not restart
            self.tell_of(container, "stop")
            done()
            return True
        if not container.alive:
            return False
        if container.state == "paused":
            container.state = "running"
        signals_needed = container.plan.nature.stop_seconds > timeout
        container.stopped_by_hand = True
        self.tell_of(container, "kill", signal="15")
        seconds = min(container.plan.nature.stop_seconds, max(timeout, 0.05))

        def end() -> None:
            if signals_needed:
                self.tell_of(container, "kill", signal="9")
            self.end(container, 137 if signals_needed else _graceful(container), by_hand=True)
            self.tell_of(container, "stop")

        self._settle(container, seconds, end, done)
        return True

    def restart(self, container: Container, *, timeout: float, done: Action) -> None:
        """`docker restart`; `done` is called when it runs again."""

        def again() -> None:
            if container.removed or not self.powered:
                done()
                return
            container.stopped_by_hand = False
            container.restart_count = 0
            container.backoff = 0.1
            if container.alive or self._has_room(container):
                if not container.alive:
                    self.begin(container)
                self.tell_of(container, "restart")
            done()

        if not self.stop(container, timeout=timeout, done=again, restart=True):
            again()

    def kill(self, container: Container, signal: str, *, done: Action) -> None:
        """`docker kill`. Raises Rejected: 409 where it does not run, 400 for a signal that is none."""
        number = _signal(signal)
        if not container.alive:
            raise Rejected(
                f"cannot kill container: {container.id}: container {container.id} is not running", status=409
            )
        self.tell_of(container, "kill", signal=str(number))
        if number in _HARMLESS:
            done()
            return
        container.stopped_by_hand = number in (9, 15)
        self._settle(
            container, 0.04, lambda: self.end(container, 128 + number, by_hand=container.stopped_by_hand), done
        )

    def freeze(self, container: Container, *, on: bool) -> None:
        """`docker pause` and `unpause`. Raises Rejected where it makes no sense (409; 500 for the latter)."""
        if on and container.state == "paused":
            raise Rejected(f"Container {container.id} is already paused", status=409)
        if on and container.state != "running":
            raise Rejected(f"Container {container.id} is not running", status=409)
        if not on and container.state != "paused":
            raise Rejected(f"Container {container.id} is not paused", status=500)
        container.state = "paused" if on else "running"
        if on:
            container.paused_at = self.agenda.now
        else:
            container.asleep += self.agenda.now - container.paused_at
        self.tell_of(container, "pause" if on else "unpause")

    def remove(self, container: Container, *, force: bool = False, done: Action) -> None:
        """`docker rm`. Raises Rejected (409) where it runs and `force` is not given."""
        if container.alive and not force:
            raise Rejected(
                f'cannot remove container "/{container.name}": container is running: '
                "stop the container before removing or force remove",
                status=409,
            )

        def away() -> None:
            if container.removed:
                return
            container.removed = True
            container.life += 1
            self.containers.pop(container.id, None)
            if self.names.get(container.name) is container:
                del self.names[container.name]
            self.tell_of(container, "destroy")

        if not container.alive:
            away()
            done()
            return
        self.tell_of(container, "kill", signal="9")

        def end() -> None:
            self.end(container, 137, by_hand=True)
            away()

        self._settle(container, 0.08, end, done)

    # -- what happens by itself

    def end(self, container: Container, code: int, *, by_hand: bool = False, oom: bool = False) -> None:
        """Its processes are gone, with this exit code. Its restart policy has the next word unless `by_hand`."""
        container.life += 1
        ran = self.agenda.now - container.started
        container.state, container.exit_code, container.pid = "exited", code, 0
        container.finished = self.agenda.now
        container.oom_killed = oom
        container.failing_since = None
        if container.health:
            container.health = "unhealthy"  # moby: a stopped container's monitor says so
        if oom:
            self.tell_of(container, "oom")
        self.tell_of(container, "die", exitCode=str(code), execDuration=str(int(ran)))
        self.tell_networks(container, "disconnect")
        self.tell_volumes(container, "unmount")
        if not by_hand and _comes_back(container, code):
            container.backoff = 0.1 if ran > SETTLED else min(container.backoff * 2, LONGEST_BACKOFF)
            container.state = "restarting"
            self._later(container, container.backoff, lambda: self._come_back(container))
        elif container.plan.auto_remove:
            self._later(container, 0.05, lambda: self.remove(container, done=_nothing))
        if self.on_end is not None:
            self.on_end(container)

    def _come_back(self, container: Container) -> None:
        container.restart_count += 1
        if self._has_room(container):
            self.begin(container)

    def set_health(self, container: Container, health: str) -> None:
        """Its check came to another result."""
        if container.health == health or not container.alive:
            return
        container.health = health
        if health == "healthy":
            container.failing_since = None
        self.tell_of(container, f"health_status: {health}")

    def sicken(self, container: Container, output: str) -> None:
        """Its probes fail from now on; it is unhealthy once that happened as often as its check says."""
        check = container.plan.check
        if check is None or not container.alive or container.failing_since is not None:
            return
        container.failing_since = self.agenda.now
        container.probe_output = output or check.bad
        self._later(container, check.interval * check.retries, lambda: self.set_health(container, "unhealthy"))

    def befall(self, container: Container, fate: Fate) -> None:
        """Let a container's fate come over it, `fate.after` seconds from now."""
        if fate.times is not None and container.fated >= fate.times:
            return
        container.fated += 1

        def come() -> None:
            for number, line in enumerate(fate.words):
                container.said.append((self.agenda.now - 0.01 * (len(fate.words) - number), "stderr", line))
            del container.said[:-400]
            if fate.kind == "sick":
                self.sicken(container, fate.output)
            else:
                self.end(container, 137 if fate.kind == "oom" else fate.code, oom=fate.kind == "oom")

        self._later(container, fate.after, come)

    # -- power

    def power_off(self) -> None:
        """The machine dies: no event tells of it, and the daemon forgets all of them."""
        self.powered = False
        self.ring.forget()
        for container in self.containers.values():
            container.life += 1
            if container.alive or container.state == "restarting":
                container.state, container.exit_code, container.pid = "exited", 255, 0
                container.finished = self.agenda.now
                container.health = "unhealthy" if container.health else ""

    def power_on(self) -> None:
        """The machine is back: the daemon starts what its restart policies say."""
        self.powered = True
        self.booted = self.agenda.now
        for container in tuple(self.containers.values()):
            if container.policy in ("always", "unless-stopped") and not container.stopped_by_hand:
                wait = self.chance.uniform(0.3, 3.0)
                self._later(container, wait, lambda c=container: self.begin(c))  # type: ignore[misc]

    # -- plumbing

    def _later(self, container: Container, seconds: float, action: Action) -> None:
        """In this life of the container, after some seconds."""
        life = container.life

        def if_still_so() -> None:
            if container.life == life and self.powered and not container.removed:
                action()

        self.agenda.after(seconds, if_still_so)

    def _settle(self, container: Container, seconds: float, action: Action, done: Action) -> None:
        """Like `_later`, and `done` in any case."""
        life = container.life

        def finish() -> None:
            if container.life == life and self.powered:
                action()
            done()

        self.agenda.after(seconds, finish)


def _nothing() -> None:
    pass


def _graceful(container: Container) -> int:
    """What a program that was asked to stop ends with: shells and Java die by the signal, most others leave well."""
    return 143 if container.plan.nature.voice in ("java", "elastic", "kafka") else 0


def _comes_back(container: Container, code: int) -> bool:
    if container.policy in ("always", "unless-stopped"):
        return True
    return (
        container.policy == "on-failure"
        and code != 0
        and (container.retries == 0 or container.restart_count < container.retries)
    )


def _signal(name: str) -> int:
    bare = name.upper().removeprefix("SIG") or "KILL"
    number = int(bare) if bare.isdigit() else SIGNALS.get(bare, 0)
    if not 0 < number < 65:
        raise Rejected(f"invalid signal: {name}", status=400)
    return number
