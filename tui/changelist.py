"""The changes of one run that are under way or were not yet looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .changes import Change


class Changes(list["Change"]):
    """In the order in which they began. `on_change` is called when one begins or ends."""

    on_change: Callable[[], None] | None = None

    @property
    def under_way(self) -> tuple[Change, ...]:
        """Those that are not over."""
        return tuple(change for change in self if not change.course.done)

    def words(self) -> str:
        """`1 change under way`; empty where there is none to speak of."""
        going, over = len(self.under_way), len(self) - len(self.under_way)
        if going:
            return f"{going} change{'' if going == 1 else 's'} under way"
        return f"{over} change{'' if over == 1 else 's'} done" if over else ""

    def told(self) -> None:
        """Something began or ended."""
        if self.on_change is not None:
            self.on_change()
