"""The screen of logs as a person drives it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fleettop.collectors.logs import Ring
from fleettop.collectors.logs.find import Finder
from fleettop.collectors.logs.search import Search
from fleettop.collectors.model import ServiceKey
from fleettop.collectors.model.logs import ERR, NOTE, OUT, LogLine
from fleettop.tui.app import FleetApp
from fleettop.tui.keymap import Keys
from fleettop.tui.logkeys import LOG_KEYS
from fleettop.tui.screens.help import HelpScreen
from fleettop.tui.screens.logs import LogScreen
from fleettop.tui.screens.saveprompt import SavePrompt
from fleettop.tui.widgets.footer import KeyFooter
from fleettop.tui.widgets.loglines import LinePainter, LogOptions
from fleettop.tui.widgets.logtitle import LogFacts, LogTitle
from fleettop.tui.widgets.logview import LogView
from textual.pilot import Pilot
from textual.widgets import Input

from .stage import Stage, settle, text_of
from .test_dashboard import dashboard
from .test_snapshots import SnapCompare

Eventually = Callable[..., object]
BASE = 1_767_323_045_000_000_000
NAMES = ("api-1", "api-2", "api-3")


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown on the clock of who looks."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def line(number: int, text: str, source: int = 0, stream: int = OUT, **more: object) -> LogLine:
    return LogLine(BASE + number * 7_000_000, source, stream, text.encode(), **more)  # type: ignore[arg-type]


def some_lines() -> list[LogLine]:
    """What a night looks like."""
    record = json.dumps({"level": "error", "msg": "charge failed", "order": 4711, "retry": False})
    return [
        line(0, "INFO  starting pay-api 2.8.1"),
        line(1, "\x1b[32mGET\x1b[0m /v1/orders \x1b[1;33m304\x1b[0m 12 ms", 1),
        line(2, "Traceback (most recent call last):", 2, ERR),
        line(3, "KeyError: 'LEDGER_URL'", 2, ERR),
        line(4, "h2 is lost: the connection broke. What it says follows when it is back.", NOTE, 0),
        line(5, record, 0),
        line(6, "x" * 30 + " a line that is long " + "and longer " * 20 + "日本語", 1),
        line(7, "\x1b[2J\x1b[Hnothing moves the cursor\x1b]0;title\x07 [/x] [@click=app.quit]boo", 1),
        line(8, "came when it could", 2, OUT, late=True),
        line(9, "y" * 100, 0, OUT, cut=48_123),
    ]


def view_of(lines: list[LogLine]) -> LogView:
    ring = Ring()
    ring.extend(lines)
    return LogView(ring, lambda number: NAMES[number], lambda: None)


def pieces(theme: str = "fleettop-dark") -> tuple[Stage, LogView, LogTitle, KeyFooter]:
    view, title, footer = view_of(some_lines()), LogTitle(), KeyFooter()
    return Stage(title, view, footer, theme=theme), view, title, footer


@pytest.mark.parametrize(
    ("size", "theme", "wrap"),
    [
        ((80, 24), "fleettop-dark", False),
        ((80, 24), "fleettop-mono", True),
        ((200, 50), "fleettop-dark", True),
        ((200, 50), "fleettop-light", False),
    ],
)
def test_the_screen_of_logs(snap_compare: SnapCompare, size: tuple[int, int], theme: str, wrap: bool) -> None:
    """Replicas by colour and name, standard error marked, colours of the program, what is found, our own words."""
    app, view, title, footer = pieces(theme)

    async def fill(pilot: Pilot[None]) -> None:
        view.set_names(5)
        search = Search(Finder("lost|ledger"), view.ring)
        search.advance()
        view.find(search)
        view.show(wrap=wrap, json=2 if wrap else 1)
        view.focus()
        view.action_move(-2)
        view.mark()
        title.show(
            LogFacts(
                title="pay/api",
                span="last 500 lines",
                replicas=3,
                followed=2,
                reading=False,
                lines=10,
                gone=120_000,
                autoscroll=False,
                place=8,
                find="lost|ledger",
                found=2,
            )
        )
        footer.show(Keys().hints("logs"))
        await settle(pilot)

    assert snap_compare(app, terminal_size=size, run_before=fill)


async def test_only_lines_in_view_are_drawn_however_many_there_are() -> None:
    """Two hundred thousand lines: drawing a page, going to either end and back draws a few pages."""
    ring = Ring()
    ring.extend([line(number, f"line {number}") for number in range(200_000)])
    view = LogView(ring, lambda number: NAMES[number], lambda: None)
    drawn: list[int] = []
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        strips = view._painter.strips
        view._painter.strips = lambda one, **more: (drawn.append(one.time), strips(one, **more))[1]  # type: ignore[method-assign, func-returns-value]
        view._renew()
        view.focus()
        await pilot.press("g", "G", "pageup", "k", "g")
        await settle(pilot)
        assert text_of(view).splitlines()[0].endswith("line 0")
        assert len(set(drawn)) < 10 * 24


async def test_the_view_stays_at_the_newest_line_until_the_cursor_is_moved_up() -> None:
    """Then it stands still, whatever comes, until the end is asked for; evicted lines do not move it onto others."""
    ring = Ring(lines=100)
    view = LogView(ring, lambda number: NAMES[number], lambda: None)
    app = Stage(view)
    async with app.run_test(size=(80, 10)) as pilot:
        for begin in (0, 50):
            ring.extend([line(number, f"line {number}") for number in range(begin, begin + 50)])
            view.lines_came()
        await settle(pilot)
        assert text_of(view).splitlines()[-1].endswith("line 99")
        view.focus()
        await pilot.press("k", "k", "k")
        before = text_of(view)
        ring.extend([line(number, f"line {number}") for number in range(100, 150)])
        view.lines_came()
        await settle(pilot)
        assert text_of(view) == before
        assert view.cursor == 96
        ring.extend([line(number, f"line {number}") for number in range(150, 250)])
        view.lines_came()
        await settle(pilot)
        assert view.cursor == ring.first == 150
        await pilot.press("G")
        await settle(pilot)
        assert view.autoscroll
        assert text_of(view).splitlines()[-1].endswith("line 249")


@pytest.mark.parametrize("width", [40, 41, 42])
def test_a_wide_character_is_not_lost_where_a_line_is_broken(width: int) -> None:
    """It goes to the next row whole."""
    painter = LinePainter(lambda _: "")
    painter.width, painter.options = width, LogOptions(wrap=True, times=2)
    text = "a" + "日本語" * 30
    rows = painter.strips(line(1, text), marked=False, turned=False)
    assert "".join(row.text.strip() for row in rows) == text
    assert {row.cell_length for row in rows} == {width}


async def test_a_view_without_a_row_takes_lines_and_keys() -> None:
    """As in a terminal of two lines, or while the screen goes away: there is nothing to show, and nothing breaks."""
    view = view_of(some_lines())
    view.styles.height = 0
    async with Stage(view).run_test(size=(80, 10)) as pilot:
        view.focus()
        view.action_move(-2)
        view.ring.extend(some_lines())
        view.lines_came()
        await pilot.pause()
        assert view.page == []
        assert not view.autoscroll


async def test_with_wrapped_lines_the_cursor_is_always_in_view() -> None:
    """Whatever is moved, each line is on the page when the cursor is on it, and a page ends where the screen does."""
    ring = Ring()
    ring.extend([line(number, f"{number} " + "word " * (number * 7 % 60)) for number in range(60)])
    view = LogView(ring, lambda number: NAMES[number], lambda: None)
    app = Stage(view)
    async with app.run_test(size=(50, 12)) as pilot:
        view.focus()
        view.show(wrap=True)
        await settle(pilot)
        for key in ["k"] * 40 + ["j"] * 15 + ["pageup", "pagedown", "pageup", "g", "pagedown", "G", "k", "pageup"]:
            await pilot.press(key)
            page = view.page
            assert len(page) == 12
            assert view.cursor in {number for number, _ in page}
            assert page == sorted(page)


async def test_the_key_l_opens_the_logs_of_all_replicas_and_esc_leads_back(eventually: Eventually) -> None:
    """Merged, with the replicas' names; Esc first leaves what is looked for."""
    async with dashboard() as (app, pilot):
        screen = await _logs_of(app, pilot, eventually)
        await eventually(lambda: len(screen._ring) > 20)
        await pilot.pause()
        shown = text_of(screen.view)
        assert all(source.label in shown for source in screen.feed.sources[:1])  # type: ignore[union-attr]
        await pilot.press("slash", *"info", "enter")
        await eventually(lambda: screen.view.search is not None and not screen.view.search.behind)
        await pilot.press("f")
        assert screen.view.only_found
        await pilot.press("escape")
        assert not screen.view.only_found
        await pilot.press("escape")
        assert screen.view.search is None
        await pilot.press("escape")
        await eventually(lambda: app.screen is app.dashboard)


async def test_every_key_of_the_table_does_something_on_the_screen_of_logs(eventually: Eventually) -> None:
    """None is a word without a deed, none crashes, with lines or without."""
    async with dashboard() as (app, pilot):
        screen = await _logs_of(app, pilot, eventually)
        assert {f"logs.{row[0]}" for row in LOG_KEYS} | {"app.help"} == set(screen._deeds)
        for name, keys, *_rest in LOG_KEYS:
            if name in ("back", "find", "filter", "save"):
                continue
            await pilot.press(keys.split()[0])
            await pilot.pause()
            assert app.screen is screen, name
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)


async def test_a_bad_expression_is_said_where_it_was_typed(eventually: Eventually) -> None:
    """In one sentence; what was typed stays."""
    async with dashboard() as (app, pilot):
        screen = await _logs_of(app, pilot, eventually)
        await pilot.press("slash", "left_parenthesis", "a", "enter")
        await pilot.pause()
        assert screen.find_bar.display
        assert "no regular expression" in "".join(cell.text for row in screen.find_bar._error._given for cell in row)
        assert screen.view.search is None


async def test_what_is_shown_is_saved_to_a_file_that_is_not_overwritten_unasked(
    eventually: Eventually, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named by the person; Enter twice where there is such a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.log").write_text("old")
    async with dashboard() as (app, pilot):
        screen = await _logs_of(app, pilot, eventually)
        await eventually(lambda: len(screen._ring) > 20)
        await pilot.press("ctrl+s")
        await eventually(lambda: isinstance(app.screen, SavePrompt) and app.screen.query(Input))
        app.screen.query_one(Input).value = "x.log"
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, SavePrompt)
        assert (tmp_path / "x.log").read_text() == "old"
        await pilot.press("enter")
        await eventually(lambda: (tmp_path / "x.log").read_text() != "old")
        written = (tmp_path / "x.log").read_text().splitlines()
        assert len(written) > 20
        assert all(row[:4].isdigit() for row in written)


async def test_logs_change_nothing_and_are_there_in_read_only_mode(eventually: Eventually) -> None:
    """Reading is looking."""
    async with dashboard(read_only=True) as (app, pilot):
        screen = await _logs_of(app, pilot, eventually)
        await eventually(lambda: len(screen._ring) > 20)
        assert not any(command.changes for command in Keys().at("logs"))


async def _logs_of(app: FleetApp, pilot: Pilot[int], eventually: Eventually) -> LogScreen:
    """Open the logs of a service with several replicas that talk."""
    table = app.dashboard.table
    await eventually(lambda: table.row_count == len(app.fleet.services) > 0)  # type: ignore[misc]
    await pilot.pause()
    key = next(
        key
        for key, service in app.fleet.services.items()
        if isinstance(key, ServiceKey) and len(service.replicas) > 1 and service.serving == len(service.replicas)
    )
    table.move_to(key)
    await pilot.pause()
    await pilot.press("l")
    await eventually(lambda: isinstance(app.screen, LogScreen))  # type: ignore[misc]
    assert isinstance(app.screen, LogScreen)
    return app.screen
