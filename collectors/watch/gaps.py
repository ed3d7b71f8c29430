"""Up to when one engine was heard, and the gap that is open since: told when it opens, and told to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ..clock import Clock
from ..model import Change, Container, EngineEvent, EngineInfo, FirstWatched, GapSeen
from .events import EventStream
from .past import LeftOff, Past, changed_since


class Gap(NamedTuple):
    """A span of which nothing is known yet; without a cause it has not been told."""

    begin: datetime
    cause: str = ""
    told: bool = True
    """False: it is told when it is over, and only where something was missed."""


class Gaps:
    """What is not known of one engine, over all its connections and what other processes knew."""

    def __init__(
        self,
        engine: str,
        events: EventStream,
        publish: Callable[[Change], None],
        clock: Clock,
        past: Past | None,
    ) -> None:
        self.open: Gap | None = None
        self._engine = engine
        self._events = events
        self._publish = publish
        self._clock = clock
        self._past = past
        self._left: LeftOff | None = None
        """Where another process left off, until the past is read."""
        self._new = True
        """This process has not read its past yet."""
        self._heard: float | None = None
        """Monotonic time at which everything said so far was certainly heard; None: not following."""

    # -- hearing

    @property
    def heard(self) -> datetime | None:
        """Everything said before this moment, on our clock, was heard; None: it is not followed."""
        if self._heard is None or self._new:
            return None
        return self._clock.now() - timedelta(seconds=self._silent(self._heard))

    @property
    def following(self) -> bool:
        """Whether the engine is heard at the moment."""
        return self._heard is not None

    def heard_until(self, moment: float) -> None:
        """Everything said before this moment (monotonic) was heard."""
        self._heard = moment

    def stand_by(self) -> None:
        """Somebody else follows the engine and did so all the time."""
        self._heard = self.open = None

    def end(self) -> None:
        """From here on nothing is known: from when its silence began, not from when that was noticed."""
        heard, self._heard = self._heard, None
        if heard is not None and self.open is None:
            self.open = Gap(self._clock.now() - timedelta(seconds=self._silent(heard)))

    def _silent(self, heard: float) -> float:
        return self._clock.monotonic() - max(heard, self._events.heard_at)

    # -- telling

    def tell(self, cause: str) -> None:
        """The gap that is open has this cause."""
        assert self.open is not None
        self.open = gap = Gap(self.open.begin, cause)
        self._publish(GapSeen(engine=self._engine, begin=gap.begin, end=None, cause=cause, certain=True))

    def close(self, complete: bool, differences: tuple[str, ...], known: Mapping[str, Container]) -> None:
        """The past was read: `complete`, if nothing is missing in it. `known`: the containers as they are now."""
        left, new, self._left, self._new = self._left, self._new, None, False
        if new and left is None and self._past is not None:
            self._publish(FirstWatched(engine=self._engine, since=self._events.oldest or self._clock.now()))
        if left is not None and not left.watched:
            differences = changed_since(left.containers, known)
        gap, self.open = self.open, None
        if gap is None or (complete and not gap.told):
            return
        anew = not complete and self._events.emptied
        if complete:
            cause = f"{gap.cause}; the engine remembered all of it"
        elif anew:
            cause = f"{gap.cause}; the engine was started anew, which empties its memory"
        else:
            cause = gap.cause
        self._publish(
            GapSeen(
                engine=self._engine,
                begin=gap.begin,
                end=gap.begin if complete else self._clock.now(),
                cause=cause,
                certain=not complete and self._events.lost,
                differences=differences,
                restarted=anew or None,
            )
        )

    # -- what other processes knew

    async def take_up(self, info: EngineInfo) -> None:
        """Go on where another process left off, if one did, and if this one has not begun yet."""
        if self._past is None or not self._new:
            return
        self._left = left = await self._past.left_off(self._engine, info)
        if left is None:
            return
        self._events.begin = left.heard + timedelta(seconds=info.skew or 0)
        self._events.heard_before = left.events
        if not left.watched and self.open is None:
            self.open = Gap(left.heard, "fleettop was not running", told=False)

    def recall(self, info: EngineInfo) -> Callable[[Sequence[EngineEvent]], Awaitable[bool]] | None:
        """How to find out what of the engine's past was written down before; None: this process was there."""
        past = self._past
        if not self._new or past is None:
            return None
        return lambda events: past.recall(self._engine, info, events)
