"""Pictures of the pieces, looked at by a person once: a change of any of them is meant, or a mistake."""

from __future__ import annotations

from typing import Protocol

import pytest
from fleettop.collectors.actions.whatif import Loss, Quorum, WhatIf
from fleettop.collectors.model import ServiceKey
from fleettop.tui.course import Course, FollowUp
from fleettop.tui.glyphs import ASCII, UNICODE, state_glyph
from fleettop.tui.keymap import Keys
from fleettop.tui.rows import Cell, Column, Row
from fleettop.tui.screens.confirm import ConfirmScreen, Question
from fleettop.tui.screens.help import HelpScreen
from fleettop.tui.screens.inspect import InspectScreen
from fleettop.tui.screens.output import OutputScreen
from fleettop.tui.screens.page import PageScreen
from fleettop.tui.screens.progress import ProgressScreen, ProgressStep
from fleettop.tui.views.what_if import page
from fleettop.tui.widgets.footer import KeyFooter
from fleettop.tui.widgets.header import Header, HeaderFacts
from fleettop.tui.widgets.table import LineTable
from textual.app import App
from textual.pilot import Pilot

from tests.tui.stage import Stage, settle


class SnapCompare(Protocol):
    """The fixture of pytest-textual-snapshot."""

    def __call__(self, app: App[None], *, terminal_size: tuple[int, int], run_before: object = None) -> bool: ...


COLUMNS = (
    Column("state", "", 1, worth=100),
    Column("name", "SERVICE", 12, grow=2, worth=95, limit=30, cut="middle"),
    Column("replicas", "REPL", 5, align="right", worth=90),
    Column("down", "DOWN FOR", 8, align="right", worth=85),
    Column("image", "IMAGE", 14, grow=1, worth=60),
    Column("cpu", "CPU", 4, align="right", worth=40),
    Column("change", "LAST CHANGE", 18, worth=50),
)
SERVICES = (
    ("down", "pay/api", "0/3", "4m 12s", "pay-api:2.8.1", "–", "deploy 5m · ops1"),
    ("degraded", "pay/worker", "2/3", "", "pay-worker:2.8.1", "12%", "deploy 5m · ops1"),
    ("starting", "[/x] [@click=app.quit]boo", "0/1", "", "日本語:1", "3%", ""),
    ("flapping", "shop/cafe\u0301", "1/2", "", "redis: 2 digests", "3%", "pull 2h · unknown"),
    ("unknown", "edge/proxy", "?/1", "", "proxy:5", "–", "seen 2m ago"),
    ("stopped", "shop/batch", "0/0", "", "batch:7", "–", "stop 3h · ops2"),
    ("healthy", "shop/web", "6/6", "", "shop-web:41", "22%", "deploy 3d · ci"),
)


def service_rows(glyphs: object = UNICODE) -> list[Row]:
    """One service in each state."""
    made = []
    for state, name, replicas, down, image, cpu, change in SERVICES:
        sign = state_glyph(state, ASCII if glyphs is ASCII else UNICODE)
        cells = (
            Cell(sign, state),
            Cell(name),
            Cell(replicas),
            Cell(down, "age-page"),
            Cell(image),
            Cell(cpu),
            Cell(change, "age-old" if "seen" in change else "dim"),
        )
        made.append(Row(name, cells, "stale" if state == "unknown" else ""))
    made.insert(6, Row("gap", (), span=Cell("▒▒▒▒▒▒▒▒ edge-7 nothing known from 02:38:51 on: link lost", "gap")))
    return made


def dashboard(theme: str, *, ascii_only: bool = False) -> tuple[Stage, object]:
    """Header, table and footer, and what puts something on them."""
    glyphs = ASCII if ascii_only else UNICODE
    header, table, footer = Header(glyphs=glyphs), LineTable(COLUMNS, glyphs=glyphs), KeyFooter(glyphs=glyphs)

    async def fill(pilot: Pilot[None]) -> None:
        counts = {state: 1 for state, *_rest in SERVICES}
        header.show(
            HeaderFacts(group="prod", engines=12, down=1, services=counts, outage=252.0, clock="02:41:07", insecure=1)
        )
        table.set_rows(service_rows(glyphs))
        table.set_sort("down", descending=True)
        table.focus()
        table.move_to("pay/worker")
        table.mark(["shop/web"])
        footer.show(Keys().hints("services"), (Cell("worker: 2 of 3 serve since 02:36:55"),))
        await settle(pilot)

    return Stage(header, table, footer, theme=theme), fill


@pytest.mark.parametrize("theme", ["fleettop-dark", "fleettop-light", "fleettop-ansi-dark", "fleettop-mono"])
def test_the_table_at_80_by_24(snap_compare: SnapCompare, theme: str) -> None:
    """One row in each state, the cursor, a mark, a gap, foreign names."""
    app, fill = dashboard(theme)
    assert snap_compare(app, terminal_size=(80, 24), run_before=fill)


def test_the_table_in_ascii_at_40_by_10(snap_compare: SnapCompare) -> None:
    """The least there is."""
    app, fill = dashboard("fleettop-dark", ascii_only=True)
    assert snap_compare(app, terminal_size=(40, 10), run_before=fill)


QUESTION = Question(
    title="Restart pay/api, one after the other",
    sentences=(
        "3 replicas on web-1, web-2, web-3; at most 1 at a time is down.",
        "Now 0 of 3 serve, so none is lost. About 40 s; stops at the first that does not become healthy in 60 s.",
    ),
    warnings=("web-3 was not heard of for 12 s.",),
    verb="Restart",
    name_to_type="pay/api",
)


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
def test_the_question_before_a_change(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """Effect, warning, reason, the name to type, and Cancel."""
    assert snap_compare(Stage(screen=ConfirmScreen(QUESTION)), terminal_size=size)


def test_the_progress_of_a_change(snap_compare: SnapCompare) -> None:
    """One line for each object."""
    screen = ProgressScreen("Restart pay/api", [ProgressStep(n, f"web-{n}", f"pay-api-{n}") for n in range(1, 5)])

    async def go_on(pilot: Pilot[None]) -> None:
        await settle(pilot)
        screen.report(1, "success", "healthy", 11.0)
        screen.report(2, "failure", "500 no space left on device", 1.0)
        screen.report(3, "unknown", "the link broke")
        screen.begin(4)
        await settle(pilot)

    assert snap_compare(Stage(screen=screen), terminal_size=(80, 24), run_before=go_on)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_a_halted_roll_and_what_can_follow_of_it(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """What went well, what failed, what was not touched, and the keys for what comes next."""
    course = Course([ProgressStep(n, f"web-{n}", f"pay-api-{n}") for n in range(1, 7)])
    screen = ProgressScreen("Stop pay/api, one after the other", course=course, can_leave=True)

    async def go_on(pilot: Pilot[None]) -> None:
        await settle(pilot)
        course.report(1, "success", "stopped", 2.0)
        course.report(2, "failure", "500 no space left on device", 1.0)
        for key in (3, 4, 5, 6):
            course.report(key, "skipped", "not begun, since pay-api-2 did not end well")
        follow_ups = (
            FollowUp("R", "retry", "tries the 1 that did not end well again."),
            FollowUp("G", "rest", "goes on with the 4 not begun."),
            FollowUp("B", "back", "starts again what was stopped."),
        )
        course.finish("1 done, 1 failed, 4 not begun.", follow_ups)
        await settle(pilot)

    assert snap_compare(Stage(screen=screen), terminal_size=size, run_before=go_on)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_what_if_a_host_died(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """Trouble first, in sentences."""
    key = ServiceKey("compose", "pay", "api")
    found = WhatIf(
        subject="web-1",
        down=(Loss(service=key, title="pay/api", lost=1, left=0, wanted=1),),
        degraded=(Loss(service=key, title="shop/web", lost=2, left=4, wanted=6, moved="moves"),),
        unknown=(Loss(service=key, title="edge/dns", lost=1, left=0, maybe=1, wanted=2),),
        quorum=Quorum(managers=3, left=2, needed=2),
        ports=("80/tcp (edge/proxy)",),
        data=("pay_db-data (pay/db)", "/srv/uploads (shop/web)"),
    )
    screen = PageScreen(lambda: page(found))
    assert snap_compare(Stage(screen=screen), terminal_size=size)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_a_container_inspected(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """Facts, what the engine says below, and words that were looked for."""

    async def read() -> tuple[list[tuple[str, str]], object]:
        return [("digest    ", "pay-api@sha256:1")], {"Id": "abc", "Config": {"User": "app"}, "Names": ["[/x]", "日本"]}

    def facts(more: object) -> tuple[tuple[Cell, ...], ...]:
        return ((Cell("pay-api-1", "title"), Cell("  on web-1  ", "dim")), (Cell("user      ", "dim"), Cell("app")))

    async def find(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await pilot.press("slash", *"user", "enter", "n")
        await settle(pilot)

    app = Stage(screen=InspectScreen(facts, read))
    assert snap_compare(app, terminal_size=size, run_before=find)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_the_output_of_a_command(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """Its colours in those of the theme, its end, and how it ended."""
    screen = OutputScreen("ping host: ping -c 3 web-1.example.org")

    async def write(pilot: Pilot[None]) -> None:
        await settle(pilot)
        for number in range(60):
            screen.feed(b"64 bytes: seq=%d \x1b[32mok\x1b[0m \x1b]0;title\x07\x1b[2J\n" % number)
        screen.feed(b"\x1b[1;31mlost one\x1b[0m\n")
        screen.finish("ended with exit code 1")
        await settle(pilot)

    assert snap_compare(Stage(screen=screen), terminal_size=size, run_before=write)


@pytest.mark.parametrize("read_only", [False, True])
def test_the_help_screen(snap_compare: SnapCompare, read_only: bool) -> None:
    """From the table of keys; without what changes something in read-only mode."""
    app = Stage(screen=HelpScreen(Keys(read_only=read_only), "services"))
    assert snap_compare(app, terminal_size=(80, 24))
