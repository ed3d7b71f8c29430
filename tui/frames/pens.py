"""How a cell is drawn, and the shortest way from one such state of the terminal to another (SGR, and links: OSC 8)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec

_OFF = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 6: 25, 7: 27, 8: 28, 9: 29, 21: 24, 51: 54, 52: 54, 53: 55}
"""What sets an attribute, and what takes it back; some share that."""
_SEEN_ON_BLANKS = frozenset((4, 5, 6, 7, 9, 21, 51, 52, 53))
"""Attributes that show where there is no letter: lines, frames, and reverse, which makes the ink the ground."""


class Pen(msgspec.Struct, frozen=True, eq=False):
    """Ink, ground and attributes as SGR spells them (empty: the terminal's own), and a link. Made by `pen` only."""

    ink: str = ""
    ground: str = ""
    marks: frozenset[int] = frozenset()
    link: str = ""


PLAIN = Pen()
"""What a terminal draws with after it was reset."""


@lru_cache(4096)
def pen(sgr: str, link: str = "") -> Pen:
    """The pen of these SGR parameters, as `1;38;5;12`; the same object for the same look."""
    ink, ground, marks = "", "", set[int]()
    for code, text in _codes(sgr):
        if code in _OFF:
            marks.add(code)
        elif code == 39 or 30 <= code <= 38 or 90 <= code <= 97:
            ink = "" if code == 39 else text
        elif code == 49 or 40 <= code <= 48 or 100 <= code <= 107:
            ground = "" if code == 49 else text
    return _known(ink, ground, frozenset(marks), link)


@lru_cache(4096)
def _known(ink: str, ground: str, marks: frozenset[int], link: str) -> Pen:
    return Pen(ink, ground, marks, link) if ink or ground or marks or link else PLAIN


def _codes(sgr: str) -> Iterator[tuple[int, str]]:
    """Each code with all that belongs to it: 38 and 48 take two more words, or four."""
    words = sgr.split(";")
    at = 0
    while at < len(words):
        code = int(words[at] or 0)
        length = 1 if code not in (38, 48) else 3 if words[at + 1 : at + 2] == ["5"] else 5
        yield code, ";".join(words[at : at + length])
        at += length


@lru_cache(4096)
def blank(of: Pen) -> Pen:
    """The pen of a space: without what cannot be seen on it, so that spaces that look alike are alike."""
    marks = of.marks & _SEEN_ON_BLANKS
    if marks:
        marks |= of.marks & {1, 2}  # bright or dim: so is the line, or the ground that is ink
    return _known(of.ink if marks else "", of.ground, marks, of.link)


@lru_cache(4096)
def over_blank(now: Pen, wanted: Pen) -> Pen:
    """The pen to draw a space with: ink that is there already may stay, as it is not seen."""
    if wanted.marks:
        return wanted
    kept = _known(now.ink, wanted.ground, now.marks - _SEEN_ON_BLANKS, wanted.link)
    return min(wanted, kept, key=lambda then: (len(turn(now, then)), then is not kept))


@lru_cache(4096)
def turn(now: Pen, then: Pen) -> str:
    """What makes a terminal that draws with one pen draw with the other, in as few bytes as that takes."""
    link = f"\x1b]8;{then.link}\x1b\\" if then.link != now.link else ""
    if then.link == "" != now.link:
        link = "\x1b]8;;\x1b\\"
    if (now.ink, now.ground, now.marks) == (then.ink, then.ground, then.marks):
        return link
    whole = ["0", *map(str, sorted(then.marks)), *(word for word in (then.ink, then.ground) if word)]
    off = sorted({_OFF[mark] for mark in now.marks - then.marks})
    on = sorted(mark for mark in then.marks if mark not in now.marks or _OFF[mark] in off)
    step = [*map(str, off), *map(str, on)]
    if now.ink != then.ink:
        step.append(then.ink or "39")
    if now.ground != then.ground:
        step.append(then.ground or "49")
    words = min(";".join(step), ";".join(whole), key=len)
    return f"\x1b[{'' if words == '0' else words}m{link}"
