"""Changes that go on by themselves: left, found again, and what can be asked for once they are over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fleettop.collectors.actions import Deed, Outcome, Plan, Rolling, Step, StepResult, Verb
from fleettop.collectors.model import ContainerKey, ServiceKey, ServiceState
from fleettop.tui import acting, asking
from fleettop.tui.changelist import Changes
from fleettop.tui.changes import Change, Wish, again, follow_ups
from fleettop.tui.screens.confirm import ConfirmScreen
from fleettop.tui.screens.progress import ProgressScreen

from tests.tui.stage import text_of
from tests.tui.test_dashboard import dashboard

API = ServiceKey("compose", "pay", "api")
Eventually = Callable[..., Any]


def result(number: int, outcome: Outcome, deed: Deed = Deed.RESTART, **more: Any) -> StepResult:
    step = Step(engine="web-1", deed=deed, object_id=f"{number:064x}", object_name=f"api-{number}", service=API, **more)
    return StepResult(step=step, outcome=outcome, words="so it went")


MIXED = (
    result(1, Outcome.SUCCESS),
    result(2, Outcome.FAILURE),
    result(3, Outcome.UNKNOWN),
    result(4, Outcome.SKIPPED),
    result(5, Outcome.SKIPPED),
)


def test_a_retry_is_for_those_that_did_not_end_well_and_nothing_else() -> None:
    """Failed, refused and unknown; what was not begun is another wish."""
    wish = Wish(verb=Verb.RESTART, targets=(API,), rolling=Rolling(asked=True))
    retry, rest = again("retry", wish, MIXED), again("rest", wish, MIXED)
    assert retry is not None
    assert rest is not None
    assert [target.id[-1] for target in retry.targets if isinstance(target, ContainerKey)] == ["2", "3"]
    assert [target.id[-1] for target in rest.targets if isinstance(target, ContainerKey)] == ["4", "5"]
    assert rest.rolling == wish.rolling
    assert [one.words for one in follow_ups(wish, MIXED)] == [
        "tries the 2 that did not end well again.",
        "goes on with the 2 not begun.",
    ]


def test_going_back_starts_what_was_stopped_and_only_that() -> None:
    """What was stopped already before stays so."""
    wish = Wish(verb=Verb.STOP, targets=(API,))
    before = StepResult(step=result(3, Outcome.SUCCESS).step, outcome=Outcome.SUCCESS, words="it was stopped already")
    back = again("back", wish, (result(1, Outcome.SUCCESS, Deed.STOP), before, result(2, Outcome.FAILURE, Deed.STOP)))
    assert back is not None
    assert (back.verb, len(back.targets)) == (Verb.START, 1)
    assert again("back", Wish(verb=Verb.RESTART, targets=(API,)), MIXED) is None


@pytest.mark.parametrize(
    ("wish", "number"),
    [
        (Wish(verb=Verb.SCALE, targets=(API,), by=5), {"by": 2}),
        (Wish(verb=Verb.SCALE, targets=(API,), to=7), {"to": 7}),
        (Wish(verb=Verb.SCALE, targets=(API,), by=-5), {"by": -2}),
    ],
)
def test_a_scale_is_tried_again_for_as_many_as_are_missing(wish: Wish, number: dict[str, int]) -> None:
    """Not for all of them again."""
    found = again("retry", wish, MIXED)
    assert found is not None
    assert found.targets == (API,)
    assert {name: getattr(found, name) for name in number} == number


def test_what_went_well_leaves_nothing_to_ask_for() -> None:
    """No keys at the end of a restart that did what it should."""
    assert follow_ups(Wish(verb=Verb.RESTART, targets=(API,)), MIXED[:1]) == ()


def test_changes_under_way_are_counted_and_so_are_those_not_looked_at_yet() -> None:
    """Several at once."""
    made = Plan(verb=Verb.RESTART, title="Restart", steps=(MIXED[0].step,))
    one, other = (Change(Wish(verb=Verb.RESTART, targets=(API,)), made, "") for _ in range(2))
    changes = Changes([one, other])
    assert changes.words() == "2 changes under way"
    one.finish(MIXED[:1], "1 done.")
    assert changes.words() == "1 change under way"
    other.finish(MIXED[:1], "1 done.")
    assert changes.words() == "2 changes done"


async def test_a_change_goes_on_when_it_is_left_and_is_found_again(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """q leaves it, the tabs say so, q at the top does not quit, A shows it; at its end its keys ask anew."""
    import asyncio

    ends = asyncio.Event()

    async def perform(plan: Plan, *, on_result: Callable[[StepResult], None], **_: Any) -> tuple[StepResult, ...]:
        await ends.wait()
        results = tuple(StepResult(step=step, outcome=Outcome.FAILURE, words="no") for step in plan.steps)
        for one in results:
            on_result(one)
        return results

    monkeypatch.setattr(acting, "perform", perform)
    async with dashboard() as (app, pilot):
        await eventually(lambda: any(s.state is ServiceState.HEALTHY for s in app.fleet.services.values()))
        key = next(s.key for s in app.fleet.services.values() if s.state is ServiceState.HEALTHY)
        app.dashboard.table.move_to(key)
        await pilot.press("R")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("f9")
        await eventually(lambda: isinstance(app.screen, ProgressScreen))
        await pilot.press("q")
        await eventually(lambda: app.screen is app.dashboard)
        await eventually(lambda: "1 change under way (A)" in text_of(app.dashboard.tabs))
        await pilot.press("q")
        assert app.is_running
        await pilot.press("A")
        await eventually(lambda: isinstance(app.screen, ProgressScreen))
        ends.set()
        await eventually(lambda: app.changes[0].course.done)
        await pilot.press("R")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        await eventually(lambda: "change" not in text_of(app.dashboard.tabs))
        await pilot.press("escape")


async def test_the_number_away_at_once_changes_what_is_said_and_done(eventually: Eventually) -> None:
    """Typed on the question: the effect is told anew, and what is no number cannot be said yes to."""
    async with dashboard() as (app, pilot):
        await eventually(
            lambda: any(len(s.replicas) > 2 and s.serving == s.wanted for s in app.fleet.services.values())
        )
        key = next(s.key for s in app.fleet.services.values() if len(s.replicas) > 2 and s.serving == s.wanted)
        app.dashboard.table.move_to(key)
        await pilot.press("R")
        await eventually(
            lambda: isinstance(app.screen, ConfirmScreen) and "at most 1 at a" in text_of(app.screen.query_one("#text"))
        )
        field = app.screen.query_one("#at-once")
        field.focus()
        await pilot.press("backspace", "2")
        await eventually(lambda: "at most 2 at a" in text_of(app.screen.query_one("#text")))
        await pilot.press("x")
        await eventually(lambda: "is no number of replicas" in text_of(app.screen.query_one("#text")))
        assert app.screen.query_one("#confirm").disabled
        await pilot.press("escape")


async def test_a_restart_of_a_host_is_of_all_that_runs_on_it(eventually: Eventually) -> None:
    """R in Hosts: what is stopped there stays stopped."""
    async with dashboard() as (app, pilot):
        await pilot.press("3")
        await eventually(lambda: app.dashboard.table.cursor_key is not None)
        host = str(app.dashboard.table.cursor_key)
        await pilot.press("R")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        running = [k for k in app.fleet.containers_on(host) if app.fleet.containers[k].state in asking.UP]
        assert f"Restart {len(running)} containers on {host}" == app.screen.question.title
        await pilot.press("escape")
