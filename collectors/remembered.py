"""A bounded memory of what was met before."""

from __future__ import annotations


class Remembered:
    """The newest so many of the numbers told, some 70 bytes each.

    Numbers, since there is one such memory for each of a thousand engines: `hash` of what makes a thing the same tells
    two of a few hundred apart but for once in 10^14.
    """

    __slots__ = ("_limit", "_numbers")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._numbers: dict[int, None] = {}

    def first_time(self, number: int) -> bool:
        """Whether it is not among them; it is from now on."""
        if number in self._numbers:
            return False
        self._numbers[number] = None
        if len(self._numbers) > self._limit:
            del self._numbers[next(iter(self._numbers))]
        return True

    def copy(self) -> Remembered:
        """Another with the same numbers."""
        other = Remembered(self._limit)
        other._numbers = dict(self._numbers)
        return other

    def __contains__(self, number: int) -> bool:
        return number in self._numbers

    def __len__(self) -> int:
        return len(self._numbers)
