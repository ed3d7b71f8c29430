"""The trail view on a store with a past: reading on, jumping in time, filtering, and looking at one record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.config import Config
from fleettop.collectors.errors import StoreFull, TrailError
from fleettop.collectors.model import Record, ServiceKey
from fleettop.collectors.trail import TrailFolder, keeper
from fleettop.collectors.trail.entry import Entry
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.tui.app import FleetApp
from fleettop.tui.navigation import Place
from fleettop.tui.screens.page import PageScreen
from fleettop.tui.screens.prompt import MomentPrompt
from fleettop.tui.screens.record import RecordPage
from fleettop.tui.trail.asking import is_change
from fleettop.tui.trail.rows import MOST, Sign, What
from fleettop.tui.widgets.detail import Detail
from textual.pilot import Pilot

from .stage import text_of
from .test_dashboard import dashboard
from .trail_making import BEGIN, SECOND, entry

Eventually = Callable[..., object]
LINES = 6_000
NOW = datetime.fromtimestamp(BEGIN / SECOND + LINES + 60, UTC)


def past() -> list[Entry]:
    """A second apart; every 100th by a person, every 1000th a gap, one rare word, an intent with what came of it."""
    entries: list[Entry] = []
    for number in range(LINES):
        more: dict[str, object] = {}
        if number % 100 == 7:
            more = {"actor": "ops1@bastion", "attribution": "own", "reason": f"FT-{number}", "action": "restart"}
        if number % 1000 == 500:
            more = {"kind": "gap", "what": "nothing known for 30s: link lost", "action": "gap", "trouble": True}
        if number == 42:
            more = {"what": "needle in the haystack", "engine": "web-2", "service": "", "service_key": ""}
        if number in (3001, 3002, 3003):
            kind = ("intent", "event", "outcome")[number - 3001]
            more = {"kind": kind, "of": "" if kind == "intent" else "thread-3001", "what": f"restart: {kind}"}
        entries.append(entry(number, **more))
    return entries


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trail with a past."""
    path = tmp_path_factory.mktemp("trail") / "trail"
    store = SegmentStore(path)
    entries = past()
    for begin in range(0, LINES, 1000):
        store.append(entries[begin : begin + 1000])
    store.close()
    return path


@asynccontextmanager
async def trail(folder: Path, *, size: tuple[int, int] = (120, 40)) -> AsyncIterator[tuple[FleetApp, Pilot[int]]]:
    """View 4 on that trail, of a fleet whose only engine is not there."""
    addresses = [EngineAddress(name="web-1", scheme="unix", socket="/nowhere/docker.sock")]
    app = FleetApp(addresses, Config(), clock=ManualClock(wall=NOW), open_trail=TrailFolder(folder))
    async with app.run_test(size=size) as pilot:
        await pilot.press("4")
        yield app, pilot


def shown(app: FleetApp) -> Sequence[str]:
    """The threads in the list, newest first, those of this fleettop itself left out."""
    return [key for key in app.dashboard._rows.order if isinstance(key, str) and key.startswith("thread-")]


def top_left(app: FleetApp) -> int:
    """The line of the screen that the cursor is on."""
    table = app.dashboard.table
    return table.visible_keys().index(table.cursor_key)


async def jump(pilot: Pilot[int], text: str) -> None:
    """`t`, a time, Enter."""
    await pilot.press("t")
    await pilot.pause()
    await pilot.press(*text, "enter")
    await pilot.pause()


async def test_reading_down_comes_to_everything_and_keeps_a_bounded_window(
    folder: Path, eventually: Eventually
) -> None:
    """PgDn again and again: each record comes once and in order, and never more are kept than the window holds."""
    async with trail(folder) as (app, pilot):
        seen: dict[str, None] = {}
        for _ in range(LINES):
            seen.update(dict.fromkeys(key for key in app.dashboard.table.visible_keys() if isinstance(key, str)))
            assert app.dashboard.table.row_count <= MOST + 400
            if app.dashboard.table.cursor_key == Sign(What.END):
                break
            await pilot.press("pagedown")
            await eventually(lambda: app.dashboard.table.cursor_key is not None)
        threads = [key for key in seen if key.startswith("thread-")]
        assert threads == [f"thread-{number}" for number in reversed(range(LINES))]


async def test_the_cursor_keeps_its_row_and_its_line_while_more_is_read(folder: Path, eventually: Eventually) -> None:
    """Reading on moves nothing under the eye."""
    async with trail(folder) as (app, pilot):
        await eventually(lambda: len(shown(app)) > 300)
        await pilot.press("down", "down", "down")
        key, line = app.dashboard.table.cursor_key, top_left(app)
        count = len(shown(app))
        app.dashboard._rows.wanted(0, count)  # type: ignore[union-attr]
        await app.dashboard._rows.read(1)  # type: ignore[union-attr]
        app.dashboard.table.update_rows({}, app.dashboard._rows.order)
        assert len(shown(app)) > count
        assert (app.dashboard.table.cursor_key, top_left(app)) == (key, line)


async def test_a_jump_in_time_has_the_moment_in_the_middle_and_escape_comes_back(
    folder: Path, eventually: Eventually
) -> None:
    """`t -50m`: the cursor on what happened last before, older below, newer above; the title says so; Esc: now."""
    async with trail(folder) as (app, pilot):
        await eventually(lambda: len(shown(app)) > 100)
        await jump(pilot, "-50m")
        moment = LINES + 60 - 50 * 60
        await eventually(lambda: app.dashboard.table.cursor_key == f"thread-{moment}")
        await eventually(lambda: 8 < top_left(app) < 30)
        visible = app.dashboard.table.visible_keys()
        assert f"thread-{moment + 5}" in visible
        assert f"thread-{moment - 5}" in visible
        assert Sign(What.MOMENT, app.dashboard.place.as_of) in visible
        assert "50m ago" in text_of(app.dashboard.tabs)
        await pilot.press("escape")
        await eventually(lambda: app.dashboard.place.as_of is None and f"thread-{LINES - 1}" in shown(app))
        assert "ago" not in text_of(app.dashboard.tabs)


async def test_the_history_remembers_the_moment_and_the_row(folder: Path, eventually: Eventually) -> None:
    """`[` comes back to the moment and to the row the cursor was on, `]` goes on again."""
    async with trail(folder) as (app, pilot):
        await eventually(lambda: len(shown(app)) > 100)
        await jump(pilot, "-50m")
        await eventually(lambda: str(app.dashboard.table.cursor_key).startswith("thread-"))
        await pilot.press("down", "down", "down")
        key, as_of = app.dashboard.table.cursor_key, app.dashboard.place.as_of
        await pilot.press("3")
        await pilot.pause()
        await pilot.press("left_square_bracket")
        await eventually(lambda: app.dashboard.table.cursor_key == key)
        assert app.dashboard.place.as_of == as_of


async def test_what_is_no_time_is_said_and_nothing_moves(folder: Path, eventually: Eventually) -> None:
    """One sentence in the dialog, which stays open."""
    async with trail(folder) as (app, pilot):
        await jump(pilot, "noon")
        assert isinstance(app.screen, MomentPrompt)
        assert "is no time" in text_of(app.screen.query_one("#said"))
        await pilot.press("escape")
        assert app.dashboard.place.as_of is None


async def test_a_filter_reads_back_until_it_has_found_what_there_is(folder: Path, eventually: Eventually) -> None:
    """A word that only one old record has is found, a field of names at once, and gaps by their kind."""
    async with trail(folder) as (app, pilot):
        await pilot.press("slash", *"needle")
        await eventually(lambda: shown(app) == ["thread-42"])
        await eventually(lambda: app.dashboard._rows.at_oldest)  # type: ignore[union-attr]
        assert app.dashboard.filter_bar._words == "1 found"
        await pilot.press("escape", "slash", *"kind:gap nothing", "enter")
        await eventually(lambda: shown(app) == [f"thread-{n}" for n in range(5500, 0, -1000)])
        await pilot.press("escape", "slash", *"who:ops1", "enter")
        await eventually(lambda: len(shown(app)) == LINES // 100)


async def test_z_and_d_leave_trouble_and_deeds(folder: Path, eventually: Eventually) -> None:
    """Gaps and trouble with `z`; with `d` what somebody did."""
    async with trail(folder) as (app, pilot):
        await pilot.press("z")
        await eventually(lambda: shown(app) == [f"thread-{n}" for n in range(5500, 0, -1000)])
        await pilot.press("escape", "slash", *"why:FT", "enter", "d")
        await eventually(lambda: len(shown(app)) == LINES // 100)


async def test_the_last_key_goes_to_the_oldest_record_and_the_first_key_back(
    folder: Path, eventually: Eventually
) -> None:
    """`G` and `g`, without reading what lies between."""
    async with trail(folder) as (app, pilot):
        await eventually(lambda: len(shown(app)) > 100)
        await pilot.press("G")
        await eventually(lambda: app.dashboard.table.cursor_key == "thread-0")
        assert app.dashboard.table.row_count <= MOST
        await pilot.press("g")
        await eventually(lambda: f"thread-{LINES - 1}" in shown(app))


async def test_enter_shows_all_of_a_record_and_what_belongs_to_it(folder: Path, eventually: Eventually) -> None:
    """Its facts, its line and hash, the intent with its event and outcome, its neighbours; `y` the line as kept."""
    async with trail(folder) as (app, pilot):
        await eventually(lambda: len(shown(app)) > 100)
        await jump(pilot, f"-{LINES + 60 - 3002}s")
        await eventually(lambda: app.dashboard.table.cursor_key == "thread-3002")
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, RecordPage) and app.screen.query(Detail))

        def page() -> str:
            lines = app.screen.query_one(Detail).shown
            return "\n".join("".join(cell.text for cell in line) for line in lines)

        await eventually(lambda: "what belongs together" in page())
        for words in (
            "restart: intent",
            "restart: outcome",
            "line            3003, ",
            "just after and before on pay/api",
        ):
            assert words in page()
        await pilot.press("y")
        await eventually(lambda: '"thread": "thread-3002"' in page())
        assert "hash      " in page()
        await pilot.press("escape")
        assert not isinstance(app.screen, PageScreen)


async def test_the_header_says_at_once_that_the_trail_is_not_written(
    folder: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In words, and no longer once it is written again."""
    monkeypatch.setattr(keeper, "RETRY", 0.01)
    async with trail(folder) as (app, pilot):
        await pilot.pause()
        with monkeypatch.context() as full:
            full.setattr(SegmentStore, "append", _no_room)
            app.fleet.note("something happened")
            await eventually(lambda: "TRAIL NOT WRITTEN: disk full" in text_of(app.dashboard.header))
        await eventually(lambda: "TRAIL" not in text_of(app.dashboard.header))


def _no_room(store: SegmentStore, entries: Sequence[Entry]) -> tuple[int, ...]:
    raise StoreFull("No space is left")


async def test_while_the_trail_is_not_written_an_action_is_refused_in_one_sentence(eventually: Eventually) -> None:
    """What cannot be recorded is not done, and that is said before anything is asked."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: app.dashboard.table.row_count > 3)
        app.session.keeping = _Troubled()  # type: ignore[assignment]
        await pilot.press("R")
        said = "Nothing is changed while the trail cannot be written: disk full."
        await eventually(lambda: said in [note.message for note in app._notifications])
        assert app.screen is app.dashboard
        app.session.keeping = None


class _Troubled:
    """A trail that cannot be written."""

    def __init__(self) -> None:
        self.keeper = self
        self.trouble = StoreFull("No space is left")


async def test_two_keys_from_a_service_tell_what_was_changed_on_it(eventually: Eventually) -> None:
    """`e` and `d` on a service: only deeds, and only its own."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: any(is_change(r) and r.service in app.fleet.services for r in records(app)))
        service = next(r.service for r in records(app) if is_change(r) and r.service in app.fleet.services)
        await pilot.press("1")
        app.dashboard.table.move_to(service)
        await pilot.press("e", "d")
        await eventually(lambda: app.dashboard._rows.at_oldest)  # type: ignore[union-attr]
        found = [app.dashboard._record(key) for key in app.dashboard._rows.order if isinstance(key, str)]
        assert found
        assert all(record is not None and is_change(record) and record.service == service for record in found)


async def test_at_80x24_what_happened_to_a_service_has_more_lines_than_one_records_details(
    folder: Path, eventually: Eventually
) -> None:
    """Its history is what was asked for: as many of its rows as can stand above the details of one."""
    async with trail(folder, size=(80, 24)) as (app, pilot):
        await eventually(lambda: len(shown(app)) > 100)
        app.dashboard.go(Place(view="trail", scope=ServiceKey("compose", "pay", "api")))
        table, detail = app.dashboard.table, app.dashboard.detail
        await eventually(lambda: len(shown(app)) > 100 and table.size.height > detail.size.height > 3)
        await pilot.pause()
        assert len(table.visible_keys()) >= 10


def records(app: FleetApp) -> Sequence[Record]:
    """All that is at hand."""
    return app.fleet.trail.newest(5_000)


async def test_a_past_that_cannot_be_read_leaves_what_is_at_hand(folder: Path, eventually: Eventually) -> None:
    """The last row says why; nothing is lost that is known."""
    async with trail(folder) as (app, pilot):
        await eventually(lambda: len(shown(app)) > 100)
        keeping = app.session.keeping
        assert keeping is not None

        async def refuse(question: object, **_: object) -> None:
            raise TrailError("The disk is gone")

        keeping.keeper.ask = refuse  # type: ignore[assignment]
        await pilot.press("1", "4")
        await eventually(lambda: app.dashboard._rows.order[-1] == Sign(What.UNREAD, words="The disk is gone"))
        assert len(shown(app)) > 100
