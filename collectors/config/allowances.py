"""How many replicas of a service may be away at once, as people write it: `1`, `3`, `25%`."""

from __future__ import annotations

import re

import msgspec

from ..errors import ConfigError

_WRITTEN = re.compile(r"(\d{1,4})\s*(%?)", re.ASCII)


class Allowance(msgspec.Struct, frozen=True):
    """A number of replicas, or a share of them."""

    amount: int
    percent: bool = False

    def of(self, total: int) -> int:
        """How many of `total` that is: a share is rounded down, but one at least, or nothing would ever go on."""
        number = total * self.amount // 100 if self.percent else self.amount
        return max(1, min(number, total))

    def __str__(self) -> str:
        return f"{self.amount}%" if self.percent else str(self.amount)


ONE = Allowance(1)


def parse_allowance(text: str) -> Allowance:
    """`1`, `3`, `25%`. Raises ConfigError in one sentence."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or int(found[1]) == 0 or (found[2] and int(found[1]) > 100):
        raise ConfigError(f"{text.strip()!r} is no number of replicas", hint="Write a number such as 2, or 25%.")
    return Allowance(int(found[1]), bool(found[2]))
