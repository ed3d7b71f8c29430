"""What stands there while the terminal is too small for anything else."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import ModalScreen

from ..glyphs import UNICODE, Glyphs
from ..rows import Cell
from ..widgets.lines import Lines

LEAST = Size(40, 10)
"""The least columns and lines that a screen is drawn in."""


def fits(size: Size) -> bool:
    """Whether a terminal of that size is large enough."""
    return size.width >= LEAST.width and size.height >= LEAST.height


class TooSmallScreen(ModalScreen[None]):
    """Says so, and goes by itself when there is room again. Nothing can be pressed by mistake meanwhile."""

    DEFAULT_CSS = """
    TooSmallScreen { align: center middle; background: $background; }
    TooSmallScreen Lines { height: auto; }
    """

    def __init__(self, *, glyphs: Glyphs = UNICODE) -> None:
        """Without a word yet."""
        super().__init__()
        self._glyphs = glyphs
        self._gone = False

    def compose(self) -> ComposeResult:
        """A few words."""
        yield Lines(glyphs=self._glyphs)

    def on_screen_resume(self) -> None:
        """What stood over it is gone: there may be room again."""
        self.on_resize()

    def on_resize(self) -> None:
        """Say it with the size as it is, or go."""
        size = self.app.size
        if fits(size):
            # Several resizes may be on their way: going twice would take another screen along.
            if self.is_current and not self._gone:
                self._gone = True
                self.dismiss(None)
            return
        times = "x" if self._glyphs.ascii else "×"
        now, least = f"{size.width}{times}{size.height}", f"{LEAST.width}{times}{LEAST.height}"
        self.query_one(Lines).set_lines(
            ((Cell(f"too small: {now}", "strong"),), (Cell(f"{least} is the least", "dim"),))
        )
