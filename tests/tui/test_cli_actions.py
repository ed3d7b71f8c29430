"""The commands that change something: said first, asked for, told one by one, and an exit code that is true."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import pty
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import msgspec
import pytest
from fleettop.collectors import actions, looseends
from fleettop.collectors.actions.rolling import Rolling
from fleettop.collectors.actions.steps import Deed, Outcome, Plan, Step, StepResult, Verb
from fleettop.collectors.clock import SystemClock
from fleettop.collectors.config.allowances import Allowance
from fleettop.collectors.config.settings import Config, Group
from fleettop.collectors.errors import Rejected, TimedOut
from fleettop.collectors.journal import Journal
from fleettop.collectors.model import (
    Container,
    ContainerKey,
    ContainersSeen,
    ContainerState,
    EngineStatus,
    LinkPhase,
    LinkStatus,
    Service,
    ServiceKey,
    ServiceState,
)
from fleettop.tui import cli
from fleettop.tui.changes import Wish
from fleettop.tui.commands import act, change, onepass
from fleettop.tui.commands.request import Request

from tests.collectors.watching import container

API, WEB = ServiceKey("compose", "pay", "api"), ServiceKey("compose", "shop", "web")
STEPS = tuple(
    Step(
        engine=f"web-{n}",
        deed=Deed.RESTART,
        object_id=str(n),
        object_name=f"api-{n}",
        service=API,
        service_name="pay/api",
    )
    for n in (1, 2)
)
PLAN = Plan(
    verb=Verb.RESTART,
    title="Restart pay/api",
    sentences=("Restarts 2 of 2 replicas.", "About 10 s."),
    steps=STEPS,
    warnings=("Half of it is odd.",),
    hosts=("web-1", "web-2"),
)


class Stage:
    """What stands in for the fleet: the plan that comes of it, and how its steps end."""

    def __init__(self) -> None:
        self.plan = PLAN
        self.outcomes = [Outcome.SUCCESS, Outcome.SUCCESS]
        self.wishes: list[Wish] = []
        """What was asked for, one after the other."""
        self.performed: list[dict[str, object]] = []
        self.fleet: dict[str, object] = {}
        self.engines = {"web-1": EngineStatus(name="web-1", address="x", link=LinkStatus(phase=LinkPhase.UP))}

    @asynccontextmanager
    async def session(self, request: Request) -> AsyncIterator[SimpleNamespace]:
        services = {
            key: Service(
                key=key, name=key.name, stack=key.scope, state=ServiceState.HEALTHY, wanted=1, running=1, serving=1
            )
            for key in (API, WEB)
        }
        fleet = SimpleNamespace(
            engines=self.engines,
            services=services,
            **{"containers": {}, "take_changes": lambda: None, **self.fleet},
        )
        yield SimpleNamespace(fleet=fleet, kept=None)

    async def perform(
        self, plan: Plan, *, on_result: Callable[[StepResult], None], **how: object
    ) -> tuple[StepResult, ...]:
        self.performed.append(how)
        results = []
        for step, outcome in zip(plan.steps, self.outcomes, strict=True):
            result = StepResult(step=step, outcome=outcome, words="is healthy again", seconds=1.23456)
            on_result(result)
            results.append(result)
        return tuple(results)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage()

    async def plan(request: Request, session: object, wish: Wish) -> Plan:
        stage.wishes.append(wish)
        return stage.plan

    async def complete(*arguments: object, **options: object) -> None:
        return None

    monkeypatch.setattr(Request, "session", lambda request, *, record: stage.session(request))
    monkeypatch.setattr(actions, "perform", stage.perform)
    monkeypatch.setattr(onepass, "complete", complete)
    monkeypatch.setattr(act, "_plan", plan)
    return stage


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["restart", "pay/api", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_what_was_done_is_told_line_by_line(capsys, stage):
    """The plan first, then a line for each result; exit 0 when all went well, and the reason goes along."""
    code, out, err = run(capsys, "--yes", "--reason", "FT-212")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Restart pay/api",
        "  Restarts 2 of 2 replicas.",
        "  About 10 s.",
        "  Half of it is odd.",
        "success restart api-1 on web-1: is healthy again",
        "success restart api-2 on web-2: is healthy again",
    ]
    assert stage.performed[0]["reason"] == "FT-212"


def test_what_was_unknown_and_is_found_to_be_done_is_well(capsys, stage, monkeypatch):
    """F23: it is looked at again before leaving, told, recorded, and never sent again."""
    kept: list[tuple[str, str]] = []

    async def perform(plan: Plan, *, recorder: Journal, on_result: Callable[[StepResult], None], **_: object):
        result = StepResult(step=plan.steps[0], outcome=Outcome.UNKNOWN, words="web-1 was lost")
        recorder.record_outcome(recorder.record_intent(result.step, reason=""), result)
        on_result(result)
        return (result,)

    async def confirm(result: StepResult, **_: object) -> StepResult:
        return StepResult(step=result.step, outcome=Outcome.SUCCESS, words="looked again; it runs: done")

    monkeypatch.setattr(actions, "perform", perform)
    monkeypatch.setattr(looseends, "confirm", confirm)
    stage.fleet = {
        "clock": SystemClock(),
        "record_intent": lambda *_, **__: SimpleNamespace(id=1),
        "record_outcome": lambda _, outcome, words, **__: kept.append((outcome, words)),
    }
    code, out, err = run(capsys, "--yes")
    assert code == 0
    assert out.splitlines()[-2:] == [
        "unknown restart api-1 on web-1: web-1 was lost",
        "success restart api-1 on web-1: unknown at first; looked again; it runs: done",
    ]
    assert err.splitlines() == ["fleettop: Looking for up to 30 s what became of what is unknown."]
    assert kept == [("unknown", "web-1 was lost"), ("success", "unknown at first; looked again; it runs: done")]


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.SUCCESS])
def test_one_that_did_not_succeed_is_exit_4(capsys, stage, outcome):
    """Failed, refused, unknown and skipped alike: what was asked for is not all done."""
    stage.outcomes = [Outcome.SUCCESS, outcome]
    code, out, err = run(capsys, "--yes")
    assert code == 4
    assert f"{outcome.value:<8}restart api-2" in out
    assert "1 of 2 done" in err


def test_a_service_that_the_plan_leaves_out_is_exit_4(capsys, stage):
    """Part of what was asked for is not all of it, though every step went well."""
    code, _, err = run(capsys, "shop/web", "--yes")
    assert code == 4
    assert "Left as it was: web." in err


def test_a_plan_that_cannot_be_done_says_why(capsys, stage):
    """Exit 4, each reason on standard error, nothing sent."""
    stage.plan = Plan(verb=Verb.RESTART, title="Restart pay/api", blockers=("It has no container.",))
    code, out, err = run(capsys, "--yes")
    assert (code, out, stage.performed) == (4, "", [])
    assert "Restart pay/api: It has no container." in err


def test_results_as_json_are_one_object_a_line(capsys, stage):
    """The words of the plan go to standard error, so that the JSON stays alone."""
    code, out, err = run(capsys, "--yes", "--json", "--reason", "FT-212")
    assert code == 0
    assert json.loads(out.splitlines()[0]) == {
        "engine": "web-1",
        "action": "restart",
        "object": "api-1",
        "id": "1",
        "service": "pay/api",
        "outcome": "success",
        "words": "is healthy again",
        "seconds": 1.235,
        "reason": "FT-212",
    }
    assert "Restarts 2 of 2 replicas." in err


def test_a_dry_run_sends_nothing(capsys, stage):
    """In words, and as one JSON object."""
    code, out, _ = run(capsys, "--dry-run")
    assert (code, stage.performed) == (0, [])
    assert out.startswith("Restart pay/api\n")
    code, out, _ = run(capsys, "--dry-run", "--json")
    assert (code, stage.performed) == (0, [])
    assert json.loads(out) == {
        "plan": "Restart pay/api",
        "effect": ["Restarts 2 of 2 replicas.", "About 10 s."],
        "warnings": ["Half of it is odd."],
        "hosts": ["web-1", "web-2"],
        "steps": ["restart api-1 on web-1", "restart api-2 on web-2"],
    }


def test_nobody_to_ask_means_no(capsys, stage, monkeypatch):
    """Off a terminal without --yes: exit 2, nothing sent."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    code, _, err = run(capsys)
    assert (code, stage.performed) == (2, [])
    assert "--yes" in err


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A terminal as standard input, and a person at it."""
    ours, theirs = pty.openpty()
    monkeypatch.setattr("sys.stdin", os.fdopen(theirs, "r"))
    monkeypatch.setattr(cli, "_is_tty", lambda stream: True)

    def type_in(text: str) -> None:
        os.write(ours, text.encode())

    yield type_in
    cli.sys.stdin.close()
    os.close(ours)


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("YES\n", 0), ("\n", 2), ("n\n", 2), ("ja\n", 2), ("\x04", 2)])
def test_a_person_is_asked_and_the_default_is_no(capsys, stage, keyboard, typed, code):
    """Only yes is yes; Enter and the end of input are no."""
    keyboard(typed)
    found, _, err = run(capsys, "--color", "never")
    assert (found, len(stage.performed)) == (code, int(code == 0))
    assert "Go on? [y/N]" in err


@pytest.mark.parametrize(("typed", "code"), [("pay/api\n", 0), ("y\n", 2), ("pay\n", 2)])
def test_what_is_protected_wants_its_name_typed(capsys, stage, keyboard, typed, code):
    """A quick y is not enough there."""
    stage.plan = Plan(verb=Verb.RESTART, title="t", steps=STEPS, name_to_type="pay/api")
    keyboard(typed)
    found, _, err = run(capsys, "--color", "never")
    assert (found, len(stage.performed)) == (code, int(code == 0))
    assert "Type pay/api to go on:" in err


def test_engines_that_cannot_be_reached_are_said_first(capsys, stage):
    """Their containers are not in the plan, and that is no secret."""
    down = LinkStatus(phase=LinkPhase.DOWN, error=TimedOut("No way to web-9."))
    stage.engines["web-9"] = EngineStatus(name="web-9", address="x", link=down)
    code, _, err = run(capsys, "--yes")
    assert code == 0
    assert "No way to web-9." in err


async def test_the_first_ctrl_c_lets_what_is_on_its_way_end(stage, capsys):
    """`stop` is set: the rest is skipped, and the exit code says so."""
    args = SimpleNamespace(reason="", json=False)
    out = cli._output("never", {})
    begun = asyncio.Event()

    async def perform(plan: Plan, *, stop: asyncio.Event, **how: object) -> tuple[StepResult, ...]:
        begun.set()
        await stop.wait()
        return tuple(StepResult(step=step, outcome=Outcome.SKIPPED, words="") for step in plan.steps)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        actions.perform = perform  # the fixture puts it back
        task = group.create_task(
            change.perform_plan(SimpleNamespace(args=args, out=out), SimpleNamespace(fleet=None, kept=None), PLAN)
        )
        await begun.wait()
        os.kill(os.getpid(), signal.SIGINT)
        assert (await task)[0] == 4
    assert "Ctrl-C again leaves at once" in capsys.readouterr().err


# -- over the replicas bit by bit --------------------------------------------------------------------------------------


def asked_for(*arguments: str, groups: dict[str, Group] | None = None) -> Rolling:
    parser = argparse.ArgumentParser()
    parser.set_defaults(command="stop")
    act.add_arguments(parser)
    request = SimpleNamespace(args=parser.parse_args(["api", *arguments]), config=Config(groups=groups or {}))
    return act.rolling_of(request)


def test_how_a_change_goes_over_the_replicas_is_told_by_options_and_groups():
    """A number or a share, a deadline for each; what the groups of the config allow goes along."""
    groups = {"prod": Group(name="prod", max_unavailable=Allowance(25, True)), "lab": Group(name="lab")}
    found = asked_for("--rolling", "--max-unavailable", "50%", "--deadline", "1m30s", groups=groups)
    assert (found.asked, found.allowance, found.deadline) == (True, Allowance(50, True), 90.0)
    assert found.by_group == {"prod": Allowance(25, True)}
    assert asked_for() == Rolling()


@pytest.mark.parametrize("wrong", [("--max-unavailable", "many"), ("--deadline", "0s"), ("--deadline", "soon")])
def test_what_is_no_number_or_span_is_a_mistake_of_usage(capsys, stage, wrong):
    """Said before any engine is asked."""
    code, _, err = run(capsys, *wrong)
    assert (code, stage.performed) == (2, [])
    assert wrong[1] in err or "--deadline" in err


def test_where_a_roll_halted_what_was_not_touched_is_said(capsys, stage):
    """And the exit code is 4."""
    stage.outcomes = [Outcome.FAILURE, Outcome.SKIPPED]
    code, _, err = run(capsys, "--yes")
    assert code == 4
    assert "Halted; not begun: api-2 on web-2." in err


def test_where_a_roll_halted_the_commands_that_go_on_are_said(capsys, stage):
    """For exactly the replicas that are left, and in the same way; nobody is asked where there is nobody."""
    stage.outcomes = [Outcome.FAILURE, Outcome.SKIPPED]
    code, _, err = run(capsys, "--yes", "--max-unavailable", "25%", "--engine", "web-1")
    assert code == 4
    command = "fleettop --engine web-1 restart --container {} --max-unavailable 25%"
    assert err.splitlines()[-2:] == [
        f"fleettop: What tries the 1 that did not end well again: {command.format('1@web-1')}",
        f"fleettop: What goes on with the 1 not begun: {command.format('2@web-2')}",
    ]


@pytest.mark.parametrize(("typed", "code", "times"), [("G\ny\n", 0, 2), ("g\nn\n", 2, 1), ("\n", 4, 1), ("x\n", 4, 1)])
def test_where_a_roll_halted_a_person_is_asked_how_to_go_on(capsys, stage, keyboard, typed, code, times):
    """Planned and asked anew; Enter, or what is no answer, leaves it as it is."""
    stage.outcomes = [Outcome.FAILURE, Outcome.SKIPPED]
    performed = stage.perform

    async def perform(plan: Plan, **how: object) -> tuple[StepResult, ...]:
        results = await performed(plan, **how)
        stage.outcomes, stage.plan = [Outcome.SUCCESS], Plan(verb=Verb.RESTART, title="The rest", steps=STEPS[1:])
        return results

    actions.perform = perform  # the fixture puts it back
    keyboard("y\n")
    keyboard(typed)
    found, out, err = run(capsys, "--color", "never")
    assert (found, len(stage.performed)) == (code, times)
    assert "R tries the 1 that did not end well again; G goes on with the 1 not begun; Enter leaves it as it is:" in err
    assert ("The rest" in out) is (typed[0] in "gG")


def test_a_stop_that_halted_can_be_taken_back(capsys, stage, monkeypatch):
    """What was stopped is started again, and nothing else."""
    steps = tuple(msgspec.structs.replace(step, deed=Deed.STOP) for step in STEPS)
    stage.plan = Plan(verb=Verb.STOP, title="Stop pay/api", steps=steps)
    stage.outcomes = [Outcome.SUCCESS, Outcome.FAILURE]
    assert cli.main(["stop", "pay/api", "--yes"]) == 4
    assert "What starts again what was stopped: fleettop start --container 1@web-1" in capsys.readouterr().err


def follow(stage: Stage, *passes: tuple[Plan, list[Outcome]], stopping: bool = False) -> None:
    """Plan and outcomes of each pass after the first; with `stopping` Ctrl-C is pressed in the first."""
    performed, left = stage.perform, list(passes)

    async def perform(plan: Plan, *, stop: asyncio.Event, **how: object) -> tuple[StepResult, ...]:
        results = await performed(plan, **how)
        if stopping:
            stop.set()
        if left:
            stage.plan, stage.outcomes = left.pop(0)
        return results

    actions.perform = perform  # the fixture puts it back


THREE = (*STEPS, msgspec.structs.replace(STEPS[0], engine="web-3", object_id="3", object_name="api-3"))
STOPS = tuple(msgspec.structs.replace(step, deed=Deed.STOP) for step in THREE)
STARTS = tuple(msgspec.structs.replace(step, deed=Deed.START) for step in THREE)


def test_a_script_can_have_the_rest_done_without_those_that_failed(capsys, stage):
    """--on-halt go-on: pass by pass, until none is left that was not begun; exit 4, and what failed can be retried."""
    stage.plan = Plan(verb=Verb.RESTART, title="t", steps=THREE)
    stage.outcomes = [Outcome.FAILURE, Outcome.SKIPPED, Outcome.SKIPPED]
    second = Plan(verb=Verb.RESTART, title="t", steps=THREE[1:])
    third = Plan(verb=Verb.RESTART, title="t", steps=THREE[2:])
    follow(stage, (second, [Outcome.UNKNOWN, Outcome.SKIPPED]), (third, [Outcome.SUCCESS]))
    code, _, err = run(capsys, "--yes", "--on-halt", "go-on")
    assert code == 4
    assert [[target.id for target in wish.targets] for wish in stage.wishes[1:]] == [["2", "3"], ["3"]]
    assert "Halted: goes on with the 2 not begun." in err
    assert "Halted: goes on with the 1 not begun." in err
    assert "tries the 2 that did not end well again: fleettop restart --container 1@web-1 --container 2@web-2" in err


def test_a_pass_in_which_nothing_was_tried_is_the_last(capsys, stage):
    """--on-halt go-on: else it would go on for ever where a replica that was done fell meanwhile."""
    stage.outcomes = [Outcome.SKIPPED, Outcome.SKIPPED]
    code, _, _ = run(capsys, "--yes", "--on-halt", "go-on")
    assert (code, len(stage.performed)) == (4, 1)


def test_a_script_can_have_taken_back_what_was_done(capsys, stage):
    """--on-halt back: what was stopped is started again, all of it that can be; exit 4 though that went well."""
    stage.plan = Plan(verb=Verb.STOP, title="t", steps=STOPS)
    stage.outcomes = [Outcome.SUCCESS, Outcome.SUCCESS, Outcome.FAILURE]
    back = Plan(verb=Verb.START, title="t", steps=STARTS[:2])
    rest = Plan(verb=Verb.START, title="t", steps=STARTS[1:2])
    follow(stage, (back, [Outcome.FAILURE, Outcome.SKIPPED]), (rest, [Outcome.SUCCESS]))
    assert cli.main(["stop", "pay/api", "--rolling", "--yes", "--on-halt", "back"]) == 4
    found = [(wish.verb, [target.id for target in wish.targets]) for wish in stage.wishes[1:]]
    assert found == [(Verb.START, ["1", "2"]), (Verb.START, ["2"])]
    err = capsys.readouterr().err
    assert "Halted: takes back what was done (2 of 3)." in err
    assert "What tries the 1 that did not end well again: fleettop start --container 1@web-1 --rolling" in err
    assert "fleettop stop" not in err


def test_where_nothing_was_done_nothing_is_taken_back(capsys, stage):
    """--on-halt back: the first failed, so there is nothing, and it is said."""
    stage.plan = Plan(verb=Verb.STOP, title="t", steps=STOPS[:2])
    stage.outcomes = [Outcome.FAILURE, Outcome.SKIPPED]
    assert cli.main(["stop", "pay/api", "--rolling", "--yes", "--on-halt", "back"]) == 4
    assert len(stage.performed) == 1
    assert "nothing was done that can be taken back" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["back", "go-on"])
def test_after_ctrl_c_nothing_more_is_begun_whatever_was_said_beforehand(capsys, stage, way):
    """A person's word counts more than the option; the commands for the rest are said."""
    stage.plan = Plan(verb=Verb.STOP, title="t", steps=STOPS[:2])
    stage.outcomes = [Outcome.SUCCESS, Outcome.SKIPPED]
    follow(stage, stopping=True)
    assert cli.main(["stop", "pay/api", "--yes", "--on-halt", way]) == 4
    assert len(stage.performed) == 1
    assert "What goes on with the 1 not begun: fleettop stop --container 2@web-2" in capsys.readouterr().err


def test_what_was_said_beforehand_is_not_asked(capsys, stage, keyboard):
    """--on-halt leave at a terminal: no question after a halt, which stays one."""
    stage.outcomes = [Outcome.FAILURE, Outcome.SKIPPED]
    keyboard("y\n")
    code, _, err = run(capsys, "--color", "never", "--on-halt", "leave")
    assert (code, len(stage.performed)) == (4, 1)
    assert "Enter leaves it as it is" not in err


def test_a_restart_cannot_be_taken_back(capsys, stage):
    """It is not among what may follow a halt: neither in its help nor when it is written."""
    code, _, err = run(capsys, "--yes", "--on-halt", "back")
    assert (code, stage.performed) == (2, [])
    assert "leave" in err
    for verb, offered in (("restart", "{leave,go-on}"), ("stop", "{leave,back,go-on}")):
        assert cli.main([verb, "--help"]) == 0
        assert offered in capsys.readouterr().out


def test_on_the_simulated_fleet_what_was_stopped_before_a_failure_is_started_again(capsys, monkeypatch):
    """--on-halt back with all of the real parts, from the stop to the start."""
    from fleettop.collectors.actions import deeds

    asked: list[str] = []
    ask = deeds._ask

    async def failing(step: Step, *how: object) -> bool:
        asked.append(f"{step.deed} {step.object_name}")
        if len(asked) == 2:
            raise Rejected("the disk is full", status=500)
        return await ask(step, *how)

    monkeypatch.setattr(deeds, "_ask", failing)
    assert cli.main(["ls", "services", "--demo", "--json"]) == 0
    rows = map(json.loads, capsys.readouterr().out.splitlines())
    service = next(row["service"] for row in rows if row["serving"] == row["wanted"] > 1 and row["source"] == "compose")
    assert cli.main(["stop", service, "--demo", "--rolling", "--yes", "--on-halt", "back"]) == 4
    out, err = capsys.readouterr()
    first = asked[0].removeprefix("stop ")
    assert asked[2:] == [f"start {first}"], (out, err)
    assert f"start {first}" in out


async def test_before_what_follows_the_containers_are_read_anew():
    """Events come a moment later: planned on what was known before, a way back would find nothing to start."""
    key = ContainerKey("web-1", "1")
    before = container("api-1", id="1")
    after = msgspec.structs.replace(before, state=ContainerState.EXITED)
    applied: list[ContainersSeen] = []

    async def inspect(container_id: str) -> Container:
        assert container_id == "1"
        return after

    fleet = SimpleNamespace(containers={key: before}, apply=applied.append, take_changes=lambda: None)
    session = SimpleNamespace(fleet=fleet, clock=SystemClock(), client=lambda engine: SimpleNamespace(inspect=inspect))
    results = [StepResult(step=step, outcome=Outcome.SUCCESS, words="") for step in (STOPS[0], STOPS[0], STOPS[1])]
    await onepass.look_again(session, results, deadline=10)
    assert [seen.containers for seen in applied] == [(after,)]


def test_replicas_are_named_with_their_engine(capsys):
    """NAME@ENGINE where a name is on several; exactly that one is restarted, on the simulated fleet."""
    assert cli.main(["ls", "containers", "--demo", "--json"]) == 0
    row = next(row for row in map(json.loads, capsys.readouterr().out.splitlines()) if row["state"] == "running")
    words = f"{row['name']}@{row['engine']}"
    assert cli.main(["restart", "--container", words, "--demo", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == [f"restart {row['name']} on {row['engine']}"]
    assert cli.main(["restart", "--container", f"{words}x", "--demo", "--dry-run"]) == 2
    assert "There is no container" in capsys.readouterr().err
    assert cli.main(["restart", "--demo"]) == 2
    assert "SERVICE, or --container NAME" in capsys.readouterr().err


# -- what if -----------------------------------------------------------------------------------------------------------


def test_what_if_a_host_died_is_told_in_sentences_and_as_json(capsys):
    """On the simulated fleet: exit 1 where something would be down, and JSON with the same facts."""
    assert cli.main(["what-if", "db-1", "--demo"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("If db-1 died now: ")
    assert cli.main(["what-if", "db-1", "--demo", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["down"]
    assert all(sentence in told for sentence in found["sentences"] if sentence.startswith("Down: "))


def test_what_if_of_an_unknown_host_names_the_nearest(capsys):
    """A mistake of usage."""
    assert cli.main(["what-if", "web-11", "--demo"]) == 2
    assert "Did you mean 'web-1'?" in capsys.readouterr().err


def test_rolling_back_what_is_no_swarms_says_why_it_cannot(capsys):
    """And what to do instead."""
    assert cli.main(["rollback", "pay/api", "--demo", "--yes"]) == 4
    assert "deploy the version before with what deployed this one" in capsys.readouterr().err
