"""Progress, prompts, help, and the screen for terminals that are too small."""

from __future__ import annotations

import pytest
from fleettop.tui.glyphs import ASCII
from fleettop.tui.keymap import Keys
from fleettop.tui.screens.help import HelpScreen
from fleettop.tui.screens.progress import ProgressScreen, ProgressStep
from fleettop.tui.screens.prompt import SIGNALS, Choice, ChoicePrompt, NumberPrompt
from fleettop.tui.screens.toosmall import TooSmallScreen, fits
from fleettop.tui.widgets.detail import Detail
from fleettop.tui.widgets.lines import Lines
from fleettop.tui.widgets.table import LineTable
from textual.geometry import Size
from textual.widgets import Input

from tests.tui.stage import UNANSWERED, Stage, settle, text_of

STEPS = [ProgressStep(number, f"web-{number}", f"pay-api-{number}") for number in range(1, 5)]

# -- progress ----------------------------------------------------------------------------------------------------------


async def test_each_result_stands_in_its_line_as_it_comes() -> None:
    """By sign, word and the reason where there is one; the sum above."""
    screen = ProgressScreen("Restart pay/api", STEPS)
    app = Stage(screen=screen)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        screen.begin(1)
        screen.report(1, "success", "healthy", 11.4)
        screen.report(2, "failure", "500 no space left on device", 1.0)
        screen.report(3, "unknown", "the link broke")
        screen.begin(4)
        screen.report("nobody", "success")
        await settle(pilot)
        table = text_of(screen.query_one(LineTable))
        assert "● web-1 " in table
        assert "done: healthy" in table
        assert "11s" in table
        assert "failed: 500 no space left on device" in table
        assert "outcome unknown: the link broke" in table
        assert "running" in table
        assert "3 of 4 ended · 1 done · 1 failed · 1 outcome unknown" in text_of(screen.query_one("#text"))


async def test_esc_stops_what_has_not_begun_once_and_closes_when_all_is_done() -> None:
    """It says so meanwhile, and does not go away before the end."""
    stops: list[str] = []
    screen = ProgressScreen("Restart", STEPS, on_stop=lambda: stops.append("stop"))
    app = Stage(screen=screen)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        assert not screen.done
        assert not stops
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert stops == ["stop"]
        assert "Stopping" in text_of(screen.query_one("#text"))
        assert app.answer == UNANSWERED
        screen.report(3, "skipped")
        screen.finish("1 of 4 restarted.")
        await settle(pilot)
        assert "1 of 4 restarted." in text_of(screen.query_one("#text"))
        assert "1 not begun" in text_of(screen.query_one("#text"))
        await pilot.press("escape")
        await settle(pilot)
        assert app.answer is None


@pytest.mark.parametrize("key", ["enter", "q"])
async def test_a_finished_change_is_closed_with_enter(key: str) -> None:
    """Or q."""
    screen = ProgressScreen("Restart", STEPS)
    app = Stage(screen=screen)
    async with app.run_test() as pilot:
        await settle(pilot)
        screen.finish()
        await pilot.press(key)
        await settle(pilot)
        assert app.answer is None


async def test_a_change_of_many_objects_scrolls_on_a_low_screen() -> None:
    """Nothing of the box is off screen."""
    screen = ProgressScreen("Stop", [ProgressStep(n, "h", f"c-{n}") for n in range(200)])
    app = Stage(screen=screen)
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot)
        assert app.screen.region.contains_region(screen.query_one("#box").region)
        assert screen.query_one(LineTable).size.height >= 4


# -- prompts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], 3),
        (["up", "up", "enter"], 5),
        (["plus", "enter"], 4),
        (["minus", "minus", "minus", "minus", "enter"], 0),
        (["backspace", "7", "enter"], 7),
        (["backspace", "enter"], UNANSWERED),
        (["9", "9", "enter"], UNANSWERED),
        (["backspace", "up", "enter"], 4),
        (["up", "escape"], None),
    ],
)
async def test_a_number_is_typed_or_stepped_within_its_bounds(keys: list[str], answer: object) -> None:
    """What is out of bounds is not taken."""
    app = Stage(screen=NumberPrompt("Scale pay/api", ["Now 3 are wanted."], value=3, maximum=50))
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("end", *keys)
        await settle(pilot)
        assert app.answer == answer


@pytest.mark.parametrize(
    ("keys", "answer"), [(["enter"], "SIGTERM"), (["down", "enter"], "SIGINT"), (["G", "enter"], "SIGKILL"),
                         (["escape"], None)]
)  # fmt: skip
async def test_a_signal_is_chosen_the_gentlest_is_first(keys: list[str], answer: object) -> None:
    """Esc sends none."""
    app = Stage(screen=ChoicePrompt("Kill pay/api-2 with", SIGNALS, chosen="SIGTERM"))
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press(*keys)
        await settle(pilot)
        assert app.answer == answer


LONG = (
    Choice("a", "images of any age, too", "all that no container and no service of the whole fleet uses anywhere now"),
    Choice("b", "named volumes, too", "their data is gone for good, whoever kept something in them for later, too"),
)


@pytest.mark.parametrize("width", [80, 120])
async def test_every_choice_can_be_read_whole(width: int) -> None:
    """In its row, in a box as wide as it needs; where the screen is too narrow, under the table, for the cursor's."""
    screen = ChoicePrompt("Prune web-1", LONG)
    app = Stage(screen=screen)
    async with app.run_test(size=(width, 24)) as pilot:
        await settle(pilot)
        table, whole = screen.query_one(LineTable), screen.query_one("#whole", Lines)
        height = screen.query_one("#box").size.height
        for choice in LONG:
            read = text_of(whole).replace("\n", " ") if whole.display else text_of(table)
            assert choice.title in read
            assert choice.help in read
            await pilot.press("down")
            await settle(pilot)
        assert whole.display is (width == 80)
        assert screen.query_one("#box").size.height == height
        assert "Enter" in text_of(screen.query(Lines).last())


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_choices_that_fit_stand_in_their_rows(size: tuple[int, int]) -> None:
    """At 80 columns the signals do; on the smallest screen the rows come first."""
    screen = ChoicePrompt("Kill with which signal?", SIGNALS)
    async with Stage(screen=screen).run_test(size=size) as pilot:
        await settle(pilot)
        assert screen.query_one("#whole").display is (size[0] < 80)
        assert SIGNALS[0].title in text_of(screen.query_one(LineTable))


# -- help --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["escape", "q", "question_mark"])
async def test_help_scrolls_at_80_by_24_and_goes_with_the_key_it_came_with(key: str) -> None:
    """All of it can be reached."""
    app = Stage(screen=HelpScreen(Keys(), "services"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        detail = app.screen.query_one(Detail)
        assert "restart" in text_of(detail)
        await pilot.press("G")
        await settle(pilot)
        assert "healthy" in text_of(detail)
        assert "restart " not in text_of(detail)
        await pilot.press("g")
        await settle(pilot)
        assert "restart" in text_of(detail)
        await pilot.press(key)
        await settle(pilot)
        assert app.answer is None


async def test_help_is_searched_with_the_key_of_the_filter() -> None:
    """Esc leaves the search first."""
    app = Stage(screen=HelpScreen(Keys(), "services", glyphs=ASCII))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        detail = app.screen.query_one(Detail)
        await pilot.press("slash", *"pause")
        await settle(pilot)
        assert "service.pause" in text_of(detail)
        assert "service.restart" not in text_of(detail)
        await pilot.press(*"zzz")
        await settle(pilot)
        assert "Nothing here has 'pausezzz' in it." in text_of(detail)
        await pilot.press("escape")
        await settle(pilot)
        assert app.answer == UNANSWERED
        assert "service.restart" in text_of(detail)
        assert not app.screen.query_one(Input).display


# -- too small ---------------------------------------------------------------------------------------------------------


def test_forty_by_ten_is_the_least() -> None:
    """Below it nothing else is drawn."""
    assert fits(Size(40, 10))
    assert not fits(Size(39, 10))
    assert not fits(Size(40, 9))


async def test_a_terminal_too_small_says_so_and_goes_on_when_it_is_larger() -> None:
    """By itself, down to 20×5 and less."""
    app = Stage(screen=TooSmallScreen())
    async with app.run_test(size=(20, 5)) as pilot:
        await settle(pilot)
        assert "too small: 20×5" in text_of(app.screen.query_one(Lines))
        await pilot.resize_terminal(10, 2)
        await settle(pilot)
        assert app.answer == UNANSWERED
        await pilot.resize_terminal(40, 10)
        await settle(pilot)
        assert app.answer is None
