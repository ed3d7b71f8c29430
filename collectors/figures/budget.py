"""How much work fleettop makes for an engine with what nobody waits for: a share of one of its cores."""

from __future__ import annotations

from ..clock import Clock

SAVED = 40.0
"""Seconds of the share that may be spent at once after a calm, so that rows that come into sight fill together."""


class Budget:
    """Seconds of CPU: as many come in each second as `share` says (0.01: 1 % of a core)."""

    def __init__(self, share: float, clock: Clock) -> None:
        self._share = share
        self._clock = clock
        self._left = share * SAVED
        self._at = clock.monotonic()

    def afford(self, cost: float, wanted: int) -> int:
        """How many things of this cost may be done now, of those wanted."""
        self._come_in()
        return max(0, min(wanted, int(self._left / cost + 1e-9)))

    def spend(self, cost: float) -> None:
        """It was done."""
        self._come_in()
        self._left -= cost

    def wait(self, cost: float) -> float | None:
        """Seconds until one thing of this cost may be done; None: never."""
        self._come_in()
        if self._left >= cost:
            return 0.0
        return (cost - self._left) / self._share if self._share > 0 else None

    def _come_in(self) -> None:
        now = self._clock.monotonic()
        self._left = min(self._share * SAVED, self._left + self._share * (now - self._at))
        self._at = now
