"""The filter language, for the dashboard and for `fleettop ls --filter`: `state:down host:web* cpu>50 !canary`.

::

    filter  = term* ( "|" term* )*        several terms are and, "|" or the word or between them is or
    term    = "!"* ( text | field ":" value | field ("=" | "!=") value | field ("<" | "<=" | ">" | ">=") number )
    value   = word | '"' … '"'            in a word `*` stands for anything; in quotes everything is itself

- A text without a field is looked for anywhere in a row's names and words.
- `field:value` wants the value at the beginning of a word of the field (`host:web` finds `eu-web-1`, not `cobweb`);
  with a `*` in it, and after `=`, it is the whole field.
- `label:key` and `label:key=value` look at labels, whole.
- Numbers have the unit of their field: `cpu>50` percent, `mem>1g` bytes in steps of 1024, `age<1h30m` time.
- What is not known (None) is neither more nor less than anything, and `!` is true of all that its term is not true of.

Upper and lower case are the same everywhere. Nothing here needs a terminal.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Protocol

import msgspec
from fleettop.collectors.errors import FleetError


class FilterError(FleetError):
    """The filter cannot be read. `position` counts from 0; `incomplete`: what follows may still make it right."""

    def __init__(self, message: str, *, position: int, incomplete: bool = False, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.position = position
        self.incomplete = incomplete


class FilterFields(Protocol):
    """What the filter sees of a row: by a field's name a text, several texts, a number, labels, or None."""

    def get(self, name: str, /) -> object:
        """The value of a field; None where it is not known or the row has none such."""
        ...


FREE = "text"
_WORDS = (
    *("name", "service", "stack", "host", "image", "state", "health", "group", "address", "version", "role"),
    *("what", "object", "action", "cause", "who", "why", "kind", "network", "node"),
)
"""Fields of text; a text without a field is looked for in these."""
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(_WORDS, "text"),
    **dict.fromkeys(
        (FREE, "severity", "check", "id", "port", "swarm", "link", "reason", "how", "availability", "task"), "text"
    ),
    "label": "label",
    "cpu": "percent",
    **dict.fromkeys(("mem", "net", "disk"), "bytes"),
    **dict.fromkeys(("age", "down", "latency", "skew", "seen"), "seconds"),
    **dict.fromkeys(("restarts", "replicas", "wanted", "serving", "containers", "tasks", "exit"), "count"),
}
_ALIASES = {
    "container": "name",
    "svc": "service",
    "project": "stack",
    "engine": "host",
    "status": "state",
    "labels": "label",
    "memory": "mem",
    "uptime": "age",
    "actor": "who",
    "by": "who",
    "ports": "port",
}
FIELDS = tuple(_KINDS)
"""The names of all fields."""

_BYTES = {unit: 1024**power for power, unit in enumerate("bkmgtp")}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_EXAMPLES = {"percent": "50", "bytes": "512m", "seconds": "1h30m", "count": "3"}


class LazyFields(Mapping[str, object]):
    """What the filter sees of a row, each field worked out when it is asked for: few of them ever are."""

    __slots__ = ("_of", "_ways")

    def __init__(self, ways: Mapping[str, Callable[..., object]], *of: object) -> None:
        """`ways` tell each field, given what it is `of`."""
        self._ways, self._of = ways, of

    def get(self, name: str, default: object = None, /) -> object:
        """The value of a field."""
        way = self._ways.get(name)
        return default if way is None else way(*self._of)

    def __getitem__(self, name: str) -> object:
        """The value of a field. Raises KeyError where there is none such."""
        return self._ways[name](*self._of)

    def __iter__(self) -> Iterator[str]:
        """The names of the fields."""
        return iter(self._ways)

    def __len__(self) -> int:
        """How many fields there are."""
        return len(self._ways)


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One condition."""

    value: str
    """As written, in the shape of its field."""
    field: str = FREE
    operator: str = ":"
    """`:` or `=` for text; `=`, `<`, `<=`, `>`, `>=` for numbers."""
    number: float | None = None
    """The value as a number, in the unit of the field; None: it is a text."""
    negated: bool = False
    literal: bool = False
    """It was quoted: a `*` is a star."""

    def __str__(self) -> str:
        value = _quoted(self.value) if self.literal else self.value
        bare = self.field == FREE and (self.literal or not _SAYS_MORE.match(value))
        body = value if bare else f"{self.field}{self.operator}{value}"
        return f"!{body}" if self.negated else body

    def matches(self, row: FilterFields) -> bool:
        """Whether it is true of a row."""
        return self._holds(row) is not self.negated

    def implies(self, other: Term) -> bool:
        """Whether it is plain that wherever it is true, the other is."""
        if self == other:
            return True
        if self.negated or other.negated or self.number is not None or "*" in self.value + other.value:
            return False
        if self.field != other.field or self.field == "label" or other.operator != ":":
            return False
        pattern = _pattern(other.value, other.literal, "anywhere" if self.field == FREE else "word")
        return bool(pattern.search(self.value) if self.field == FREE else pattern.match(self.value))

    def _holds(self, row: FilterFields) -> bool:
        if self.number is not None:
            return any(_compare(number, self.operator, self.number) for number in _numbers(row.get(self.field)))
        if self.field == "label":
            return self._label(row.get("label"))
        if self.field == FREE:
            found = _pattern(self.value, self.literal, "anywhere").search
            return any(found(text) for name in (FREE, *_WORDS) for text in _texts(row.get(name)))
        whole = self.operator == "=" or ("*" in self.value and not self.literal)
        found = _pattern(self.value, self.literal, "whole" if whole else "word").search
        return any(found(text) for text in _texts(row.get(self.field)))

    def _label(self, labels: object) -> bool:
        if not isinstance(labels, Mapping):
            return False
        key, equals, value = self.value.partition("=")
        key_fits = _pattern(key, self.literal, "whole").search
        value_fits = _pattern(value, self.literal, "whole").search
        return any(key_fits(str(name)) and (not equals or value_fits(str(content))) for name, content in labels.items())


class Filter(msgspec.Struct, frozen=True):
    """Alternatives, one of which has to hold; all terms of an alternative have to. Without any, everything matches."""

    alternatives: tuple[tuple[Term, ...], ...] = ()

    def __str__(self) -> str:
        return " | ".join(" ".join(str(term) for term in terms) for terms in self.alternatives)

    def __bool__(self) -> bool:
        return bool(self.alternatives)

    @property
    def fields(self) -> frozenset[str]:
        """The fields it asks for."""
        return frozenset(term.field for terms in self.alternatives for term in terms)

    def implies(self, other: Filter) -> bool:
        """Whether it is plain that what matches it matches the other, as while a word is typed on."""
        if not self.alternatives:
            return not other.alternatives
        return not other.alternatives or all(
            any(all(any(term.implies(wanted) for term in terms) for wanted in others) for others in other.alternatives)
            for terms in self.alternatives
        )

    def without(self, fields: Collection[str]) -> Filter:
        """As it is where nothing is said of these fields: what matches it matches this, too."""
        return Filter(tuple(tuple(t for t in terms if t.field not in fields) for terms in self.alternatives))

    def matches(self, row: FilterFields) -> bool:
        """Whether the row is to be shown."""
        if not self.alternatives:
            return True
        return any(all(term.matches(row) for term in terms) for terms in self.alternatives)


def parse_filter(text: str) -> Filter:
    """The filter written as `text`; empty: one that matches everything. Raises FilterError in one sentence."""
    found, error = parse_partial(text)
    if error is not None:
        raise error
    return found


def readable(text: str) -> Filter | None:
    """As far as it can be read; None: it is empty. What is wrong with it is said where it is typed."""
    return parse_partial(text)[0] if text.strip() else None


def parse_partial(text: str) -> tuple[Filter, FilterError | None]:
    """What can already be read of a filter that is being typed, and the first thing that is wrong with it, if any.

    A term that cannot be read is left out of the filter.
    """
    alternatives: list[list[Term]] = [[]]
    first: FilterError | None = None
    open_bar: int | None = None
    for token, position in _tokens(text):
        if token in ("|", "or"):
            if not alternatives[-1] and first is None:
                first = FilterError(
                    f"At {position + 1}: there is nothing before {token!r} to choose from.", position=position
                )
            open_bar = position
            alternatives.append([])
            continue
        try:
            alternatives[-1].append(_term(token, position))
        except FilterError as error:
            first = first or error
        open_bar = None
    if open_bar is not None and first is None:
        first = FilterError(
            f"At {open_bar + 1}: there is nothing behind the last | yet.", position=open_bar, incomplete=True
        )
    return Filter(tuple(tuple(terms) for terms in alternatives if terms)), first


# -- reading -----------------------------------------------------------------------------------------------------------

_FIELD = r"[A-Za-z][A-Za-z-]*(?::|!=|<=|>=|<|>|=)"
_TOKEN = re.compile(
    rf"""\s*(?: (?P<bar>\|) | (?P<term> !* (?:{_FIELD})? (?: "(?:\\.|[^"\\])*+"? | [^\s|]*+ ) ) )""",
    re.VERBOSE | re.DOTALL,
)
_SAYS_MORE = re.compile(rf"""(?:{_FIELD}|[!"]|or\Z)""")
_PARTS = re.compile(
    r"(?P<not>!*)(?:(?P<field>[A-Za-z][A-Za-z-]*)(?P<operator>:|!=|<=|>=|<|>|=))?(?P<value>.*)", re.DOTALL
)
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*+)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _tokens(text: str) -> Iterable[tuple[str, int]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            return
        token = match.group("bar") or match.group("term")
        at = match.end()
        if token:
            yield token, at - len(token)


def _term(token: str, position: int) -> Term:
    match = _PARTS.fullmatch(token)
    assert match is not None  # .* takes everything
    negated = len(match["not"]) % 2 == 1
    field, operator, raw = match["field"], match["operator"], match["value"]
    where = position + match.start("value")
    if field is None:
        value, literal = _value(raw, where, "!" if match["not"] else "")
        return Term(value=value, literal=literal, negated=negated)
    name = _field(field, position + match.start("field"), token)
    value, literal = _value(raw, where, f"{field}{operator}")
    if operator == "!=":
        operator, negated = "=", not negated
    kind = _KINDS[name]
    if kind in ("text", "label"):
        if operator not in (":", "="):
            raise FilterError(
                f"At {position + 1}: {name} is a text, which is not more or less than another; write {name}:{raw}.",
                position=position,
            )
        if name == FREE:
            operator = ":"
        return Term(
            field=name, operator=":" if kind == "label" else operator, value=value, literal=literal, negated=negated
        )
    number = _number(kind, value, where, name)
    operator = "=" if operator == ":" else operator
    return Term(field=name, operator=operator, value=value.lower(), number=number, negated=negated)


def _field(written: str, position: int, token: str) -> str:
    name = written.lower()
    name = _ALIASES.get(name, name)
    if name in _KINDS:
        return name
    near = difflib.get_close_matches(name, [*_KINDS, *_ALIASES], 1, 0.6)
    meant = (
        f"did you mean {near[0]}?"
        if near
        else "among the fields are state, host, service, image, label, cpu, mem, age and restarts."
    )
    raise FilterError(
        f"At {position + 1}: there is no field {written!r}; {meant}",
        position=position,
        hint=f'To look for that very text, quote it: "{token}".',
    )


def _value(raw: str, position: int, before: str) -> tuple[str, bool]:
    if raw.startswith('"'):
        match = _QUOTED.fullmatch(raw)
        if match is None:
            raise FilterError(
                f"At {position + 1}: a quote is opened and not closed.", position=position, incomplete=True
            )
        value = _ESCAPED.sub(r"\1", match.group(1))
        if not value:
            raise FilterError(
                f"At {position + 1}: there is nothing between the quotes.", position=position, incomplete=True
            )
        return value, True
    if not raw:
        raise FilterError(f"At {position + 1}: a value is missing behind {before}", position=position, incomplete=True)
    return raw, False


_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_SPAN = re.compile(rf"{_NUMBER.pattern}(ms|[smhdw])?")


def _number(kind: str, value: str, position: int, field: str) -> float:
    text = value.lower()
    number = _span(text) if kind == "seconds" else _amount(kind, text)
    if number is None:
        raise FilterError(
            f"At {position + 1}: {value!r} is no number for {field}; write one like {field}>{_EXAMPLES[kind]}.",
            position=position,
            incomplete=kind == "seconds" and _span(text.rstrip("0123456789.")) is not None,
        )
    return number


def _amount(kind: str, text: str) -> float | None:
    match = _NUMBER.match(text)
    if match is None:
        return None
    number, unit = float(match.group(1)), text[match.end() :]
    if kind == "percent":
        return number if unit in ("", "%") else None
    if kind == "count":
        return number if not unit else None
    unit = unit.removesuffix("/s")
    unit = unit.removesuffix("ib") or "b" if unit.endswith("ib") else unit
    unit = unit.removesuffix("b") if len(unit) == 2 else unit
    scale = _BYTES.get(unit or "b")
    return None if scale is None else number * scale


def _span(text: str) -> float | None:
    at, total = 0, 0.0
    while at < len(text):
        match = _SPAN.match(text, at)
        if match is None or (match.group(2) is None and (at or match.end() < len(text))):
            return None
        total += float(match.group(1)) * _SECONDS[match.group(2) or "s"]
        at = match.end()
    return total if text else None


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


# -- matching ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _pattern(value: str, literal: bool, where: str) -> re.Pattern[str]:
    parts = [value] if literal else value.split("*")
    body = ".*".join(re.escape(part) for part in parts)
    if where == "whole":
        body = rf"\A(?:{body})\Z"
    elif where == "word" and value[:1].isalnum():
        body = rf"(?<![^\W_]){body}"
    return re.compile(body, re.IGNORECASE | re.DOTALL)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    if value is None or isinstance(value, Mapping):
        return ()
    if isinstance(value, Iterable):
        return [str(part) for part in value if part is not None]
    return (str(value),)


def _numbers(value: object) -> Iterable[float]:
    if isinstance(value, int | float):
        return (value,)
    if isinstance(value, list | tuple | set | frozenset):
        return [part for part in value if isinstance(part, int | float)]
    return ()


def _compare(number: float, operator: str, wanted: float) -> bool:
    match operator:
        case "<":
            return number < wanted
        case "<=":
            return number <= wanted
        case ">":
            return number > wanted
        case ">=":
            return number >= wanted
        case _:
            return number == wanted
