"""Header, tabs, footer, detail pane, filter bar and palette: plain data in, as many words as fit."""

from __future__ import annotations

from typing import Any

import pytest
from fleettop.tui.filter import parse_filter
from fleettop.tui.glyphs import ASCII
from fleettop.tui.keymap import Keys
from fleettop.tui.rows import Cell, Line
from fleettop.tui.widgets import paint
from fleettop.tui.widgets.detail import Detail
from fleettop.tui.widgets.filterbar import FilterBar
from fleettop.tui.widgets.footer import KeyFooter
from fleettop.tui.widgets.header import Header, HeaderFacts
from fleettop.tui.widgets.lines import Lines, indent_of
from fleettop.tui.widgets.palette import CommandProvider, PaletteEntry, entries
from fleettop.tui.widgets.tabs import Tab, ViewTabs
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Input

from tests.tui.stage import Stage, settle, text_of

FACTS = HeaderFacts(
    group="prod",
    engines=12,
    down=1,
    services={"down": 1, "degraded": 2, "unknown": 1, "healthy": 66},
    containers=502,
    outage=252.0,
    clock="02:41:07",
    read_only=True,
)


def header_line(facts: HeaderFacts, width: int, **options: Any) -> str:
    """What the header says in that width."""
    header = Header(**options)
    header.facts = facts
    (line,) = header.lines(width)
    return "".join(cell.text for cell in paint.pieces(line))


# -- header ------------------------------------------------------------------------------------------------------------


def test_the_header_says_it_in_full_where_there_is_room() -> None:
    """Hosts, services by state with the worst first, containers, the oldest outage, the time."""
    assert header_line(FACTS, 150).split("   ")[:6] == [
        " fleettop",
        "prod · 12 hosts, 1 down",
        "70 services: 1 ✖  2 ▲  1 ?  66 ●",
        "502 containers",
        "oldest outage 4m 12s",
        "",
    ]
    assert header_line(FACTS, 150).endswith(" READ-ONLY  02:41:07 ")


def test_the_header_is_short_at_80_columns_and_loses_no_state() -> None:
    """What is dropped are words."""
    assert header_line(FACTS, 80).startswith(" prod 11/12 hosts  ✖1 ▲2 ?1 ●66  oldest 4m 12s ")
    assert header_line(FACTS, 80).endswith(" RO  02:41 ")
    assert header_line(FACTS, 40) == " 11/12 hosts  ✖1 ▲2 ?1 ●66  4m 12s  RO  "


def test_in_ascii_the_header_is_ascii() -> None:
    """For terminals without UTF-8."""
    for width in (150, 80, 40):
        assert header_line(FACTS, width, glyphs=ASCII).isascii()


def test_the_first_seconds_say_how_many_hosts_are_still_connecting() -> None:
    """Before any has answered there is no service to count."""
    begin = HeaderFacts(engines=12, connecting=12, clock="02:41:07")
    assert "connecting 12 of 12 hosts" in header_line(begin, 120)
    assert "0 services " in header_line(begin, 120)
    assert "9/12 hosts ◌3" in header_line(HeaderFacts(engines=12, connecting=3, group="a" * 20), 40)


@pytest.mark.parametrize("width", range(10, 200, 7))
def test_what_must_not_be_missed_is_there_in_every_width(width: int) -> None:
    """Read-only, links that are not encrypted; and the line is never wider than the screen by a second line."""
    facts = HeaderFacts(engines=3, insecure=2, read_only=True, clock="02:41:07", services={"healthy": 4}, group="prod")
    text = header_line(facts, width)
    if width >= 24:
        assert "INS" in text
        assert "RO" in text or "READ-ONLY" in text
        assert cell_len(text) <= width


def test_an_alarm_comes_first() -> None:
    """The trail cannot be written: actions are refused, and everybody sees why."""
    facts = HeaderFacts(engines=3, alarm="trail: disk full", services={"healthy": 3})
    assert header_line(facts, 80).startswith("  trail: disk full ")


async def test_a_header_that_is_told_the_same_again_is_not_drawn() -> None:
    """Ten times a second nothing changes: nothing is written."""
    header = Header()
    app = Stage(header)
    async with app.run_test() as pilot:
        header.show(FACTS)
        await settle(pilot)
        drawn: list[int] = []
        header.render_line = lambda y: drawn.append(y) or paint.strip((), 80, {})  # type: ignore[method-assign,func-returns-value]
        header.show(HeaderFacts(**{name: getattr(FACTS, name) for name in FACTS.__struct_fields__}))
        await settle(pilot)
        assert not drawn
        header.show(HeaderFacts(engines=1))
        await settle(pilot)
        assert drawn == [0]


# -- tabs and footer ---------------------------------------------------------------------------------------------------

TABS = [
    Tab(name.lower(), key, name) for key, name in zip("1234", ("Services", "Containers", "Hosts", "Trail"), strict=True)
]


class Listening(Stage):
    """Keeps what tabs, footer and filter bar say."""

    def on_view_tabs_chosen(self, message: ViewTabs.Chosen) -> None:
        self.heard.append(message.view)

    def on_key_footer_chosen(self, message: KeyFooter.Chosen) -> None:
        self.heard.append(message.command)

    def on_filter_bar_typed(self, message: FilterBar.Typed) -> None:
        self.heard.append(("typed", message.text, message.found))

    def on_filter_bar_submitted(self, message: FilterBar.Submitted) -> None:
        self.heard.append(("submitted", message.text, message.found))

    def on_filter_bar_cancelled(self) -> None:
        self.heard.append("cancelled")


async def test_tabs_are_clicked_and_get_shorter_when_narrow() -> None:
    """The key stays to the last, and so does what the place is narrowed to: a part is never shown as the whole."""
    tabs = ViewTabs()
    app = Listening(tabs)
    async with app.run_test(size=(80, 5)) as pilot:
        tabs.show(TABS, "hosts", (Cell("in pay/api "),))
        await settle(pilot)
        line = text_of(tabs)
        assert line.startswith(" 1 Services  2 Containers  3 Hosts  4 Trail ")
        assert line.endswith("in pay/api")
        await pilot.click(ViewTabs, offset=(line.index("Containers"), 0))
        await pilot.click(ViewTabs, offset=(line.index("4"), 0))
        await pilot.click(ViewTabs, offset=(60, 0))
        assert app.heard == ["containers", "trail"]
        await pilot.resize_terminal(36, 5)
        await settle(pilot)
        assert text_of(tabs) == " 1  2  3 Hosts  4 Trail  in pay/api"


VIEWS = ("Services", "Containers", "Hosts", "Trail", "Deploys", "Checks 1402", "Storage", "Swarm")


@pytest.mark.parametrize(
    ("width", "found"),
    [
        (100, " 1 Services  2 Containers  3 Hosts  4 Trail  5 Deploys  6 Checks 1402  7 Storage  8 Swarm"),
        (84, " 1 Services 2 Containers 3 Hosts 4 Trail  5 Deploys 6 Checks 1402 7 Storage 8 Swarm"),
        (80, " 1 Services 2 Containers 3 Hosts 4 Trail  5 Deploys 6 Checks 7 Storage 8 Swarm"),
        (73, " 1 Services 2 Containers 3 Hosts 4 Trail  5 Deploys 6 Checks 7 Storage 8"),
        (42, " 1  2  3 Hosts 4 Trail  5 Deploys 6  7  8"),
        (30, " 1  2  3  4 Trail  5  6  7  8"),
        (9, " 1  2  3…"),
    ],
)
async def test_a_tabs_title_is_there_whole_or_not_at_all(width: int, found: str) -> None:
    """At 80 columns each view has its name; narrower, those nearest to the one that is shown keep theirs."""
    tabs = ViewTabs()
    async with Listening(tabs).run_test(size=(width, 5)) as pilot:
        tabs.show([Tab(name, str(key), name) for key, name in enumerate(VIEWS, 1)], "Trail")
        await settle(pilot)
        assert text_of(tabs) == found


async def test_the_footer_drops_what_is_worth_least_and_can_be_clicked() -> None:
    """And shows the story above where it is given one."""
    footer = KeyFooter()
    app = Listening(footer)
    async with app.run_test(size=(60, 5)) as pilot:
        footer.show(Keys().hints("services"), (Cell("api: 3 replicas exit 1"),))
        await settle(pilot)
        story, hints = text_of(footer).split("\n")
        assert story == " api: 3 replicas exit 1"
        assert hints == " R restart  + - = scale  l logs  / filter  z faults  ? help"
        await pilot.click(KeyFooter, offset=(hints.index("filter"), 1))
        await pilot.click(KeyFooter, offset=(3, 0))
        assert app.heard == ["filter.open"]
        footer.show(Keys().hints("services"))
        await settle(pilot)
        assert footer.size.height == 1


async def test_a_long_story_takes_two_lines_and_a_shorter_one_after_it_moves_nothing() -> None:
    """What does not fit two lines ends with an ellipsis; hints can be clicked where they are drawn."""
    footer = KeyFooter()
    app = Listening(footer)
    async with app.run_test(size=(40, 6)) as pilot:
        hints = Keys().hints("services")
        footer.show(hints, (Cell("api: 3 replicas exit 1 after 2 s  KeyError: 'LEDGER_URL'"),))
        await settle(pilot)
        assert text_of(footer).split("\n")[:2] == [" api: 3 replicas exit 1 after 2 s", " KeyError: 'LEDGER_URL'"]
        footer.show(hints, (Cell("web: 6 of 6 healthy"),))
        await settle(pilot)
        story, rest, keys = text_of(footer).split("\n")
        assert (story, rest) == (" web: 6 of 6 healthy", "")
        await pilot.click(KeyFooter, offset=(3, 2))
        assert len(app.heard) == 1
        footer.show(hints, (Cell("word " * 40),))
        await settle(pilot)
        assert text_of(footer).split("\n")[1].rstrip().endswith("…")
        footer.show(Keys().hints("hosts"), (Cell("h1: live"),))
        await settle(pilot)
        assert footer.size.height == 2
        assert "restart" in keys


async def test_the_footer_of_a_read_only_run_offers_no_change() -> None:
    """What is not there cannot be pressed."""
    footer = KeyFooter()
    app = Stage(footer)
    async with app.run_test(size=(200, 5)) as pilot:
        footer.show(Keys(read_only=True).hints("services"))
        await settle(pilot)
        assert "restart" not in text_of(footer)
        assert "inspect" in text_of(footer)


# -- lines and detail --------------------------------------------------------------------------------------------------

printable = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Cn", "Co")), max_size=40)
lines = st.lists(printable.map(Cell), max_size=6).map(tuple)


@given(lines, st.integers(2, 40), st.integers(0, 10))
def test_wrapping_loses_no_word_and_never_exceeds_the_width(line: Line, width: int, hang: int) -> None:
    """Only spaces at the breaks go."""
    wrapped = paint.wrap(line, width, hang)
    assert wrapped
    for part in wrapped:
        assert paint.line_width(part) <= width or not "".join(cell.text for cell in part).strip()
    whole = "".join(cell.text for cell in line)
    again = "".join(cell.text for part in wrapped for cell in part)
    assert "".join(again.split()) == "".join(whole.split())


def test_lines_are_broken_between_words_and_stand_in_as_far_as_they_begin() -> None:
    """A word over several cells stays whole, and a comma stays with its word."""
    line = (Cell("  deploy by "), Cell("ops1", "strong"), Cell(", then nothing"))
    texts = ["".join(cell.text for cell in part) for part in paint.wrap(line, 17, 2)]
    assert texts == ["  deploy by ops1,", "  then nothing"]


@pytest.mark.parametrize(
    ("line", "indent"),
    [
        ((), 0),
        ((Cell("plain"), Cell(" words")), 0),
        ((Cell("   stands in"),), 3),
        ((Cell("✖ ", "down"), Cell("web-1 exited")), 2),
        ((Cell("image   ", "dim"), Cell("pay-api:2.8.1")), 8),
        ((Cell("by "), Cell("ops1")), 0),
    ],
)
def test_what_is_broken_goes_on_under_its_words(line: Line, indent: int) -> None:
    """Behind a sign or a label, not under it."""
    assert indent_of(line) == indent


async def test_the_pane_scrolls_keeps_its_place_and_is_only_text() -> None:
    """New lines below do not move what is read; another thing begins at its top."""
    detail = Detail([(Cell(f"line {n} [/x] [@click=app.quit]boo"),) for n in range(50)])
    app = Stage(detail)
    async with app.run_test(size=(40, 10)) as pilot:
        detail.focus()
        await settle(pilot)
        assert text_of(detail).startswith(" line 0 [/x] [@click=app.quit]boo"[1:])
        await pilot.press("pagedown", "j", "down", "k")
        await settle(pilot)
        top = text_of(detail).split("\n")[0]
        assert top.startswith("line 10")
        detail.set_lines([(Cell(f"line {n} changed"),) for n in range(60)])
        await settle(pilot)
        assert text_of(detail).startswith("line 10 changed")
        detail.set_lines([(Cell("another"),)], keep_place=False)
        await settle(pilot)
        assert text_of(detail).startswith("another")
        await pilot.click(Detail, offset=(10, 0))
        assert app.is_running


async def test_other_details_that_fit_lay_nothing_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key down the table changes how many lines there are: those are drawn, the screen is not arranged again."""
    laid_out: list[int] = []
    arrange = Screen._refresh_layout
    monkeypatch.setattr(Screen, "_refresh_layout", lambda *given, **more: (laid_out.append(1), arrange(*given, **more)))
    detail = Detail([(Cell(f"line {n}"),) for n in range(5)])
    async with Stage(detail).run_test(size=(40, 12)) as pilot:
        await settle(pilot)
        laid_out.clear()
        for count in (8, 2, 11):
            detail.set_lines([(Cell(f"other {n}"),) for n in range(count)])
            await settle(pilot)
            assert text_of(detail).split() == [word for n in range(count) for word in ("other", str(n))]
        assert laid_out == []
        detail.set_lines([(Cell(f"more {n}"),) for n in range(30)])
        await settle(pilot)
        assert laid_out
        assert detail.max_scroll_y > 0


async def test_a_changed_line_of_the_pane_is_the_only_one_drawn() -> None:
    """An age that goes on costs one line."""
    detail = Detail([(Cell(f"line {n}"),) for n in range(5)])
    app = Stage(detail)
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        drawn: list[int] = []
        whole = detail.render_line
        detail.render_line = lambda y: drawn.append(y) or whole(y)  # type: ignore[method-assign,func-returns-value]
        detail.set_lines([(Cell(f"line {n if n != 3 else 'x'}"),) for n in range(5)])
        await settle(pilot)
        assert drawn == [3]


async def test_lines_are_as_high_as_they_are_broken() -> None:
    """And follow the width."""
    text = Lines([(Cell("one two three four five six"),)])
    app = Stage(text)
    async with app.run_test(size=(14, 10)) as pilot:
        await settle(pilot)
        assert text.size.height == 2
        await pilot.resize_terminal(40, 10)
        await settle(pilot)
        assert text.size.height == 1


# -- filter bar --------------------------------------------------------------------------------------------------------


async def test_what_is_typed_filters_as_far_as_it_can_be_read() -> None:
    """And what is wrong with it is said beside it; what is merely unfinished is not."""
    bar = FilterBar()
    app = Listening(bar)
    async with app.run_test(size=(72, 5)) as pilot:
        bar.open("api")
        bar.show_counts(3, 70)
        await settle(pilot)
        assert bar.text == "api"
        assert not app.heard
        await pilot.press(*" cpu>")
        await settle(pilot)
        assert app.heard[-1] == ("typed", "api cpu>", parse_filter("api"))
        assert "3 of 70" in text_of(bar._status)
        await pilot.press("x")
        await settle(pilot)
        assert "no number for cpu; write one like cpu>50." in text_of(bar._status)
        await pilot.press("backspace", "5")
        await settle(pilot)
        assert "3 of 70" in text_of(bar._status)
        await pilot.press("enter")
        await settle(pilot)
        assert app.heard[-1] == ("submitted", "api cpu>5", parse_filter("api cpu>5"))
        await pilot.press("escape")
        await settle(pilot)
        assert app.heard[-1] == "cancelled"


# -- palette -----------------------------------------------------------------------------------------------------------


class WithPalette(Stage):
    """An app with the palette fed from the table of keys."""

    COMMANDS = {CommandProvider}  # noqa: RUF012  (Textual's own form)

    def palette_entries(self) -> tuple[PaletteEntry, ...]:
        """All commands of the services, and one with a foreign name."""
        return (*entries(Keys(), "services", self.heard.append), PaletteEntry("[/x] go", "", lambda: None))


async def test_the_palette_finds_a_command_by_its_words_and_does_it() -> None:
    """From the one table of keys."""
    app = WithPalette()
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_command_palette()
        await settle(pilot)
        assert isinstance(app.screen, CommandPalette)
        app.screen.query_one(Input).value = "restart"
        await app.workers.wait_for_complete()
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        if isinstance(app.screen, CommandPalette):
            await pilot.press("enter")
            await settle(pilot)
        assert app.heard == ["service.restart"]


def test_the_palette_of_a_read_only_run_offers_no_change() -> None:
    """It is fed from the same table."""
    titles = {entry.title for entry in entries(Keys(read_only=True), "services", lambda _name: None)}
    assert "Restart  (R)" not in titles
    assert "Restart  (R)" in {entry.title for entry in entries(Keys(), "services", lambda _name: None)}
