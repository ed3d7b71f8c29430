"""What keys arrive as, byte by byte."""

from __future__ import annotations

import pytest
from fleettop.tui.keyboard import Keyboard
from textual import constants
from textual.events import Key


def keys_of(*reads: str, chords: frozenset[str] = frozenset()) -> list[str]:
    """The keys of these reads, of which none is followed by another within Esc's delay at the end."""
    keyboard = Keyboard(chords=chords)
    found = [message for read in reads for message in keyboard.feed(read)]
    keyboard._timeout_time = 0.0 if keyboard.patience is not None else None
    found += keyboard.tick()
    return [message.key for message in found if isinstance(message, Key)]


@pytest.mark.parametrize(
    ("reads", "keys"),
    [
        (["\x1b"], ["escape"]),
        (["\x1b1"], ["escape", "1"]),
        (["\x1b", "1"], ["escape", "1"]),
        (["\x1bjj\x1bk"], ["escape", "j", "j", "escape", "k"]),
        (["\x1bR"], ["escape", "R"]),
        (["\x1b\r"], ["escape", "enter"]),
        (["\x1b/a"], ["escape", "slash", "a"]),
        (["\x1b["], ["escape", "left_square_bracket"]),
        (["\x1bP"], ["escape", "P"]),
        (["\x1b\x1b"], ["escape", "escape"]),
        (["\x1b\x1b[A"], ["escape", "up"]),
        (["\x1b", "\x1b[I"], ["escape"]),
        (["\x1b", "\x1b[?2048;2$y"], ["escape"]),
        (["\x1b[", "A"], ["up"]),
        (["\x1b[20~"], ["f9"]),
        (["\x1bOP"], ["f1"]),
        (["\x1b[27u"], ["escape"]),
        (["\x1b[13;5u"], ["ctrl+enter"]),
        (["\x1b\x7f"], ["ctrl+w"]),
    ],
)
def test_each_key_arrives_whatever_comes_with_it(reads: list[str], keys: list[str]) -> None:
    """A key after Esc is that key after Esc; a sequence is one key, also in two reads."""
    assert keys_of(*reads) == keys


def test_the_answer_to_a_frame_is_no_key() -> None:
    """It comes among the keys, also in two reads, and is told to whoever waits for it."""
    told: list[int] = []
    keyboard = Keyboard(answered=lambda: told.append(1))
    found = [message for read in ("j\x1b[0nk", "\x1b[", "0n\x1b[A") for message in keyboard.feed(read)]
    assert [message.key for message in found if isinstance(message, Key)] == ["j", "k", "up"]
    assert len(told) == 2


def test_a_chord_that_is_bound_is_one_key() -> None:
    """The config may give `alt+r`; every other letter after Esc stays a letter."""
    chords = frozenset({"alt+r", "alt+1"})
    assert keys_of("\x1br\x1b1\x1bs", chords=chords) == ["alt+r", "alt+1", "escape", "s"]


def test_what_the_terminal_says_of_its_keyboard_is_no_key() -> None:
    """A reply to the question for kitty's protocol is taken in, before and after keys."""
    keyboard = Keyboard()
    assert not keyboard.tells_keys_apart
    found = [message for message in keyboard.feed("a\x1b[?25ub") if isinstance(message, Key)]
    assert [key.key for key in found] == ["a", "b"]
    assert keyboard.tells_keys_apart


def test_a_lone_esc_waits_for_its_delay_and_no_longer() -> None:
    """How long the reader may sleep is known: not at all without an Esc, at most the delay with one."""
    keyboard = Keyboard()
    assert keyboard.patience is None
    assert list(keyboard.feed("\x1b")) == []
    assert keyboard.patience is not None
    assert keyboard.patience <= constants.ESCAPE_DELAY
