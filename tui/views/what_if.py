"""What would happen if the host, node or service of a row died, as a page."""

from __future__ import annotations

from collections.abc import Hashable

from fleettop.collectors.actions import WhatIf, what_if_host, what_if_node, what_if_service
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import ContainerKey, ServiceKey

from ..rows import Cell, Line
from .base import Moment
from .cells import DIM
from .swarm import NodeKey


def subject_of(fleet: Fleet, key: Hashable) -> Hashable:
    """What the question is about: of a container, its service where it has one, else its host."""
    if isinstance(key, ContainerKey):
        return fleet.service_of(key) or key.engine
    return key


def what_if_lines(fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
    """The answer, trouble first; empty where there is nothing to ask of such a row."""
    key = subject_of(fleet, key)
    if isinstance(key, ServiceKey):
        sentences = what_if_service(fleet, key)
        return _page("If one of its hosts died", f"{len(sentences)} things to know", sentences) if sentences else ()
    found: WhatIf | None = None
    if isinstance(key, NodeKey):
        found = what_if_node(fleet, key.cluster, key.node)
    elif isinstance(key, str) and key in fleet.engines:
        found = what_if_host(fleet, key)
    return page(found) if found is not None else ()


def page(found: WhatIf) -> tuple[Line, ...]:
    """All of it, trouble first."""
    return _page(f"If {found.subject} died now", found.short, found.sentences)


def _page(title: str, short: str, sentences: tuple[str, ...]) -> tuple[Line, ...]:
    lines: list[Line] = [(Cell(title, "title"), Cell(f"  {short}", DIM)), ()]
    for sentence in sentences:
        lines.append((Cell(f"  {sentence}", _role(sentence)),))
    return tuple(lines)


def _role(sentence: str) -> str:
    if sentence.startswith("Down: ") or "quorum lost" in sentence or " is down" in sentence:
        return "down"
    if sentence.startswith("Degraded: ") or " keeps " in sentence:
        return "degraded"
    return "warning" if sentence.startswith("Not known: ") or "last seen" in sentence else ""
