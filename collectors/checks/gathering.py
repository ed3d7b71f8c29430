"""Reading what the checks need, from each engine beside the others, and within what an engine can bear.

All of it are reads. A look costs an engine seven requests, one more for each container, and one for each command that
somebody runs in one; none is made unless somebody asks for the checks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from ..actions.whatif import what_if_host
from ..clock import nanoseconds
from ..engine.client import EngineClient
from ..engine.decode_posture import (
    ClusterPosture,
    ExecPosture,
    decode_cluster,
    decode_container,
    decode_daemon,
    decode_disk,
    decode_images,
    decode_networks,
    decode_nodes,
    decode_running,
    decode_services,
)
from ..engine.versions import at_least
from ..errors import EngineError
from ..fleet import Fleet
from ..links.certificates import decode_pem
from ..model import ContainerKey, LinkPhase
from ..model.posture import ContainerPosture, DaemonPosture, SwarmPosture
from .facts import EngineFacts, ExecFact, FleetFacts, LossFact

T = TypeVar("T")
ENGINES_AT_ONCE = 16
AT_ONCE = 4
"""Requests under way on one engine."""
MOST_EXECS = 200
"""Commands in containers that are looked at on one engine: each costs a request, and health checks leave many."""
KILL = ("9", "SIGKILL")
AWHILE = 0.5
"""Seconds after which SIGKILL follows another signal because that did not do."""
_RAN = re.compile(r"ran as (\S+) \((asked for|the container's own user)\)(, with all privileges)?")
_ROOT = ("root", "0")


class Sources(msgspec.Struct, frozen=True):
    """Where the facts come from."""

    fleet: Fleet
    client: Callable[[str], EngineClient | None]
    """The way to ask an engine; None: it cannot be reached."""
    certificates: Callable[[str], tuple[datetime | None, datetime | None]]
    logs: Callable[[str, Sequence[str]], Awaitable[Mapping[str, int]]] | None = None
    """Bytes of the logs of an engine's containers, as far as they can be read; None: nobody reads them."""


class _Read(msgspec.Struct):
    """What one engine told."""

    facts: EngineFacts
    cluster: ClusterPosture | None = None
    execs: tuple[tuple[ContainerPosture, ExecPosture], ...] = ()


async def gather(sources: Sources, tell: Callable[[int, int], None]) -> FleetFacts:
    """All facts of the fleet as it is now; `tell` hears how many engines of how many have been read.

    Never raises for an engine's trouble: what it did not tell is said to be untold.
    """
    fleet = sources.fleet
    names = [name for name, status in fleet.engines.items() if not status.same_as]
    lost = {name: why for name in names if (why := _unreachable(sources, name))}
    asked = [name for name in names if name not in lost]
    turn, reads, done = asyncio.Semaphore(ENGINES_AT_ONCE), dict[str, _Read](), len(lost)
    tell(done, len(names))

    async def one(name: str) -> None:
        nonlocal done
        async with turn:
            client = sources.client(name)
            try:
                if client is None:
                    lost[name] = "unreachable"
                else:
                    reads[name] = await _engine(sources, name, client)
            except EngineError as error:
                lost[name] = error.word
        done += 1
        tell(done, len(names))

    async with asyncio.TaskGroup() as group:
        for name in asked:
            group.create_task(one(name))
    swarms = await _swarms(sources, reads)
    engines = tuple(reads[name].facts for name in names if name in reads)
    return FleetFacts(
        now=fleet.clock.now(),
        engines=engines,
        swarms=swarms,
        titles=_titles(fleet, engines),
        execs=_execs(fleet, reads),
        losses=_losses(fleet, list(reads)),
        hosts=tuple(reads),
        lost=lost,
    )


def _unreachable(sources: Sources, name: str) -> str:
    status = sources.fleet.engines[name]
    if status.link.phase is LinkPhase.UP:
        return ""
    return status.link.error.word if status.link.error is not None else str(status.link.phase)


# -- one engine --------------------------------------------------------------------------------------------------------


class _Asked:
    """One engine that is asked: a few things at once, and what it did not tell."""

    def __init__(self, client: EngineClient) -> None:
        self.client = client
        self.untold: dict[str, str] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def part(self, what: str, work: Callable[[], Awaitable[T]]) -> T | None:
        """What it tells of a part; None where it does not."""
        async with self._turn:
            try:
                return await work()
            except EngineError as error:
                self.untold.setdefault(what, f"{self.client.engine} did not tell its {what}: {error.word}")
                return None

    async def read(self, what: str, path: str, decode: Callable[[bytes], T]) -> T | None:
        """The same of a part that is one request; it has to be there."""
        found = await self.part(what, lambda: self.client.read(path, decode))
        if found is None:
            self.untold.setdefault(what, f"{self.client.engine} does not know {path}")
        return found


async def _engine(sources: Sources, name: str, client: EngineClient) -> _Read:
    asked = _Asked(client)
    daemon, cluster = await _daemon(client)
    async with asyncio.TaskGroup() as group:
        networks = group.create_task(asked.read("networks", "/networks", decode_networks))
        images = group.create_task(asked.read("images", "/images/json", decode_images))
        disk = group.create_task(asked.read("disk", "/system/df", decode_disk))
        forced = group.create_task(asked.part("events", lambda: _forced(client, sources.fleet, daemon)))
        inspects = [group.create_task(_inspect(asked, key)) for key in sources.fleet.containers_on(name)]
    containers = tuple(c for task in inspects if (c := task.result()) is not None)
    execs = await _running(asked, containers)
    unlimited = [container.id for container in containers if container.logs_unlimited]
    logs = await sources.logs(name, unlimited) if sources.logs is not None and unlimited else {}
    ends, own_ends = sources.certificates(name)
    status = sources.fleet.engines[name]
    facts = EngineFacts(
        name=name,
        scheme=status.address.partition("://")[0],
        address=status.address,
        insecure=status.link.insecure,
        daemon=daemon,
        containers=containers,
        networks=networks.result() or (),
        images=images.result() or (),
        disk=disk.result(),
        certificate_ends=ends,
        own_certificate_ends=own_ends,
        forced=forced.result() or {},
        logs=logs,
        untold=asked.untold,
    )
    return _Read(facts, cluster, execs)


async def _daemon(client: EngineClient) -> tuple[DaemonPosture, ClusterPosture | None]:
    """Raises EngineError: without it nothing of the engine is known."""
    info = await client.info()

    def decode(body: bytes) -> tuple[DaemonPosture, ClusterPosture | None]:
        daemon = decode_daemon(body, kind=info.kind, version=info.version, skew=info.skew)
        return daemon, decode_cluster(body)

    found = await client.read("/info", decode)
    assert found is not None  # client.info() would have raised
    return found


async def _inspect(asked: _Asked, key: ContainerKey) -> ContainerPosture | None:
    def decode(body: bytes) -> ContainerPosture:
        return decode_container(body, engine=key.engine)

    return await asked.part("containers", lambda: asked.client.read(f"/containers/{key.id}/json", decode))


async def _forced(client: EngineClient, fleet: Fleet, daemon: DaemonPosture) -> dict[str, str]:
    """Containers whose stop ended in SIGKILL, as far back as the engine remembers."""
    signals: dict[str, tuple[str, float]] = {}
    found: dict[str, str] = {}
    now = nanoseconds(fleet.clock.now()) + int((daemon.skew or 0.0) * 1e9)
    events = client.events(since=1, until=now, filters={"type": ["container"], "event": ["kill"]})
    async with aclosing(events):
        async for event in events:
            container = fleet.containers.get(ContainerKey(client.engine, event.id))
            if container is None or "signal" in container.labels:  # a label stands in the place of the signal
                continue
            before, at = signals.get(event.id, ("", 0.0))
            signal, time = event.attributes.get("signal", ""), event.time.timestamp()
            if signal in KILL and before not in ("", *KILL) and time - at >= AWHILE:
                found[event.id] = f"{event.time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
            signals[event.id] = (signal, time)
    return found


async def _running(
    asked: _Asked, containers: tuple[ContainerPosture, ...]
) -> tuple[tuple[ContainerPosture, ExecPosture], ...]:
    """Commands that run in containers now; those without health checks, which leave many, first."""
    wanted = [(c, id_) for c in sorted(containers, key=lambda c: bool(c.health_check)) if c.alive for id_ in c.execs]
    if len(wanted) > MOST_EXECS:
        left = len(wanted) - MOST_EXECS
        asked.untold["execs"] = f"{left} commands in containers, mostly of health checks, were not looked at"

    async def one(container: ContainerPosture, id_: str) -> tuple[ContainerPosture, ExecPosture] | None:
        found = await asked.part("execs", lambda: asked.client.read(f"/exec/{id_}/json", decode_running))
        return (container, found) if found is not None and not _is_check(container, found) else None

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(*pair)) for pair in wanted[:MOST_EXECS]]
    return tuple(found for task in tasks if (found := task.result()) is not None)


def _is_check(container: ContainerPosture, found: ExecPosture) -> bool:
    words = " ".join(container.health_check[1:])
    return bool(words) and found.command.endswith(words)


# -- the fleet ---------------------------------------------------------------------------------------------------------


async def _swarms(sources: Sources, reads: Mapping[str, _Read]) -> tuple[SwarmPosture, ...]:
    """Each swarm once, from the first of its managers that tells of its nodes."""
    found: dict[str, SwarmPosture] = {}
    for name, read in reads.items():
        cluster = read.cluster
        client = sources.client(name) if cluster is not None else None
        if cluster is None or client is None:
            continue
        known = found.get(cluster.cluster_id)
        if known is None or known.nodes is None:
            found[cluster.cluster_id] = await _swarm(client, name, cluster)
    return tuple(found.values())


async def _swarm(client: EngineClient, name: str, cluster: ClusterPosture) -> SwarmPosture:
    ends = await asyncio.to_thread(_ends, cluster.authority)
    swarm = SwarmPosture(
        cluster_id=cluster.cluster_id,
        manager=name,
        autolock=cluster.autolock,
        node_expiry=cluster.node_expiry,
        authority_ends=ends,
    )
    try:
        nodes = await client.read("/nodes", decode_nodes)
        counted = "status=true" if at_least(client.api, "1.41") else ""
        services = await client.read("/services", decode_services, counted)
    except EngineError as error:
        return msgspec.structs.replace(swarm, trouble=f"{name} did not tell of its swarm: {error.word}")
    return msgspec.structs.replace(swarm, nodes=nodes, services=services)


def _ends(pem: str) -> datetime | None:
    try:
        return decode_pem(pem.encode()).ends if pem else None
    except ValueError:
        return None


def _titles(fleet: Fleet, engines: tuple[EngineFacts, ...]) -> dict[ContainerKey, str]:
    titles: dict[ContainerKey, str] = {}
    for engine in engines:
        for container in engine.containers:
            key = fleet.service_of(container.key)
            service = fleet.services.get(key) if key is not None else None
            if service is not None:
                titles[container.key] = service.title
    return titles


def _execs(fleet: Fleet, reads: Mapping[str, _Read]) -> tuple[ExecFact, ...]:
    """As root where that was asked for, or with all privileges: running now, and on record of this session."""
    found: dict[tuple[ContainerKey, str], ExecFact] = {}

    def add(key: ContainerKey, name: str, words: str) -> None:
        service = fleet.services.get(fleet.service_of(key))  # type: ignore[arg-type]
        title = service.title if service is not None else ""
        found.setdefault((key, words), ExecFact(container=key, name=name, service=title, words=words))

    for read in reads.values():
        for container, exec_ in read.execs:
            if exec_.privileged or exec_.user.partition(":")[0] in _ROOT:
                who = f" as {exec_.user}" if exec_.user else ""
                privileged = ", privileged" if exec_.privileged else ""
                add(container.key, container.name, f"exec “{exec_.command}”{who}{privileged} runs now")
    for record in fleet.records(limit=5_000):
        if not record.action.startswith("exec"):
            continue
        for evidence in record.evidence:
            ran = _RAN.search(evidence)
            if ran is not None and (ran[3] or (ran[2] == "asked for" and ran[1].partition(":")[0] in _ROOT)):
                key = ContainerKey(record.engine, record.object_id)
                add(key, record.object_name, f"{record.what}, {record.time.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
                break
    return tuple(found.values())


def _losses(fleet: Fleet, hosts: list[str]) -> tuple[LossFact, ...]:
    return tuple(
        LossFact(host=host, service=loss.title, replicas=loss.lost, wanted=loss.wanted, moved=loss.moved)
        for host in hosts
        for loss in what_if_host(fleet, host).down
    )
