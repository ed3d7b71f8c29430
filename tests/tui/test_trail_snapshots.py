"""Pictures of view 4 and of a record's page, looked at by a person once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fleettop.collectors.fleet.lines import record_of
from fleettop.collectors.trail.entry import Entry, RawEvent, canonical, chained, stamp, stamp_of
from fleettop.collectors.trail.store import Line as Kept
from fleettop.tui.glyphs import ASCII, UNICODE, Glyphs
from fleettop.tui.trail.around import Facts
from fleettop.tui.trail.rows import Sign, What
from fleettop.tui.views.base import Moment
from fleettop.tui.views.record_page import page_lines
from fleettop.tui.views.trail import TrailView
from fleettop.tui.widgets.detail import Detail
from fleettop.tui.widgets.table import LineTable
from textual.pilot import Pilot

from ..collectors.watched import Watched
from .stage import Stage, settle
from .test_snapshots import SnapCompare
from .trail_making import BEGIN, SECOND, entry

NOW = datetime.fromtimestamp(BEGIN / SECOND, UTC) + timedelta(hours=2, minutes=41)


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(clock: str) -> int:
    """A time of that day."""
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    return BEGIN - 12 * 3600 * SECOND + (hours * 3600 + minutes * 60 + seconds) * SECOND


def night() -> list[Entry]:
    """One of each kind, newest first."""
    program = {"attribution": "derived", "actor": "the program"}
    check = {"attribution": "derived", "actor": "its health check"}
    own = {"attribution": "own", "actor": "ops1@bastion"}
    host = {"type": "host", "service": "", "service_key": "", "action": ""}
    fleettop = {
        "type": "fleettop",
        "service": "",
        "service_key": "",
        "engine": "",
        "name": "process 9 on bastion",
        **own,
    }
    return [
        entry(9, at=at("14:40:58"), action="die", what="exited 1 by itself", trouble=True, **program),
        entry(
            8,
            at=at("14:38:51"),
            kind="gap",
            engine="edge-7",
            name="edge-7",
            what="nothing known: link lost",
            trouble=True,
            certain=True,
            until=stamp(at("14:41:00")),
            **host,
        ),
        entry(7, at=at("14:36:14"), action="deploy", what="image 2.8.0 → 2.8.1", reason="rollout of FT-212", **own),
        entry(6, at=at("14:31:02"), action="exec_create", what="exec “psql” in [/x]", engine="db-1"),
        entry(5, at=at("14:30:00"), action="health_status", what="health: healthy", **check),
        entry(
            4,
            at=at("14:29:59"),
            kind="gap",
            what="nothing missed: the stream ended",
            certain=False,
            until=stamp(at("14:29:59")),
            **host,
        ),
        entry(3, at=at("14:20:10"), kind="start", what="fleettop began to watch", **fleettop),
        entry(2, at=at("14:20:09"), kind="stop", what="a fleettop ended without saying so", trouble=True, **fleettop),
        entry(1, at=at("14:02:00"), kind="intent", action="restart", what="restart one after the other", **own),
    ]


def trail(theme: str, glyphs: Glyphs) -> tuple[Stage, object]:
    """The night as a table, and what fills it."""
    moment = Moment(NOW, 0.0, glyphs)
    records = {one.thread: record_of(one, 0) for one in night()}
    view, fleet = TrailView(records.get), Watched().fleet  # type: ignore[arg-type]
    table = LineTable(view.columns, glyphs=glyphs)
    signs = (
        Sign(What.MOMENT, NOW - timedelta(minutes=10)),
        Sign(What.READING, NOW - timedelta(hours=1)),
        Sign(What.UNREAD, words="The disk is gone"),
        Sign(What.END, words="pay/api"),
    )
    keys = [*records]
    keys_and_signs = [*keys[:4], signs[0], *keys[4:], *signs[1:]]

    async def fill(pilot: Pilot[None]) -> None:
        rows = [view.row(fleet, key, moment) for key in keys_and_signs]
        table.set_rows([row for row in rows if row is not None])
        table.focus()
        await settle(pilot)

    return Stage(table, theme=theme), fill


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
@pytest.mark.parametrize("theme", ["fleettop-dark", "fleettop-mono"])
def test_the_trail_with_one_record_of_each_kind(snap_compare: SnapCompare, size: tuple[int, int], theme: str) -> None:
    """Deeds stand out, gaps are bars, unknown is a word, starts are calm and an unclean end is not."""
    app, fill = trail(theme, UNICODE)
    assert snap_compare(app, terminal_size=size, run_before=fill)


def test_the_trail_in_ascii(snap_compare: SnapCompare) -> None:
    """The same without Unicode, in little room."""
    app, fill = trail("fleettop-dark", ASCII)
    assert snap_compare(app, terminal_size=(60, 20), run_before=fill)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_the_page_of_a_record(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    """Both clocks, who and how that is known, its lines, what belongs to it, its neighbours."""
    first, second = (
        entry(
            7,
            at=at("14:36:14"),
            key="0123456789abcdef",
            event=RawEvent(type="service", action="update", time=stamp(at("14:36:15"))),
            skew_ms=1000,
            action="deploy",
            what="image 2.8.0 → 2.8.1",
            image="pay-api:2.8.1",
            digest="sha256:77ab",
            revision="5d1e",
            evidence=("The intent 14:36:13 names the same service." if known else "",) if known else (),
            actor="ops1@bastion" if known else "",
            attribution="own" if known else "unknown",
            reason="rollout of FT-212" if known else "",
            of="thread-6" if known else "",
            seen=stamp_of(NOW),
        )
        for known in (False, True)
    )
    lines, previous = list[Kept](), "0" * 64
    for seq, one in enumerate((first, second), 41):
        body = canonical(one)
        digest = chained(seq, previous, body)
        lines.append(Kept(seq=seq, previous=previous, hash=digest, body=body, entry=one))
        previous = digest
    record = record_of(second, 0)
    others = tuple(record_of(one, 0) for one in night() if one.thread != "thread-7")
    intent = record_of(
        entry(6, at=at("14:36:13"), kind="intent", what="update it", actor="ops1@bastion", attribution="own"), 0
    )
    writer = entry(0, kind="start", actor="ops1", name="process 9 on bastion", what="fleettop 0.1.0 began to watch")
    facts = Facts(lines=tuple(lines), writer=writer, together=(intent, record), service=others[:4], host=others[4:6])
    page = Detail(page_lines(record, facts, Moment(NOW, 0.0)))
    assert snap_compare(Stage(page), terminal_size=size)
