"""A person's own commands: in the table of keys, run on this machine, shown, and ended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fleettop.collectors.config import Config, Group
from fleettop.collectors.config.owncommands import FIELDS, OwnCommand
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.errors import ConfigError
from fleettop.tui.app import FleetApp
from fleettop.tui.keymap import Keys
from fleettop.tui.owncommands import environment_of, run_words, values_of
from fleettop.tui.rows import Cell
from fleettop.tui.screens.confirm import ConfirmScreen
from fleettop.tui.screens.help import help_lines
from fleettop.tui.screens.output import LINES, OutputScreen, Transcript
from fleettop.tui.screens.page import text_of
from fleettop.tui.widgets.palette import entries
from textual.pilot import Pilot

Eventually = Callable[..., Any]
ENVIRON = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": "/", "AWS_SECRET_ACCESS_KEY": "x"}


def own(*run: str, key: str = "f6", scope: str = "containers", **more: Any) -> OwnCommand:
    return OwnCommand(key=key, name=more.pop("name", "say it"), scope=scope, run=run, confirm=False, **more)


async def ran(*words: str, stop: asyncio.Event | None = None) -> tuple[str, str]:
    """What it wrote, and how it ended."""
    seen: list[bytes] = []
    ending = await run_words(words, environment_of(ENVIRON), seen.append, stop or asyncio.Event())
    return b"".join(seen).decode(), ending


# -- in the table of keys ----------------------------------------------------------------------------------------------


def test_it_stands_in_help_palette_and_footer_of_its_view() -> None:
    """From the one table, with its key."""
    keys = Keys(own=[own("echo", "hi")])
    help_text = "\n".join(text_of(line) for line in help_lines(keys, "containers"))
    assert "Your own" in help_text
    assert "F6" in help_text
    assert "Runs echo hi on this machine." in help_text
    assert "Say it  (F6)" in [entry.title for entry in entries(keys, "containers", lambda _: None)]
    assert "say it" in {hint.label for hint in keys.hints("containers")}
    assert "say it" not in {hint.label for hint in keys.hints("services")}


def test_a_dangerous_one_is_absent_in_read_only_mode() -> None:
    """Key, help and palette; one that is not stays."""
    keys = Keys(own=[own("x", dangerous=True), own("y", key="f7", name="other")], read_only=True)
    assert keys.command_for("f6", "containers") is None
    assert keys.command_for("f7", "containers") is not None
    assert "say it" not in "\n".join(text_of(line) for line in help_lines(keys))


@pytest.mark.parametrize(
    ("commands", "says"),
    [
        ([own("x", key="R")], "'say it': the key 'R' is service.restart in containers.: Free there: f1, f2, f3, f4."),
        ([own("x"), own("y", name="b")], "'b': the key 'F6' is own.say it in containers.: Free there: f1,"),
        ([own("x", key="f9")], "says yes to questions"),
        ([own("x", key="hyper+space+x")], "'say it': "),
        ([own("x", key=" ")], "has no key"),
    ],
)
def test_a_key_that_is_taken_or_none_is_a_sentence_with_a_way_on(commands: list[OwnCommand], says: str) -> None:
    """Which command has it, and which keys are free."""
    with pytest.raises(ConfigError) as caught:
        Keys(own=commands)
    assert says in f"{caught.value}: {caught.value.hint}"


def test_one_key_may_be_two_commands_in_two_views() -> None:
    """Each where it belongs."""
    keys = Keys(own=[own("x"), own("y", scope="hosts", name="b")])
    assert keys.command_for("f6", "hosts").title == "b"  # type: ignore[union-attr]


# -- running -----------------------------------------------------------------------------------------------------------


async def test_arguments_arrive_as_they_are_and_the_environment_is_small() -> None:
    """No shell in between; nothing of fleettop's own environment but what is named."""
    hostile = ("$(reboot)", ";", "-v", "a  b", "*")
    assert await ran("printf", "%s|", *hostile) == ("$(reboot)|;|-v|a  b|*|", "ended with exit code 0")
    written, _ = await ran("env")
    assert {line.partition("=")[0] for line in written.splitlines()} == {"PATH", "HOME"}


async def test_both_streams_and_the_exit_code_are_told_and_input_is_empty() -> None:
    """It cannot wait for what nobody types."""
    assert await ran("sh", "-c", "cat; echo out; echo err >&2; exit 3") == ("out\nerr\n", "ended with exit code 3")


async def test_what_cannot_be_started_says_why() -> None:
    """In the system's words."""
    assert await ran("/no/such/program") == ("", "/no/such/program could not be started: no such file or directory")


@pytest.mark.parametrize("deaf", [False, True], ids=["TERM", "KILL"])
async def test_stopping_ends_its_whole_process_group(
    deaf: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """By TERM, and what does not hear that by KILL."""
    monkeypatch.setattr("fleettop.tui.owncommands.GRACE", 0.2 if deaf else 30.0)
    trap = "trap '' TERM; " if deaf else ""
    stop = asyncio.Event()
    pids = tmp_path / "pids"
    script = f"{trap}sh -c '{trap}echo $$ >> {pids}; while :; do sleep 0.05; done' & echo $$ >> {pids}; wait; wait"
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(ran("sh", "-c", script, stop=stop))
        await eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        stop.set()
        assert (await task)[1] == f"ended by {'SIGKILL' if deaf else 'SIGTERM'}"
    await eventually(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# -- what is shown -----------------------------------------------------------------------------------------------------


def shown(*data: bytes) -> list[tuple[Cell, ...]]:
    transcript = Transcript()
    for piece in data:
        transcript.feed(piece)
    transcript.end()
    return list(transcript.lines)


def test_colours_become_the_themes_and_every_other_sequence_is_gone() -> None:
    """Also where it comes in pieces; nothing reaches the terminal that it would obey."""
    lines = shown(b"\x1b[31mred\x1b[0m plain\x1b]0;title\x07\x1b[2J\x1b[?1049h\n\x1b[1", b"mbold\x1b[22m\x9b5n\n")
    assert lines[0] == (Cell("red", "error"), Cell(" plain"))
    assert lines[1][0] == Cell("bold", "strong")
    assert all(cell.text.isprintable() for line in lines for cell in line)


def test_a_line_that_was_written_over_shows_what_a_terminal_would() -> None:
    """Progress bars are one line."""
    assert [text_of(line) for line in shown(b"10%\r50%\r100%\r\nnext\r\n")] == ["100%", "next"]


def test_colours_beyond_the_sixteen_leave_the_text_as_it_was() -> None:
    """Their numbers are no attributes."""
    assert shown(b"\x1b[38;5;31mx\x1b[38;2;1;31;4my\n") == [(Cell("x"), Cell("y"))]


def test_only_the_last_lines_are_kept_and_a_line_without_end_is_broken() -> None:
    """A command that writes for ever fills no memory."""
    assert len(shown(b"x\n" * (LINES + 7))) == LINES
    lines = shown(*[b"y" * 10_000 for _ in range(20)])
    assert 1 < len(lines) < 20
    assert all(len(text_of(line)) <= 4096 for line in lines)


# -- on the dashboard --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def dashboard(
    *commands: OwnCommand, read_only: bool = False, group: str = ""
) -> AsyncIterator[tuple[FleetApp, Pilot[int]]]:
    config = Config(commands=commands, groups={"prod": Group(name="prod", protected=True)})
    async with DemoFleet(engines=2, containers=6, moving=False) as demo:
        addresses = [msgspec.structs.replace(address, group=group) for address in demo.addresses]
        app = FleetApp(addresses, config, read_only=read_only, environ=ENVIRON)
        async with app.run_test(size=(100, 30)) as pilot:
            await app.session.settled(10)
            await pilot.press("2")
            await pilot.pause()
            yield app, pilot


async def test_it_runs_with_the_fields_of_the_row_and_its_output_is_a_page(eventually: Eventually) -> None:
    """How it ended stands below; Esc goes back once it has ended."""
    async with dashboard(own("echo", "{container.name}", "on", "{host.name}")) as (app, pilot):
        await pilot.press("f6")
        await eventually(lambda: isinstance(app.screen, OutputScreen) and app.screen._ending)
        output = app.screen
        assert isinstance(output, OutputScreen)
        key = app.dashboard.table.cursor_key
        values = values_of(app, key)
        lines = [text_of(line) for line in output._all()]
        assert lines[1:] == [f"{values['container.name']} on {values['host.name']}", "", "ended with exit code 0"]
        await pilot.press("escape")
        await eventually(lambda: app.screen is app.dashboard)


async def test_esc_ends_what_runs_and_shows_so(eventually: Eventually) -> None:
    """And only the next Esc closes."""
    async with dashboard(own("sh", "-c", "echo begun; exec sleep 1000")) as (app, pilot):
        await pilot.press("f6")
        await eventually(lambda: isinstance(app.screen, OutputScreen) and len(app.screen._transcript.lines) == 1)
        await pilot.press("escape")
        await eventually(lambda: isinstance(app.screen, OutputScreen) and app.screen._ending == "ended by SIGTERM")


async def test_a_dangerous_one_wants_the_name_typed_in_a_protected_group_and_is_noted(eventually: Eventually) -> None:
    """The question says what runs; the trail has it, with the reason."""
    async with dashboard(own("true", "{container.name}", dangerous=True, name="wipe"), group="prod") as (app, pilot):
        await pilot.press("f6")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        asked = app.screen
        assert isinstance(asked, ConfirmScreen)
        name = values_of(app, app.dashboard.table.cursor_key)["container.name"]
        assert asked.question.name_to_type == name
        assert asked.question.sentences == (f"Runs on this machine: true {name}",)
        await pilot.press("f9")
        assert app.screen is asked
        asked.query_one("#name").value = name  # type: ignore[attr-defined]
        asked.query_one("#reason").value = "because"  # type: ignore[attr-defined]
        await pilot.pause()
        await pilot.press("f9")
        await eventually(lambda: isinstance(app.screen, OutputScreen) and app.screen._ending)
        notes = [record.what for record in app.fleet.records() if "own command" in record.what]
        assert notes == [f"own command 'wipe' is run here: true {name} (because)"]


async def test_in_read_only_mode_the_key_of_a_dangerous_one_does_nothing() -> None:
    """Nor does its id."""
    async with dashboard(own("true", dangerous=True), read_only=True) as (app, pilot):
        await pilot.press("f6")
        app.action_command("own.say it")
        await pilot.pause()
        assert app.screen is app.dashboard


async def test_every_field_of_every_view_can_be_told() -> None:
    """A field that the config may name has a value, or is missing; there are no others."""
    async with dashboard() as (app, pilot):
        for number, view in (("1", "services"), ("2", "containers"), ("3", "hosts")):
            await pilot.press(number)
            await pilot.pause()
            found = values_of(app, app.dashboard.table.cursor_key)
            assert found
            assert set(found) <= set(FIELDS[view])
            assert set(FIELDS[view]) - set(found) <= {"host.address", "host.user", "host.port", "host.group"}
