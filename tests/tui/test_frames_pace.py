"""When a frame may go: after the answer to the one before, for a key sooner, and for a mute terminal by time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

from fleettop.tui.frames.pace import FIRST, HURRIED, HURRY, PATIENCE, PAUSE, QUESTION, Pace


def spoken() -> Pace:
    """The pace of a terminal that has answered its first question."""
    pace = Pace()
    assert pace.begin(0.0) == QUESTION
    pace.answered()
    return pace


def test_the_first_frame_waits_for_nothing() -> None:
    """Whether the terminal answers is not known yet, and nothing of ours is in its way."""
    pace = Pace()
    pace.begin(0.0)
    assert pace.wait(0.0, drained=False) == 0.0


def test_the_next_frame_goes_when_the_last_is_answered() -> None:
    """One frame is under way at a time, so that none is old when it is seen."""
    pace = spoken()
    assert pace.sent(1.0, 5000) == QUESTION
    assert pace.wait(1.1, drained=True) > 0
    pace.answered()
    assert pace.wait(1.2, drained=True) == 0.0


def test_what_a_key_did_does_not_wait_for_a_round_trip() -> None:
    """Soon after a key a frame may follow another, while little is under way."""
    pace = spoken()
    pace.sent(1.0, HURRIED)
    pace.pressed(1.1)
    assert pace.wait(1.1 + HURRY / 2, drained=True) == 0.0
    assert pace.wait(1.1 + HURRY * 2, drained=True) > 0
    pace.sent(1.1, 1)
    assert pace.wait(1.1 + HURRY / 2, drained=True) > 0, "a held key fills no buffers"


def test_a_terminal_that_never_answers_is_paced_by_time() -> None:
    """Its first question not answered, none is asked any more, and each frame waits until the last is written."""
    pace = Pace()
    pace.begin(0.0)
    pace.sent(0.5, 5000)
    assert 0 < pace.wait(0.6, drained=True) <= FIRST
    assert pace.wait(FIRST + 0.1, drained=True) == 0.0
    assert pace.sent(1.2, 100) == ""
    assert 0 < pace.wait(1.2, drained=True) < PAUSE * 2
    assert pace.wait(9.0, drained=False) == PAUSE
    assert pace.wait(9.0, drained=True) == 0.0


def test_a_late_first_answer_is_heard() -> None:
    """A line slower than the patience for it is paced by answers from then on."""
    pace = Pace()
    pace.begin(0.0)
    pace.sent(0.1, 5000)
    assert pace.wait(FIRST + 0.1, drained=True) == 0.0
    pace.answered()
    assert pace.sent(2.0, 10) == QUESTION


def test_a_lost_answer_stops_nothing_for_good() -> None:
    """After some seconds the terminal is asked again; while the line takes nothing in, nothing is written to it."""
    pace = spoken()
    pace.sent(1.0, 5000)
    assert pace.wait(1.0 + PATIENCE + 1, drained=False) == PAUSE
    assert pace.wait(1.0 + PATIENCE + 1, drained=True) == 0.0
    assert pace.sent(8.0, 10) == QUESTION
    pace.answered()
    assert pace.wait(8.1, drained=True) == 0.0


def test_an_answer_that_nobody_asked_for_is_none() -> None:
    """It does not stand for one that is still to come."""
    pace = spoken()
    pace.answered()
    pace.sent(1.0, 5000)
    assert pace.wait(1.1, drained=True) > 0


class Answered(deque[tuple[float, int]]):
    """Open questions whose answers arrive, in the thread that reads, just when they have been looked at."""

    def __iter__(self) -> Iterator[tuple[float, int]]:
        """All of them; then they are gone."""
        found = list(super().__iter__())
        self.clear()
        return iter(found)


def test_an_answer_may_arrive_while_the_questions_are_counted() -> None:
    """The thread that reads the terminal waits for nobody: a frame that still waits is asked about again."""
    pace = spoken()
    pace._open = Answered([(1.0, 5000)])
    assert pace.wait(1.1, drained=True) > 0
    assert pace.wait(1.1, drained=True) == 0.0


def test_settling_waits_for_the_answers_under_way() -> None:
    """Who has the terminal next does not get them; a terminal that never answers is not waited for."""
    mute = Pace()
    mute.begin(0.0)
    mute.settle(60)
    pace = spoken()
    pace.sent(1.0, 10)
    settled = threading.Event()
    thread = threading.Thread(target=lambda: (pace.settle(60), settled.set()))
    thread.start()
    assert not settled.is_set()
    pace.answered()
    thread.join(30)
    assert settled.is_set()
