"""All that is known of a fleet when it is checked, as frozen data: what the engines told, and what was watched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from ..model import ContainerKey
from ..model.posture import (
    ContainerPosture,
    DaemonPosture,
    DiskPosture,
    ImagePosture,
    NetworkPosture,
    SwarmPosture,
)


class ExecFact(msgspec.Struct, frozen=True, kw_only=True):
    """A command that somebody ran in a container, as root or with all privileges."""

    container: ContainerKey
    name: str
    service: str = ""
    words: str
    """What it was and how it ran: `exec “sh” as root (asked for)`."""


class LossFact(msgspec.Struct, frozen=True, kw_only=True):
    """A service that would be down if a host died."""

    host: str
    service: str
    replicas: int
    """Those that serve, all on that host."""
    wanted: int
    moved: str = ""
    """`moves`, `may move`, `stays`: what the swarm would do; empty: it is no swarm's."""


class EngineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One engine. `untold`: what of it could not be read, and why."""

    name: str
    scheme: str
    """`ssh`, `tcp` or `unix`."""
    address: str = ""
    insecure: bool = False
    """Our own link to it is neither encrypted nor local."""
    daemon: DaemonPosture | None = None
    containers: tuple[ContainerPosture, ...] = ()
    networks: tuple[NetworkPosture, ...] = ()
    images: tuple[ImagePosture, ...] = ()
    disk: DiskPosture | None = None
    certificate_ends: datetime | None = None
    own_certificate_ends: datetime | None = None
    forced: Mapping[str, str] = {}
    """By id: containers whose stop ended in SIGKILL, and when that was, in words."""
    logs: Mapping[str, int] = {}
    """By id, of containers whose logs have no limit: their bytes, as far as they can be read on the host."""
    untold: Mapping[str, str] = {}


class FleetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The whole fleet."""

    now: datetime
    engines: tuple[EngineFacts, ...] = ()
    swarms: tuple[SwarmPosture, ...] = ()
    titles: Mapping[ContainerKey, str] = {}
    """The services that containers are of."""
    execs: tuple[ExecFact, ...] = ()
    losses: tuple[LossFact, ...] = ()
    hosts: tuple[str, ...] = ()
    """Whose loss was thought through."""
    lost: Mapping[str, str] = {}
    """Engines of which nothing could be read, and why."""
