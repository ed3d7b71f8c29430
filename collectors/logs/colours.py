"""A log line made safe for a terminal: text without anything a terminal obeys, and its colours beside it.

Colours are the one thing of a program's escapes that is kept (SGR, ECMA-48 8.3.117), as data and never as bytes: what
is drawn or printed is written anew from them. Blinking and hidden text are not kept: nothing may hide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..model.logs import LogLine
from ..text import plain

SHOWN = 16 * 1024
"""Characters shown of one line; more is said and not shown."""

_SGR = re.compile(r"(?:\x1b\[|\x9b)([0-9;:]{0,64})m")

Colour = int | tuple[int, int, int] | None
"""One of the 256 colours of a terminal, red, green and blue, or its usual one."""


class Look(NamedTuple):
    """How a piece of text is drawn."""

    front: Colour = None
    back: Colour = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False

    def sgr(self) -> str:
        """As the parameters of an SGR sequence; empty: nothing of its own."""
        codes = [code for code, on in zip("1234", self[2:6], strict=True) if on]
        codes += ["7"] if self.reverse else []
        codes += ["9"] if self.strike else []
        codes += [*_code(self.front, 38), *_code(self.back, 48)]
        return ";".join(codes)


PLAIN = Look()

_FLAGS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
_OFF: dict[int, dict[str, object]] = {
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"reverse": False},
    29: {"strike": False},
    39: {"front": None},
    49: {"back": None},
}


class Run(NamedTuple):
    """A piece of a line in one look. The text holds no control character whatever was logged."""

    text: str
    look: Look = PLAIN


def text_of(line: LogLine) -> str:
    """The line as text: cleaned, without colours, of `SHOWN` characters at most (the last then is `…`)."""
    text = line.data.decode("utf-8", "replace")
    return plain(_SGR.sub("", text) if "\x1b" in text or "\x9b" in text else text, SHOWN)


def runs_of(line: LogLine) -> tuple[Run, ...]:
    """The same with its colours. The texts of the runs, put together, are what `text_of` gives, as far as shown."""
    text = line.data.decode("utf-8", "replace")
    if "\x1b" not in text and "\x9b" not in text:
        return (Run(plain(text, SHOWN)),)
    return tuple(_runs(text[: SHOWN * 8]))


def _runs(text: str) -> Iterator[Run]:
    look, at, left = PLAIN, 0, SHOWN
    for found in (*_SGR.finditer(text), None):
        piece = plain(text[at : found.start() if found else len(text)], left + 1)
        if piece:
            if len(piece) > left:
                yield Run(piece[: max(0, left - 1)] + "…", look)
                return
            yield Run(piece, look)
            left -= len(piece)
        if found is not None:
            look, at = _changed(look, found[1]), found.end()


def _changed(look: Look, parameters: str) -> Look:
    numbers = [int(part) if part else 0 for part in parameters.replace(":", ";").split(";")]
    changes: dict[str, object] = look._asdict()
    at = 0
    while at < len(numbers):
        number = numbers[at]
        at += 1
        if number == 0:
            changes = PLAIN._asdict()
        elif number in _FLAGS:
            changes[_FLAGS[number]] = True
        elif number in _OFF:
            changes |= _OFF[number]
        elif number in (38, 48):
            colour, at = _colour(numbers, at)
            changes["front" if number == 38 else "back"] = colour
        elif 30 <= number <= 37 or 90 <= number <= 97:
            changes["front"] = number - 30 if number < 90 else number - 82
        elif 40 <= number <= 47 or 100 <= number <= 107:
            changes["back"] = number - 40 if number < 100 else number - 92
    return Look(**changes)  # type: ignore[arg-type]


def _colour(numbers: Sequence[int], at: int) -> tuple[Colour, int]:
    if numbers[at : at + 1] == [5] and len(numbers) > at + 1:
        return min(255, numbers[at + 1]), at + 2
    if numbers[at : at + 1] == [2] and len(numbers) > at + 3:
        red, green, blue = (min(255, number) for number in numbers[at + 1 : at + 4])
        return (red, green, blue), at + 4
    return None, len(numbers)


def _code(colour: Colour, base: int) -> list[str]:
    if colour is None:
        return []
    if isinstance(colour, tuple):
        return [f"{base};2;{colour[0]};{colour[1]};{colour[2]}"]
    if colour < 8:
        return [str(base - 8 + colour)]
    return [str(base + 44 + colour)] if colour < 16 else [f"{base};5;{colour}"]
