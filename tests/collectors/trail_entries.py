"""Entries for tests of the trail, and hypothesis strategies for them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fleettop.collectors.text import plain
from fleettop.collectors.trail.entry import Entry, RawEvent, stamp
from hypothesis import strategies as st

T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
KINDS = ("event", "intent", "outcome", "gap", "note", "start", "stop")
ATTRIBUTIONS = ("", "unknown", "correlated", "derived", "declared", "own")


def key(number: int) -> str:
    """The key of event `number`."""
    return hashlib.sha256(b"%d" % number).hexdigest()[:32]


def event(
    number: int, *, thread: str | None = None, instance: str = "one", at: int | None = None, **says: object
) -> Entry:
    """The engine's event of that number, which always came at the same time."""
    time = T0 + number * SECOND
    values: dict[str, object] = {
        "kind": "event",
        "engine": f"h{number % 3}",
        "type": "container",
        "id": hashlib.sha256(b"c%d" % (number % 7)).hexdigest(),
        "service_key": f"compose:pay/s{number % 5}",
        "action": "die",
        "what": f"exited {number}",
        "event": RawEvent(type="container", action="die", time=stamp(time), attributes={"exitCode": "1"}),
    }
    return Entry(
        thread=thread or key(number),
        key=key(number),
        at=stamp(time if at is None else at),
        seen=stamp(time + SECOND),
        instance=instance,
        **(values | says),  # type: ignore[arg-type]
    )


def line(thread: str, at: int = T0, **says: object) -> Entry:
    """A line that came of no engine's event."""
    values: dict[str, object] = {"kind": "event", "seen": stamp(at), "instance": "one"} | says
    return Entry(thread=thread, at=stamp(at), **values)  # type: ignore[arg-type]


def deed(number: int) -> Entry:
    """Of three numbers the first is what somebody was about to do, then comes the engine's event, and the outcome."""
    if number % 3 == 1:
        return event(number)
    kind, of = ("outcome", f"deed-{number - 2}") if number % 3 else ("intent", "")
    says = {"kind": kind, "of": of, "actor": "ops@bastion", "attribution": "own", "what": f"restart {number}: {kind}"}
    return line(f"deed-{number}", T0 + number * SECOND, **says)


texts = st.text(max_size=30).map(plain)
"""Text as it is after cleaning."""


events = st.builds(
    RawEvent,
    type=texts,
    action=texts,
    time=st.integers(0, 4_000_000_000 * SECOND).map(stamp),
    attributes=st.dictionaries(texts, texts, max_size=4),
)


@contextmanager
def quick_folder() -> Iterator[Path]:
    """For many short-lived trails: in memory where the machine has such a place, so that nothing waits for a disk."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder) / "trail"


@st.composite
def any_entry(draw: st.DrawFn) -> Entry:
    """An entry of any content."""
    times = st.integers(0, 4_000_000_000 * SECOND).map(stamp)
    return Entry(
        thread=draw(texts),
        kind=draw(st.sampled_from(KINDS)),
        at=draw(times),
        seen=draw(times),
        instance=draw(texts),
        key=draw(texts),
        event=draw(st.none() | events),
        skew_ms=draw(st.none() | st.integers(-(2**53), 2**53)),
        engine=draw(texts),
        name=draw(texts),
        what=draw(texts),
        actor=draw(texts),
        attribution=draw(st.sampled_from(ATTRIBUTIONS)),
        evidence=tuple(draw(st.lists(texts, max_size=3))),
        exit_code=draw(st.none() | st.integers(-1, 255)),
        trouble=draw(st.booleans()),
        count=draw(st.integers(1, 9)),
        certain=draw(st.none() | st.booleans()),
    )


@st.composite
def some_entry(draw: st.DrawFn) -> Entry:
    """One of few events, amendments and lines of our own: the same ones come again and again."""
    number = draw(st.integers(0, 11))
    says = {
        "attribution": draw(st.sampled_from(ATTRIBUTIONS)),
        "instance": draw(st.sampled_from(("one", "two"))),
        "actor": draw(st.sampled_from(("", "ann", "bob"))),
        "trouble": draw(st.booleans()),
        "kind": draw(st.sampled_from(KINDS)),
    }
    shift = draw(st.sampled_from((0, 0, 0, -90, 5))) * SECOND
    shape = draw(st.sampled_from(("event", "event", "folded", "amended", "own")))
    if shape == "event":
        return event(number, at=T0 + number * SECOND + shift, **says)
    if shape == "folded":
        return event(number, thread=key(draw(st.integers(0, 11))), **says)
    thread = key(number) if shape == "amended" else f"one-{number}"
    return line(thread, T0 + number * SECOND + shift, what=draw(st.sampled_from("xyz")), **says)
