"""How long to wait before the next attempt at an engine."""

from __future__ import annotations

import random

from ..errors import Denied, EngineError, Untrusted

FIRST = 1.0
LONGEST = 30.0
SILENT = 3
"""Attempts in vain, from which on an engine that others wait for lets them go first."""
AFTER_DENIAL = 60.0
"""Seconds after a refusal that no repetition changes: hammering locks accounts (fail2ban, pam_faillock)."""


_CHANCE = random.Random()  # noqa: S311 - spreads load, guards nothing; 2.5 kB, so one for all engines


class Backoff:
    """1 s doubling to 30 s, each with jitter so that a thousand links do not come back in one moment."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or _CHANCE
        self.attempts = 0

    def reset(self) -> None:
        """The engine answered."""
        self.attempts = 0

    def next(self, error: EngineError) -> float:
        """Seconds to wait after this failure."""
        longest = min(LONGEST, FIRST * 2.0 ** min(self.attempts, 10))
        self.attempts += 1
        wait = self._rng.uniform(0.5, 1.0) * longest
        if isinstance(error, Denied | Untrusted):
            return AFTER_DENIAL * self._rng.uniform(1.0, 1.2)
        return wait
