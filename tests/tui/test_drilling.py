"""`L`: drills from the dashboard, on a simulated fleet and on real engines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from fleettop.collectors.actions import Outcome, Plan, StepResult
from fleettop.collectors.config import Config
from fleettop.collectors.model import RecordKind, ServiceKey, ServiceState
from fleettop.tui import drilling
from fleettop.tui.app import FleetApp
from fleettop.tui.drilling import AGAIN, DrillChange
from fleettop.tui.screens.confirm import ConfirmScreen
from fleettop.tui.screens.progress import ProgressScreen
from fleettop.tui.screens.prompt import ChoicePrompt
from fleettop.tui.views.swarm import NodeKey
from fleettop.tui.widgets.lines import Lines
from textual.widgets import Input

from tests.fleet import Fleet
from tests.tui.stage import text_of
from tests.tui.test_dashboard import dashboard
from tests.tui.test_swarming import swarm_dashboard

Eventually = Callable[..., Any]
WEB = ServiceKey("compose", "shop", "web")
POLICY = {"RestartPolicy": {"Name": "unless-stopped"}}


def healthy(app: FleetApp, key: ServiceKey) -> bool:
    service = app.fleet.services.get(key)
    return service is not None and service.state is ServiceState.HEALTHY


async def chosen(app: FleetApp, pilot: Any, eventually: Eventually, key: object) -> None:
    """L on that row."""
    await eventually(lambda: app.dashboard.table.move_to(key) or app.dashboard.table.cursor_key == key)
    await pilot.press("L")


def spoken(app: FleetApp) -> str:
    return " ".join(" ".join(text_of(lines) for lines in app.screen.query(Lines)).split())


async def test_a_replica_is_lost_by_key_and_what_came_of_it_is_told(eventually: Eventually) -> None:
    """L, which replica, what should survive, yes: killed, started again, and the report with both times on record."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: healthy(app, WEB))
        serving = app.fleet.services[WEB].serving
        await chosen(app, pilot, eventually, WEB)
        await eventually(lambda: isinstance(app.screen, ChoicePrompt))
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        question = app.screen.question
        assert question.sentences[0] == f"Shop/web keeps {serving - 1} of {serving}."
        assert "Nothing starts again what was killed: fleettop starts it, at once." in question.sentences
        assert (question.verb, question.name_to_type) == ("Kill it", "")
        await pilot.press(*"FT-7", "f9")
        await eventually(lambda: isinstance(app.screen, ProgressScreen) and app.screen.done, timeout=60)
        course = app.screen.course
        assert [state.outcome for state in course.states.values()] == ["success"] * 3
        told = course.states[WEB].words
        assert told.startswith(f"{serving - 1} at the least, {serving - 1} allowed")
        assert told.endswith(f"{serving} of {serving} now")
        await eventually(lambda: "none below its allowed number." in spoken(app))
        assert "Known after" in spoken(app)
        assert "recovered after" in spoken(app)
        records = app.fleet.trail.newest(500)
        intents = [record for record in records if record.kind is RecordKind.INTENT]
        assert [(record.action, record.reason) for record in intents] == [
            ("start", "drill: FT-7"), ("kill", "drill: FT-7"),
        ]  # fmt: skip
        assert any(record.what.startswith("Drill: kill ") and "recovered after" in record.what for record in records)
        await pilot.press("enter")
        await eventually(lambda: app.screen is app.dashboard and not app.changes)


async def test_what_would_be_down_has_to_be_typed(eventually: Eventually) -> None:
    """Its only replica: what-if's word in the question, and no yes before the name of the service stands there."""
    database = ServiceKey("compose", "pay", "db")
    async with dashboard() as (app, pilot):
        await eventually(lambda: healthy(app, database))
        await chosen(app, pilot, eventually, database)
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        assert app.screen.question.warnings[0] == "Pay/db would be down."
        assert app.screen.question.name_to_type == "pay/db"
        await pilot.press("f9")
        assert isinstance(app.screen, ConfirmScreen)
        assert not app.changes
        await pilot.press("escape")
        await eventually(lambda: app.screen is app.dashboard)
        assert not any(record.kind is RecordKind.INTENT for record in app.fleet.trail.newest(500))


async def test_there_is_no_drill_in_read_only_mode(eventually: Eventually) -> None:
    """Neither the key nor the palette has it."""
    async with dashboard(read_only=True) as (app, pilot):
        await eventually(lambda: healthy(app, WEB))
        assert "drill" not in {command.id for command in app.keys.commands}
        await pilot.press("L")
        await pilot.pause()
        assert app.screen is app.dashboard
        assert not any("drill" in entry.title.lower() for entry in app.palette_entries())


async def test_the_palette_offers_a_drill(eventually: Eventually) -> None:
    """By the one table of keys."""
    async with dashboard() as (app, _pilot):
        await eventually(lambda: healthy(app, WEB))
        assert any(entry.title.lower().startswith("drill: lose") for entry in app.palette_entries())


async def test_a_drained_node_takes_tasks_again_after_its_drill(eventually: Eventually) -> None:
    """L on a node: drained, watched, and active again, each with its own line and record."""
    async with swarm_dashboard() as (app, pilot):
        await eventually(lambda: app.fleet.swarms, timeout=30)
        await pilot.press("8")
        [picture] = app.fleet.swarms.values()
        node = picture.nodes[-1]
        await chosen(app, pilot, eventually, NodeKey(picture.cluster_id, node.id))
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        question = app.screen.question
        assert question.title == f"Drill: drain the node {node.hostname}"
        assert "Afterwards the node is made active again." in question.sentences
        if question.name_to_type:
            app.screen.query_one("#name", Input).value = question.name_to_type
            await pilot.pause()
        await pilot.press("f9")
        await eventually(lambda: isinstance(app.screen, ProgressScreen) and app.screen.done, timeout=60)
        states = app.screen.course.states
        assert (states[0].outcome, states[AGAIN].outcome) == ("success", "success")

        def active() -> bool:
            nodes = [n for now in app.fleet.swarms.values() for n in now.nodes if n.id == node.id]
            return [n.availability for n in nodes] == ["active"]

        await eventually(active)
        intents = [record for record in app.fleet.trail.newest(500) if record.kind is RecordKind.INTENT]
        assert [record.reason for record in intents] == ["drill", "drill"]


async def test_there_is_one_drill_at_a_time(eventually: Eventually, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is left goes on; another is not begun meanwhile, and what was refused leaves nothing to put right."""
    ends = asyncio.Event()

    async def perform(plan: Plan, **_: Any) -> tuple[StepResult, ...]:
        await ends.wait()
        return tuple(StepResult(step=step, outcome=Outcome.REFUSED, words="no") for step in plan.steps)

    monkeypatch.setattr(drilling, "perform", perform)
    async with dashboard() as (app, pilot):
        await eventually(lambda: healthy(app, WEB))
        await chosen(app, pilot, eventually, WEB)
        await eventually(lambda: isinstance(app.screen, ChoicePrompt))
        await pilot.press("down", "enter")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("f9")
        await eventually(lambda: isinstance(app.screen, ProgressScreen))
        await pilot.press("q")
        await eventually(lambda: app.screen is app.dashboard)
        await pilot.press("L")
        await eventually(lambda: any("One drill at a time" in note.message for note in app._notifications))
        assert app.screen is app.dashboard
        [change] = app.changes
        ends.set()
        await eventually(lambda: change.course.done)
        assert change.course.closing_words == "Nothing was lost."
        assert [state.outcome for state in change.course.states.values()] == ["skipped"] * 3
        assert change.course.follow_ups == ()


async def test_a_drill_from_the_dashboard_on_real_engines_tells_the_trail_s_own_times(
    fleet: Fleet, eventually: Eventually
) -> None:
    """A replica of three is killed over ssh and comes back: lost and back are the moments of the engine's events."""
    made = {}
    for number, host in enumerate(("h1", "h2", "h3"), 1):
        made[fleet.run(host, "pay", "api", "sleep 1d", number, HostConfig=POLICY)] = host
    api = ServiceKey("compose", "pay", "api")
    app = FleetApp([fleet.address(host, "ssh") for host in made.values()], Config())
    async with app.run_test(size=(120, 40)) as pilot:
        await eventually(lambda: healthy(app, api) and app.fleet.services[api].serving == 3, timeout=60)
        await chosen(app, pilot, eventually, api)
        await eventually(lambda: isinstance(app.screen, ChoicePrompt))
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("f9")
        await eventually(lambda: isinstance(app.screen, ProgressScreen) and app.screen.done, timeout=120)
        [change] = app.changes
        assert isinstance(change, DrillChange)
        found = change.drill.found
        assert found is not None
        [killed] = [
            r.object_id for r in app.fleet.trail.newest(500) if r.kind is RecordKind.INTENT and r.action == "kill"
        ]
        assert killed in made
        only = ("--since", "10m", "--until", f"{time.time():.6f}", "--filter", f"container={killed}")
        lines = await asyncio.to_thread(
            fleet.docker, made[killed], "events", *only, "--format", "{{.Action}} {{.TimeNano}}"
        )
        nanos = {action: int(nano) for action, nano in (line.split() for line in lines.splitlines())}
        assert found.recover is not None
        assert abs(found.recover - (nanos["start"] - nanos["die"]) / 1e9) < 1e-5
        assert found.lost is not None
        assert abs(found.lost.timestamp() - nanos["die"] / 1e9) < 1e-5
        [subject] = change.drill.watched
        assert (subject.before, subject.least, subject.now, subject.below) == (3, 2, 3, False)
