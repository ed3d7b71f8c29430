"""Asking before a change: yes is only ever said on purpose."""

from __future__ import annotations

import random

import msgspec
import pytest
from fleettop.tui.glyphs import ASCII
from fleettop.tui.screens.confirm import Confirmed, ConfirmScreen, Question
from fleettop.tui.widgets.lines import Lines
from fleettop.tui.widgets.press import Press
from textual.widgets import Input

from tests.tui.stage import UNANSWERED, Stage, settle, text_of

QUESTION = Question(
    title="Restart pay/api, one after the other",
    sentences=("3 replicas on web-1, web-2, web-3; at most 1 at a time is down.", "Now 0 of 3 serve, so none is lost."),
    verb="Restart",
)
PROTECTED = msgspec.structs.replace(QUESTION, name_to_type="pay/api", warnings=("It is the last replica.",))
BLOCKED = msgspec.structs.replace(QUESTION, blockers=("web-3 cannot be reached.",))


@pytest.mark.parametrize("keys", [["escape"], ["enter"], ["tab", "escape"], ["x", "escape"], ["q", "escape"]])
async def test_no_is_the_answer_of_enter_and_esc(keys: list[str]) -> None:
    """The focus is on Cancel."""
    app = Stage(screen=ConfirmScreen(QUESTION))
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.focused is app.screen.query_one("#cancel")
        await pilot.press(*keys)
        await settle(pilot)
        assert app.answer is None


@pytest.mark.parametrize(
    "keys", [["tab", "enter"], ["right", "enter"], ["ctrl+enter"], ["f9"], ["x", "backspace", "f9"], ["down", "enter"]]
)
async def test_yes_is_the_button_ctrl_enter_or_f9(keys: list[str]) -> None:
    """Without a reason where none was given."""
    app = Stage(screen=ConfirmScreen(QUESTION))
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press(*keys)
        await settle(pilot)
        assert app.answer == Confirmed("")


async def test_a_reason_goes_with_the_yes() -> None:
    """What is typed on a button is the reason, too; Enter in it only goes on."""
    app = Stage(screen=ConfirmScreen(QUESTION))
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press(*"FT-212 ", "o", "k")
        assert app.screen.query_one("#reason", Input).value == "FT-212 ok"
        await pilot.press("enter")
        await settle(pilot)
        assert app.answer == UNANSWERED
        assert app.focused is app.screen.query_one("#cancel")
        await pilot.press("tab", "enter")
        await settle(pilot)
        assert app.answer == Confirmed("FT-212 ok")


@pytest.mark.parametrize("keys", [["ctrl+enter"], ["f9"], ["tab", "tab", "enter"]])
async def test_what_is_protected_wants_its_name_typed(keys: list[str]) -> None:
    """Until then the button cannot be pressed by any way."""
    app = Stage(screen=ConfirmScreen(PROTECTED))
    async with app.run_test() as pilot:
        await settle(pilot)
        button = app.screen.query_one("#confirm", Press)
        await pilot.press("ctrl+enter", "f9")
        await pilot.click("#confirm")
        app.screen.query_one("#name", Input).focus()
        await pilot.press(*"pay/ap")
        await settle(pilot)
        assert button.disabled
        assert app.answer == UNANSWERED
        await pilot.press("i")
        await settle(pilot)
        assert not button.disabled
        await pilot.press(*keys)
        await settle(pilot)
        assert app.answer == Confirmed("")


async def test_a_key_pressed_twice_answers_once() -> None:
    """The second Enter is not taken as an answer to what comes after."""
    app = Stage(screen=ConfirmScreen(QUESTION))
    async with app.run_test() as pilot:
        await settle(pilot)
        button = app.screen.query_one("#confirm", Press)
        button.action_press()
        button.action_press()
        await settle(pilot)
        assert app.answer == Confirmed("")
        assert app.is_running


@pytest.mark.parametrize("key", ["escape", "enter", "q"])
async def test_what_cannot_be_done_can_only_be_closed(key: str) -> None:
    """There is no button to press, and ctrl+enter and F9 do nothing."""
    app = Stage(screen=ConfirmScreen(BLOCKED))
    async with app.run_test() as pilot:
        await settle(pilot)
        assert not app.screen.query("#confirm")
        assert not app.screen.query(Input)
        await pilot.press("ctrl+enter", "f9")
        await settle(pilot)
        assert app.answer == UNANSWERED
        await pilot.press(key)
        await settle(pilot)
        assert app.answer is None


async def test_letters_and_digits_pressed_at_random_never_say_yes() -> None:
    """Nor with Enter, space and the arrows to the side among them: each letter leads away from the button."""
    chance = random.Random(7)
    letters = [*"abcdefghijklmnopqrstuvwxyzRSPKUXD0123456789+-=/:?", "space", "backspace", "enter"]
    for _round in range(4):
        app = Stage(screen=ConfirmScreen(QUESTION))
        async with app.run_test() as pilot:
            await settle(pilot)
            await pilot.press(*(chance.choice(letters) for _key in range(60)))
            await settle(pilot)
            assert app.answer in (None, UNANSWERED)


async def test_foreign_names_in_a_question_are_only_text() -> None:
    """In the title, the sentences, the name to type and the button."""
    name = "[/x][@click=app.quit]boo"
    question = Question(
        title=f"Stop {name}", sentences=(f"{name} stops.",), warnings=(name,), verb=name, name_to_type=name
    )
    app = Stage(screen=ConfirmScreen(question))
    async with app.run_test() as pilot:
        await settle(pilot)
        assert name in text_of(app.screen.query_one("#text"))
        assert name in text_of(app.screen.query_one("#confirm"))
        assert app.screen.query_one("#box")._border_title.plain == f"Stop {name}"  # type: ignore[attr-defined]
        await pilot.click("#text", offset=(3, 0))
        assert app.is_running


async def test_the_buttons_are_on_screen_however_long_the_text_is() -> None:
    """The text scrolls; in 40×10 too, with the name to type."""
    long = msgspec.structs.replace(PROTECTED, sentences=QUESTION.sentences * 20)
    app = Stage(screen=ConfirmScreen(long))
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        for selector in ("#reason", "#name", "#cancel", "#confirm"):
            region = app.screen.query_one(selector).region
            assert region.height == 1
            assert app.screen.query_one("#box").content_region.contains_region(region)
        before = app.screen.query_one("#words").scroll_y
        await pilot.press("pagedown")
        await settle(pilot)
        assert app.screen.query_one("#words").scroll_y > before


async def test_warnings_and_blockers_have_their_sign_in_ascii_too() -> None:
    """They stand out without colour."""
    app = Stage(screen=ConfirmScreen(msgspec.structs.replace(PROTECTED, blockers=BLOCKED.blockers), glyphs=ASCII))
    async with app.run_test() as pilot:
        await settle(pilot)
        text = text_of(app.screen.query_one("#text", Lines))
        assert "! It is the last replica." in text
        assert "X web-3 cannot be reached." in text


async def test_a_click_on_a_button_presses_it() -> None:
    """For those who use the mouse."""
    app = Stage(screen=ConfirmScreen(QUESTION))
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.click("#confirm")
        await settle(pilot)
        assert app.answer == Confirmed("")
