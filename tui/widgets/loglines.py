"""A line of a log becomes strips: time, replica, text in its own colours. Nothing in it moves the terminal's cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
from fleettop.collectors.logs.colours import SHOWN, Look, Run, runs_of
from fleettop.collectors.logs.find import Finder
from fleettop.collectors.logs.jsonlines import folded_out, parsed, summary
from fleettop.collectors.model.logs import ERR, NOTE, LogLine
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..format import cut
from ..glyphs import UNICODE, Glyphs
from ..theme import REPLICAS, Styles
from .paint import safe

TIMES = ("of day", "in full", "none")
JSON = ("as it is", "in a few words", "folded out")
WIDEST_NAME = 20
NARROWEST_TEXT = 20
NARROW = 100
"""Cells below which times of day are without milliseconds."""
_LEVELS = {
    **dict.fromkeys(("error", "err", "fatal", "critical", "crit", "panic", "emerg", "alert"), "error"),
    **dict.fromkeys(("warn", "warning"), "warning"),
    **dict.fromkeys(("debug", "trace"), "dim"),
}
_MOST_ROWS = 250
"""Rows of the screen that one line may take."""


class LogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How lines are shown."""

    wrap: bool = False
    times: int = 0
    """An index of `TIMES`."""
    json: int = 0
    """An index of `JSON`."""
    shift: int = 0
    """Cells that lines are moved to the left, where they are cut."""


class LinePainter:
    """Draws lines for one width, one theme and one way to show them."""

    def __init__(self, name_of: Callable[[int], str], glyphs: Glyphs = UNICODE) -> None:
        self._name_of = name_of
        self._glyphs = glyphs
        self._styles: Styles = {}
        self._base = Style.null()
        self._looks: dict[Look, Style] = {}
        self.width = 80
        self.names = 0
        """Cells for names; 0: there is one replica, and no column for it."""
        self.options = LogOptions()
        self.finder: Finder | None = None

    def dress(self, styles: Styles, base: Style) -> None:
        """Draw in these styles."""
        self._styles, self._base = styles, base
        self._looks.clear()

    def strips(self, line: LogLine, *, marked: bool, turned: bool) -> tuple[Strip, ...]:
        """The rows of a line. `turned`: its JSON is folded the other way than that of the others."""
        if line.source == NOTE:
            return (self._note(line, marked=marked),)
        head = self._head(line, marked=marked)
        room = max(NARROWEST_TEXT, self.width - sum(segment.cell_length for segment in head))
        indent = self.width - room
        rows: list[Strip] = []
        for number, text in enumerate(self._texts(line, room, turned=turned)):
            front = head if number == 0 else [Segment(" " * indent, self._base)]
            rows.append(Strip([*front, *text]).crop(0, self.width).extend_cell_length(self.width, self._base))
        return tuple(rows)

    # -- in front of the text

    def _note(self, line: LogLine, *, marked: bool) -> Strip:
        style = self._role("gap")
        words = f"{self._time(line)}{safe(line.data.decode('utf-8', 'replace'))}"
        text = cut(words, self.width - 2, "end", self._glyphs)
        return Strip([self._mark(marked), Segment(text, style)]).extend_cell_length(self.width, style)

    def _mark(self, marked: bool) -> Segment:
        return Segment(f"{self._glyphs.mark} " if marked else "  ", self._role("mark"))

    def _head(self, line: LogLine, *, marked: bool) -> list[Segment]:
        head = [self._mark(marked)]
        time = self._time(line)
        if time:
            head.append(Segment(time, self._role("age-old" if line.late else "dim")))
        if self.names:
            name = cut(safe(self._name_of(line.source)), self.names, "middle", self._glyphs)
            role = f"replica-{line.source % REPLICAS}"
            head.append(Segment(name + " " * (self.names - cell_len(name)), self._role(role)))
        sign = "!" if line.stream == ERR else "<" if line.late else " "
        head.append(
            Segment(f" {sign} " if self.names else f"{sign} ", self._role("error" if sign == "!" else "warning"))
        )
        return head

    def _time(self, line: LogLine) -> str:
        if self.options.times == 2 or line.time <= 0:
            return ""
        moment = datetime.fromtimestamp(line.time // 1_000_000_000, UTC).astimezone()
        part = line.time % 1_000_000_000
        if self.options.times == 1:
            return f"{moment:%Y-%m-%d %H:%M:%S}.{part // 1_000:06} "
        return f"{moment:%H:%M:%S} " if self.width < NARROW else f"{moment:%H:%M:%S}.{part // 1_000_000:03} "

    # -- the text

    def _texts(self, line: LogLine, room: int, *, turned: bool) -> Sequence[Sequence[Segment]]:
        style = self.options.json
        if turned:
            style = 0 if style == 2 else 2
        found = parsed(line.data) if style else None
        if found is not None and style == 2 and (lines := folded_out(found)):
            return [row for text in lines for row in self._rows([Segment(text, self._base)], room)]
        if found is not None and style == 1:
            return self._rows(self._summary(found), room)
        runs = runs_of(line)
        segments = self._found(runs)
        more = line.cut if line.cut or len(line.data) <= SHOWN else 0
        if more:
            segments.append(Segment(f" … {more:,} bytes more", self._role("warning")))
        elif len(line.data) > SHOWN:
            segments.append(Segment(f" (of {len(line.data):,} bytes)", self._role("warning")))
        return self._rows(segments, room)

    def _summary(self, found: object) -> list[Segment]:
        assert isinstance(found, dict)
        said = summary(found)
        level = f"{said.level} " if said.level else ""
        return [
            Segment(level, self._role(_LEVELS.get(said.level, "ok"))),
            Segment(said.message, self._base),
            Segment(f"  {said.rest}" if said.rest else "", self._role("dim")),
        ]

    def _found(self, runs: Sequence[Run]) -> list[Segment]:
        """The runs in their colours, and what was looked for standing out."""
        text = "".join(run.text for run in runs)
        spans = self.finder.spans(text) if self.finder is not None else []
        segments: list[Segment] = []
        at = 0
        for run in runs:
            segments += self._cut_up(run, at, spans)
            at += len(run.text)
        return segments

    def _cut_up(self, run: Run, begin: int, spans: Sequence[tuple[int, int]]) -> list[Segment]:
        style, found = self._style(run.look), self._role("found")
        end, at, segments = begin + len(run.text), begin, list[Segment]()
        for span in spans:
            first, last = max(span[0], begin), min(span[1], end)
            if first >= last:
                continue
            segments.append(Segment(run.text[at - begin : first - begin], style))
            segments.append(Segment(run.text[first - begin : last - begin], found))
            at = last
        segments.append(Segment(run.text[at - begin :], style))
        return [segment for segment in segments if segment.text]

    def _rows(self, segments: Sequence[Segment], room: int) -> list[list[Segment]]:
        """Broken to the width, or cut and shifted."""
        whole = Strip([Segment(safe(segment.text), segment.style) for segment in segments])
        length, shift = whole.cell_length, self.options.shift
        if length <= room and not shift:
            return [list(whole)]
        if self.options.wrap:
            return [list(part) for part in whole.divide(_cuts(whole.text, room, length)[:_MOST_ROWS])]
        shown = whole.crop(shift, shift + room)
        if length > shift + room:
            shown = Strip([*shown.crop(0, room - 1), Segment(self._glyphs.ellipsis, self._role("dim"))])
        return [list(shown)]

    def _role(self, role: str) -> Style:
        return self._base + self._styles.get(role, Style.null())

    def _style(self, look: Look) -> Style:
        style = self._looks.get(look)
        if style is None:
            style = self._base + Style(
                color=_colour(8 if look.front == 0 and look.back is None else look.front),  # black on dark hides
                bgcolor=_colour(look.back),
                bold=look.bold or None,
                dim=look.dim or None,
                italic=look.italic or None,
                underline=look.underline or None,
                reverse=look.reverse or None,
                strike=look.strike or None,
            )
            if len(self._looks) > 1_000:
                self._looks.clear()
            self._looks[look] = style
        return style


def _colour(colour: int | tuple[int, int, int] | None) -> Color | None:
    if colour is None:
        return None
    return Color.from_rgb(*colour) if isinstance(colour, tuple) else Color.from_ansi(colour)


def _cuts(text: str, room: int, length: int) -> list[int]:
    """Where a text is broken, in cells: after `room` of them, before a wide character that would be cut in two."""
    if len(text) == length:
        return [*range(room, length, room), length]
    cuts, at, begin = [], 0, 0
    for character in text:
        wide = cell_len(character)
        if at + wide - begin > room and at > begin:
            cuts.append(at)
            begin = at
        at += wide
    return [*cuts, length]
