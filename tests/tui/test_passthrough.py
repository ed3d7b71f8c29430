"""The terminal given to a program in a container: what leaves it, and what is put back."""

from __future__ import annotations

import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.tui.passthrough import DetachKey, Leftovers, spoken

CTRL = b"\x1d"


@pytest.mark.parametrize("press", [CTRL, b"\x1b[93;5u"], ids=["byte", "kitty"])
def test_ctrl_bracket_three_times_within_a_second_leaves(press: bytes) -> None:
    """One after the other, as the terminal sends it."""
    clock = ManualClock()
    key = DetachKey(clock)
    assert [key.pressed(press) for _ in range(3)] == [False, False, True]


def test_three_at_once_leave_too() -> None:
    """A slow line brings them together."""
    assert DetachKey(ManualClock()).pressed(CTRL * 3)


def test_pressed_slowly_or_with_something_between_it_is_the_programs() -> None:
    """An editor may use it."""
    clock = ManualClock()
    key = DetachKey(clock)
    for _ in range(5):
        assert not key.pressed(CTRL)
        clock.advance(0.6)
    key = DetachKey(clock)
    assert [key.pressed(typed) for typed in (CTRL, CTRL, b"x", CTRL, CTRL)] == [False] * 5
    assert not key.pressed(b"x" + CTRL * 3)


def test_what_a_program_set_and_did_not_take_back_is_undone() -> None:
    """Modes that are not as usual, whether set or reset, and pushed keyboard protocols; also cut into pieces."""
    left = Leftovers()
    for piece in (b"\x1b[?1049h\x1b[?25", b"l\x1b[?1;2004h\x1b[>1", b"u\x1b[>5u\x1b[<u", b"\x1b[?2004l\x1b[?7h"):
        left.saw(piece)
    undone = left.undone()
    assert undone.startswith(b"\x18\x1b[<1u\x1b[?1l\x1b[?25h\x1b[?1049l\x1b[0m")


def test_nothing_is_undone_that_was_taken_back() -> None:
    """The alternate screen is not left twice."""
    left = Leftovers()
    left.saw(b"\x1b[?1049h\x1b[?25l all of it \x1b[?25h\x1b[?1049l")
    assert b"?" not in left.undone()


@pytest.mark.parametrize(
    ("term", "told"), [("xterm-256color", {"TERM": "xterm-256color"}), ("", {}), ("x\ny", {}), ("$(reboot)", {})]
)
def test_a_container_is_told_of_the_terminal_and_of_nothing_else(term: str, told: dict[str, str]) -> None:
    """TERM, where it is one."""
    assert spoken({"TERM": term, "AWS_SECRET": "x", "COLORTERM": "truecolor"}) == told
