"""What py-spy sampled is counted as the reader takes it."""

from __future__ import annotations

from bench.profiles import counted, markdown
from bench.scale import Size

SIZE = Size(1, 2, 0)
LOOP = (
    "main (fleettop/run.py:1);BaseEventLoop._run_once (asyncio/base_events.py:1922);Handle._run (asyncio/events.py:80)"
)
SHOW = f"{LOOP};Bridge._hand_over (tui/bridge.py:77)"


def test_a_sample_counts_once_for_each_function_below_the_loop() -> None:
    """Also for one that calls itself; what asyncio does between counts for nobody."""
    lines = [f"{SHOW};walk (collectors/a.py:1);walk (collectors/a.py:2) 3", f"{SHOW};render (rich/text.py:9) 1"]
    found = counted(SIZE, 1.0, lines)
    assert found.samples == 4
    assert found.roots == {"`Bridge._hand_over` (tui/bridge.py)": 4}
    assert found.own == {"`Bridge._hand_over` (tui/bridge.py)": 4, "`walk` (collectors/a.py)": 3}


def test_what_is_not_of_the_loop_is_left_out() -> None:
    """Threads, the start, and lines that are cut."""
    found = counted(SIZE, 1.0, ["worker (threading.py:1) 5", "", f"{LOOP} 2", "torn"])
    assert (found.samples, found.roots) == (2, {"the loop itself": 2})


def test_a_profile_without_samples_is_still_a_section() -> None:
    """Where py-spy may not look, the table is empty and nothing is divided by zero."""
    assert "0 samples" in markdown([counted(SIZE, 0.0, [])], 0.0)
