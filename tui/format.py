"""Values as short text: units, ages, rates, lists of hosts, bars. `None` is drawn as a dash: not known is not zero.

Nothing here needs a terminal; `fleettop ls` uses it too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from fleettop.collectors import words
from rich.cells import cell_len, split_graphemes

from .glyphs import UNICODE, Glyphs

_UNITS = "BKMGTPE"


def cut(text: str, width: int, where: Literal["end", "middle"] = "end", glyphs: Glyphs = UNICODE) -> str:
    """`text` in at most `width` cells, an ellipsis where something was left out. Never half a wide character."""
    if len(text) <= width and text.isascii():
        return text
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    room = width - 1
    if where == "end":
        return cut_head(text, room) + glyphs.ellipsis
    tail = room // 2
    return cut_head(text, room - tail) + glyphs.ellipsis + _tail(text, tail)


def pad(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """`text`, which fits, filled up with spaces to exactly `width` cells."""
    missing = width - (len(text) if text.isascii() else cell_len(text))
    if missing <= 0:
        return text
    return " " * missing + text if align == "right" else text + " " * missing


def cut_head(text: str, width: int) -> str:
    """As much of the beginning of `text` as fits into `width` cells, with nothing in place of the rest."""
    if text.isascii():
        return text[:width]
    used, end = 0, 0
    for _start, stop, cells in split_graphemes(text)[0]:
        if used + cells > width:
            break
        used, end = used + cells, stop
    return text[:end]


def _tail(text: str, width: int) -> str:
    if text.isascii():
        return text[len(text) - width :] if width else ""
    used, begin = 0, len(text)
    for start, _stop, cells in reversed(split_graphemes(text)[0]):
        if used + cells > width:
            break
        used, begin = used + cells, start
    return text[begin:]


def units(amount: float | None, glyphs: Glyphs = UNICODE) -> str:
    """Bytes in at most four characters and in steps of 1024, as `docker stats` counts: `310M`, `1.2G`."""
    if amount is None:
        return glyphs.dash
    scaled = float(amount)
    for unit in _UNITS:
        if scaled < 999.5 or unit == _UNITS[-1]:
            break
        scaled /= 1024
    if unit == "B" or scaled >= 9.95:
        return f"{scaled:.0f}{unit}"
    return f"{scaled:.1f}{unit}"


def rate(amount: float | None, glyphs: Glyphs = UNICODE) -> str:
    """Bytes a second: `12K/s`."""
    return glyphs.dash if amount is None else units(amount, glyphs) + "/s"


def percent(value: float | None, glyphs: Glyphs = UNICODE) -> str:
    """A percentage: `12%`, `0.4%`; what is not quite nothing is not shown as 0."""
    if value is None:
        return glyphs.dash
    if 0 < value < 0.05:
        return "<.1%"
    if 0 < value < 0.95:
        return f"{value:.1f}%"
    return f"{value:.0f}%"


def number(value: int | None, glyphs: Glyphs = UNICODE) -> str:
    """A count."""
    return glyphs.dash if value is None else str(value)


def age(seconds: float | None, glyphs: Glyphs = UNICODE) -> str:
    """A span in two parts at most: `45s`, `4m 12s`, `3h 5m`, `12d`."""
    return glyphs.dash if seconds is None else words.age(seconds)


def age_short(seconds: float | None, glyphs: Glyphs = UNICODE) -> str:
    """A span in its first part alone: `4m`, `3h`, `12d`."""
    return glyphs.dash if seconds is None else words.short_age(seconds)


def latency(seconds: float | None, glyphs: Glyphs = UNICODE) -> str:
    """A round trip: `0.4 ms`, `23 ms`, `1.2 s`."""
    if seconds is None:
        return glyphs.dash
    if seconds >= 0.9995:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.00095 else f"{seconds * 1000:.1f} ms"


_NUMBERED = re.compile(r"(.*?)(\d+)\Z", re.DOTALL)


def hosts(names: Sequence[str], width: int, glyphs: Glyphs = UNICODE) -> str:
    """Hosts in at most `width` cells: `db-1 db-2`, `web-1 … web-6` for an unbroken run, `web-1 web-2 +1`."""
    most = width // 2 + 1  # of one letter each
    if len(names) <= most:
        whole = " ".join(names)
        if cell_len(whole) <= width:
            return whole
    if len(names) > 2 and _is_run(tuple(names)):
        run = f"{names[0]} {glyphs.run} {names[-1]}"
        if cell_len(run) <= width:
            return run
    for shown in range(min(len(names) - 1, most), 0, -1):
        text = f"{' '.join(names[:shown])} +{len(names) - shown}"
        if cell_len(text) <= width:
            return text
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return cut(names[0], max(1, width - len(more)), "middle", glyphs) + (more if width > len(more) + 1 else "")


@lru_cache(256)
def _is_run(names: tuple[str, ...]) -> bool:
    parts = [_NUMBERED.match(name) for name in names]
    stems = {part.group(1) if part else None for part in parts}
    if len(stems) != 1 or None in stems:
        return False
    numbers = [int(part.group(2)) for part in parts if part]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def sparkline(values: Sequence[float | None], width: int, top: float | None = None, glyphs: Glyphs = UNICODE) -> str:
    """The last `width` values as heights, right-aligned; unknown ones are blank. `top` is full height (or the most)."""
    if width <= 0:
        return ""
    shown = list(values)[-width:]
    highest = top if top is not None else max((value for value in shown if value is not None), default=0.0)
    steps = len(glyphs.levels)
    drawn = []
    for value in shown:
        if value is None:
            drawn.append(" ")
            continue
        share = value / highest if highest > 0 else 0.0
        drawn.append(glyphs.levels[min(steps - 1, max(0, int(share * steps)))])
    return "".join(drawn).rjust(width)


def bar(share: float | None, width: int, glyphs: Glyphs = UNICODE) -> str:
    """A bar filled to `share` (0…1) of `width` cells; a dash where it is not known."""
    if share is None:
        return pad(glyphs.dash, width)
    filled = min(width, max(0, round(share * width)))
    if share > 0 and not filled and width:
        filled = 1
    return glyphs.fill * filled + glyphs.blank * (width - filled)
