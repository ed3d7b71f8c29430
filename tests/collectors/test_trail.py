"""The trail in memory: in order, replaced by id, bounded."""

from __future__ import annotations

from fleettop.collectors.model import Record, RecordKind
from fleettop.collectors.trail import MemoryTrail, Trail

from .watched import NOON


def record(number: int, what: str = "x", engine: str = "h1") -> Record:
    """A record with this id."""
    return Record(id=number, time=NOON, seen=NOON, engine=engine, kind=RecordKind.EVENT, what=what)


def _ids(records: object) -> list[int]:
    assert isinstance(records, tuple)
    return [one.id for one in records]


def test_records_are_read_from_either_end() -> None:
    """Newest first or oldest first, as many as asked for."""
    trail: Trail = MemoryTrail()
    trail.append(record(number) for number in range(1, 6))
    assert _ids(trail.newest(2)) == [5, 4]
    assert _ids(trail.oldest(2)) == [1, 2]
    assert (trail.head(), len(trail)) == (5, 5)


def test_reading_goes_on_where_it_ended() -> None:
    """The last id read is the way to the next page."""
    trail = MemoryTrail()
    trail.append(record(number) for number in range(1, 6))
    assert _ids(trail.newest(2, before=4)) == [3, 2]
    assert _ids(trail.oldest(2, after=4)) == [5]


def test_a_record_with_a_known_id_replaces_the_one_before_in_its_place() -> None:
    """More became known of it; its place in the order stays."""
    trail = MemoryTrail()
    trail.append([record(1), record(2)])
    trail.append([record(1, "more")])
    assert [one.what for one in trail.oldest(9)] == ["more", "x"]
    found = trail.get(1)
    assert found is not None
    assert found.what == "more"


def test_only_what_is_wanted_is_read() -> None:
    """The limit counts what passes the filter."""
    trail = MemoryTrail()
    trail.append(record(number, engine="h1" if number % 2 else "h2") for number in range(1, 8))
    assert _ids(trail.newest(2, wanted=lambda one: one.engine == "h2")) == [6, 4]


def test_the_oldest_are_forgotten_first_and_counted() -> None:
    """It never grows beyond its capacity, and says what it lost."""
    trail = MemoryTrail(capacity=3)
    trail.append(record(number) for number in range(1, 6))
    assert _ids(trail.oldest(9)) == [3, 4, 5]
    assert trail.forgotten == 2


def test_an_amendment_of_a_forgotten_record_is_dropped() -> None:
    """A record that fell out does not come back as if it were new."""
    trail = MemoryTrail(capacity=2)
    trail.append(record(number) for number in range(1, 5))
    trail.append([record(1, "late")])
    assert _ids(trail.oldest(9)) == [3, 4]
    assert trail.get(1) is None
