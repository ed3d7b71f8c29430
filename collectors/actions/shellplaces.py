"""Which container a shell is meant for: the one pointed at, or of a service's replicas the newest that is healthy."""

from __future__ import annotations

import msgspec

from ..model import Container, ContainerState
from . import phrases
from .draft import Draft, Target, choose
from .picture import Picture
from .scale import replica_number
from .steps import Pace


class ShellPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """Where one could be opened."""

    title: str
    containers: tuple[Container, ...] = ()
    """Those that run and can be reached, the best first: what serves before what does not, then the newest."""
    notes: tuple[str, ...] = ()
    """What was left out, and why; where there is no container, why there is none."""


def shell_places(target: Target, fleet: Picture) -> ShellPlaces:
    """The containers of what is pointed at; of a swarm's service those of its tasks on nodes with a link."""
    draft = Draft(fleet, Pace())
    chosen = choose([target], draft)
    title = chosen[0].title if chosen else "it"
    found = [c for one in chosen for c in one.containers if c.state is ContainerState.RUNNING]
    found.sort(key=lambda c: (replica_number(c) or 0, c.name), reverse=True)  # of those made in the same second
    found.sort(key=lambda c: (not c.serving, -(c.created.timestamp() if c.created is not None else 0.0)))
    notes = (*draft.blockers, *draft.warnings)
    if not found and not notes:
        notes = (phrases.sentence(f"nothing of {title} runs, so nothing can be run in it"),)
    return ShellPlaces(title=title, containers=tuple(found), notes=notes)
