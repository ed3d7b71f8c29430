"""What a person's keys arrive as: Textual's parser, and what it makes of an Esc that has company."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.keys import Keys

from .frames.pace import ANSWER

ESC = "\x1b"
_OPENERS = "[O]P_^X"
"""After Esc these begin a longer sequence (CSI, SS3, OSC, DCS, APC, PM, SOS): only time tells whether they do."""
_IN_FIELDS = "\x7f\tbf"
"""With alt they delete or move by words in a field, or are shift+tab: left to Textual."""
_KEYBOARD = re.compile(r"\x1b\[\?\d+u")


class Keyboard(XTermParser):
    """As Textual's, but a key that follows Esc within its delay is that key, after Esc, and neither is lost.

    Terminals send alt+1 and Esc, 1 alike, and over a slow line two keys arrive as one read. Textual 8.2.8 takes both
    for alt+1, for which it has `¡`; chords that are bound (`chords`, as `alt+r`) stay what they are.
    It also learns whether the terminal speaks kitty's keyboard protocol, in which each key has a code of its own, and
    calls `answered` when the terminal says that it has taken in a frame.
    """

    def __init__(
        self, debug: bool = False, *, chords: Collection[str] = (), answered: Callable[[], None] = lambda: None
    ) -> None:
        self._chords = chords
        self._answered = answered
        self.tells_keys_apart = False
        """Whether the terminal has said that it speaks kitty's protocol."""
        super().__init__(debug)

    @property
    def patience(self) -> float | None:
        """How many seconds an Esc still waits for company; None: there is none that waits."""
        return None if self._timeout_time is None else max(0.0, self._timeout_time - get_time())

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        if alt:
            yield from self._after_escape(sequence)
        elif len(sequence) == 2 and sequence[0] == ESC and sequence[1] not in _OPENERS + _IN_FIELDS:
            yield from self._after_escape(sequence[1])
        elif sequence == ANSWER:
            self._answered()
            yield Key(Keys.Ignore, sequence)
        elif _KEYBOARD.fullmatch(sequence):
            self.tells_keys_apart = True
            yield Key(Keys.Ignore, sequence)
        else:
            yield from super()._sequence_to_key_events(sequence)

    def _after_escape(self, character: str) -> Iterable[Key]:
        keys = list(super()._sequence_to_key_events(character))
        chord = f"alt+{keys[0].key.lower()}" if len(keys) == 1 else ""
        if chord in self._chords:
            yield Key(chord, None)
        else:
            yield Key("escape", ESC)
            yield from keys
