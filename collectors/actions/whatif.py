"""What would happen if a host died: told from what is known of the fleet now. Pure, and never more sure than that."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ..model import (
    Container,
    ContainerKey,
    ContainerState,
    Replica,
    Service,
    ServiceKey,
    SwarmNode,
    SwarmPicture,
    SwarmService,
)
from . import phrases
from .ordering import dependents
from .picture import Picture, unreachable
from .placing import others_for, own_data

_UNCOUNTED_BINDS = ("/var/run/", "/run/", "/etc/localtime", "/etc/timezone", "/proc", "/sys", "/dev", "/lib/modules")
"""Folders of a host that hold nothing of a service's own."""


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """What a service would lose."""

    service: ServiceKey
    title: str
    lost: int
    """Replicas that serve now and would not."""
    left: int
    """Those that serve elsewhere for certain."""
    wanted: int
    maybe: int = 0
    """Those on hosts that do not answer, which may serve."""
    moved: str = ""
    """`moves`: the swarm would start another elsewhere; `stays`: it could not; `may move`; empty: it is no swarm's."""
    why: str = ""
    """Why it could not, or what it would lack there."""


class Quorum(msgspec.Struct, frozen=True, kw_only=True):
    """The managers of a swarm, with one of them gone."""

    managers: int
    left: int
    needed: int

    @property
    def holds(self) -> bool:
        """Whether the swarm can still be changed, and starts again what was lost."""
        return self.left >= self.needed


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen."""

    subject: str
    down: tuple[Loss, ...] = ()
    """Services of which nothing would serve, for certain."""
    degraded: tuple[Loss, ...] = ()
    unknown: tuple[Loss, ...] = ()
    """Services of which only replicas on hosts that do not answer would be left."""
    quorum: Quorum | None = None
    ports: tuple[str, ...] = ()
    """Published there, and by nobody else: `80/tcp (edge/proxy)`."""
    data: tuple[str, ...] = ()
    """Volumes and folders that are that host's own: `pay_db-data (pay/db)`."""
    trouble: str = ""
    """Why not all of it is known."""

    @property
    def short(self) -> str:
        """`2 services down, 3 degraded`."""
        parts = [f"{phrases.count(len(self.down), 'service')} down"] if self.down else []
        parts += [f"{len(self.degraded)} degraded"] if self.degraded else []
        parts += [f"{len(self.unknown)} not known"] if self.unknown else []
        parts += ["quorum lost"] if self.quorum is not None and not self.quorum.holds else []
        parts += ["more is not known"] if self.trouble else []
        return ", ".join(parts) or "nothing would be lost"

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it in words, trouble first."""
        return tuple(phrases.sentence(text) for text in _told(self) if text)


def what_if_host(fleet: Picture, host: str) -> WhatIf:
    """What would happen if that engine's machine were gone."""
    status = fleet.engines.get(host)
    if status is not None and status.same_as:
        return what_if_host(fleet, status.same_as)
    swarm = status.info.swarm if status is not None and status.info is not None else None
    picture = fleet.swarms.get(swarm.cluster_id) if swarm is not None else None
    if picture is None and swarm is not None and swarm.node_id:
        picture = next((p for p in fleet.swarms.values() if any(n.id == swarm.node_id for n in p.nodes)), None)
    node = swarm.node_id if swarm is not None else ""
    return _what_if(fleet, host, (host,), picture, node)


def losses_on(fleet: Picture, host: str, services: Iterable[Service]) -> tuple[int, int]:
    """How many of these services would be down, and how many would lose replicas, if that host died; only counted.

    A row of a table asks this often: it costs the replicas of the services it is asked of. Those of which only
    replicas on hosts that do not answer would be left count as down.
    """
    down = degraded = 0
    for service in services:
        loss = _loss(fleet, service, host)
        if loss is not None:
            down += not loss.left
            degraded += bool(loss.left)
    return down, degraded


def what_if_node(fleet: Picture, cluster: str, node_id: str) -> WhatIf | None:
    """What would happen if that node of a swarm were gone, also where there is no link to it; None: no such node."""
    picture = fleet.swarms.get(cluster)
    node = next((node for node in picture.nodes if node.id == node_id), None) if picture is not None else None
    if node is None:
        return None
    for name, status in fleet.engines.items():
        swarm = status.info.swarm if status.info is not None else None
        if swarm is not None and swarm.node_id == node_id and not status.same_as:
            return what_if_host(fleet, name)
    return _what_if(fleet, node.hostname, (node.hostname,), picture, node_id)


def what_if_replica(fleet: Picture, key: ContainerKey) -> Loss | None:
    """What the loss of one replica would be to its service; None: it does not serve now."""
    owner = fleet.service_of(key)
    service = fleet.services.get(owner) if owner is not None else None
    if service is None or not any(replica.container == key and replica.serving for replica in service.replicas):
        return None
    others = [replica for replica in service.replicas if replica.serving and replica.container != key]
    left = sum(1 for replica in others if _answers(fleet, replica))
    return Loss(
        service=service.key,
        title=service.title,
        lost=1,
        left=left,
        maybe=len(others) - left,
        wanted=max(service.wanted if service.wanted is not None else len(service.replicas), 1),
    )


def what_if_service(fleet: Picture, key: ServiceKey) -> tuple[str, ...]:
    """What the death of each of its hosts would do to a service, and who needs it. Trouble first."""
    service = fleet.services.get(key)
    if service is None:
        return ()
    title = service.title
    hosts = list(dict.fromkeys(replica.host for replica in service.replicas if replica.serving))
    down: list[tuple[str, Loss]] = []
    degraded: list[tuple[str, Loss]] = []
    for host in hosts:
        loss = _loss(fleet, service, host)
        if loss is not None:
            (degraded if loss.left else down).append((host, loss))
    told = [f"if {host} dies, {title} is down{_maybe(loss)}" for host, loss in down]
    told += [f"if {host} dies, {title} keeps {loss.left} of {loss.wanted}{_maybe(loss)}" for host, loss in degraded]
    if not hosts:
        told.append(f"no replica of {title} is known to serve now")
    needing = [fleet.services[other].title for other in dependents(fleet, key)]
    if needing:
        told.append(f"by their depends_on, {phrases.names(needing, 8)} need{'s' if len(needing) == 1 else ''} {title}")
    return tuple(phrases.sentence(text) for text in told)


# -- working it out ----------------------------------------------------------------------------------------------------


def _what_if(
    fleet: Picture, subject: str, names: tuple[str, ...], picture: SwarmPicture | None, node_id: str
) -> WhatIf:
    host = names[0]
    quorum = _quorum(picture, node_id) if picture is not None else None
    down: list[Loss] = []
    degraded: list[Loss] = []
    unknown: list[Loss] = []
    here = [service for service in fleet.services.values() if host in service.hosts]
    for service in here:
        loss = _loss(fleet, service, host)
        if loss is None:
            continue
        if picture is not None and service.key.source == "swarm":
            loss = _moved(loss, service, picture, node_id, quorum)
        (degraded if loss.left else unknown if loss.maybe else down).append(loss)
    members = _on(fleet, here, host)
    trouble = ""
    if host in fleet.engines and (why := unreachable(fleet, host)):
        trouble = f"{why}: what is said of it here is as it was last seen"
    elif picture is not None and picture.error:
        trouble = f"of its swarm not all is known: {picture.error}"
    return WhatIf(
        subject=subject,
        down=tuple(sorted(down, key=lambda loss: loss.title)),
        degraded=tuple(sorted(degraded, key=lambda loss: (loss.left, loss.title))),
        unknown=tuple(sorted(unknown, key=lambda loss: loss.title)),
        quorum=quorum,
        ports=_ports(fleet, members),
        data=_data(fleet, members),
        trouble=trouble,
    )


def _loss(fleet: Picture, service: Service, host: str) -> Loss | None:
    """What a service would lose with a host; None: nothing that serves now."""
    lost = left = maybe = 0
    for replica in service.replicas:
        if not replica.serving:
            continue
        if replica.host == host:
            lost += 1
        elif _answers(fleet, replica):
            left += 1
        else:
            maybe += 1
    if not lost:
        return None
    wanted = service.wanted if service.wanted is not None else len(service.replicas)
    return Loss(service=service.key, title=service.title, lost=lost, left=left, maybe=maybe, wanted=max(wanted, lost))


def _answers(fleet: Picture, replica: Replica) -> bool:
    # A node without a link is known by its manager's word.
    return replica.host not in fleet.engines or not unreachable(fleet, replica.host)


def _quorum(picture: SwarmPicture, node_id: str) -> Quorum | None:
    managers = [node for node in picture.nodes if node.role == "manager"]
    if all(node.id != node_id for node in managers):
        return None
    left = sum(1 for node in managers if node.id != node_id and _there(node))
    return Quorum(managers=len(managers), left=left, needed=len(managers) // 2 + 1)


def _there(node: SwarmNode) -> bool:
    return node.state == "ready" and node.reachability in ("reachable", "")


def _moved(loss: Loss, service: Service, picture: SwarmPicture, node_id: str, quorum: Quorum | None) -> Loss:
    """What the swarm would make of it."""
    found = next((s for s in picture.services if s.id == service.swarm_service_id), None)
    moved, why = _moves(found, picture, node_id, quorum)
    return msgspec.structs.replace(loss, moved=moved, why=why)


def _moves(service: SwarmService | None, picture: SwarmPicture, node_id: str, quorum: Quorum | None) -> tuple[str, str]:
    if service is None:
        return "may move", "its manager does not tell of it"
    if quorum is not None and not quorum.holds:
        return "stays", "without a quorum the swarm starts nothing"
    if service.mode.startswith("global"):
        return "stays", "it is global: one task on every node"
    sure, maybe = others_for(picture, service, node_id)
    if not sure and not maybe:
        constraints = service.design.constraints if service.design is not None else ()
        return (
            "stays",
            f"no other node fits {' and '.join(constraints)}" if constraints else "no other node takes tasks",
        )
    own = own_data(service.design)
    lack = f"without the {phrases.names(own)} of this node" if own else ""
    if sure:
        return "moves", lack
    return "may move", "whether another node has the labels it wants is not known here" + (f"; {lack}" if lack else "")


def _on(fleet: Picture, here: Iterable[Service], host: str) -> list[Container]:
    keys = {replica.container for service in here for replica in service.replicas if replica.host == host}
    found = [fleet.containers[key] for key in keys if key is not None and key in fleet.containers]
    return sorted((c for c in found if c.engine == host), key=lambda c: c.name)


def _ports(fleet: Picture, members: Iterable[Container]) -> tuple[str, ...]:
    """Ports of the host that would answer nobody any more; a swarm's own are there on every node."""
    found: dict[str, None] = {}
    for container in members:
        if container.state is not ContainerState.RUNNING:
            continue
        for port in container.ports:
            if port.public is not None and not (port.ip or "").startswith(("127.", "::1")):
                found[f"{port.public}/{port.protocol} ({_title(fleet, container)})"] = None
    return tuple(found)


def _data(fleet: Picture, members: Iterable[Container]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for container in members:
        for mount in container.mounts:
            if mount.type == "volume" and mount.name and not _anonymous(mount.name):
                found[f"{mount.name} ({_title(fleet, container)})"] = None
            elif mount.type == "bind" and mount.read_write and not mount.source.startswith(_UNCOUNTED_BINDS):
                found[f"{mount.source} ({_title(fleet, container)})"] = None
    return tuple(found)


def _anonymous(name: str) -> bool:
    return len(name) == 64 and all(letter in "0123456789abcdef" for letter in name)


def _title(fleet: Picture, container: Container) -> str:
    key = fleet.service_of(container.key)
    service = fleet.services.get(key) if key is not None else None
    return service.title if service is not None else container.name


# -- saying it ---------------------------------------------------------------------------------------------------------


def _told(found: WhatIf) -> list[str]:
    quorum = found.quorum
    told = [found.trouble]
    if quorum is not None and not quorum.holds:
        told.append(
            f"{_managers(quorum)}: quorum lost ({quorum.needed} needed). What runs runs on, nothing is changed or "
            "started again"
        )
    told += [f"down: {loss.title}, since {_last(loss)}{_then(loss)}" for loss in found.down]
    told += [
        f"not known: whether {loss.title} goes on, with {phrases.count(loss.maybe, 'replica')} on hosts that do not "
        f"answer{_then(loss)}"
        for loss in found.unknown
    ]
    told += [
        f"degraded: {loss.title}, {loss.left} of {loss.wanted} left{_maybe(loss)}{_then(loss)}"
        for loss in found.degraded
    ]
    if found.data:
        told.append(f"the only copy, as far as is known, of {phrases.names(found.data, 12)} is on {found.subject}")
    if found.ports:
        told.append(f"nobody answers on {found.subject}'s ports {phrases.names(found.ports, 12)}")
    if quorum is not None and quorum.holds:
        more = ", and no further manager may be lost" if quorum.left == quorum.needed else ""
        told.append(f"{_managers(quorum)}: quorum holds ({quorum.needed} needed){more}")
    if not (found.down or found.unknown or found.degraded):
        told.append(f"no service serves from {found.subject}, so none is lost with it")
    return told


def _last(loss: Loss) -> str:
    return "its only serving replica is there" if loss.lost == 1 else f"all {loss.lost} serving replicas are there"


def _maybe(loss: Loss) -> str:
    return f", and {loss.maybe} on hosts that do not answer" if loss.maybe else ""


def _then(loss: Loss) -> str:
    why = f" ({loss.why})" if loss.why else ""
    return {
        "moves": f"; the swarm starts {_as_many(loss)} elsewhere{why}",
        "may move": f"; the swarm may start {_as_many(loss)} elsewhere{why}",
        "stays": f"; the swarm starts none elsewhere{why}",
    }.get(loss.moved, "")


def _as_many(loss: Loss) -> str:
    return "another" if loss.lost == 1 else f"{loss.lost} others"


def _managers(quorum: Quorum) -> str:
    return f"{quorum.left} of {phrases.count(quorum.managers, 'manager')} left"
