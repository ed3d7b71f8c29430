"""How a container stands, in a word of the list and in the sentence of its details."""

from __future__ import annotations

import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import ContainerState
from fleettop.tui.glyphs import UNICODE
from fleettop.tui.views.base import Moment
from fleettop.tui.views.conditions import condition
from fleettop.tui.views.container_detail import container_detail

from tests.collectors.watching import START, container, detailed

RUNNING, EXITED = ContainerState.RUNNING, ContainerState.EXITED
KILLED, WORKER = "killed for memory", "a process in it was killed for memory"


@pytest.mark.parametrize(
    ("state", "code", "word", "said"),
    [
        (RUNNING, 0, "running", WORKER),
        (EXITED, 137, "out of mem", KILLED),
        (EXITED, 7, "out of mem", WORKER),
        (EXITED, 0, "exited 0", WORKER),
        (EXITED, 143, "exited 143", WORKER),
    ],
)
def test_what_a_kill_for_memory_came_to_is_told(state: ContainerState, code: int, word: str, said: str) -> None:
    """`OOMKilled` is of any process since the start: what goes on, or ended as it was asked to, did not end of it."""
    one = detailed(container("api", state=state), exit_code=code, oom_killed=True, started_at=START, finished_at=START)
    clock = ManualClock()
    moment = Moment(now=clock.now(), monotonic=clock.monotonic(), glyphs=UNICODE)
    lines = container_detail(Fleet([], clock=clock), one, moment)
    assert condition(one)[0] == word
    assert any("".join(cell.text for cell in line).endswith(f", {said}") for line in lines)
