"""`fleettop logs`: merged, found in, for programs and for people."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from fleettop.tui.cli import main

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
FIELDS = ["time", "engine", "container", "id", "service", "stream", "message", "cut", "late"]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    """The lines on standard output of one run."""
    assert main(["logs", "--demo", *arguments]) == code
    return capsys.readouterr().out.splitlines()


def test_json_is_one_object_a_line_in_the_order_of_time(capsys: pytest.CaptureFixture[str]) -> None:
    """With the documented fields, of all replicas of all services that fit, so many lines of each."""
    found = [json.loads(line) for line in printed(capsys, "pay/*", "--tail", "5", "--json")]
    assert all(list(record) == FIELDS for record in found)
    times = [record["time"] for record in found]
    assert times == sorted(times)
    assert all(STAMP.fullmatch(time) for time in times)
    assert len({record["container"] for record in found}) > 2
    assert {record["service"] for record in found} > {"pay/worker"}
    counts = [sum(record["id"] == one for record in found) for one in {record["id"] for record in found}]
    assert max(counts) == 5


def test_lines_for_people_begin_with_the_replica_and_may_begin_with_the_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Or with neither: then they are the program's own lines, to be piped on."""
    named = printed(capsys, "pay/worker", "--tail", "3")
    assert named
    assert all(re.match(r"worker-\d [|!] ", line) for line in named)
    timed = printed(capsys, "pay/worker", "--tail", "3", "--timestamps")
    assert all(STAMP.match(line) for line in timed)
    bare = printed(capsys, "pay/worker", "--tail", "3", "--no-names")
    assert bare
    assert not any(re.match(r"worker-\d", line) for line in bare)


def test_only_lines_in_which_the_expression_is_found_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Small letters find capitals, too."""
    lines = printed(capsys, "pay/worker", "--grep", "info +took", "--no-names")
    assert lines
    assert all(line.startswith("INFO  took") for line in lines)


def test_a_container_is_read_by_its_name_and_a_span_bounds_it(capsys: pytest.CaptureFixture[str]) -> None:
    """From when, until when."""
    assert printed(capsys, "--container", "pay-worker-1", "--since", "10m", "--no-names")
    assert printed(capsys, "--container", "pay-worker-1", "--since", "2020-01-01", "--until", "2020-01-02") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "wants a service or a container"),
        (("pay/wroker",), "There is no service 'pay/wroker'."),
        (("--container", "pay-wroker-1"), "Did you mean 'pay-worker-1'?"),
        (("pay/worker", "--grep", "("), "no regular expression"),
        (("pay/worker", "--since", "soon"), "--since 'soon' is neither"),
        (("pay/worker", "--until", "soon"), "--until 'soon' is neither"),
        (("pay/worker", "--until", "1h", "-f"), "--until and --follow exclude each other"),
        (("pay/worker", "--tail", "-1"), "is no number of lines"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    """Exit code 2, and nothing on standard output."""
    assert main(["logs", "--demo", *arguments]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.out == ""


def test_colours_of_programs_are_written_anew_where_colours_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    """And no other escape sequence is."""
    assert main(["logs", "--demo", "pay/*", "--tail", "20", "--color", "always"]) == 0
    out = capsys.readouterr().out
    assert "\x1b[" in out
    assert re.sub(r"\x1b\[[0-9;]*m", "", out).replace("\n", "").isprintable()


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    """As `| head` does, while it follows."""
    words = [sys.executable, "-m", "fleettop.tui", "logs", "--demo", "pay/worker", "--follow"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 141
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
