"""Whatever an engine answers: a clean model or `Malformed`, and one bad row hides none of the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.engine.decode import decode_info, decode_inspect, decode_listing, decode_version
from fleettop.collectors.engine.decode_events import decode_event
from fleettop.collectors.engine.decode_swarm import decode_nodes, decode_raw_service, decode_services, decode_tasks
from fleettop.collectors.engine.display import shown
from fleettop.collectors.engine.stats import decode_stats
from fleettop.collectors.errors import Malformed
from fleettop.collectors.text import plain
from hypothesis import given
from hypothesis import strategies as st

from .engine_samples import EVENT, INFO, INSPECT, NODE, ROW, SERVICE, STATS, TASK, VERSION

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z"]),
    st.sampled_from(["", "\x1b[31m", "\u202e", "80/tcp", "a" * 64]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths(value: object, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [here] if here else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += paths(inner, (*here, key))
    return found


def with_other(sample: Any, place: tuple[Any, ...], other: object) -> Any:
    """The sample with another value at that place."""
    copy = json.loads(json.dumps(sample))
    target = copy
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = other
    return copy


def spoiled(sample: Any) -> st.SearchStrategy[Any]:
    """The sample with one to three of its fields replaced by any JSON."""
    places = sorted(paths(sample), key=str)

    @st.composite
    def build(draw: st.DrawFn) -> Any:
        result = sample
        for _ in range(draw(st.integers(1, 3))):
            place = draw(st.sampled_from(places))
            try:
                result = with_other(result, place, draw(JSON))
            except (KeyError, IndexError, TypeError):
                continue
        return result

    return build()


def encoded(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def texts(value: object) -> list[str]:
    """Every text anywhere in a decoded model."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts(part)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts(item)]
    return []


def fine_or_malformed(decode: Callable[[bytes], object], body: bytes) -> object:
    """The model, all of its texts clean; None where it is refused."""
    refusal: Malformed | None = None
    found: object = None
    try:
        found = decode(body)
    except Malformed as error:
        refusal = error
    if refusal is not None:
        assert refusal.where
        assert str(refusal).isprintable()
    for text in texts(found):
        assert plain(text, 1 << 20, newlines=True) == text
    return found


def info(body: bytes) -> object:
    return decode_info(body, None, api="1.41", podman=False, asked=ManualClock().now(), took=0.1)


DECODERS: dict[str, tuple[Any, Callable[[bytes], object]]] = {
    "inspect": (INSPECT, lambda body: decode_inspect(body, engine="e")),
    "podman's inspect": (INSPECT, lambda body: decode_inspect(body, engine="e", podman=True)),
    "info": (INFO, info),
    "event": (EVENT, lambda body: decode_event(body, engine="e")),
    "display": (INSPECT, shown),
}
ROWS: dict[str, tuple[Any, Callable[[bytes], tuple[tuple[Any, ...], tuple[str, ...]]]]] = {
    "containers": (ROW, lambda body: (lambda x: (x.containers, x.refused))(decode_listing(body, engine="e"))),
    "nodes": (NODE, decode_nodes),
    "services": (SERVICE, lambda body: decode_services(body, ())),
    "tasks": (TASK, decode_tasks),
}


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
def test_any_json_in_any_field_is_decoded_clean_or_refused(name: str, data: st.DataObject) -> None:
    """Nothing but Malformed comes out of a decoder, and no text that is not clean."""
    sample, decode = DECODERS[name]
    fine_or_malformed(decode, encoded(data.draw(spoiled(sample))))


@pytest.mark.parametrize("name", ["version", "stats", "raw service"])
@given(data=st.data())
def test_what_is_not_shown_is_decoded_or_refused(name: str, data: st.DataObject) -> None:
    """The same for answers that never reach the screen as they are."""
    sample, decode = {
        "version": (VERSION, decode_version),
        "stats": (STATS, lambda body: decode_stats(body, at=0.0)),
        "raw service": (SERVICE, decode_raw_service),
    }[name]
    with suppress(Malformed):
        decode(encoded(data.draw(spoiled(sample))))


@pytest.mark.parametrize("name", [*DECODERS, *ROWS])
@given(body=st.one_of(st.binary(max_size=200), JSON.map(encoded)))
def test_any_bytes_at_all_are_decoded_or_refused(name: str, body: bytes) -> None:
    """Not JSON, not UTF-8, not an object: Malformed."""
    decode: Callable[[bytes], object] = DECODERS[name][1] if name in DECODERS else ROWS[name][1]
    fine_or_malformed(decode, body)


@pytest.mark.parametrize("name", ROWS)
@given(data=st.data())
def test_one_bad_row_hides_none_of_the_others(name: str, data: st.DataObject) -> None:
    """However a row is spoiled, its neighbours are decoded as if it were not there."""
    sample, decode = ROWS[name]
    bad = data.draw(st.one_of(spoiled(sample), JSON))
    key = "Id" if "Id" in sample else "ID"
    first, second = dict(sample), dict(sample)
    first[key] = "a" * len(sample[key])
    second[key] = "b" * len(sample[key])
    alone, _ = decode(encoded([first, second]))
    good, refused = decode(encoded([first, bad, second]))
    assert good[0] == alone[0]
    assert good[-1] == alone[1]
    assert len(good) + len(refused) == 3
    for row in good:
        for text in texts(row):
            assert plain(text, 1 << 20, newlines=True) == text


@pytest.mark.parametrize("name", ROWS)
def test_a_refused_row_is_named_by_its_id_where_that_can_be_read(name: str) -> None:
    """So that its last good reading can be kept; an unreadable id is the empty text."""
    sample, decode = ROWS[name]
    key = "Id" if "Id" in sample else "ID"
    field = {"containers": "Labels", "nodes": "Spec", "services": "Spec", "tasks": "Status"}[name]
    good, refused = decode(encoded([{**sample, field: 7}, {**sample, key: 7}, sample, 7]))
    assert len(good) == 1
    assert refused == (sample[key], "", "")


@pytest.mark.parametrize("name", ROWS)
def test_a_null_list_is_an_empty_one(name: str) -> None:
    """Go's nil slices come as null."""
    assert ROWS[name][1](b"null") == ((), ())
    assert ROWS[name][1](b"[]") == ((), ())


@pytest.mark.parametrize("name", [*DECODERS, *ROWS])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"Id":' * 100_000, id="unended nesting"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="nested lists"),
        pytest.param(b'[{"Labels":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}]", id="nested objects"),
        pytest.param(b'{"State":' + b'{"Health":' * 50_000 + b"1" + b"}" * 50_000 + b"}", id="nested known names"),
        pytest.param(b"[" + b"9" * 100_000 + b"]", id="a number without end"),
        pytest.param(b'{"Created": 1e999999}', id="an infinite number"),
        pytest.param(b'[{"Id": "\xff\xfe"}]', id="not UTF-8"),
        pytest.param(b'{"Id": "a\x00b"}', id="NUL"),
        pytest.param(b'[{"Id": "\\ud800"}]', id="half a surrogate"),
        pytest.param(b"<html>502 Bad Gateway</html>", id="a proxy's page"),
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"Id": "abc', id="cut off"),
    ],
)
def test_hostile_json_is_refused_and_no_more(name: str, body: bytes) -> None:
    """Depth, size and bytes that break parsers end in Malformed or in a refused row."""
    decode: Callable[[bytes], object] = DECODERS[name][1] if name in DECODERS else ROWS[name][1]
    fine_or_malformed(decode, body)
