"""What an update of a swarm's service comes to, by what the manager tells of it: it ends in any case."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from fleettop.collectors.actions import Deed, Outcome, Pace, Reach, Step
from fleettop.collectors.actions.deeds import Doing
from fleettop.collectors.actions.spec import HELD
from fleettop.collectors.actions.swarmdeeds import do_on_service
from fleettop.collectors.links.base import UnixEndpoint

PACE = Pace(healthy=20, settle=3, poll=0)
SECOND = 1_000_000_000


class SecondByCall:
    """A clock that goes one second further whenever it is looked at, and keeps how late it got."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


def task(state: str = "running", image: str = "bb:2", error: str = "") -> dict[str, Any]:
    # A task tells of its spec without the Runtime that the service's template has.
    return {"Spec": {"ContainerSpec": {"Image": image}, "ForceUpdate": 0}, "Status": {"State": state, "Err": error}}


class Manager:
    """A manager that takes any spec, and tells of it what a test says."""

    def __init__(self, tasks: list[dict[str, Any]], states: list[str], delay: int = HELD + SECOND) -> None:
        self.tasks = tasks
        self.states = itertools.chain(states, itertools.repeat(states[-1]))
        self.sent: Mapping[str, Any] | None = None
        self.spec: Mapping[str, Any] = {
            "TaskTemplate": {"ContainerSpec": {"Image": "bb:2"}, "ForceUpdate": 0, "Runtime": "container"},
            "Mode": {"Replicated": {"Replicas": 2}},
            "UpdateConfig": {"Parallelism": 1, "Delay": delay},
        }

    async def uncleaned(self, path: str, query: str = "", /) -> object:
        if path == "/tasks":
            return self.tasks
        state = next(self.states) if self.sent is not None else "updating"
        found: dict[str, Any] = {"Version": {"Index": 8 if self.sent is None else 9}, "Spec": self.sent or self.spec}
        if state == "held":
            found["Spec"], state = self.spec, "updating"
        if state:
            found["UpdateStatus"] = {"State": state, "StartedAt": f"{found['Version']}", "Message": "in progress"}
        return found

    async def update_service(self, service: str, *, version: int, spec: Mapping[str, Any], **_: object) -> None:
        self.sent = spec


async def resumed(manager: Any) -> tuple[Outcome, str, float]:
    """The outcome of going on with an update there, its words, and how many seconds went by."""
    clock = SecondByCall()
    step = Step(engine="n1", deed=Deed.GO_ON, object_id="s1", object_name="web", kind="service", replicas=2)
    way = Reach(endpoint=UnixEndpoint("/none"), api="1.41", client=manager)
    doing = Doing(
        reach=lambda engine: way,
        writer=lambda engine: manager,
        pace=PACE,
        clock=clock,
        stop=asyncio.Event(),
        phase=lambda step, words: None,
    )
    async with asyncio.timeout(30):
        outcome, words = await do_on_service(step, way, doing)
    return outcome, words, clock.seconds


async def test_where_the_swarm_tells_of_no_update_and_all_is_as_it_should_be_it_is_done() -> None:
    """What was left was scaled away, say; the delay is the one from before the pause."""
    manager = Manager([task(), task()], [""])
    outcome, words, seconds = await resumed(manager)
    assert (outcome, words) == (
        Outcome.SUCCESS,
        "no task was left to be replaced: 2 of 2 run as the service says",
    )
    assert PACE.settle <= seconds < PACE.healthy  # not at the first look: an update may be about to begin
    assert manager.sent is not None
    assert manager.sent["UpdateConfig"]["Delay"] == SECOND


async def test_where_the_swarm_tells_of_no_update_though_tasks_are_old_it_is_not_known() -> None:
    """After as long as one replica has: neither a success nor a failure can be shown."""
    outcome, words, _ = await resumed(Manager([task(), task(image="bb:1")], [""]))
    assert outcome is Outcome.UNKNOWN
    assert words.startswith("the swarm tells of no update; 2 of 2 run, 1 of them not as the service says")


async def test_where_the_swarm_tells_of_no_update_and_a_task_waits_it_failed_with_the_reason() -> None:
    """In the swarm's words."""
    outcome, words, _ = await resumed(Manager([task(), task("pending", error="no suitable node")], [""]))
    assert (outcome, words) == (
        Outcome.FAILURE,
        "the swarm tells of no update; 1 of 2 run: no suitable node",
    )


async def test_a_short_silence_before_an_update_begins_is_none() -> None:
    """The state of the one before is gone with the new spec, and that of the new one comes a moment later."""
    manager = Manager([task(), task(image="bb:1")], ["", "", *["updating"] * 9, "completed"])
    outcome, words, _ = await resumed(manager)
    assert (outcome, words) == (Outcome.SUCCESS, "the swarm completed the update")


async def test_an_update_that_is_paused_again_is_not_waited_for() -> None:
    """Whoever did that: it would be a year."""
    outcome, words, seconds = await resumed(Manager([task(), task(image="bb:1")], ["updating", "held"]))
    assert outcome is Outcome.FAILURE
    assert "its update is paused" in words
    assert seconds < PACE.healthy


@pytest.mark.parametrize(("delay", "least"), [(0, 40), (60 * SECOND, 160)])
async def test_an_update_has_the_time_that_its_own_rule_takes(delay: int, least: float) -> None:
    """As long as each replica has, and the delay between them; then it is not done, and that is said."""
    outcome, words, seconds = await resumed(Manager([task(), task()], ["updating"], delay=HELD + delay))
    assert outcome is Outcome.FAILURE
    assert words.endswith(": in progress")
    assert least <= seconds < least + 10
