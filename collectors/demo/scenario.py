"""What moves in a simulated fleet, and what is wrong in it when one looks for the first time.

Without an incident asked for, the fleet has a bad night: a deploy of `pay` that does not start, a service short of one
replica for want of memory, a host that goes and returns, and the daily business around it. With one, the fleet is calm
but for that.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ConfigError
from .agenda import Action
from .machine import Machine
from .population import LEAST_FOR_SWARM, role_of
from .rollout import Operator
from .rows import TOO_SLOW
from .things import Container, Fate, Greed, dice
from .world import World

MINUTE = 60.0
LEDGER = (
    "INFO  starting pay-api 2.8.1",
    "INFO  connected to postgres at db:5432",
    "Traceback (most recent call last):",
    '  File "/app/pay/__main__.py", line 41, in <module>',
    "    app = create_app(load_settings(os.environ))",
    '  File "/app/pay/settings.py", line 27, in load_settings',
    "    ledger=Url(env['LEDGER_URL']),",
    "KeyError: 'LEDGER_URL'",
)
REFUSED = "pay-api:8080: connection refused\n"
NO_INDEX = "search: elastic answered 503: no shard available for [items-v7]\n"
_SHORT_OF_MEMORY = (
    "WARN  heap at 91 %, dropping caches",
    "INFO  merging segments of items-v7 (412 MB)",
    "WARN  heap at 98 %",
)


class Scenario:
    """Plans what will happen, all of it when the play begins or as it goes on."""

    def __init__(self, world: World, incident: str | None) -> None:
        self._world = world
        self._operator = Operator(world)
        self._chance = dice(("scenario", world.seed))
        self._turn = 0
        if incident is None:
            self._bad_night()
            self._at(20.0, self._business)
        else:
            INCIDENTS_TOLD[incident](self)
        self._at(15.0, self._probing)

    def _at(self, seconds: float, action: Action) -> None:
        """So many seconds after the doors open; negative: before."""
        self._world.agenda.at(self._world.opens + seconds, action)

    # -- the night as it was before one looks

    def _bad_night(self) -> None:
        world, operator = self._world, self._operator
        self._at(-88 * MINUTE, self._another_build)
        self._at(-74 * MINUTE, lambda: operator.job("pay", "worker", "python -m pay.reconcile", 40.0))
        self._at(-66 * MINUTE, lambda: self._restart_first("crm", "web"))
        self._at(-52 * MINUTE, lambda: operator.deploy("auth", "api", "6.1.1"))
        self._at(-41 * MINUTE, lambda: operator.scale("search", "api"))
        self._at(-33 * MINUTE, lambda: operator.deploy_in_swarm("notify_push", "1.9.1"))
        self._at(-24 * MINUTE, lambda: self._exec_first("shop", "db", 'psql -U shop -c "select count(*) from orders"'))
        self._at(-19 * MINUTE, lambda: operator.scale_in_swarm("media_transcode", 1))
        world.fates["search-indexer:1.18.4"] = Fate("oom", 13 * MINUTE, words=_SHORT_OF_MEMORY)
        self._at(-17 * MINUTE, lambda: self._out_of_memory("search", "indexer"))
        world.fates["pay-api:2.8.1"] = Fate("crash", 1.9, 1, words=LEDGER)
        self._at(-312.0, lambda: operator.deploy("pay", "api", "2.8.1", pause=2.5))
        self._at(-290.0, lambda: operator.deploy("pay", "worker", "2.8.1", pause=5.0))
        self._at(-236.0, lambda: self._sicken_last("pay", "worker", REFUSED))
        self._at(25.0, lambda: self._host_goes(self._lonely_host(), 95.0))
        self._at(11 * MINUTE, self._repair)

    def _another_build(self) -> None:
        """Somebody pulled on one host: the same tag is another image there."""
        found = self._world.replicas("shop", "cache")
        if found:
            machine, container = found[-1]
            image = self._world.shelf.image("redis:7.2", variant="later", age=2 * 86_400)
            machine.add_image(image, pulled=True)
            self._operator.recreate(machine, container, image, config="", done=_nothing)

    def _repair(self) -> None:
        """ops1 found it: the next version starts."""
        self._operator.deploy("pay", "api", "2.8.2", pause=4.0)
        self._operator.deploy("pay", "worker", "2.8.2", pause=4.0)

    # -- small things

    def _restart_first(self, stack: str, service: str) -> None:
        for machine, container in self._world.replicas(stack, service)[:1]:
            self._operator.restart(machine, container)

    def _exec_first(self, stack: str, service: str, command: str) -> None:
        for machine, container in self._world.replicas(stack, service)[:1]:
            self._operator.look_inside(machine, container, command)

    def _sicken_last(self, stack: str, service: str, output: str) -> None:
        for machine, container in self._world.replicas(stack, service)[-1:]:
            machine.sicken(container, output)

    def _out_of_memory(self, stack: str, service: str) -> None:
        for machine, container in self._world.replicas(stack, service)[-1:]:
            container.fate = self._world.fates.get(container.plan.ref)
            if container.alive and container.fate is not None:
                container.said += [(self._world.now - 1, "stdout", line) for line in _SHORT_OF_MEMORY]
                machine.end(container, 137, oom=True)

    def _lonely_host(self) -> Machine | None:
        """A host at the edge; the one that has the only replica of a service, so that it is not known how that does."""
        alone = [machine for machine, _ in self._world.replicas("edge", "acme")]
        edges = [machine for machine in self._world.machines if role_of(machine) == "edge"]
        return next(iter([*alone, *edges]), None) if len(self._world.machines) > 1 else None

    def _host_goes(self, machine: Machine | None, seconds: float) -> None:
        if machine is None or not machine.powered:
            return
        self._world.power(machine, on=False)
        self._world.agenda.after(seconds, lambda: self._world.power(machine, on=True))

    def _host_freezes(self, machine: Machine, seconds: float) -> None:
        machine.silent = True

        def thaw() -> None:
            machine.silent = False

        self._world.agenda.after(seconds, thaw)

    # -- the business of every day

    def _business(self) -> None:
        """Something happens, and then something else."""
        self._turn += 1
        kinds: tuple[tuple[Callable[[], None], int], ...] = (
            (self._some_deploy, 4),
            (self._some_restart, 3),
            (self._some_sickness, 3),
            (self._some_exec, 2),
            (self._some_job, 2),
            (self._some_scaling, 1),
            (self._some_crash, 2),
            (self._some_swarm_deploy, 2),
            (self._some_host, 1),
        )
        chosen = self._chance.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        chosen()
        self._world.agenda.after(self._chance.uniform(18, 45), self._business)

    def _some(self, fits: Callable[[Machine, Container], bool]) -> tuple[Machine, Container] | None:
        found = [(m, c) for m, c in self._world.containers() if m.powered and c.alive and fits(m, c)]
        return self._chance.choice(found) if found else None

    def _some_deploy(self) -> None:
        found = self._some(lambda _, c: bool(c.plan.image.labels) and _calm(c) and _of_compose(c))
        if found is not None:
            stack, service = _place(found[1])
            self._operator.deploy(stack, service, next_tag(found[1].plan.image.tag), pause=5.0)

    def _some_swarm_deploy(self) -> None:
        swarm = self._world.swarm
        names = [s.name for s in swarm.services.values() if s.name != "media_transcode" and s.wanted] if swarm else []
        if names and swarm is not None:
            name = self._chance.choice(names)
            service = swarm.find_service(name)
            self._operator.deploy_in_swarm(name, next_tag(service.image.partition("@")[0].rpartition(":")[2]))

    def _some_restart(self) -> None:
        found = self._some(lambda _, c: _calm(c) and _of_compose(c))
        if found is not None:
            self._operator.restart(*found)

    def _some_sickness(self) -> None:
        found = self._some(lambda _, c: c.health == "healthy" and _calm(c))
        if found is None:
            return
        machine, container = found
        machine.sicken(container, "")
        check = container.plan.check
        assert check is not None
        life = container.life
        lasts = check.interval * check.retries + self._chance.uniform(30, 80)

        def recover() -> None:
            if container.life == life:
                machine.set_health(container, "healthy")
                container.failing_since = None

        self._world.agenda.after(lasts, recover)

    def _some_exec(self) -> None:
        found = self._some(lambda _, c: c.plan.image.repository in ("postgres", "redis", "mariadb"))
        if found is not None:
            self._operator.look_inside(*found, self._chance.choice(("sh", "psql", "redis-cli info memory", "ls /data")))

    def _some_job(self) -> None:
        found = self._some(lambda _, c: _of_compose(c) and bool(c.plan.image.labels) and _calm(c))
        if found is not None:
            stack, service = _place(found[1])
            self._operator.job(stack, service, "python -m tasks.cleanup", self._chance.uniform(4, 15))

    def _some_scaling(self) -> None:
        found = self._some(lambda _, c: _of_compose(c) and bool(c.plan.image.labels) and _calm(c) and not c.plan.mounts)
        if found is not None and self._turn < 60:
            self._operator.scale(*_place(found[1]))

    def _some_crash(self) -> None:
        found = self._some(lambda _, c: _calm(c) and c.policy != "no")
        if found is not None:
            machine, container = found
            container.said.append((self._world.now, "stderr", "fatal: unexpected end of stream"))
            machine.end(container, self._chance.choice((1, 2, 134, 139)))

    def _some_host(self) -> None:
        if any(not machine.powered or machine.silent for machine in self._world.machines):
            return
        usable = [m for m in self._world.machines if role_of(m) in ("web", "edge", "swm")]
        if len(usable) > 1:
            machine = self._chance.choice(usable)
            if self._chance.random() < 0.4:
                self._host_freezes(machine, 35.0)
            else:
                self._host_goes(machine, self._chance.uniform(45, 120))

    def _probing(self) -> None:
        """Health checks are execs and tell of themselves; a few of them stand for all."""
        for machine in self._world.machines[:8]:
            checked = [c for c in machine.running() if c.plan.check is not None and c.state == "running"]
            if not checked or not machine.powered:
                continue
            container = self._chance.choice(checked)
            test = container.plan.check.test if container.plan.check is not None else ()
            shell = "/bin/sh -c " if test[0] == "CMD-SHELL" else ""
            command = shell + " ".join(test[1:])
            exec_id = f"{machine.chance.getrandbits(256):064x}"
            for action in (f"exec_create: {command}", f"exec_start: {command}"):
                machine.tell_of(container, action, execID=exec_id)
            machine.tell_of(container, "exec_die", execID=exec_id, exitCode="0")
        self._world.agenda.after(30.0, self._probing)

    # -- incidents

    def _crash_loop(self) -> None:
        self._world.fates["pay-api:2.8.1"] = Fate("crash", 1.9, 1, words=LEDGER)
        self._at(8.0, lambda: self._operator.deploy("pay", "api", "2.8.1", pause=2.5))

    def _memory(self) -> None:
        def strike() -> None:
            for machine, container in self._world.replicas("search", "indexer"):
                container.fate = Fate("oom", 35.0, words=_SHORT_OF_MEMORY)
                container.memory = container.memory or 1 << 30
                machine.end(container, 137, oom=True)

        self._world.fates["search-indexer:1.18.4"] = Fate("oom", 35.0, words=_SHORT_OF_MEMORY)
        self._at(8.0, strike)

    def _half_deploy(self) -> None:
        replicas = len(self._world.replicas("shop", "api"))
        self._at(8.0, lambda: self._operator.deploy("shop", "api", "5.13.0", pause=3.0, only=max(1, replicas // 2)))

    def _dead_host(self) -> None:
        web = [machine for machine in self._world.machines if role_of(machine) == "web"]
        victim = web[min(1, len(web) - 1)] if web else self._world.machines[-1]
        self._at(8.0, lambda: self._host_goes(victim, 12 * MINUTE))

    def _unhealthy(self) -> None:
        for number in range(len(self._world.replicas("search", "api"))):
            self._at(8.0 + 12.0 * number, lambda n=number: self._sicken_one("search", "api", n))  # type: ignore[misc]

    def _sicken_one(self, stack: str, service: str, number: int) -> None:
        for machine, container in self._world.replicas(stack, service)[number : number + 1]:
            machine.sicken(container, NO_INDEX)

    def _frozen(self) -> None:
        victim = self._world.machines[min(2, len(self._world.machines) - 1)]
        self._at(8.0, lambda: self._host_freezes(victim, 12 * MINUTE))

    def _disk_full(self) -> None:
        """A disk is full: what writes there ends, and its daemon can start nothing, until somebody makes room."""
        keeping = [machine for machine, container in self._world.containers() if _writes(container)]
        victim = max(keeping, key=keeping.count) if keeping else self._world.machines[0]

        def strike(container: Container) -> None:
            if container.alive:
                where = container.plan.mounts[0].target
                container.said.append((self._world.now, "stderr", f"fatal: write {where}: no space left on device"))
                victim.end(container, 1)

        def fill() -> None:
            victim.full = True
            for number, container in enumerate(c for c in victim.containers.values() if _writes(c)):
                self._world.agenda.after(4.0 * number, lambda c=container: strike(c))  # type: ignore[misc]

        def make_room() -> None:
            victim.full = False
            for container in tuple(victim.containers.values()):
                if container.state == "exited" and container.error and not container.stopped_by_hand:
                    victim.start(container)

        self._at(8.0, fill)
        self._at(12 * MINUTE, make_room)

    def _quorum_lost(self) -> None:
        """One manager of the swarm after the other goes, until those that are left are too few."""
        swarm = self._world.swarm
        if swarm is None:
            raise ConfigError(
                "There is no swarm in a fleet as small as this.", hint=f"Say --engines {LEAST_FOR_SWARM} or more."
            )
        managers = swarm.managers
        for number, node in enumerate(managers[len(managers) // 2 :]):
            self._at(8.0 + 6.0 * number, lambda m=node.machine: self._host_goes(m, 12 * MINUTE))  # type: ignore[misc]

    def _noisy_neighbour(self) -> None:
        """One container takes all CPUs of its host, and health checks beside it come too late, until it ends."""
        self._at(8.0, self._get_greedy)

    def _get_greedy(self) -> None:
        for machine, noisy in (self._world.replicas("stock", "forecast") or list(self._world.containers()))[:1]:
            self._be_greedy(machine, noisy)

    def _be_greedy(self, machine: Machine, noisy: Container) -> None:
        greed = machine.greed = Greed(noisy, self._world.now)
        noisy.said.append((self._world.now, "stdout", "INFO  refitting 48211 models on all cores"))
        beside = [container for container in machine.running() if container is not noisy]
        for container in beside:
            machine.sicken(container, f"{TOO_SLOW} (3s)")
        life = noisy.life

        def look() -> None:
            if noisy.life == life and machine.powered:
                self._world.agenda.after(2.0, look)
                return
            greed.until = self._world.now
            for container in (c for c in beside if c.alive and c.health):
                container.failing_since = None
                machine.set_health(container, "healthy")

        look()


INCIDENTS_TOLD: dict[str, Callable[[Scenario], None]] = {
    "crash-loop": Scenario._crash_loop,
    "dead-host": Scenario._dead_host,
    "disk-full": Scenario._disk_full,
    "frozen": Scenario._frozen,
    "frozen-daemon": Scenario._frozen,
    "half-deploy": Scenario._half_deploy,
    "noisy-neighbour": Scenario._noisy_neighbour,
    "oom": Scenario._memory,
    "quorum-lost": Scenario._quorum_lost,
    "unhealthy": Scenario._unhealthy,
}
INCIDENTS: tuple[str, ...] = tuple(INCIDENTS_TOLD)


def next_tag(tag: str) -> str:
    """The next version: the last number of it, one higher."""
    head, dot, last = tag.rpartition(".")
    return f"{head}{dot}{int(last) + 1}" if last.isdigit() else f"{tag}.1"


def _calm(container: Container) -> bool:
    return container.fate is None and container.failing_since is None and container.state == "running"


def _of_compose(container: Container) -> bool:
    return container.labels.get("com.docker.compose.oneoff") == "False"


def _writes(container: Container) -> bool:
    return any(mount.kind == "volume" for mount in container.plan.mounts)


def _place(container: Container) -> tuple[str, str]:
    return container.labels["com.docker.compose.project"], container.labels["com.docker.compose.service"]


def _nothing() -> None:
    pass
