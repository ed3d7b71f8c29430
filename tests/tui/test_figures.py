"""How figures are shown: their age where they are old, and what they were over the last minutes."""

from __future__ import annotations

import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import ContainerKey, FiguresWay, Listed, Usage, UsageSeen
from fleettop.tui.glyphs import UNICODE
from fleettop.tui.views.base import Moment
from fleettop.tui.views.cells import OLD, figures_age, used
from fleettop.tui.views.container_detail import container_detail
from fleettop.tui.views.containers import ContainersView
from fleettop.tui.views.host_detail import host_detail

from tests.collectors.watching import container

API = ContainerKey("web-1", container("api").id)


@pytest.fixture
def clock() -> ManualClock:
    """Stands still."""
    return ManualClock()


@pytest.fixture
def fleet(clock: ManualClock) -> Fleet:
    """One container, sampled now."""
    made = Fleet([EngineAddress(name="web-1", scheme="ssh", host="web-1")], clock=clock)
    made.apply(Listed(engine="web-1", containers=(container("api"),), at=clock.monotonic()))
    sample(made, clock, 12.5)
    return made


def sample(fleet: Fleet, clock: ManualClock, cpu: float) -> None:
    """Figures as of now."""
    sampled = Usage(cpu=cpu, memory=1 << 20, memory_limit=None, received=1.0, sent=2.0, at=clock.monotonic())
    fleet.apply(UsageSeen(engine="web-1", usage={API.id: sampled}))
    fleet.take_changes()


def moment(clock: ManualClock) -> Moment:
    """Now."""
    return Moment(now=clock.now(), monotonic=clock.monotonic(), glyphs=UNICODE)


def text(lines: object) -> str:
    """All that is written there."""
    return "\n".join("".join(cell.text for cell in line) for line in lines)  # type: ignore[attr-defined]


def test_figures_that_are_old_show_their_age(fleet: Fleet, clock: ManualClock) -> None:
    """Fresh ones none: what ticks in every row tells nobody anything."""
    assert figures_age(fleet, API, moment(clock)).text == ""
    assert used(fleet, [API], moment(clock))[0].style == ""
    clock.advance(OLD + 5)
    assert figures_age(fleet, API, moment(clock)).text == "20s"
    assert used(fleet, [API], moment(clock))[0].style == "dim"
    row = ContainersView().row(fleet, API, moment(clock))
    assert row is not None
    titles = [column.title for column in ContainersView.columns]
    assert row.cells[titles.index("READ")].text == "20s"
    clock.advance(200)
    assert figures_age(fleet, API, moment(clock)).text == "3m"


def test_the_same_figures_again_draw_nothing_anew(fleet: Fleet, clock: ManualClock) -> None:
    """What is idle costs no redrawing; but what was drawn as old is drawn as fresh."""
    for seconds, drawn in ((2, False), (2, False), (OLD + 1, True)):
        clock.advance(seconds)
        sampled = Usage(cpu=12.5, memory=1 << 20, memory_limit=None, received=1.0, sent=2.0, at=clock.monotonic())
        fleet.apply(UsageSeen(engine="web-1", usage={API.id: sampled}))
        assert bool(fleet.take_changes().usage) is drawn
        assert fleet.usage[API].at == clock.monotonic()


def test_a_container_that_was_never_sampled_has_no_age(fleet: Fleet, clock: ManualClock) -> None:
    """There is nothing that could be old."""
    assert figures_age(fleet, ContainerKey("web-1", "gone"), moment(clock)).text == ""


def test_the_details_of_a_container_draw_its_cpu_of_the_last_minutes(fleet: Fleet, clock: ManualClock) -> None:
    """From the ring, once there are two points."""
    assert "of the last 10 minutes" not in text(container_detail(fleet, container("api"), moment(clock)))
    for cpu in (25.0, 100.0):
        clock.advance(10)
        sample(fleet, clock, cpu)
    assert "CPU ▂▃█  of the last 10 minutes, at most 100%" in text(
        container_detail(fleet, container("api"), moment(clock))
    )


def test_the_page_of_an_engine_says_how_its_figures_are_read(fleet: Fleet, clock: ManualClock) -> None:
    """And so why they may be old."""
    fleet.apply(FiguresWay(engine="web-1", words="read on the host over ssh"))
    fleet.take_changes()
    assert "figures  read on the host over ssh" in text(host_detail(fleet, fleet.engines["web-1"], moment(clock)))
