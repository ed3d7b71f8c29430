"""`fleettop check`: printed for people, as JSON for programs, and its exit code for a pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.checks import AS_OF, CHECKS
from fleettop.tui import cli

FIELDS = {
    *("verdict", "check", "title", "severity", "engine", "kind", "object", "service", "what", "evidence", "remedy"),
    *("cis", "waiver", "waiver_over", "first_seen", "new"),
}
WAIVE_ALL = "".join(
    f'[[waivers]]\ncheck = "{check}"\nreason = "known to ops1"\nuntil = 2999-01-01\n' for check in CHECKS
)


def records(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> list[dict[str, Any]]:
    """What `check --json` prints of the simulated fleet."""
    assert cli.main(["check", "--json", "--demo", *arguments]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_finding_is_a_line_with_the_same_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """Findings, places that cannot be told, and how much passed; worst first; no value of a variable."""
    found = records(capsys)
    by_verdict = {verdict: [one for one in found if one["verdict"] == verdict] for verdict in
                  ("finding", "not checkable", "pass")}  # fmt: skip
    assert all(set(one) == FIELDS for one in by_verdict["finding"])
    assert {one["check"] for one in by_verdict["not checkable"]} == {"E18", "E19"}
    assert all(one["objects"] > 0 for one in by_verdict["pass"])
    levels = ["critical", "high", "medium", "low", "info"]
    shown = [levels.index(one["severity"]) for one in by_verdict["finding"]]
    assert shown == sorted(shown)
    assert "sk_live" not in json.dumps(found)
    [secret, *_] = [one for one in by_verdict["finding"] if one["check"] == "C17"]
    assert secret["evidence"] == "Config.Env holds STRIPE_API_KEY"
    assert secret["service"] == "pay/api"


def test_equal_findings_are_one_line_with_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    """For a person each kind stands once, with where, what it rests on and what to do; the table's date shows."""
    assert cli.main(["check", "--demo"]) == 1
    out = capsys.readouterr().out
    heads = [line for line in out.splitlines() if line.startswith(("critical", "high", "medium", "low", "info"))]
    assert len(heads) == len({(line[:9], line[9:12], line) for line in heads})
    [memory] = [line for line in heads if "C09" in line]
    assert int(memory.split()[2]) > 3
    assert "and" in out[out.index(memory) :].splitlines()[1]
    assert "→ mem_limit: 512m" in out
    assert f"Docker's releases as of {AS_OF}" in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--fail-on", "high"), 1),
        (("--fail-on", "critical"), 0),
        (("--severity", "critical"), 0),
        (("--severity", "critical", "--fail-on", "low"), 1),
    ],
)
def test_the_exit_code_tells_whether_something_counts(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int
) -> None:
    """The small simulated fleet has nothing critical; by default what is printed counts, information aside."""
    assert cli.main(["check", "--demo", *arguments]) == code
    shown = capsys.readouterr().out
    assert ("high " in shown) == ("--severity" not in arguments)


def test_what_is_waived_is_shown_and_does_not_count(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With its reason and last day; when it is over it counts again, which is said."""
    config = tmp_path / "fleettop.toml"
    config.write_text(WAIVE_ALL)
    found = records(capsys, "--config", str(config), code=0)
    findings = [one for one in found if one["verdict"] == "finding"]
    assert findings
    assert all(one["waiver"] == {"reason": "known to ops1", "until": "2999-01-01"} for one in findings)
    config.write_text(WAIVE_ALL.replace("2999-01-01", "2020-01-01"))
    found = records(capsys, "--config", str(config), code=1)
    assert {one["waiver_over"] for one in found if one["verdict"] == "finding"} == {"2020-01-01"}
    assert cli.main(["check", "--demo", "--config", str(config)]) == 1
    assert "the waiver (known to ops1) is over since 2020-01-01" in capsys.readouterr().out


def test_a_second_run_knows_what_the_first_found(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Since when is kept beside the trail that is named; a simulated fleet's otherwise is not."""
    trail = str(tmp_path / "trail")
    first = {(one["check"], one["object"]): one["first_seen"] for one in records(capsys, "--trail", trail)
             if one["verdict"] == "finding"}  # fmt: skip
    again = [one for one in records(capsys, "--trail", trail) if one["verdict"] == "finding"]
    assert (tmp_path / "trail-checks.json").exists()
    known = [one for one in again if first.get((one["check"], one["object"])) == one["first_seen"]]
    assert len(known) > len(again) / 2
    assert {one["new"] for one in known} == {None}


def test_every_check_is_in_the_readme() -> None:
    """With its number in the CIS benchmark, and the date of the table of releases."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert f"as of {AS_OF}" in readme
    rows = {line[2:5]: line.split("|") for line in readme.splitlines() if line[:2] == "| " and line[5:7] == " |"}
    for check in CHECKS.values():
        assert check.id in rows, check.id
        numbers = rows[check.id][3].replace("near", "").replace(" ", "").split(",")
        assert set(numbers) == set(check.cis.replace("near", "").replace(" ", "").split(",")), check.id


def test_an_engine_that_cannot_be_reached_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """3, as in every other command: what was not looked at is not fit."""
    assert cli.main(["check", "unix:///nowhere/docker.sock", "--timeout", "2"]) == 3
    out, err = capsys.readouterr()
    assert "0 hosts: 0 findings" in out
    assert "/nowhere/docker.sock" in err
