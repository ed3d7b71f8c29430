"""The table: little is drawn anew, the cursor holds on to its row, and foreign text is nothing but text."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence

import pytest
from fleettop.collectors.model import ServiceKey
from fleettop.tui.keymap import Keys
from fleettop.tui.rows import Cell, Column, Row
from fleettop.tui.theme import register_themes
from fleettop.tui.views.table import renamed
from fleettop.tui.widgets import layout
from fleettop.tui.widgets.table import LineTable
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown
from textual.message import Message
from textual.pilot import Pilot

COLUMNS = (
    Column("state", "", 1, worth=100),
    Column("name", "NAME", 8, grow=1, worth=90, cut="middle"),
    Column("image", "IMAGE", 10, grow=1, worth=50),
    Column("cpu", "CPU", 4, align="right", worth=70),
)


def row(key: Hashable, name: str | None = None, style: str = "", state: str = "healthy") -> Row:
    """A row as a view would make it."""
    return Row(key, (Cell("●", state), Cell(name or f"web-{key}"), Cell("nginx:1.25", "dim"), Cell("12%")), style)


def rows(*keys: Hashable) -> list[Row]:
    """Rows with these keys."""
    return [row(key) for key in keys]


class Counting(LineTable):
    """Counts the lines that are drawn."""

    drawn = 0

    def render_line(self, y: int):  # type: ignore[no-untyped-def]
        self.drawn += 1
        return super().render_line(y)


class Host(App[None]):
    """An app with a table and nothing else, that keeps what the table says."""

    def __init__(self, source: Callable[[Hashable], Row | None] | None = None) -> None:
        super().__init__()
        self.table = Counting(COLUMNS, source=source)
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        register_themes(self)
        self.theme = "fleettop-dark"
        self.table.focus()

    def on_line_table_cursor_moved(self, message: LineTable.CursorMoved) -> None:
        self.heard.append(message)

    def on_line_table_activated(self, message: LineTable.Activated) -> None:
        self.heard.append(message)

    def on_line_table_header_clicked(self, message: LineTable.HeaderClicked) -> None:
        self.heard.append(message)

    def on_line_table_marks_changed(self, message: LineTable.MarksChanged) -> None:
        self.heard.append(message)

    def on_line_table_visible_changed(self, message: LineTable.VisibleChanged) -> None:
        self.heard.append(message)

    def said(self, kind: type[Message]) -> list[Message]:
        """All messages of exactly that kind."""
        return [message for message in self.heard if type(message) is kind]

    def text(self, line: int) -> str:
        """What a line of the table shows."""
        return self.table.render_line(line).text

    def on_screen(self, key: Hashable) -> int:
        """The line of the table on which a row is."""
        return self.table.visible_keys().index(key) + 1


async def settle(pilot: Pilot[None]) -> None:
    """Let everything that was asked for be drawn."""
    await pilot.pause()
    await pilot.pause()


# -- drawing -----------------------------------------------------------------------------------------------------------


async def test_a_key_draws_two_lines() -> None:
    """The line the cursor leaves and the one it comes to."""
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.set_rows(rows(*range(100)))
        await settle(pilot)
        app.table.drawn = 0
        await pilot.press("down")
        await settle(pilot)
        assert app.table.drawn == 2


async def test_a_changed_row_draws_its_line_and_no_other() -> None:
    """And none at all where it is not on screen, or looks as before."""
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.set_rows(rows(*range(100)))
        await settle(pilot)
        app.table.drawn = 0
        app.table.update_rows({5: row(5, "other"), 50: row(50, "other"), 6: row(6)})
        await settle(pilot)
        assert app.table.drawn == 1
        assert "other" in app.text(6)


async def test_two_rows_that_change_places_draw_two_lines() -> None:
    """Rows that stay where they were are left alone."""
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.set_rows(rows(*range(10)))
        await settle(pilot)
        app.table.drawn = 0
        app.table.update_rows({}, [0, 2, 1, *range(3, 10)])
        await settle(pilot)
        assert app.table.drawn == 2


async def test_ten_thousand_rows_are_taken_in_under_20_ms() -> None:
    """Only what is on screen is measured and drawn."""
    app = Host()
    async with app.run_test(size=(120, 40)) as pilot:
        many = rows(*range(10_000))
        turned = many[::-1]
        await settle(pilot)
        took = []
        for given_rows in (many, turned) * 3:
            begin = time.perf_counter()
            app.table.set_rows(given_rows)
            took.append(time.perf_counter() - begin)
        assert min(took) < 0.020


async def test_a_row_that_was_never_given_is_asked_for_when_it_comes_on_screen() -> None:
    """A view makes the rows that are looked at, not all of them."""
    asked: list[Hashable] = []

    def source(key: Hashable) -> Row | None:
        asked.append(key)
        return None if key == 3 else row(key)

    app = Host(source)
    async with app.run_test(size=(80, 11)) as pilot:
        app.table.update_rows({0: row(0, "given")}, range(1000))
        await settle(pilot)
        assert set(asked) == set(range(1, 10))
        assert "given" in app.text(1)
        assert not app.text(4).strip()
        asked.clear()
        await pilot.press("G")
        await settle(pilot)
        assert set(asked) == set(range(990, 1000))
        asked.clear()
        app.table.forget_rows([995, 5])
        await settle(pilot)
        assert asked == [995]


# -- the cursor --------------------------------------------------------------------------------------------------------


async def test_until_it_is_moved_the_cursor_stays_on_the_first_row() -> None:
    """While a fleet comes in, the worst row is under it, and the top is in view."""
    app = Host()
    async with app.run_test(size=(80, 11)) as pilot:
        app.table.set_rows(rows("b"))
        app.table.set_rows(rows(*"zyxwvutsrqponmlkjihgfedcb"))
        await settle(pilot)
        assert app.table.cursor_key == "z"
        assert app.table.visible_keys()[0] == "z"


async def test_a_moved_cursor_stays_on_its_row_wherever_the_row_goes() -> None:
    """And where it was scrolled, the row keeps its line on screen."""
    app = Host()
    async with app.run_test(size=(80, 11)) as pilot:
        app.table.set_rows(rows(*range(100)))
        await settle(pilot)
        app.table.move_to(50)
        await settle(pilot)
        line = app.on_screen(50)
        app.table.update_rows({}, [*range(1000, 1020), *range(100)])
        await settle(pilot)
        assert app.table.cursor_key == 50
        assert app.on_screen(50) == line
        app.table.update_rows({}, range(30, 100))
        await settle(pilot)
        assert app.table.cursor_key == 50
        assert app.on_screen(50) == line


async def test_a_row_that_gets_another_key_keeps_cursor_mark_and_place() -> None:
    """It is the same thing, of which more is known."""
    app = Host()
    async with app.run_test(size=(80, 11)) as pilot:
        app.table.set_rows(rows(*range(100)))
        await settle(pilot)
        app.table.move_to(50)
        await pilot.press("space")
        app.table.move_to(50)
        await settle(pilot)
        line = app.on_screen(50)
        app.table.rename_rows({50: "fifty", 51: "next"})
        app.table.update_rows({}, ["new", *range(50), "fifty", "next", *range(52, 100)])
        await settle(pilot)
        assert app.table.cursor_key == "fifty"
        assert app.table.marked == {"fifty"}
        assert app.on_screen("fifty") == line


async def test_a_row_that_gets_another_key_shows_what_is_known_of_it_now() -> None:
    """Without a manager's word a swarm's service is unknown; what the table kept of that is not what it is."""
    app = Host(lambda key: row(key, f"{key}: healthy" if key == "fifty" else None))
    async with app.run_test(size=(80, 11)) as pilot:
        app.table.set_rows([row(0), row(1, "unknown"), row(2)])
        await settle(pilot)
        assert "unknown" in app.text(2)
        app.table.forget_rows(["fifty"])  # as the dashboard does with all that changed, by the keys they have now
        app.table.rename_rows({1: "fifty"})
        app.table.update_rows({}, [0, "fifty", 2])
        await settle(pilot)
        assert "fifty: healthy" in app.text(2)


def test_a_swarms_services_are_the_same_once_their_cluster_is_known() -> None:
    """Labels name the service alone; its cluster is known when a manager was read."""
    before = [ServiceKey("swarm", "", "pay"), ServiceKey("compose", "shop", "web"), ServiceKey("swarm", "", "gone")]
    after = [ServiceKey("compose", "", "pay"), ServiceKey("swarm", "c1", "pay"), ServiceKey("compose", "shop", "web")]
    assert renamed(before, after) == {before[0]: ServiceKey("swarm", "c1", "pay")}
    assert renamed(after, after) == {}


async def test_at_the_top_new_trouble_comes_into_view_above_the_cursor() -> None:
    """Trouble is at the top: it is not scrolled away for the cursor's sake while both can be seen."""
    app = Host()
    async with app.run_test(size=(80, 11)) as pilot:
        app.table.set_rows(rows(*range(100)))
        await settle(pilot)
        await pilot.press("down", "down")
        app.table.update_rows({"new": row("new")}, ["new", *range(100)])
        await settle(pilot)
        assert app.table.cursor_key == 2
        assert app.table.visible_keys()[0] == "new"
        assert app.on_screen(2) == 4


async def test_a_cursor_whose_row_went_is_on_the_row_that_took_its_place() -> None:
    """The last one where it was the last; none where there is none."""
    app = Host()
    async with app.run_test(size=(80, 11)) as pilot:
        app.table.set_rows(rows(*"abcd"))
        await settle(pilot)
        app.table.move_to("b")
        app.table.set_rows(rows(*"acd"))
        assert app.table.cursor_key == "c"
        app.table.set_rows(rows(*"ac"))
        app.table.set_rows(rows(*"a"))
        assert app.table.cursor_key == "a"
        app.table.set_rows(())
        assert app.table.cursor_key is None
        await settle(pilot)
        assert [message.key for message in app.said(LineTable.CursorMoved)] == ["a", "b", "c", "a", None]  # type: ignore[attr-defined]


async def test_rows_out_of_view_do_not_move_what_is_in_view() -> None:
    """With the wheel turned away from the cursor, the first line in view is what stays."""
    app = Host()
    async with app.run_test(size=(80, 11)) as pilot:
        app.table.set_rows(rows(*range(100)))
        await settle(pilot)
        app.table.move_to(1)
        app.table.scroll_to(y=40, animate=False, force=True)
        await settle(pilot)
        assert app.table.visible_keys()[0] == 40
        app.table.update_rows({}, ["x", "y", *range(100)])
        await settle(pilot)
        assert app.table.visible_keys()[0] == 40
        app.table.update_rows({}, [*range(2, 100), 0, 1])
        await settle(pilot)
        assert app.table.visible_keys()[0] == 40


@pytest.mark.parametrize(
    ("keys", "lands"),
    [
        (["down", "j"], 2),
        (["down", "down", "up", "k", "k"], 0),
        (["G"], 99),
        (["end"], 99),
        (["G", "g"], 0),
        (["G", "home"], 0),
        (["pagedown"], 9),
        (["pagedown", "pagedown", "pageup"], 9),
        (["G", "down"], 99),
    ],
)
async def test_keys_move_the_cursor(keys: list[str], lands: int) -> None:
    """As everywhere, and it is always in view."""
    app = Host()
    async with app.run_test(size=(80, 11)) as pilot:
        app.table.set_rows(rows(*range(100)))
        await settle(pilot)
        await pilot.press(*keys)
        await settle(pilot)
        assert app.table.cursor_key == lands
        assert lands in app.table.visible_keys()


async def test_keys_of_the_table_can_be_given_otherwise() -> None:
    """By the ids of the key table, as the config names them; the old key does nothing then."""
    app = Host()
    async with app.run_test(size=(80, 11)) as pilot:
        app.set_keymap(Keys({"move.down": "W, f5", "mark.row": "m"}).remapped())
        app.table.set_rows(rows(*range(9)))
        await settle(pilot)
        await pilot.press("W", "f5", "j", "down")
        assert app.table.cursor_key == 2
        await pilot.press("m", "space")
        assert app.table.marked == {2}
        assert app.table.cursor_key == 3


async def test_moving_to_a_row_that_is_not_there_says_so() -> None:
    """And leaves the cursor where it was."""
    app = Host()
    async with app.run_test() as pilot:
        app.table.set_rows(rows("a", "b"))
        await settle(pilot)
        assert not app.table.move_to("c")
        assert app.table.move_to("b")
        assert app.table.cursor_key == "b"


async def test_the_cursor_stays_in_view_when_the_terminal_gets_lower() -> None:
    """A resize hides nothing a person is at."""
    app = Host()
    async with app.run_test(size=(80, 40)) as pilot:
        app.table.set_rows(rows(*range(100)))
        await settle(pilot)
        app.table.move_to(35)
        await pilot.resize_terminal(80, 12)
        await settle(pilot)
        assert 35 in app.table.visible_keys()


# -- marks -------------------------------------------------------------------------------------------------------------


async def test_space_marks_and_goes_on_and_a_range_is_marked_from_there() -> None:
    """Space again takes the mark off."""
    app = Host()
    async with app.run_test() as pilot:
        app.table.set_rows(rows(*"abcdef"))
        await settle(pilot)
        await pilot.press("space", "down", "down")
        assert app.table.marked == {"a"}
        await pilot.press("ctrl+@")
        assert app.table.marked == set("abcd")
        await pilot.press("g", "space")
        assert app.table.marked == set("bcd")
        await settle(pilot)
        assert app.text(2).startswith("✓")
        assert app.text(1).startswith(" ")
        assert app.said(LineTable.MarksChanged)[-1].marked == frozenset("bcd")  # type: ignore[attr-defined]


async def test_a_row_that_goes_loses_its_mark() -> None:
    """What is not seen is not acted on."""
    app = Host()
    async with app.run_test() as pilot:
        app.table.set_rows(rows(*"abc"))
        await settle(pilot)
        app.table.mark(["a", "c", "nothing"])
        app.table.set_rows(rows(*"bc"))
        assert app.table.marked == {"c"}
        app.table.set_rows(rows(*"abc"))
        assert app.table.marked == {"c"}
        app.table.clear_marks()
        assert app.table.marked == set()


# -- the mouse ---------------------------------------------------------------------------------------------------------


async def test_a_click_moves_a_double_click_goes_in() -> None:
    """And so does Enter."""
    app = Host()
    async with app.run_test() as pilot:
        app.table.set_rows(rows(*"abc"))
        await settle(pilot)
        await pilot.click(LineTable, offset=(5, 2))
        assert app.table.cursor_key == "b"
        assert not app.said(LineTable.Activated)
        await pilot.double_click(LineTable, offset=(5, 3))
        await pilot.press("enter")
        assert [message.key for message in app.said(LineTable.Activated)] == ["c", "c"]  # type: ignore[attr-defined]


async def test_a_click_below_the_rows_does_nothing() -> None:
    """There is nothing there."""
    app = Host()
    async with app.run_test() as pilot:
        app.table.set_rows(rows(*"abc"))
        await settle(pilot)
        await pilot.click(LineTable, offset=(5, 10))
        assert app.table.cursor_key == "a"


async def test_a_click_on_the_head_names_its_column() -> None:
    """The view sorts, the table says by what."""
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.set_rows(rows(*"abc"))
        app.table.set_sort("cpu", descending=True)
        await settle(pilot)
        head = app.text(0)
        assert "CPU↓" in head
        await pilot.click(LineTable, offset=(head.index("CPU"), 0))
        await pilot.click(LineTable, offset=(head.index("NAME") + 6, 0))
        assert [message.column for message in app.said(LineTable.HeaderClicked)] == ["cpu", "name"]  # type: ignore[attr-defined]


async def test_the_wheel_scrolls_and_leaves_the_cursor() -> None:
    """What comes into view is said, so that it can be sampled."""
    app = Host()
    async with app.run_test(size=(80, 11)) as pilot:
        app.table.set_rows(rows(*range(100)))
        await settle(pilot)
        assert app.said(LineTable.VisibleChanged)[-1].keys == tuple(range(10))  # type: ignore[attr-defined]
        app.table.post_message(MouseScrollDown(app.table, 5, 5, 0, 1, 0, False, False, False))
        await settle(pilot)
        seen = app.table.visible_keys()
        assert seen[0] > 0
        assert app.said(LineTable.VisibleChanged)[-1].keys == seen  # type: ignore[attr-defined]
        assert app.table.cursor_key == 0


# -- what is drawn -----------------------------------------------------------------------------------------------------

FOREIGN = [
    "[/x]",
    "[@click=app.quit]boo",
    "[bold red]",
    "日本語サービスの名前",
    "e\u0301" * 20,
    "\u200d👩‍👩‍👧x",
    "a\tb\x1b[31m",
]


@pytest.mark.parametrize("name", FOREIGN)
async def test_foreign_text_is_only_text_and_never_moves_a_column(name: str) -> None:
    """No markup, no escape, no half character: every line is as wide as the table and numbers stay in their column."""
    app = Host()
    async with app.run_test(size=(36, 10)) as pilot:
        app.table.set_rows([row("plain"), row("foreign", name)])
        await settle(pilot)
        plain, foreign = app.table.render_line(1), app.table.render_line(2)
        assert cell_len(plain.text) == cell_len(foreign.text) == 36
        assert foreign.text.rstrip().endswith("12%")
        assert cell_len(foreign.text.rstrip()) == cell_len(plain.text.rstrip())
        assert "\x1b" not in foreign.text
        assert not any(segment.style and segment.style.meta for segment in foreign)
        await pilot.click(LineTable, offset=(5, 2))
        assert app.is_running


async def test_a_span_is_drawn_over_the_whole_width() -> None:
    """A gap in the trail is a bar."""
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        gap = Row("gap", (), span=Cell("▒▒▒▒ edge-7 nothing known from 02:38:51 on: link lost", "gap"))
        app.table.set_rows([row("a"), gap])
        await settle(pilot)
        strip = app.table.render_line(2)
        assert strip.text.startswith(" ▒▒▒▒ edge-7 nothing known")
        assert strip.text.endswith("…")
        assert len({segment.style.bgcolor for segment in strip if segment.style}) == 1


async def test_a_stale_row_is_grey_but_for_its_age() -> None:
    """What is old is not shown in the colours of what is live."""
    app = Host()
    async with app.run_test(size=(80, 10)) as pilot:
        cells = (Cell("●", "healthy"), Cell("db", "down"), Cell("seen 2m ago", "age-old"), Cell("–"))
        app.table.set_rows([row("first"), Row("old", cells, "stale")])
        await settle(pilot)
        colours = {s.text.strip(): s.style.color.triplet.hex for s in app.table.render_line(2) if s.text.strip()}  # type: ignore[union-attr]
        assert colours["●"] == colours["db"] == "#98a2b0"
        assert colours["seen 2m ago"] == "#f6dd7c"


async def test_a_cell_may_be_of_several_pieces() -> None:
    """A bar of states in several colours is one cell."""
    app = Host()
    async with app.run_test(size=(80, 10)) as pilot:
        bar = Cell("●●●", "healthy", more=(Cell("▲", "degraded"), Cell("✖", "down")))
        app.table.set_rows([Row("h", (Cell(""), Cell("host"), bar, Cell("1%")))])
        await settle(pilot)
        assert "●●●▲✖" in app.text(1)
        assert len([s for s in app.table.render_line(1) if s.text in ("●●●", "▲", "✖")]) == 3


async def test_the_cursor_looks_different_when_keys_go_elsewhere() -> None:
    """So that one sees where a key would act."""
    app = Host()
    async with app.run_test(size=(80, 10)) as pilot:
        app.table.set_rows(rows("a", "b"))
        await settle(pilot)
        focused = [segment.style for segment in app.table.render_line(1)]
        app.screen.set_focus(None)
        await settle(pilot)
        assert [segment.style for segment in app.table.render_line(1)] != focused


async def test_another_theme_draws_everything_anew() -> None:
    """No line is left in the colours of the theme before."""
    app = Host()
    async with app.run_test(size=(80, 10)) as pilot:
        app.table.set_rows(rows("a", "b"))
        await settle(pilot)
        app.theme = "fleettop-light"
        await settle(pilot)
        styles = [segment.style for line in range(4) for segment in app.table.render_line(line) if segment.style]
        assert not any(style.bgcolor and style.bgcolor.triplet.hex == "#10141a" for style in styles)  # type: ignore[union-attr]


async def test_an_empty_table_says_why() -> None:
    """Instead of nothing; and no longer when there is a row."""
    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_empty([(Cell("nothing fits the filter", "dim"),)])
        await settle(pilot)
        assert any("nothing fits the filter" in app.text(line) for line in range(1, 12))
        app.table.set_rows(rows("a"))
        await settle(pilot)
        assert not any("nothing fits" in app.text(line) for line in range(1, 12))


async def test_rows_may_come_before_the_table_is_on_screen() -> None:
    """Nothing is lost, and nothing is drawn twice."""
    app = Host()
    app.table.set_rows(rows(*range(100)))
    app.table.move_to(60)
    async with app.run_test(size=(60, 12)) as pilot:
        await settle(pilot)
        assert app.table.cursor_key == 60
        assert 60 in app.table.visible_keys()


# -- columns -----------------------------------------------------------------------------------------------------------


def shown(columns: Sequence[Column], width: int) -> list[str]:
    """The ids of the columns that a width has room for."""
    return [columns[slot.index].id for slot in layout.fit(columns, width)]


def test_columns_go_by_their_worth_and_of_equals_the_rightmost() -> None:
    """What is worth most stays to the last."""
    columns = [Column("a", "A", 10, worth=3), Column("b", "B", 10, worth=1), Column("c", "C", 10, worth=1)]
    assert shown(columns, 40) == ["a", "b", "c"]
    assert shown(columns, 32) == ["a", "b"]
    assert shown(columns, 15) == ["a"]
    assert layout.fit(columns, 6)[0].width == 5


def test_gaps_shrink_before_a_column_goes() -> None:
    """Two cells between columns where there is room, else one; behind a sign always one."""
    columns = [Column("s", "", 1), Column("a", "A", 10), Column("b", "B", 10)]
    assert [slot.x for slot in layout.fit(columns, 25)] == [1, 3, 15]
    assert [slot.x for slot in layout.fit(columns, 24)] == [1, 3, 14]


def test_what_is_left_over_goes_to_the_columns_that_grow() -> None:
    """In proportion, up to their limit."""
    columns = [Column("a", "A", 10, grow=3), Column("b", "B", 10, grow=1), Column("c", "C", 4)]
    assert [slot.width for slot in layout.fit(columns, 69)] == [40, 20, 4]
    limited = [Column("a", "A", 10, grow=3, limit=12), Column("b", "B", 10, grow=1)]
    assert [slot.width for slot in layout.fit(limited, 63)] == [12, 48]


columns_of_any_kind = st.lists(
    st.builds(
        Column,
        id=st.just("x"),
        title=st.just("X"),
        width=st.integers(1, 20),
        grow=st.integers(0, 3),
        worth=st.integers(0, 5),
        limit=st.sampled_from([0, 5, 25]),
    ),
    max_size=10,
)


@given(columns_of_any_kind, st.integers(2, 200))
def test_columns_never_overlap_and_never_leave_the_table(columns: list[Column], width: int) -> None:
    """Whatever the columns and the width; and at least one is shown."""
    slots = layout.fit(columns, width)
    assert bool(slots) == bool(columns)
    end = 0
    for slot in slots:
        assert slot.x > end or slot.x == layout.GUTTER
        end = slot.x + slot.width
    assert end <= width
    assert [slot.index for slot in slots] == sorted(slot.index for slot in slots)
    for slot in slots:
        assert layout.column_at(slots, slot.x) == slot.index
    assert layout.column_at(slots, 0) is None
