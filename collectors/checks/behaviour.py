"""C: how containers behave, what is done in them, and what the death of a host would take along."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..model import ContainerState
from ..model.posture import ContainerPosture
from ..words import count
from .facts import EngineFacts, FleetFacts
from .finding import Check, Found, Outcome, Passed, Severity, Unchecked, Unknown, of_containers

Said = Iterator[Found | Unknown]
LOOP = 3
"""Restarts from which on a container that was started lately is in a loop."""
LATELY = timedelta(hours=1)
STOP_TIMEOUT = 10
"""Seconds an engine waits after SIGTERM where nothing else is said."""


def _loop(container: ContainerPosture, _engine: EngineFacts, facts: FleetFacts) -> Said:
    if container.oom_killed:
        itself = container.exit_code == 137 or container.state is ContainerState.RESTARTING
        yield Found(
            evidence="State.OOMKilled = true",
            sentence=f"{'it' if itself else 'a process in it'} was killed for memory",
            remedy="mem_limit: 1g   # more than it needs at its peak; docker stats shows what it takes",
        )
    started = container.started_at
    lately = started is not None and facts.now - started < LATELY
    again = container.restart_count
    if container.alive and again and (container.state is ContainerState.RESTARTING or (again >= LOOP and lately)):
        yield Found(evidence=f"RestartCount = {again}, State = {container.state}")


def _forced(container: ContainerPosture, engine: EngineFacts, _: FleetFacts) -> Said:
    when = engine.forced.get(container.id)
    if when is not None:
        waits = container.stop_timeout if container.stop_timeout is not None else STOP_TIMEOUT
        yield Found(evidence=f"kill 15, kill 9 at {when}; StopTimeout = {waits} s")
    elif "events" in engine.untold:
        yield Unknown(engine.untold["events"])


def _execs(check: Check, facts: FleetFacts) -> Iterator[Outcome]:
    """Those that run now, and those that were seen while fleettop watched; of others an engine tells nothing."""
    for fact in facts.execs:
        yield check.finding(
            Found(evidence=fact.words),
            engine=fact.container.engine,
            kind="container",
            name=fact.name,
            service=fact.service,
            container=fact.container,
        )
    with_execs = {fact.container for fact in facts.execs}
    for engine in facts.engines:
        if engine.daemon is not None and (why := engine.untold.get("execs") or engine.untold.get("containers")):
            yield Unchecked(check=check.id, engine=engine.name, object=engine.name, why=why)
        else:
            for container in engine.containers:
                if container.alive and container.key not in with_execs:
                    yield Passed(check.id)


def _losses(check: Check, facts: FleetFacts) -> Iterator[Outcome]:
    for loss in facts.losses:
        moves = {"moves": ", until the swarm has started it elsewhere", "may move": ", unless the swarm moves it"}
        how = "its only serving replica" if loss.replicas == 1 else f"all its {loss.replicas} serving replicas"
        yield check.finding(
            Found(
                evidence=f"{count(loss.replicas, 'replica')} serving on {loss.host}, 0 elsewhere",
                sentence=f"{how} {'is' if loss.replicas == 1 else 'are'} on {loss.host}: it would be down with it"
                + moves.get(loss.moved, ""),
                severity=Severity.MEDIUM if loss.moved == "moves" else None,
            ),
            engine=loss.host,
            kind="service",
            name=loss.service,
            service=loss.service,
        )
    hit = {loss.host for loss in facts.losses}
    for host in facts.hosts:
        if host not in hit:
            yield Passed(check.id)


CHECKS = (
    Check(
        id="C18",
        title="restart loop, or killed for memory",
        severity=Severity.HIGH,
        source="RestartCount, State",
        why="It does not do its work, and takes that of others.",
        remedy="docker logs --tail 50 NAME   # its last words before it ended",
        look=of_containers(_loop, ended=True),
    ),
    Check(
        id="C21",
        title="a command ran in it as root or privileged",
        severity=Severity.HIGH,
        source="ExecIDs and /exec/{id}/json while it runs; events watched",
        cis="5.23, 5.24",
        why="What is changed by hand in a container is in no image and on no record but this.",
        remedy="docker exec --user 10001 NAME …   # never --privileged; better: change the image and deploy it",
        look=_execs,
    ),
    Check(
        id="C22",
        title="its stop ended in SIGKILL",
        severity=Severity.LOW,
        source="/events kill and die; StopTimeout",
        why="It does not heed SIGTERM: what it was at is lost, and every deploy waits for it.",
        remedy="init: true\nstop_grace_period: 30s   # or a handler for SIGTERM in it, and ENTRYPOINT in exec form",
        look=of_containers(_forced, ended=True),
    ),
    Check(
        id="C23",
        title="down with one host",
        severity=Severity.HIGH,
        source="the fleet's picture: what if that host died",
        why="The service is as reliable as that one machine.",
        remedy="deploy: { replicas: 2, placement: { preferences: [{ spread: node.hostname }] } }   # or a second "
        "host with the same compose project",
        look=_losses,
    ),
)
