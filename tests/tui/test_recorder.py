"""What a recording fleettop says of its work, on a clock and in hours of its own."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.errors import StoreFull
from fleettop.collectors.model import RecordKind
from fleettop.collectors.session import Session
from fleettop.collectors.trail import TrailFolder
from fleettop.collectors.trail.entry import Entry, stamp
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.tui.commands.anchor import FileAnchor
from fleettop.tui.commands.loglines import LogLines
from fleettop.tui.commands.recorder import Recorder
from fleettop.tui.output import Output

Eventually = Callable[..., Any]
NOWHERE = EngineAddress(name="web-1", scheme="unix", socket="/nowhere/docker.sock")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def log_lines(*, json: bool = False, color: bool = False) -> tuple[LogLines, list[str]]:
    """A log at noon, and what it said."""
    said: list[str] = []
    out = Output(io.StringIO(), io.StringIO(), color=color, error_color=False)
    return LogLines(out, said.append, lambda: NOON, json=json), said


@asynccontextmanager
async def recording(
    folder: Path, every: float = 3600, keep: float | None = None, **options: Any
) -> AsyncIterator[tuple[Session, list[str]]]:
    """A recorder at work on an engine that is not there; what it says."""
    log, said = log_lines()
    session = Session([NOWHERE], open_trail=TrailFolder(folder, keep=keep))
    recorder = Recorder(session, log, folder, options.pop("anchor", None), every=every, **options)
    async with session, asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in recorder.work()]
        yield session, said
        for task in tasks:
            task.cancel()
    await recorder.end("the test")


def told(said: list[str], what: str) -> list[str]:
    """The lines of this."""
    return [line for line in said if line.split(" ")[2] == what]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("web-1", "x=web-1"),
        ("two words", 'x="two words"'),
        ('a "quote" and \\', 'x="a \\"quote\\" and \\\\"'),
        ("", 'x=""'),
        ("a=b", 'x="a=b"'),
        ("line\nbreak \x1b[31mred", 'x="line break red"'),
        (True, "x=yes"),
        (12, "x=12"),
        (NOON, "x=2026-01-02T12:00:00Z"),
        (Path("/var/lib"), "x=/var/lib"),
    ],
)
def test_a_line_of_the_log_can_be_taken_apart_again(value: object, written: str) -> None:
    """A value with anything odd in it stands in quotes, on one line, without control characters."""
    log, said = log_lines()
    log.say("info", "thing", x=value, y=None)
    assert said == [f"2026-01-02T12:00:00.000Z info thing {written}"]


def test_only_a_terminal_gets_colours() -> None:
    """And only for when and how bad."""
    log, said = log_lines(color=True)
    log.say("error", "thing", x=1)
    assert said == ["\x1b[2m2026-01-02T12:00:00.000Z\x1b[0m \x1b[1;31merror\x1b[0m thing x=1"]


async def test_every_hour_it_counts(tmp_path: Path, eventually: Eventually) -> None:
    """Records of that hour by kind, engines, containers and the size of the trail."""
    async with recording(tmp_path / "trail", every=0.05) as (session, said):
        session.fleet.note("something", engine="web-1", trouble=False)
        (first, *_) = await eventually(lambda: [line for line in told(said, "counts") if "notes=" in line])
        assert "engines_up=0 engines=1 containers=0" in first
        assert await eventually(lambda: [line for line in told(said, "counts") if "records=0" in line])
        assert await eventually(lambda: [line for line in told(said, "counts") if "trail_bytes=" in line])


async def test_a_gap_is_told_when_it_opens_and_when_it_ends(tmp_path: Path, eventually: Eventually) -> None:
    """Not each time that the same is written again."""
    from fleettop.collectors.model import GapSeen

    async with recording(tmp_path / "trail") as (session, said):
        for end in (None, None, NOON.replace(minute=5), NOON.replace(minute=5)):
            gap = GapSeen(engine="web-1", begin=NOON, end=end, cause="link lost", certain=True)
            if end is None or end not in [g.until for g in session.fleet.trail.newest(9)]:
                session.fleet.apply(gap)
            await eventually(lambda: told(said, "gap"))
        assert await eventually(lambda: len(told(said, "gap")) == 2)
        assert 'says="nothing known from here on: link lost"' in told(said, "gap")[0]
        assert "until=2026-01-02T12:05:00Z" in told(said, "gap")[1]


async def test_a_trail_that_cannot_be_written_is_told_once_and_that_it_can_again(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error with what to do; then that it goes on."""
    full = True
    append = SegmentStore.append

    def maybe(self: SegmentStore, entries: Any) -> tuple[int, ...]:
        if full:
            raise StoreFull("There is no room left", hint="Make room.")
        return append(self, entries)

    monkeypatch.setattr(SegmentStore, "append", maybe)
    monkeypatch.setattr("fleettop.collectors.trail.keeper.RETRY", 0.01)
    async with recording(tmp_path / "trail") as (_, said):
        await eventually(lambda: told(said, "trail-not-writable"))
        assert told(said, "trail-not-writable")[0].endswith('error="There is no room left" do="Make room."')
        full = False
        await eventually(lambda: told(said, "trail-written-again"))
    assert len(told(said, "trail-not-writable")) == 1


async def test_what_another_process_wrote_is_not_told_as_its_own(tmp_path: Path, eventually: Eventually) -> None:
    """Each tells of what it saw itself."""
    folder = tmp_path / "trail"
    async with recording(folder) as (session, said):
        await eventually(lambda: told(said, "trouble"))  # that its engine cannot be reached
        at = stamp(1_767_323_045_000_000_000)
        other = Entry(thread="other-1", kind="note", at=at, seen=at, instance="other", what="of another", trouble=True)
        with closing(SegmentStore(folder, instance="other")) as store:
            store.append([other])
        await eventually(lambda: any(r.what == "of another" for r in session.fleet.trail.newest(50)))
        session.fleet.note("of ours", trouble=True)
        await eventually(lambda: any("of ours" in line for line in said))
    assert not any("of another" in line for line in said)


async def test_heads_go_to_the_anchor_every_hour(tmp_path: Path, eventually: Eventually) -> None:
    """Each a line that is in the trail by then."""
    heads = tmp_path / "heads"
    async with recording(tmp_path / "trail", every=0.05, anchor=FileAnchor(heads)):
        await eventually(lambda: len(heads.read_text().splitlines()) > 2 if heads.exists() else False)
    with closing(SegmentStore(tmp_path / "trail", read_only=True)) as store:
        by_number = {line.seq: line.hash for line in store.lines()}
    for line in heads.read_text().splitlines():
        number, _, digest = line.split()[0].partition(":")
        assert by_number[int(number)] == digest


async def test_what_need_not_be_kept_goes_and_that_is_told(tmp_path: Path, eventually: Eventually) -> None:
    """`[trail] keep` and `keep_size`: whole segments, with a note in the trail and a line in the log."""
    folder = tmp_path / "trail"
    with closing(SegmentStore(folder, instance="before", segment_size=1)) as store:
        for number in range(3):
            at = stamp(1_767_323_045_000_000_000 + number)
            store.append([Entry(thread=f"before-{number}", kind="note", at=at, seen=at, instance="before")])
    async with recording(folder, keep=86_400.0) as (session, said):
        line = (await eventually(lambda: told(said, "trail-trimmed")))[0]
        assert "lines 1 to " in line
        await eventually(lambda: any(record.kind is RecordKind.START for record in session.fleet.trail.newest(100)))
        await session.kept()
    with closing(SegmentStore(folder, read_only=True)) as store:
        kept = list(store.lines())
    assert kept[0].seq > 1
    assert any("were removed" in line.entry.what for line in kept)
    assert RecordKind.START in {line.entry.kind for line in kept}
