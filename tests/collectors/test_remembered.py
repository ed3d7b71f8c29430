"""What is kept at hand of a big fleet is bounded, and kept once."""

from __future__ import annotations

import msgspec
from fleettop.collectors.engine.fields import NAME_LIMIT, labels, shared
from fleettop.collectors.model import Container
from fleettop.collectors.model.parts import with_parts_of
from fleettop.collectors.remembered import Remembered
from hypothesis import given
from hypothesis import strategies as st

from .test_deeds import detailed
from .watched import container


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.integers(1, 10))
def test_only_the_newest_are_remembered(numbers: list[int], limit: int) -> None:
    """A number is met for the first time unless it is one of the last few different ones."""
    remembered, last = Remembered(limit), list[int]()
    for number in numbers:
        assert remembered.first_time(number) is (number not in last)
        last = last if number in last else [*last, number][-limit:]
        assert (len(remembered), number in remembered) == (len(last), True)


def test_a_copy_goes_its_own_way() -> None:
    """What one hears after that the other does not know."""
    one = Remembered(3)
    one.first_time(1)
    other = one.copy()
    assert other.first_time(2)
    assert (2 in one, 1 in other) == (False, True)


def anew(one: Container) -> Container:
    """The same, as it is decoded from another answer: no part of it is the same object."""
    return msgspec.json.decode(msgspec.json.encode(one), type=Container)


def test_two_readings_of_one_container_are_made_of_the_same_parts() -> None:
    """Ten thousand containers are read from a list and by an inspect: their labels are in memory once."""
    old = detailed(container(labels={"com.docker.compose.project": "shop"}), environment=("HOME", "PATH"))
    new = msgspec.structs.replace(anew(old), status="Up 3 minutes")
    kept = with_parts_of(old, new)
    assert kept == new
    assert (kept.labels is old.labels, kept.id is old.id, kept.status) == (True, True, "Up 3 minutes")
    assert old.detail is not None
    assert kept.detail is not None
    assert kept.detail.environment is old.detail.environment
    assert with_parts_of(old, anew(old)) is old
    assert with_parts_of(None, new) is new


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20)), st.dictionaries(st.text(max_size=20), st.text()))
def test_a_reading_is_never_changed_by_the_one_before(before: dict[str, str], after: dict[str, str]) -> None:
    """Whatever the two have in common."""
    old, new = container(labels=before), container(labels=after, name="web", restart_count=3)
    assert with_parts_of(old, new) == new


def test_small_values_that_replicas_share_are_one_object_and_big_ones_are_not_kept() -> None:
    """A cache must not become a store of what a strange engine sends."""
    assert shared(("CMD", "true")) is shared(("CMD", "true"))
    big = tuple(map(str, range(NAME_LIMIT)))
    assert shared(big) is big
    assert shared(tuple(map(str, range(NAME_LIMIT)))) is not big


def test_a_label_is_hidden_by_its_name_whatever_the_value_and_shown_empty_where_it_is_empty() -> None:
    """Names are looked at once; a long name and a long value are cut."""
    found = labels({"db.password": "hunter2", "token": "", "a\x1b[31mb": "x\x00y", "n" * 300: "v" * 2000})
    assert found["db.password"] == "***"
    assert (found["token"], found["ab"]) == ("", "xy")
    (name,) = [name for name in found if name.startswith("nnn")]
    assert (len(name), len(found[name])) == (256, 1024)
