"""As much of a filter as an index of the trail can find. Pure.

The rest is looked for in what was found: the query only ever leaves out what the filter would leave out too. A filter
compares words without regard to case, an index whole names: so only what has few known values is narrowed here (kinds),
or what the trail itself knows the spelling of (`names`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fleettop.collectors.model import RecordKind
from fleettop.collectors.trail.store import Query

from ..filter import Filter, Term

UNKNOWN = "unknown"
NONE = "\0"
"""A name that nothing has."""


def query_of(
    wanted: Filter, *, since: int | None = None, until: int | None = None, names: Iterable[str] | None = None
) -> Query:
    """The narrowest query that finds all that the filter may want. `names`: all of engines and actors, where known."""
    every = None if names is None else tuple(names)
    return Query(
        since=since,
        until=until,
        kinds=_kinds(wanted),
        engine=_only(wanted, "host", every, unnamed=""),
        actor=_only(wanted, "who", every, unnamed=UNKNOWN),
    )


def _kinds(wanted: Filter) -> tuple[str, ...]:
    kinds = tuple(str(kind) for kind in RecordKind if _may_match(wanted, {"kind": str(kind)}))
    if len(kinds) == len(RecordKind):
        return ()
    return kinds or (NONE,)


def _only(wanted: Filter, field: str, names: tuple[str, ...] | None, *, unnamed: str) -> str:
    """The one name that the filter lets through; empty: several. `unnamed`: what who has none is called."""
    if names is None or _may_match(wanted, {field: unnamed}):
        return ""
    fitting = [name for name in names if _may_match(wanted, {field: name})]
    return fitting[0] if len(fitting) == 1 else "" if fitting else NONE


def _may_match(wanted: Filter, known: Mapping[str, str]) -> bool:
    """Whether a row of which only this is known can match."""
    if not wanted:
        return True
    return any(all(_may_hold(term, known) for term in terms) for terms in wanted.alternatives)


def _may_hold(term: Term, known: Mapping[str, str]) -> bool:
    return term.field not in known or term.matches(known)
