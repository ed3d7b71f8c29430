"""`fleettop drill`: something is lost on purpose; what it came to is what the trail says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fleettop.tui import cli

from tests.fleet import Fleet

from .test_cli_fleet import Program

POLICY = {"RestartPolicy": {"Name": "unless-stopped"}}
ROUNDED = timedelta(microseconds=1)
"""The trail keeps an engine's nanoseconds, Python's times have microseconds."""
Eventually = Callable[..., Any]


@pytest.fixture
def program(fleet: Fleet, tmp_path: Path) -> Iterator[Program]:
    program = Program(fleet, tmp_path)
    yield program
    for process in program.started:
        process.kill()
        process.communicate()


def test_what_what_if_says_would_be_down_is_not_lost_unless_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Its only replica: refused, with the way to do it nevertheless; nothing is sent."""
    assert cli.main(["drill", "pay/db", "--demo", "--yes"]) == 4
    told = capsys.readouterr()
    assert "Pay/db would be down." in told.err
    assert "--even-if-down" in told.err
    assert "SIGKILL" not in told.out


def test_read_only_makes_no_drill(capsys: pytest.CaptureFixture[str]) -> None:
    """It is a change."""
    assert cli.main(["--read-only", "drill", "--demo", "--yes"]) == 5
    assert "read-only" in capsys.readouterr().err


def test_a_drill_is_said_before_it_is_agreed_to(capsys: pytest.CaptureFixture[str]) -> None:
    """--dry-run says what should survive, and does nothing; without a person or --yes nothing is done."""
    assert cli.main(["drill", "shop/web", "--demo", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "Shop/web keeps 5 of 6." in told
    assert "Nothing starts again what was killed" in told
    assert "at the least" not in told


def test_without_a_name_something_is_picked_that_keeps_serving(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a healthy service with another replica."""
    assert cli.main(["drill", "--demo", "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["plan"].startswith("Drill: kill ")
    assert " keeps " in told["effect"][0]


def test_a_drill_s_recovery_time_is_the_trail_s(fleet: Fleet, program: Program, tmp_path: Path) -> None:
    """One of three replicas with a restart policy is killed: lost and back are the moments of the engine's events."""
    ids = {fleet.run(host, "pay", "api", "sleep 1d", n, HostConfig=POLICY) for n, host in enumerate(("h1", "h2", "h3"))}
    trail = ("--trail", str(tmp_path / "trail"))
    code, out, err = program(*trail, "drill", "pay/api", "--yes", "--json", "--reason", "FT-7")
    assert code == 0, err
    killed, started, told = map(json.loads, out.splitlines())
    assert (killed["action"], started["action"]) == ("kill", "start")
    assert killed["id"] == started["id"]
    assert killed["id"] in ids
    [service] = told["services"]
    assert service == {
        "service": "pay/api", "before": 3, "allowed": 2, "least": 2, "now": 3, "below": False, "recovered": True,
    }  # fmt: skip
    code, out, err = program(*trail, "trail", "export", "--format", "jsonl")
    assert code == 0, err
    lines = [line["record"] for line in map(json.loads, out.splitlines()) if line["record"].get("id") == killed["id"]]
    moments = {line["event"]["action"]: line["event"]["time"] for line in lines if "event" in line}
    lost, back = (datetime.fromisoformat(moments[action]) for action in ("die", "start"))
    assert abs(datetime.fromisoformat(told["lost"]) - lost) <= ROUNDED
    assert abs(datetime.fromisoformat(told["back"]) - back) <= ROUNDED
    assert abs(timedelta(seconds=told["recover_seconds"]) - (back - lost)) <= 2 * ROUNDED
    intents = [line for line in lines if line["kind"] == "intent"]
    assert [line["reason"] for line in intents] == ["drill: FT-7"] * 2
    assert datetime.fromisoformat(told["begun"]) == datetime.fromisoformat(intents[0]["at"])
    assert 0 <= told["detect_seconds"] < 60


def test_a_drained_node_is_active_again_after_the_drill(
    swarm_fleet: Fleet, program: Program, eventually_sync: Eventually
) -> None:
    """Its tasks move, the service recovers, and the node takes tasks again."""
    swarm_fleet.run_service("web", "sleep 1d", 3)

    def settled() -> bool:
        rows = program.records("ls", "services")
        return any(row["service"] == "web" and row["serving"] == 3 for row in rows)

    eventually_sync(settled, timeout=60)
    code, out, err = program("drill", "--node", "h3", "--yes", "--json")
    assert code in (0, 1), err  # whether 2 of 3 were there all the time is the swarm's to say
    *_, told = map(json.loads, out.splitlines())
    assert [service["recovered"] for service in told["services"]] == [True]
    nodes = {row["node"]: row["availability"] for row in program.records("ls", "nodes")}
    assert nodes["h3"] == "active"
