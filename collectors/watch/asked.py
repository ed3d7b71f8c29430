"""When each container of an engine was last sampled, and which of them are to be next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from ..clock import Clock

SHOWN_TO_REST = 4


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between two samples."""

    seen: float
    """Of what is on a screen."""
    unseen: float
    """Of the rest."""
    second: float
    """From a first sample of what is on a screen, which tells no rate yet, to its second."""


class Slower(NamedTuple):
    """How many times longer than the rhythm says it is from one sample to the next, since the fleet is large."""

    seen: float = 1.0
    unseen: float = 1.0


class Turns:
    """Who is due: first what is on a screen and has no figure, then what is on it, then the rest; the oldest first."""

    def __init__(self, rhythm: Rhythm, clock: Clock) -> None:
        self._rhythm = rhythm
        self._clock = clock
        self._last: dict[str, float] = {}
        self._once: set[str] = set()
        """Asked once only."""
        self.slower = Slower()

    def due(self, seen: Iterable[str], unseen: Iterable[str]) -> tuple[list[str], list[str]]:
        """Those of each whose time has come, in their order."""
        now = self._clock.monotonic()
        shown = [i for i in seen if now >= self._next_seen(i)]
        rest = [i for i in unseen if now >= self._next_unseen(i)]
        return sorted(shown, key=self._oldest), sorted(rest, key=self._oldest)

    def in_one_row(self, seen: Iterable[str], unseen: Iterable[str]) -> list[str]:
        """Who is due, where not all can be had at once: while something on a screen has no figures only that, else one
        of the rest after each four."""
        shown, rest = self.due(seen, unseen)
        bare = [i for i in shown if i not in self._last or i in self._once]
        if bare:
            return bare
        mixed: list[str] = []
        for start in range(0, len(shown), SHOWN_TO_REST):
            mixed += shown[start : start + SHOWN_TO_REST]
            mixed += rest[start // SHOWN_TO_REST : start // SHOWN_TO_REST + 1]
        return mixed + rest[-(-len(shown) // SHOWN_TO_REST) :]

    def until_next(self, seen: Iterable[str], unseen: Iterable[str]) -> float | None:
        """Seconds until the next one is due; None: there is none."""
        now = self._clock.monotonic()
        times = [self._next_seen(i) for i in seen]
        times += [self._next_unseen(i) for i in unseen]
        return max(0.0, min(times) - now) if times else None

    def asked(self, ids: Iterable[str]) -> None:
        """These were asked for now, whatever came of it."""
        now = self._clock.monotonic()
        for container_id in ids:
            if container_id in self._last:
                self._once.discard(container_id)
            else:
                self._once.add(container_id)
            self._last[container_id] = now

    def forget(self, known: frozenset[str]) -> None:
        """Only these containers exist."""
        for gone in self._last.keys() - known:
            del self._last[gone]
            self._once.discard(gone)

    def _next_seen(self, container_id: str) -> float:
        last = self._last.get(container_id)
        if last is None:
            return float("-inf")
        return last + (self._rhythm.second if container_id in self._once else self._rhythm.seen * self.slower.seen)

    def _next_unseen(self, container_id: str) -> float:
        return self._last.get(container_id, float("-inf")) + self._rhythm.unseen * self.slower.unseen

    def _oldest(self, container_id: str) -> float:
        return self._last.get(container_id, float("-inf"))
