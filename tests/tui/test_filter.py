"""The filter language: what it finds, what it says of what cannot be read, and that it can be written out again."""

from __future__ import annotations

import pytest
from fleettop.tui.filter import FIELDS, Filter, FilterError, Term, parse_filter, parse_partial
from hypothesis import given
from hypothesis import strategies as st

ROW: dict[str, object] = {
    "name": "pay/api",
    "service": "api",
    "stack": "pay",
    "state": "down",
    "host": ("eu-web-1", "eu-web-2"),
    "image": "registry.example.org/shop/nginx:1.25",
    "health": "unhealthy",
    "label": {"team": "pay", "com.example.app": "api"},
    "cpu": 55.0,
    "mem": 2 * 1024**3,
    "age": 1800.0,
    "restarts": 3,
    "net": None,
    "id": "deadbeef",
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "api",
        "PAY",
        "ay/a",
        "state:down",
        "status:down",
        "host:web",
        "host:web-1",
        "host:eu-web*",
        "host=eu-web-2",
        "image:nginx",
        "image:*nginx*",
        "label:team=pay",
        "label:team",
        "label:com.example.*=a*",
        "cpu>50",
        "cpu>50%",
        "mem>1g",
        "mem>=2GiB",
        "mem=2gb",
        "age<1h",
        "age<1h30m",
        "uptime>=1800",
        "restarts>=3",
        "restarts:3",
        "!worker",
        "!state:healthy",
        "state!=healthy",
        "!!api",
        'name:"pay/api"',
        '"pay/api"',
        "state:down host:web cpu>50",
        "worker | api",
        "worker or state:down",
        "worker state:down | api",
        "!net>1",
    ],
)
def test_a_filter_that_fits_the_row_shows_it(text: str) -> None:
    """Terms are and, bars are or, and a field's value is found at the beginning of a word."""
    assert parse_filter(text).matches(ROW)


@pytest.mark.parametrize(
    "text",
    [
        "worker",
        "!api",
        "host:eb",
        "host:web*",
        "host=web-1",
        "health:healthy",
        'host:"eu-web*"',
        "label:team=p",
        "label:tea",
        "cpu>55",
        "mem<2g",
        "age>1h",
        "restarts<3",
        "net>0",
        "net<1g",
        "disk>=0",
        "deadbeef",
        "state:down state:healthy",
        "worker | cache",
    ],
)
def test_a_filter_that_does_not_fit_the_row_hides_it(text: str) -> None:
    """What is not known is neither more nor less than anything, and a quoted star is a star."""
    assert not parse_filter(text).matches(ROW)


@pytest.mark.parametrize(
    ("text", "says", "position"),
    [
        ("hots:web", "did you mean host?", 0),
        ("a hots:web", "At 3: there is no field 'hots'", 2),
        ("zzzzzz:1", "among the fields are state,", 0),
        ("cpu>much", "no number for cpu; write one like cpu>50", 4),
        ("mem>1x", "no number for mem", 4),
        ("age<1x", "no number for age", 4),
        ("host>5", "host is a text", 0),
        ("| a", "nothing before", 0),
        ("a | | b", "nothing before", 4),
    ],
)
def test_a_filter_that_is_wrong_says_where_and_what_is_meant(text: str, says: str, position: int) -> None:
    """An error is a sentence with its place, and names what was probably meant."""
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert says in str(caught.value)
    assert caught.value.position == position
    assert not caught.value.incomplete


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("api cpu>", "api"),
        ("api host:", "api"),
        ("api !", "api"),
        ("api |", "api"),
        ('api "abc', "api"),
        ('api ""', "api"),
        ("api age<1h3", "api"),
    ],
)
def test_a_filter_being_typed_counts_as_far_as_it_can_be_read(text: str, valid: str) -> None:
    """What is not finished is left out, and is not called wrong."""
    found, error = parse_partial(text)
    assert str(found) == valid
    assert error is not None
    assert error.incomplete


def test_an_unknown_field_says_how_to_look_for_the_text_itself() -> None:
    """An image's tag looks like a field: the hint shows the quotes."""
    with pytest.raises(FilterError) as caught:
        parse_filter("nginx:1.25")
    assert caught.value.hint == 'To look for that very text, quote it: "nginx:1.25".'
    assert parse_filter('"nginx:1.25"').matches(ROW)


def test_a_row_of_texts_and_numbers_may_give_several_values() -> None:
    """Any of a field's values may fit."""
    row = {"port": ("80", "443"), "exit": (0, 137), "state": ("running", "healthy")}
    for text in ("port:443", "exit=137", "state:run", "state:healthy"):
        assert parse_filter(text).matches(row)
    assert not parse_filter("port:8080").matches(row)


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
pieces = st.sampled_from(
    [
        "api",
        "a*",
        "!",
        '"',
        "\\",
        "|",
        " ",
        "or",
        "host:",
        "cpu>",
        "5",
        "1h",
        "text:",
        "label:a=b",
        "=",
        "<",
        "!=",
        "x:",
    ]
)
written = st.one_of(texts, st.lists(pieces, max_size=10).map("".join))
words = st.sampled_from(["api", "web-1", "down", "", "a b", "*", "é"])
rows = st.fixed_dictionaries(
    {},
    optional={
        "name": words,
        "host": st.lists(words, max_size=3),
        "state": words,
        "cpu": st.none() | st.floats(0, 100),
        "age": st.none() | st.integers(0, 10000),
        "label": st.dictionaries(words, words, max_size=2),
    },
)


@given(written)
def test_reading_a_filter_raises_nothing_but_its_own_error(text: str) -> None:
    """Whatever is typed is a filter or a FilterError that stands within the text."""
    _found, error = parse_partial(text)
    if error is None:
        parse_filter(text)
        return
    with pytest.raises(FilterError):
        parse_filter(text)
    assert 0 <= error.position <= len(text)


@given(written)
def test_a_filter_written_out_is_the_same_filter(text: str) -> None:
    """parse(str(f)) == f, so that history and titles can show it."""
    found, _error = parse_partial(text)
    assert parse_filter(str(found)) == found


@given(written, rows)
def test_not_is_the_complement(text: str, row: dict[str, object]) -> None:
    """A row is shown by a term or by its negation, never by both or neither."""
    found, _error = parse_partial(text)
    for terms in found.alternatives:
        for term in terms:
            turned = parse_filter(f"!{term}")
            assert turned.matches(row) is not Filter(((term,),)).matches(row)


@given(rows, st.sampled_from(FIELDS))
def test_a_row_without_the_field_is_never_found_by_it(row: dict[str, object], name: str) -> None:
    """A field that is not there matches nothing, whatever is asked of it."""
    kept = {key: value for key, value in row.items() if key != name}
    if name == "text":
        kept = {}
    assert not Term(field=name, value="a").matches(kept)
    assert not Term(field=name, value="0", operator=">=", number=0.0).matches(kept)


typed = st.lists(
    st.sampled_from(["a", "ap", "api", "web-1", "host:w", "host:web", "host=web-1", "!api", "name:a*", "cpu>5", "|"]),
    max_size=4,
).map(" ".join)
named = st.fixed_dictionaries(
    {"name": st.sampled_from(["api", "cap", "web-1"]), "host": words}, optional={"cpu": st.just(9)}
)


@given(typed, typed, named)
def test_what_a_filter_implies_is_never_hidden(text: str, other: str, row: dict[str, object]) -> None:
    """Where one filter implies another, what it shows the other shows too."""
    first, second = (parse_partial(written)[0] for written in (text, other))
    if first.implies(second):
        assert second.matches(row) or not first.matches(row)


@pytest.mark.parametrize(
    ("before", "typed_on"),
    [("", "a"), ("ap", "api"), ("host:we", "host:web-1"), ("web", "web state:down"), ("a | b", "a | ba"), ("A", "ap")],
)
def test_a_filter_typed_on_implies_what_it_was(before: str, typed_on: str) -> None:
    """It is known without looking at any row, so that those already hidden need not be looked at again."""
    assert parse_filter(typed_on).implies(parse_filter(before))
    assert not parse_filter(before).implies(parse_filter(typed_on))
