"""The dashboard on a recording: where it stands, how it is moved, what it has not, and that it contacts nobody."""

from __future__ import annotations

import asyncio
import io
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from fleettop.collectors.config import Config
from fleettop.collectors.config.owncommands import OwnCommand
from fleettop.collectors.model import LinkPhase
from fleettop.collectors.recording import Player, Recording, ReplaySession
from fleettop.tui.app import FleetApp
from fleettop.tui.cli import main
from fleettop.tui.commands.replay import moment_in
from fleettop.tui.glyphs import UNICODE
from fleettop.tui.keymap import Keys
from fleettop.tui.later import deeds
from fleettop.tui.navigation import Place
from fleettop.tui.replaykeys import REPLAY_KEYS
from fleettop.tui.widgets.header import Header, HeaderFacts
from textual.pilot import Pilot

from tests.collectors.recorded import Recorded, night, seen
from tests.collectors.watched import NOON

from .stage import text_of

Eventually = Callable[..., Any]


@asynccontextmanager
async def replay(path: Path, *, at: float = 0.0) -> AsyncIterator[tuple[FleetApp, Pilot[int], Player]]:
    """The app on a recording, paused."""
    player = Player(Recording(path))
    if at:
        player.jump(at)
    app = FleetApp((), Config(), read_only=True, replay=ReplaySession(player))
    async with app.run_test(size=(150, 40)) as pilot:
        await pilot.pause()
        yield app, pilot, player


def said(app: FleetApp) -> list[str]:
    """What was told in passing."""
    return [notification.message for notification in app._notifications]


def shown(app: FleetApp) -> str:
    """The table."""
    return text_of(app.dashboard.table)


def at(live: Recorded, seconds: float) -> float:
    """Of the times at which the live fleet was looked at, the first after so many seconds."""
    return next(t for t in live.seen if t >= NOON.timestamp() + seconds)


async def test_the_rows_and_the_header_are_those_of_the_time(tmp_path: Path, eventually: Eventually) -> None:
    """The services as they were then, and where the recording stands, where READ-ONLY and the time stand else."""
    live = await night(tmp_path / "night.fleettop")
    t = at(live, 500)
    async with replay(live.path, at=t) as (app, _, _player):
        await eventually(lambda: "shop/web" in shown(app))
        assert seen(app.fleet) == live.seen[t]
        assert app.fleet.engines["h2"].link.phase is LinkPhase.DOWN
        await eventually(lambda: "replay " in text_of(app.dashboard.header))
        header = text_of(app.dashboard.header)
        assert header.rstrip().endswith(f"{app.clock.now().astimezone():%H:%M:%S} ×1 paused")
        assert "READ-ONLY" not in header


def test_a_narrow_header_says_that_it_is_a_replay() -> None:
    """Whatever else is left out: the past must not be taken for the present."""
    header = Header(glyphs=UNICODE)
    words = "replay 14:03:12 ×10 paused"
    header.facts = HeaderFacts(engines=30, services={"healthy": 120}, containers=900, replay=words)
    for width in (200, 80, 60, 40):
        (line,) = header.lines(width)
        assert words in "".join(cell.text for cell in line)


async def test_keys_move_the_recording(tmp_path: Path, eventually: Eventually) -> None:
    """p goes on and stands still, < and > change the speed, b and f go by minutes, n to the next event."""
    live = await night(tmp_path / "night.fleettop")
    t = at(live, 300)
    async with replay(live.path, at=t) as (app, pilot, player):
        await pilot.press("greater_than_sign", "greater_than_sign", "less_than_sign")
        assert player.speed == 10
        await pilot.press("f")
        await eventually(lambda: player.clock.t == pytest.approx(t + 60))
        await pilot.press("b", "b")
        await eventually(lambda: player.clock.t == pytest.approx(t - 60))
        await pilot.press("n")
        await eventually(lambda: player.clock.t == pytest.approx(NOON.timestamp() + 353, abs=1))
        await eventually(lambda: app.fleet.engines["h2"].link.phase is LinkPhase.DOWN)
        stood = player.clock.t
        await pilot.press("p")
        await eventually(lambda: player.clock.t > stood + 1)
        await pilot.press("p")
        assert player.paused
        await eventually(lambda: "×10 paused" in text_of(app.dashboard.header))


async def test_going_back_shows_what_was_and_not_what_came(tmp_path: Path, eventually: Eventually) -> None:
    """Also in the trail: records of what is still to come are not there."""
    live = await night(tmp_path / "night.fleettop")
    async with replay(live.path, at=max(live.seen)) as (app, pilot, player):
        await pilot.press("4")
        await eventually(lambda: "shop-web-3" in shown(app))
        player.jump(at(live, 20))
        await eventually(lambda: "shop-web-3" not in shown(app))
        player.jump(max(live.seen))
        await eventually(lambda: "shop-web-3" in shown(app))


async def test_during_a_jump_the_loop_gets_its_turns_and_the_screen_says_where_it_goes(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes: keys are answered, and what is shown until it arrives is where it was."""
    monkeypatch.setattr("fleettop.collectors.recording.replay.TURN", 0.0)
    live = await night(tmp_path / "night.fleettop")
    begun = at(live, 100)
    async with replay(live.path, at=begun) as (app, pilot, player):
        session, jumping = app.session, player.jumping
        assert isinstance(session, ReplaySession)
        turns, parts, answered = 0, 0, False

        def long(t: float) -> Iterator[None]:
            """Until a key was answered it goes on and on."""
            nonlocal parts
            for part in jumping(t):
                parts += 1
                assert player.clock.t == begun
                yield part
                while parts == 100 and not answered:
                    yield

        monkeypatch.setattr(player, "jumping", long)
        session.jump(player.end)
        app.dashboard.show_around()
        before, row = shown(app), app.dashboard.table.cursor_key
        assert ", going to " in text_of(app.dashboard.header)
        await pilot.press("down")
        await eventually(lambda: app.dashboard.table.cursor_key != row)
        assert session.under_way
        assert shown(app) == before
        answered = True
        while session.under_way:
            turns += 1
            await asyncio.sleep(0)
        assert parts > 300
        assert turns >= parts - 100
        await eventually(lambda: "going to" not in text_of(app.dashboard.header))
        assert seen(app.fleet) == live.seen[max(live.seen)]


async def test_another_jump_gives_up_the_one_under_way_and_a_step_waits_for_it(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """f pressed twice at once is two minutes; n behind it looks from where that ends."""
    monkeypatch.setattr("fleettop.collectors.recording.replay.TURN", 0.0)
    live = await night(tmp_path / "night.fleettop")
    begun = at(live, 100)
    async with replay(live.path, at=begun) as (app, _pilot, player):
        assert app.replaying is not None
        renewed: list[float] = []
        tell, player.on_new_fleet = player.on_new_fleet, lambda: (renewed.append(player.clock.t), tell and tell())
        for command in ("replay.forward", "replay.forward", "replay.next"):
            assert app.replaying.does(command)
        await eventually(lambda: len(renewed) == 2)
        assert renewed == [pytest.approx(begun + 120), pytest.approx(NOON.timestamp() + 954, abs=1)]


async def test_a_recording_that_is_opened_at_a_time_stands_on_the_screen_before_it_is_there(
    tmp_path: Path, eventually: Eventually
) -> None:
    """The first frame waits for no jump."""
    live = await night(tmp_path / "night.fleettop")
    t = at(live, 500)
    player = Player(live.recording)
    app = FleetApp((), Config(), read_only=True, replay=ReplaySession(player, t))
    assert player.clock.t == player.begin
    async with app.run_test(size=(150, 40)):
        await eventually(lambda: player.clock.t == t)
        await eventually(lambda: "paused" in text_of(app.dashboard.header))
        assert seen(app.fleet) == live.seen[t]


async def test_a_time_can_be_gone_to_and_the_end_is_said(tmp_path: Path, eventually: Eventually) -> None:
    """T asks for a time as the trail does, counted from the recording's end; p at the end says that it is one."""
    live = await night(tmp_path / "night.fleettop")
    async with replay(live.path) as (app, pilot, player):
        await pilot.press("T")
        await eventually(lambda: app.screen is not app.dashboard)
        await pilot.press("minus", "2", "m", "enter")
        await eventually(lambda: player.clock.t == pytest.approx(player.end - 120))
        await pilot.press("n", "n")
        await eventually(lambda: player.at_end)
        await eventually(lambda: text_of(app.dashboard.header).rstrip().endswith("end"))
        await pilot.press("p")
        await eventually(lambda: any("the end of the recording" in words for words in said(app)))


async def test_what_asks_an_engine_says_that_it_is_not_in_a_recording(tmp_path: Path, eventually: Eventually) -> None:
    """Logs, raw JSON, checks, storage, trying again; a container's page has what was recorded of it."""
    live = await night(tmp_path / "night.fleettop")
    async with replay(live.path, at=at(live, 100)) as (app, pilot, _player):
        await eventually(lambda: "shop/web" in shown(app))
        for number, key in enumerate(("l", "y", "6", "7", "r"), 1):
            await pilot.press(key)
            await eventually(lambda number=number: len(said(app)) == number)
            assert said(app)[-1].endswith("not in a recording.")
            assert app.dashboard.place.view == "services"
        await pilot.press("2", "i")
        await eventually(lambda: app.screen is not app.dashboard)
        await eventually(lambda: "is not in a recording" in _page(app))
        assert "pay-api-1" in _page(app)


def _page(app: FleetApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_no_key_connects_to_anything(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every key of three views, those to the other views among them: no socket is connected, no program run."""
    live = await night(tmp_path / "night.fleettop")
    tried: list[object] = []

    def never(*words: object, **_: object) -> NoReturn:
        tried.append(words)
        raise OSError("a replay connects to nobody")

    loop = asyncio.get_running_loop()
    for name in ("create_connection", "create_unix_connection", "subprocess_exec", "getaddrinfo"):
        monkeypatch.setattr(loop, name, never, raising=True)
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, never)
    async with replay(live.path, at=at(live, 500)) as (app, pilot, _player):
        await eventually(lambda: "shop/web" in shown(app))
        leaving = ("app.quit", "app.back")
        for view in ("services", "hosts", "trail"):
            for command in app.keys.at(view):
                if command.id in leaving or command.screen or command.group == "Move":
                    continue
                if app.dashboard.place.view != view:
                    app.dashboard.go(Place(view=view))
                await pilot.press(command.keys[0])
                while app.screen is not app.dashboard:
                    app.pop_screen()
                app.dashboard.close_filter()
        await pilot.pause()
        assert app.crash is None
    assert tried == []


def test_a_replay_has_no_key_that_changes_something_and_no_command_of_ones_own() -> None:
    """They are absent, as in read-only mode; and its own keys are there at no other time."""
    own = OwnCommand(name="mine", key="p", scope="hosts", run=("true",))
    live = Keys(own=(own,))
    assert not [command.id for command in live.commands if command.replay]
    keys = Keys(read_only=True, replay=True)
    assert {command.id for command in keys.commands if command.replay} == {f"replay.{row[0]}" for row in REPLAY_KEYS}
    assert not {command.id for command in keys.commands} & set(deeds())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b"", "is empty"),
        (b"hello\n", "is no recording of fleettop"),
        (b'{"recording":2}\n', "recorded by a newer fleettop"),
    ],
    ids=["missing", "empty", "foreign", "newer"],
)
def test_a_file_that_cannot_be_replayed_is_one_sentence_and_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, words: str
) -> None:
    """With what to do about it."""
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    assert main(["replay", str(path)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


async def test_a_time_outside_of_the_recording_is_said_with_what_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A span counts back from the end, a time of day is the last one before it."""
    live = await night(tmp_path / "night.fleettop")
    recording = live.recording
    assert moment_in(recording, "2m") == pytest.approx(recording.end.timestamp() - 120)
    assert moment_in(recording, f"{recording.end.astimezone():%H:%M}") == pytest.approx(
        recording.end.replace(second=0, microsecond=0).timestamp()
    )
    for text in ("3d", "2019-01-01", "soon"):
        assert await asyncio.to_thread(main, ["replay", str(live.path), "--at", text]) == 2
        error = capsys.readouterr().err
        assert "It goes from 2026-03-01" in error
        assert "fleettop.1" not in error
    live.path.with_name("night.fleettop.1").touch()
    assert await asyncio.to_thread(main, ["replay", str(live.path), "--at", "3d"]) == 2
    assert "What was before is in" in capsys.readouterr().err


async def test_without_a_terminal_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the live dashboard does."""
    live = await night(tmp_path / "night.fleettop")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert await asyncio.to_thread(main, ["replay", str(live.path)]) == 2
    assert "needs a terminal" in capsys.readouterr().err
