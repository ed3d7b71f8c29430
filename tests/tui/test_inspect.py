"""A container inspected: what matters first, all of it below, found, copied, and values only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fleettop.collectors.engine.display import variables
from fleettop.collectors.errors import ConnectionLost
from fleettop.tui.rows import Cell, Line
from fleettop.tui.screens.folding import JsonPage
from fleettop.tui.screens.inspect import InspectScreen
from fleettop.tui.screens.page import PageScreen, text_of
from fleettop.tui.widgets.detail import Detail
from textual.widgets import Input

from .recording import Recorder
from .stage import Stage, settle
from .test_dashboard import dashboard

Eventually = Callable[..., Any]
FACTS: tuple[Line, ...] = ((Cell("pay-api-1", "title"),), (Cell("user      ", "dim"), Cell("root")))
FOUND = {"Id": "abc", "Config": {"User": "", "Cmd": ["serve", "[/x] [@click=app.quit]boo"]}, "State": {"Pid": 7}}


def page(*, values: object = None, found: object = FOUND, **more: Any) -> InspectScreen:
    async def read() -> tuple[list[tuple[str, str]], object]:
        if isinstance(found, Exception):
            raise found
        return [("digest", "pay-api@sha256:1")], found

    async def ask() -> object:
        return values

    def facts(more: Any) -> tuple[Line, ...]:
        return (*FACTS, *((Cell(f"{name} {value}"),) for name, value in more))

    return InspectScreen(facts, read, values=ask if values is not None else None, **more)  # type: ignore[arg-type]


def shown(screen: PageScreen) -> list[str]:
    return [text_of(line) for line in screen._lines()]


async def test_facts_come_first_and_then_all_of_it_as_json() -> None:
    """With what the engine was asked for among the facts."""
    screen = page()
    async with Stage(screen=screen).run_test() as pilot:
        await settle(pilot)
        lines = shown(screen)
        assert lines[:3] == ["pay-api-1", "user      root", "digest pay-api@sha256:1"]
        assert lines[4:6] == ["all of it  secrets hidden", "{"]
        assert '      "[/x] [@click=app.quit]boo"' in lines


@pytest.mark.parametrize(
    ("found", "says"), [(None, "It is gone."), (ConnectionLost("web-1 cannot be reached now."), "cannot be reached")]
)
async def test_what_cannot_be_read_is_said_below_the_facts(found: object, says: str) -> None:
    """The facts that are known stay."""
    screen = page(found=found)
    async with Stage(screen=screen).run_test() as pilot:
        await settle(pilot)
        lines = shown(screen)
        assert lines[0] == "pay-api-1"
        assert says in lines[-1]


async def test_words_are_found_in_any_case_forwards_backwards_and_round_the_end() -> None:
    """`/`, `n` and `N`; the line is in view and counted; Esc goes back to all, and only then back."""
    screen = page()
    async with Stage(screen=screen).run_test(size=(60, 8)) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"user", "enter")
        places = [at for at, line in enumerate(shown(screen)) if "user" in line.lower()]
        assert len(places) == 2
        seen = []
        for key in ("n", "n", "N", "N"):
            seen.append(screen._at)
            await pilot.press(key)
        assert seen == [places[0], places[1], places[0], places[1]]
        await pilot.press("escape")
        assert (screen._sought, screen.is_current) == ("", True)
        assert not screen.query_one("#words", Input).display
        await pilot.press("escape")
        await settle(pilot)
        assert not screen.is_current


async def test_a_found_line_is_scrolled_into_view() -> None:
    """Deep in the JSON, too."""
    screen = page(found={"a": list(range(200)), "deep": "needle"})
    async with Stage(screen=screen).run_test(size=(60, 10)) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"needle", "enter")
        await settle(pilot)
        detail = screen.query_one(Detail)
        top = round(detail.scroll_y)
        assert any("needle" in text_of(line) for line in detail.shown[top : top + detail.size.height])


async def test_c_copies_the_line_that_was_found_else_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the terminal's clipboard."""
    screen, copied = page(), list[str]()
    async with Stage(screen=screen).run_test() as pilot:
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", copied.append)
        await settle(pilot)
        await pilot.press("c")
        await pilot.press("slash", *"pid", "enter", "c")
        assert copied == ["\n".join(shown(screen)), '"Pid": 7']


async def test_values_of_variables_are_shown_when_asked_for_and_hidden_again() -> None:
    """`v`; they are in no line before, and in none after."""
    screen = page(values=[("LOG_LEVEL", "info")])
    async with Stage(screen=screen).run_test() as pilot:
        await settle(pilot)
        assert not any("LOG_LEVEL" in line for line in shown(screen))
        await pilot.press("v")
        await settle(pilot)
        assert "  LOG_LEVEL=info" in shown(screen)
        await pilot.press("v")
        await settle(pilot)
        assert not any("LOG_LEVEL" in line for line in shown(screen))


def test_values_that_look_secret_stay_hidden() -> None:
    """By name and by shape; what is no list of texts is none."""
    env = [
        "A=1",
        "DB_PASSWORD=qq",
        "URL=https://me:hunter2@db/",
        "T=ghp_0123456789abcdefghij",
        "E=\x1b[31mred",
        "BARE",
        7,
    ]
    found = dict(variables({"Config": {"Env": env}}))
    assert found["A"] == "1"
    assert found["E"] == "red"
    assert found["BARE"] == ""
    assert not any(secret in "".join(found.values()) for secret in ("qq", "hunter2", "ghp_0"))
    assert [variables(odd) for odd in (None, [], {"Config": None}, {"Config": {"Env": None}})] == [()] * 4


@pytest.mark.parametrize("read_only", [False, True])
async def test_on_the_dashboard_the_values_key_is_absent_in_read_only_mode(
    read_only: bool, eventually: Eventually
) -> None:
    """There the key does nothing, and the engine is not asked again."""
    recorder = Recorder()
    async with dashboard(read_only=read_only, recorder=recorder) as (app, pilot):
        await pilot.press("2", "i")
        await eventually(lambda: isinstance(app.screen, InspectScreen) and len(shown(app.screen)) > 60)
        page = app.screen
        assert isinstance(page, InspectScreen)
        assert any(line.startswith("digest") for line in shown(page))
        await pilot.press("v")
        if read_only:
            await pilot.pause()
            hint = InspectScreen.keys(page)
            assert not any("values" in word for _, word in hint)
        else:
            await eventually(lambda: any(line.startswith("variables") for line in shown(page)))
        assert any(line.startswith("variables") for line in shown(page)) is not read_only


# -- folding


async def test_a_digit_leaves_so_many_levels_of_the_json_and_0_shows_all_again() -> None:
    """What is folded says how much it hides; the facts above are not touched."""
    screen = page(found={"Config": {"Env": ["a", "b {"], "Empty": {}, "User": "x"}, "Ports": [{"a": 1}, {"b": [2]}]})
    async with Stage(screen=screen).run_test() as pilot:
        await settle(pilot)
        every = shown(screen)
        await pilot.press("1")
        assert shown(screen) == [*every[:6], '  "Config": {… 3},', '  "Ports": [… 2]', "}"]
        await pilot.press("2")
        assert shown(screen)[6:13] == [
            '  "Config": {',
            '    "Env": [… 2],',
            '    "Empty": {},',
            '    "User": "x"',
            "  },",
            '  "Ports": [',
            "    {… 1},",
        ]
        await pilot.press("0")
        assert shown(screen) == every


async def test_what_is_folded_is_found_and_copied_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """All stands there while words are sought; Esc folds again; copied is the whole page."""
    screen, copied = page(), list[str]()
    async with Stage(screen=screen).run_test() as pilot:
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", copied.append)
        await settle(pilot)
        every = shown(screen)
        await pilot.press("1")
        folded = shown(screen)
        assert folded != every
        await pilot.press("c")
        assert copied == ["\n".join(every)]
        await pilot.press("slash", *"pid", "enter")
        assert shown(screen) == every
        assert text_of(screen._lines()[screen._at]).strip() == '"Pid": 7'
        await pilot.press("escape")
        assert shown(screen) == folded


async def test_digits_that_are_sought_fold_nothing() -> None:
    """They are typed into the field."""
    screen = page()
    async with Stage(screen=screen).run_test() as pilot:
        await settle(pilot)
        await pilot.press("slash", *"7", "enter")
        assert (screen._sought, screen._depth) == ("7", 0)
        assert text_of(screen._lines()[screen._at]).strip() == '"Pid": 7'


async def test_the_page_of_raw_json_folds_too(eventually: Eventually) -> None:
    """`y` on the dashboard; what it is of stands above."""
    async with dashboard() as (app, pilot):
        await pilot.press("2", "y")
        await eventually(lambda: isinstance(app.screen, JsonPage) and len(shown(app.screen)) > 60)
        page = app.screen
        assert isinstance(page, JsonPage)
        title = shown(page)[0]
        await pilot.press("1")
        await eventually(lambda: len(shown(page)) < 60)
        assert shown(page)[:2] == [title, "{"]
        assert any(line.startswith('  "HostConfig": {…') for line in shown(page))
