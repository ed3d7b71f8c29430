"""What the watchers of the engines tell the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from .containers import Container, Usage
from .engines import EngineInfo, LinkStatus
from .records import EngineEvent
from .swarms import SwarmPicture


class LinkChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A link went up, down, or has a new latency."""

    engine: str
    link: LinkStatus


class EngineSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`/info` and `/version` were read."""

    engine: str
    info: EngineInfo


class Listed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A full listing: what is not in it is gone, except the `refused`, whose old reading stays and is stale.

    A container can be in both: its row was read, and its inspect makes no sense still.
    """

    engine: str
    containers: tuple[Container, ...]
    refused: tuple[str, ...] = ()
    """Ids of those whose row or last inspect made no sense."""
    at: float = 0.0


class ContainersSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Some containers were read again; `gone` are those that are no longer there."""

    engine: str
    containers: tuple[Container, ...] = ()
    gone: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """Ids of those whose answer made no sense: their old reading stays and is stale."""
    at: float = 0.0


class UsageSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """New samples, by container id."""

    engine: str
    usage: Mapping[str, Usage]


class FiguresWay(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How the figures of an engine's containers are read from now on, in words for a person."""

    engine: str
    words: str


class Confirmed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The engine answered: what is shown of it is as of `at`."""

    engine: str
    at: float
    latency: float | None = None


class EventsSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Events in the order the engine said them, duplicates dropped. `replayed`: from before we looked."""

    engine: str
    events: tuple[EngineEvent, ...]
    replayed: bool = False


class GapSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nothing is known of the engine's events in this span."""

    engine: str
    begin: datetime
    end: datetime | None
    cause: str
    certain: bool
    differences: tuple[str, ...] = ()
    restarted: bool | None = None
    """Whether the daemon was started anew meanwhile: what stopped then may have been stopped by it. None: not known."""


class FirstWatched(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nobody watched this engine before: what was before `since` is not known."""

    engine: str
    since: datetime


class SwarmSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A whole swarm was read."""

    engine: str
    picture: SwarmPicture


class WordsSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The last lines a container wrote before it died."""

    engine: str
    id: str
    lines: tuple[str, ...]


class ExecSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The engine's own entry of an exec was asked for (`GET /exec/{id}/json`)."""

    engine: str
    id: str
    container: str
    user: str | None = None
    """As whom it was asked to run; empty: as the container's own user; None: not known."""
    privileged: bool = False
    why: str = ""
    """Why the user is not known."""


class ImageSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An image was inspected: its digests in registries, `name@sha256:…`; none where it was never there."""

    engine: str
    id: str
    digests: tuple[str, ...] = ()


class HostLogin(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was logged in on an engine's host."""

    user: str
    origin: str = ""
    """From where, as the host says it; empty: at the host itself."""
    since: str = ""
    """In the host's own words."""
    proof: str = ""
    """What let them in, where a log tells: the key's fingerprint, a certificate, a password."""
    began: datetime | None = None
    ended: datetime | None = None
    """Where a log tells; None: not known, or still there."""
    lost: bool = False
    """It is over, and no log tells since when."""


class HostCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A docker or podman command that auditd saw somebody run on an engine's host; secrets are hidden."""

    user: str
    at: datetime
    words: str


class LoginsSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Who was logged in on the host of an engine, asked for the sake of these records."""

    engine: str
    records: tuple[int, ...]
    logins: tuple[HostLogin, ...] = ()
    commands: tuple[HostCommand, ...] = ()
    answered: bool = True
    """False: the host let us run no such command."""
    log_read: bool = False
    """sshd's log was read too; without it, logins that have no terminal are not seen."""


Change = (
    LinkChanged
    | EngineSeen
    | Listed
    | ContainersSeen
    | UsageSeen
    | FiguresWay
    | Confirmed
    | EventsSeen
    | GapSeen
    | FirstWatched
    | SwarmSeen
    | WordsSeen
    | ExecSeen
    | ImageSeen
    | LoginsSeen
)
"""All that the watchers tell the fleet."""
