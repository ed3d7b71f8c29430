"""A recording of a fleet: replayed, it shows what the live fleet showed then, and it needs no engine for that."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.errors import ConfigError, NotAnswering
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import (
    Attribution,
    ContainerDetail,
    LinkPhase,
    LinkStatus,
    Record,
    RecordKind,
    Usage,
    UsageSeen,
)
from fleettop.collectors.recording import Player, Recording, RecordingError, ReplaySession, SnapshotFile
from fleettop.collectors.recording.lines import Line, decode, encode
from fleettop.collectors.session import Session
from fleettop.collectors.trail import TrailFolder

from .recorded import HOSTS, Recorded, api, night, seen, web
from .watched import NOON, Watched


async def test_a_replay_shows_at_each_time_what_the_live_fleet_showed(tmp_path: Path) -> None:
    """Forwards and backwards: the same services in the same states for the same reasons, hosts and containers."""
    live = await night(tmp_path / "night.fleettop")
    player = Player(live.recording)
    states = {service.state for shown, _, _ in live.seen.values() for service in shown.values()}
    assert len(states) > 1
    for t in (*live.seen, *reversed(live.seen)):
        player.jump(t)
        assert player.clock.t == pytest.approx(min(t, player.end), abs=0.001)
        assert seen(player.fleet) == live.seen[t]


async def test_a_jump_from_a_later_picture_shows_the_same_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told before the picture is not read, and the rows are those of the live fleet still."""
    monkeypatch.setattr("fleettop.collectors.recording.writer.EVERY", 60.0)
    live = await night(tmp_path / "night.fleettop")
    recording = live.recording
    assert len(recording.places) > 4
    player = Player(recording)
    begun: list[int] = []
    lines = recording.lines
    monkeypatch.setattr(recording, "lines", lambda number: (begun.append(number), lines(number))[1])
    for t, (services, links, containers) in live.seen.items():
        player.jump(t)
        shown = seen(player.fleet)
        assert shown[1:] == (links, containers)
        assert {key: one.state for key, one in shown[0].items()} == {key: one.state for key, one in services.items()}
        assert shown[0] == services
    assert max(begun) > 1


async def test_time_passes_as_fast_as_it_is_told_to_and_not_while_paused(tmp_path: Path) -> None:
    """×1, ×10, ×60, no faster and no slower; the end of the recording is an end."""
    live = await night(tmp_path / "night.fleettop")
    player = Player(live.recording)
    begun = player.clock.t
    player.pass_time(5)
    assert player.clock.t == begun
    player.paused = False
    player.pass_time(5)
    player.faster(1)
    player.pass_time(2)
    player.faster(1)
    player.faster(1)
    player.pass_time(1)
    assert player.speed == 60
    assert player.clock.t == pytest.approx(begun + 5 + 20 + 60, abs=0.001)
    player.pass_time(10_000)
    assert player.at_end
    assert player.paused
    assert player.clock.now() == live.recording.end


async def test_a_step_stands_just_after_the_next_thing_that_happened(tmp_path: Path) -> None:
    """Events and lost hosts, one after the other; then there is no more."""
    live = await night(tmp_path / "night.fleettop")
    player = Player(live.recording)
    stood = []
    while player.step():
        stood.append(round(player.clock.t - NOON.timestamp()))
    assert stood == [32, 52, 353, 954]
    assert player.at_end


async def test_a_second_run_goes_on_in_the_same_file_with_a_fleet_of_its_own(tmp_path: Path) -> None:
    """What was between two runs is not known: what was known before it is not carried on."""
    path = tmp_path / "night.fleettop"
    first = await night(path)
    last = max(first.seen)
    second = Recorded(path)
    second.clock.advance(100_000)
    second.up("h1")
    second.list("h1", api(1))
    await second.passed(5)
    player = Player(second.recording)
    renewed: list[object] = []
    player.on_new_fleet = lambda: renewed.append(player.fleet)
    player.jump(last)
    assert seen(player.fleet) == first.seen[last]
    player.paused = False
    player.pass_time(200_000)
    assert player.clock.t == pytest.approx(max(second.seen))
    assert seen(player.fleet) == seen(second.fleet)
    assert renewed[-1] is player.fleet


@pytest.mark.parametrize("every", [900.0, 5.0], ids=["from the beginning", "from a picture"])
async def test_who_did_it_is_known_in_a_replay_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: float
) -> None:
    """What another fleettop wrote into the trail belongs to a recording: its deeds are its own there, with reason."""
    monkeypatch.setattr("fleettop.collectors.recording.writer.EVERY", every)
    live = Recorded(tmp_path / "night.fleettop")
    live.up("h1")
    live.list("h1", api(1))
    await live.passed(10)
    intent = Record(
        id=0,
        key="other-7",
        time=live.clock.now(),
        seen=live.clock.now(),
        engine="h1",
        kind=RecordKind.INTENT,
        what="restart",
        object_type="container",
        object_id=api(1).id,
        object_name=api(1).name,
        action="restart",
        actor="ops1",
        attribution=Attribution.OWN,
        reason="leaks memory",
        instance="other",
    )
    live.other_process(intent)
    live.play("kill(15) die(143) stop start restart", api(1))
    await live.passed(400)
    player = Player(live.recording)
    player.jump(max(live.seen))

    def told(fleet: Fleet) -> set[tuple[str, str, Attribution, str]]:
        return {(one.what, one.actor, one.attribution, one.of) for one in fleet.records(object_id=api(1).id)}

    assert any(actor == "ops1" and of == "other-7" for _, actor, _, of in told(live.fleet))
    assert told(player.fleet) == told(live.fleet)


async def test_what_the_trail_tells_a_watched_fleet_is_told_on(tmp_path: Path, eventually: Callable[..., Any]) -> None:
    """The records that are had at hand at the start, and those that another process writes meanwhile."""
    trail, told = TrailFolder(tmp_path / "trail"), list[str]()
    nowhere = EngineAddress(name="h1", scheme="unix", socket="/nowhere/docker.sock")
    async with Session([nowhere], open_trail=trail) as session, Session([nowhere], open_trail=trail) as other:
        assert session.keeping is not None
        session.keeping.on_recalled = lambda records, _events: told.extend(one.key for one in records)
        taken: list[str] = []
        session.keeping.on_taken_up = lambda key, _end: taken.append(key)
        await other.kept()
        intent = other.fleet.record_intent("restart", engine="h1", object_id="x", actor="ops1")
        await other.kept()
        await eventually(lambda: taken == [intent.key])
        assert intent.key in told


async def test_a_recording_is_its_owners_alone_and_bounded(tmp_path: Path) -> None:
    """0600; when half of the bytes are used it begins anew, and the part before it can be replayed by itself."""
    path = tmp_path / "night.fleettop"
    live = await night(path, most=40_000)
    before = path.with_name("night.fleettop.1")
    assert {stat.S_IMODE(file.stat().st_mode) for file in (path, before)} == {0o600}
    assert path.stat().st_size + before.stat().st_size < 80_000
    assert Recording(before).end <= Recording(path).begin
    player = Player(Recording(path))
    player.jump(max(live.seen))
    assert {key: one.state for key, one in player.fleet.services.items()} == {
        key: one.state for key, one in live.fleet.services.items()
    }


async def test_listings_that_say_nothing_new_take_no_room(tmp_path: Path) -> None:
    """An hour in which every host is listed each minute costs answers, not containers."""
    live = Recorded(tmp_path / "calm.fleettop")
    for number, host in enumerate(HOSTS, 1):
        live.up(host)
        live.list(host, api(number), web(number))
    await live.passed(1)
    for _ in range(10):
        await live.passed(60)
        for number, host in enumerate(HOSTS, 1):
            live.list(host, api(number), web(number))
    text = live.path.read_text()
    assert text.count('"pay-api-1"') == 1
    assert seen(Player(live.recording).fleet)[0].keys() == live.fleet.services.keys()


async def test_no_value_and_no_print_of_one_is_in_a_recording(tmp_path: Path) -> None:
    """Prints are numbers there: what changed can be told, and nothing be tried out."""
    live = Recorded(tmp_path / "night.fleettop")
    live.up("h1")
    for print_ in (b"printed1", b"printed2", b"printed1"):
        one = api(1)
        assert one.detail is not None
        detail = msgspec.structs.replace(
            one.detail, environment=("TOKEN",), environment_prints=print_, command_print=print_[::-1]
        )
        live.see(msgspec.structs.replace(one, detail=detail))
        await live.passed(2)
    lines = [decode(line) for line in live.path.read_bytes().splitlines()[1:]]
    found = [
        one.detail.environment_prints
        for line in lines
        for one in getattr(line.c, "containers", ())
        if isinstance(one.detail, ContainerDetail)
    ]
    assert found[0] == found[2] != found[1]
    assert not {b"printed1", b"printed2"} & set(found)
    assert b"cHJpbnRlZD" not in live.path.read_bytes()  # `printed` in base64


async def test_figures_are_kept_seldom_and_the_newest_of_each_container(tmp_path: Path) -> None:
    """Two sets a minute of each engine."""
    live = Recorded(tmp_path / "night.fleettop")
    live.up("h1")
    live.list("h1", api(1))
    await live.passed(1)
    for step in range(60):
        usage = Usage(cpu=float(step), memory=1, memory_limit=None, received=None, sent=None, at=live.clock.monotonic())
        live.fleet.apply(UsageSeen(engine="h1", usage={api(1).id: usage}))
        await live.passed(1)
    assert 2 <= live.path.read_text().count('"UsageSeen"') <= 3
    player = Player(live.recording)
    player.jump(max(live.seen))
    assert player.fleet.usage[api(1).key].cpu == pytest.approx(59, abs=31)


@pytest.mark.parametrize("cut", [1, 40, 400])
async def test_a_file_that_was_cut_off_is_played_as_far_as_it_goes(tmp_path: Path, cut: int) -> None:
    """As where the recorder was killed; and it can be recorded on into it."""
    live = await night(tmp_path / "night.fleettop")
    os.truncate(live.path, live.path.stat().st_size - cut)
    recording = live.recording
    assert recording.damage == "its last line was cut off"
    player = Player(recording)
    t = next(iter(live.seen))
    player.jump(t)
    assert seen(player.fleet) == live.seen[t]
    again = Recorded(live.path)
    again.clock.advance(5000)
    again.up("h1")
    await again.passed(1)
    player = Player(again.recording)
    player.jump(max(again.seen))
    assert player.fleet.engines["h1"].link.phase is LinkPhase.UP


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"#!/bin/sh\necho no\n", "is no recording of fleettop"),
        (b'{"recording":99,"new":true}\n', "recorded by a newer fleettop"),
        (b'{"recording":1,"run":3}\n', "header makes no sense"),
        (b"\x00\xff\xfe" * 50, "is no recording of fleettop"),
    ],
    ids=["empty", "foreign", "newer", "broken", "binary"],
)
def test_a_file_that_is_no_recording_gets_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    """It is neither played nor written to."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=words):
        Recording(path)
    if content:
        with pytest.raises(ConfigError, match="cannot be gone on with"):
            SnapshotFile(path, (), clock=Watched().clock)
        assert path.read_bytes() == content


async def test_a_line_that_makes_no_sense_ends_what_is_played(tmp_path: Path) -> None:
    """What stands before it is there, and it is said."""
    live = await night(tmp_path / "night.fleettop")
    lines = live.path.read_bytes().splitlines(keepends=True)
    live.path.write_bytes(b"".join([*lines[:-20], b'{"t":1,"m":1,"c":{"type":"Nonsense"}}\n', *lines[-20:]]))
    player = Player(live.recording)
    player.jump(max(live.seen))
    assert "makes no sense" in player.recording.damage
    assert player.at_end


def test_an_error_of_a_link_keeps_its_kind_and_words() -> None:
    """The narrow column says the same as then."""
    error = NotAnswering("web-1 took the connection and says nothing.")
    from fleettop.collectors.model import LinkChanged

    line = Line(t=1.0, m=2.0, c=LinkChanged(engine="h1", link=LinkStatus(phase=LinkPhase.DOWN, error=error)))
    change = decode(encode(line)).c
    assert isinstance(change, LinkChanged)
    found = change.link.error
    assert isinstance(found, NotAnswering)
    assert (str(found), found.hint, found.word) == (str(error), error.hint, error.word)


async def test_a_disk_that_is_full_is_said_and_written_to_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was lost meanwhile is in the picture that begins the rest."""
    live = Recorded(tmp_path / "night.fleettop")
    said: list[str] = []
    live.file.on_trouble = lambda: said.append(live.file.trouble)
    write = live.file._write

    def full(text: bytes) -> int:
        raise OSError(28, "No space left on device")

    live.up("h1")
    await live.passed(1)
    monkeypatch.setattr(live.file, "_write", full)
    live.list("h1", api(1))
    await live.passed(1)
    monkeypatch.setattr(live.file, "_write", write)
    await live.passed(1)
    assert said == ["No space left on device", ""]
    player = Player(live.recording)
    player.jump(max(live.seen))
    assert seen(player.fleet) == seen(live.fleet)


async def test_a_replaying_session_has_nobody_it_could_contact(tmp_path: Path) -> None:
    """No engine has a client, an endpoint or a way; it is read-only, and trying again does nothing."""
    live = await night(tmp_path / "night.fleettop")
    async with ReplaySession(Player(live.recording)) as session:
        session.retry()
        session.retry(["h1"])
        assert set(session.fleet.engines) == set(HOSTS)
        assert [session.client(name) for name in HOSTS] == [None] * 3
        assert [session.endpoint(name) for name in HOSTS] == [None] * 3
        assert session.read_only
        assert session.keeping is None
