"""The command line: what it takes, what it says, and how it ends. In this process."""

from __future__ import annotations

import argparse
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fleettop.collectors.errors import Authentication, ConfigError, ReadOnly, StoreFull, TimedOut
from fleettop.collectors.model import Service, ServiceKey, ServiceState
from fleettop.tui import cli, crash
from fleettop.tui.commands import COMMANDS, dashboard
from fleettop.tui.commands.demo import count
from fleettop.tui.commands.events import parse_since
from fleettop.tui.commands.ls import split_words
from fleettop.tui.commands.targets import find_services
from fleettop.tui.output import Heading, Output, Text, wants_color, width


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home with nothing in it."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_the_version_is_printed_and_nothing_else(capsys):
    """`fleettop --version` is one line."""
    code, out, err = run(capsys, "--version")
    assert (code, err) == (0, "")
    assert out.startswith("fleettop 0.")


def test_help_names_every_command_and_the_config(capsys, tmp_path):
    """Each command stands there with what it does, and where the config is looked for."""
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert str(tmp_path / "fleettop" / "fleettop.toml") in out
    for command in COMMANDS.values():
        assert f"  {command.name}" in out
        assert command.summary in out


@pytest.mark.parametrize("how", ["option", "config"])
def test_help_leaves_out_what_changes_something_when_read_only(capsys, tmp_path, how):
    """Absent, by the option and by the config, and help says why."""
    path = tmp_path / "f.toml"
    path.write_text("read_only = true\n")
    options = ("--read-only",) if how == "option" else ("--config", str(path))
    _, out, _ = run(capsys, *options, "--help")
    listed = [line.split()[0] for line in out.partition("commands:")[2].splitlines() if line.startswith("  ")]
    assert listed == [command.name for command in COMMANDS.values() if not command.changes]
    assert "read-only" in out


@pytest.mark.parametrize("name", [*COMMANDS])
def test_every_command_has_help_with_the_common_options(capsys, name):
    """`fleettop COMMAND --help` ends well and shows what holds everywhere."""
    code, out, err = run(capsys, name, "--help")
    assert (code, err) == (0, "")
    assert f"usage: fleettop {name}" in out
    for option in ("--config", "--engine", "--group", "--context", "--read-only", "--no-mouse", "--color"):
        assert option in out


@pytest.mark.parametrize(
    ("arguments", "command", "rest"),
    [
        ([], None, []),
        (["web-1"], None, ["web-1"]),
        (["ls", "containers"], "ls", ["containers"]),
        (["--config", "ls", "web"], None, ["--config", "ls", "web"]),
        (["--config", "x", "ls"], "ls", ["--config", "x"]),
        (["--config=x", "--read-only", "restart", "api"], "restart", ["--config=x", "--read-only", "api"]),
        (["-e", "web-1", "events", "--follow"], "events", ["-e", "web-1", "--follow"]),
        (["--", "ls"], None, ["--", "ls"]),
        (["web-1", "ls"], None, ["web-1", "ls"]),
    ],
)
def test_the_command_is_the_first_word_that_is_no_option(arguments, command, rest):
    """Common options may stand before it; behind `--` there is none."""
    found, others = cli.split_command(arguments)
    assert (found.name if found else None, others) == (command, rest)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--colour", "never"], "Did you mean --color?"),
        (["--color", "blue"], "invalid choice: 'blue'"),
        (["ls", "--jsn"], "Did you mean --json?"),
        (["restart"], "arguments are required: SERVICE"),
        (["scale", "api"], "of the arguments --to --by is required"),
        (["scale", "api", "--to", "-1"], "--to needs a number of at least 0"),
        (["engines"], "required"),
        (["demo", "--engines", "0"], "0 is less than 1"),
        (["--config", "/no/such/file", "ls"], "There is no file /no/such/file"),
        (["restat", "api"], "Did you mean `fleettop restart`?"),
        (["ls", "servces"], "Did you mean `fleettop ls services`?"),
        (["--group", "prod", "ls"], "There is no group 'prod'"),
        (["--context", "nope", "ls"], "There is no docker context 'nope'"),
        (["ls", "--engine", "ssh:/x"], "is no engine of the config"),
        (["events", "--since", "yesterday"], "neither a span nor a time"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_with_what_to_do(capsys, arguments, says):
    """Exit 2, `fleettop: …` on standard error, nothing on standard output, no usage block."""
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("fleettop: ")
    assert says in err
    assert "usage:" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", [name for name, command in COMMANDS.items() if command.changes])
def test_every_change_is_refused_in_read_only_mode(capsys, command):
    """Exit 5 and a sentence, before any engine is looked for."""
    number = {"scale": ("--to", "3"), "set-image": ("--to", "api:2"), "node": ("--to", "drain")}.get(command, ())
    sure = () if command == "shell" else ("--yes",)
    code, out, err = run(capsys, "--read-only", command, "api", *number, *sure, "--engine", "nonsense")
    assert (code, out) == (5, "")
    assert "fleettop runs read-only" in err


def test_the_config_s_read_only_refuses_changes_too(capsys, tmp_path):
    """read_only = true is not lifted by the command line."""
    (tmp_path / "fleettop").mkdir()
    (tmp_path / "fleettop" / "fleettop.toml").write_text("read_only = true\n")
    code, _, err = run(capsys, "restart", "api", "--yes")
    assert code == 5
    assert "read-only" in err


def test_the_usual_config_is_read_and_its_mistakes_are_named(capsys, tmp_path):
    """Without --config the file in the config directory counts."""
    (tmp_path / "fleettop").mkdir()
    (tmp_path / "fleettop" / "fleettop.toml").write_text("readonly = true\n")
    code, _, err = run(capsys, "ls")
    assert code == 2
    assert "line 1: there is no setting 'readonly'" in err
    assert "Did you mean 'read_only'?" in err


def test_no_engine_at_all_says_what_was_tried_and_names_the_demo(capsys, monkeypatch):
    """Exit 3: no config, no context, no socket."""
    monkeypatch.setattr("fleettop.collectors.config.resolve._is_socket", lambda path: False)
    code, out, err = run(capsys, "ls", "--json")
    assert (code, out) == (3, "")
    assert "No Docker engine was found." in err
    assert "fleettop demo" in err
    assert "/var/run/docker.sock: there is no socket." in err
    assert "There is no fleettop.toml." in err


@pytest.mark.parametrize("arguments", [("unix:///x",), ("demo",)])
def test_the_dashboard_needs_a_terminal(capsys, arguments):
    """Into a pipe there is none: a sentence instead of escape codes."""
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert "needs a terminal" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError("x"), 2), (TimedOut("x"), 3), (Authentication("x"), 3), (StoreFull("x"), 4), (ReadOnly("x"), 5)],
)
def test_each_kind_of_error_has_its_exit_code(error, code):
    """As PRODUCT lists them."""
    assert cli.exit_code(error) == code


def _command_that(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(request: object) -> int:
        raise error

    monkeypatch.setattr(dashboard, "run", fail)


def test_a_failure_of_our_own_leaves_a_report_and_no_traceback(capsys, monkeypatch, tmp_path):
    """Exit 70; the report lies in the state folder, for its user alone."""
    _command_that(monkeypatch, ZeroDivisionError("oops"))
    code, out, err = run(capsys, "x")
    assert (code, out) == (70, "")
    assert "fleettop itself failed (ZeroDivisionError: oops)." in err
    assert "Traceback" not in err
    (report,) = tmp_path.rglob("crashes/*.txt")
    assert str(report) in err
    assert "ZeroDivisionError: oops" in report.read_text()
    assert (report.stat().st_mode & 0o777, report.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_report_that_cannot_be_written_is_said(capsys, monkeypatch):
    """The failure is told all the same."""
    _command_that(monkeypatch, ZeroDivisionError("oops"))

    def refuse(error: BaseException) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(crash, "write_report", refuse)
    code, _, err = run(capsys, "x")
    assert code == 70
    assert "the report could not be written" in err


def test_errors_of_tasks_that_ran_together_end_as_one_of_them(capsys, monkeypatch):
    """A group of known errors is no crash; with an unknown one in it, it is."""
    _command_that(monkeypatch, ExceptionGroup("g", [ExceptionGroup("h", [TimedOut("no way to web-1")])]))
    assert run(capsys, "x")[0] == 3
    _command_that(monkeypatch, ExceptionGroup("g", [TimedOut("x"), ValueError("y")]))
    assert run(capsys, "x")[0] == 70


def test_ctrl_c_is_130_and_quiet(capsys, monkeypatch):
    """As a shell has it."""
    _command_that(monkeypatch, KeyboardInterrupt())
    assert run(capsys, "x") == (130, "", "")


def test_a_count_is_at_least_one():
    """demo --engines 0 would be nothing."""
    assert count("3") == 3
    with pytest.raises(argparse.ArgumentTypeError):
        count("0")
    with pytest.raises(ValueError, match="invalid literal"):
        count("x")


# -- names -------------------------------------------------------------------------------------------------------------


def service(name: str, stack: str = "", scope: str = "", source: str = "compose") -> tuple[ServiceKey, Service]:
    key = ServiceKey(source, scope or stack, name)
    return key, Service(key=key, name=name, stack=stack, state=ServiceState.HEALTHY, wanted=1, running=1, serving=1)


SERVICES = dict(
    (
        service("api", "pay"),
        service("worker", "pay"),
        service("api", "shop"),
        service("web", "shop"),
        service("lone", scope="h1", source="container"),
        service("lone", scope="h2", source="container"),
    )
)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["pay/api"], ["pay api"]),
        (["web"], ["shop web"]),
        (["pay/*"], ["pay api", "pay worker"]),
        (["api*"], ["pay api", "shop api"]),
        (["web", "shop/web", "w[eo]*"], ["shop web", "pay worker"]),
    ],
)
def test_services_are_named_with_or_without_their_stack_or_by_a_pattern(names, found):
    """Each once, in the order of the names."""
    assert [f"{key.scope} {key.name}" for key in find_services(names, SERVICES)] == found


@pytest.mark.parametrize(
    ("name", "says", "hint"),
    [
        ("api", "'api' could be pay/api or shop/api", "with its stack"),
        ("lone", "There are 2 services called 'lone', in h1, h2", "--engine"),
        ("pay/apii", "There is no service 'pay/apii'", "Did you mean 'pay/api'?"),
        ("zzz*", "There is no service 'zzz*'", "fleettop ls services"),
    ],
)
def test_a_name_that_fits_none_or_several_is_refused(name, says, hint):
    """Nothing is guessed where something is about to be changed."""
    with pytest.raises(ConfigError, match=r"service|could be") as caught:
        find_services([name], SERVICES)
    assert says in str(caught.value)
    assert hint in caught.value.hint


def test_what_ls_lists_may_be_left_out_or_written_in_the_singular():
    """`ls`, `ls container web-1`, `ls web-1`."""
    assert split_words([]) == ("services", [])
    assert split_words(["container", "web-1"]) == ("containers", ["web-1"])
    assert split_words(["hosts"]) == ("engines", [])
    assert split_words(["web-1"]) == ("services", ["web-1"])


def test_since_is_a_span_or_a_time():
    """A span counts back from now; a time without a zone is this machine's."""
    now = datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert parse_since("", now) is None
    assert parse_since("90m", now) == datetime(2026, 1, 2, 10, 30, tzinfo=UTC)
    assert parse_since("2026-01-02T03:04:05Z", now) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    local = parse_since("2026-01-02T03:04", now)
    assert local is not None
    assert local.astimezone().replace(tzinfo=None) == datetime(2026, 1, 2, 3, 4)


# -- printing ----------------------------------------------------------------------------------------------------------


def output(*, color: bool = False) -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Output(out, err, color=color, error_color=color), out, err


def test_a_table_is_aligned_by_cells_and_leaves_out_empty_columns():
    """Wide characters take two cells; a column of nothing is not printed."""
    printer, out, _ = output()
    printer.table(
        [Heading("NAME"), Heading("N", "right"), Heading("NOTE"), Heading("LAST")],
        [["日本", "5", "", Text("x", "down")], ["web", "12", "", ""]],
    )
    assert out.getvalue() == "NAME   N  LAST\n日本   5  x\nweb   12\n"


def test_an_empty_table_is_its_headings():
    """So that one sees what would be there."""
    printer, out, _ = output()
    printer.table([Heading("NAME"), Heading("N")], [])
    assert out.getvalue() == "NAME  N\n"


def test_cells_and_sentences_are_cleaned():
    """No escape sequence of a container's name reaches the terminal, also not through an error."""
    printer, out, err = output()
    printer.table([Heading("NAME")], [["a\x1b[31mb\u202ec"]])
    printer.error("bad \x1b]0;title\x07name", hint="\x9b31m")
    assert "\x1b" not in out.getvalue() + err.getvalue()
    assert "\u202e" not in out.getvalue()
    assert "\x9b" not in err.getvalue()


def test_colours_are_drawn_only_where_wanted_and_never_into_json():
    """--color always, never; auto asks the terminal and NO_COLOR."""
    printer, out, _ = output(color=True)
    printer.line(Text("down", "down"), " plain ", Text("odd", "no such role"))
    printer.json({"state": "down"})
    assert out.getvalue() == '\x1b[1;31mdown\x1b[0m plain odd\n{"state":"down"}\n'
    assert wants_color("always", {"NO_COLOR": "1"}, is_tty=False)
    assert not wants_color("never", {}, is_tty=True)
    assert wants_color("auto", {}, is_tty=True)
    assert not wants_color("auto", {}, is_tty=False)
    assert not wants_color("auto", {"NO_COLOR": "1"}, is_tty=True)
    assert not wants_color("auto", {"TERM": "dumb"}, is_tty=True)


def test_json_is_one_object_a_line_with_times_in_iso_8601():
    """Unknown is null; a newline in a name breaks no line."""
    printer, out, _ = output()
    printer.json({"time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "exit_code": None, "name": "a\nb"})
    line, rest = out.getvalue().split("\n", 1)
    assert rest == ""
    assert json.loads(line) == {"time": "2026-01-02T03:04:05Z", "exit_code": None, "name": "a\nb"}


def test_the_width_of_text_is_in_cells():
    """Combining marks take none."""
    assert (width("abc"), width("日本"), width("e\u0301")) == (3, 4, 1)
