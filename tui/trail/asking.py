"""From what a person wants to see of the trail to what the store finds by its indexes, and what is left to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import msgspec
from fleettop.collectors.fleet.lines import service_text
from fleettop.collectors.model import ContainerKey, Record, RecordKind, ServiceKey
from fleettop.collectors.services.changes import deed
from fleettop.collectors.trail.store import Query

from ..filter import Filter, Term
from ..navigation import Place, Scope
from .reading import Asked

MOST_QUERIES = 6
"""Where a word means more names than this, their records are not rare, and looking at all of them is quicker."""
_CHANGES = frozenset(
    (
        *("create", "update", "remove", "destroy", "start", "stop", "restart", "kill", "pause", "unpause", "rename"),
        *("scale", "deploy", "exec_create", "exec_start", "attach", "copy", "archive-path", "extract-to-dir"),
        *("commit", "pull", "push", "tag", "untag", "delete", "import", "load", "prune", "mount", "promote", "demote"),
    )
)
_BY_ITSELF = frozenset(("its health check", "its restart policy", "the swarm", "the engine", "the program"))


class Names(msgspec.Struct, frozen=True):
    """What is known by name: services with their keys, engines, and who was seen doing something."""

    services: Mapping[ServiceKey, str] = {}
    engines: frozenset[str] = frozenset()
    actors: frozenset[str] = frozenset()


def is_change(record: Record) -> bool:
    """Whether it tells of what somebody did: a deploy, a restart, a scale, a shell; not of what came of itself."""
    if record.kind in (RecordKind.INTENT, RecordKind.OUTCOME):
        return True
    if record.kind is not RecordKind.EVENT or record.actor in _BY_ITSELF:
        return False
    if deed(record):
        return True
    if str(record.cause) in _BY_ITSELF or record.cause == "exited by itself" or record.cause == "killed for memory":
        return False
    return record.action in _CHANGES


def fields_of(record: Record, name: str) -> Mapping[str, object]:
    """What the filter language sees of a record; `name`: how its object is called."""
    return {
        "name": f"{name} {record.what}",
        "what": record.what,
        "host": record.engine,
        "service": record.service_name,
        "object": record.object_name,
        "kind": str(record.kind),
        "action": record.action,
        "cause": str(record.cause),
        "who": record.actor or "unknown",
        "why": record.reason,
    }


def object_words(record: Record) -> str:
    """How the object of a record is called."""
    if record.service_name and record.object_type == "container":
        return record.service_name if record.object_name in ("", record.service_name) else record.object_name
    return record.object_name or record.service_name or record.object_type


def is_wrong(record: Record) -> bool:
    """Gaps, and what a person on call wants to see."""
    return record.trouble or record.kind is RecordKind.GAP


def in_scope(record: Record, scope: Scope) -> bool:
    """Whether it is about that service, container or engine."""
    if isinstance(scope, ServiceKey):
        return record.service == scope
    if isinstance(scope, ContainerKey):
        return (record.engine, record.object_id) == scope
    return scope is None or record.engine == scope


def asked_for(place: Place, accept: Filter | None, names: Names) -> Asked:
    """What to look for at a place."""
    base = _scoped(place.scope)
    if place.only_wrong:
        base = msgspec.structs.replace(base, trouble=True)
    queries, taken_for = _queries(base, accept, names)
    return Asked(queries, _test(place, accept), taken_for)


def _test(place: Place, accept: Filter | None) -> Callable[[Record], bool] | None:
    tests: list[Callable[[Record], bool]] = []
    if place.scope is not None:
        tests.append(lambda record: in_scope(record, place.scope))
    if place.only_wrong:
        tests.append(is_wrong)
    if place.only_changes:
        tests.append(is_change)
    if accept:
        tests.append(lambda record: accept.matches(fields_of(record, object_words(record))))
    if not tests:
        return None
    return lambda record: all(test(record) for test in tests)


def _queries(base: Query, accept: Filter | None, names: Names) -> tuple[tuple[Query, ...], tuple[str, ...]]:
    """What to ask the store for, and the names that words of the filter were taken for."""
    if accept is None or len(accept.alternatives) != 1:
        return (base,), ()
    queries, taken_for = [base], list[str]()
    for term in accept.alternatives[0]:
        meant = _narrowed(term, names)
        if not meant or len(meant) * len(queries) > MOST_QUERIES:
            continue
        queries = [msgspec.structs.replace(query, **part) for query in queries for part in meant.values()]
        if term.field != "kind":
            taken_for += meant
    return tuple(dict.fromkeys(queries)), tuple(taken_for)


def _scoped(scope: Scope) -> Query:
    if isinstance(scope, ServiceKey):
        return Query(service=service_text(scope))
    if isinstance(scope, ContainerKey):
        return Query(engine=scope.engine, object_id=scope.id)
    return Query(engine=scope or "")


def _narrowed(term: Term, names: Names) -> Mapping[str, Mapping[str, object]]:
    """The names that a term means, and what to ask the store for each of them; none: it cannot be narrowed."""
    if term.negated:
        return {}
    if term.field == "kind":
        kinds = tuple(str(kind) for kind in RecordKind if term.matches({"kind": str(kind)}))
        return {"": {"kinds": kinds}} if kinds else {}
    if term.field == "service":
        meant = [(name, key) for key, name in names.services.items() if term.matches({"service": name})]
        twice = {name for name, count in Counter(name for name, _key in meant).items() if count > 1}
        called = {f"{name} ({key.source} {key.scope})" if name in twice else name: key for name, key in meant}
        return {name: {"service": service_text(key)} for name, key in called.items()}
    if term.field == "host":
        return {name: {"engine": name} for name in sorted(names.engines) if term.matches({"host": name})}
    if term.field == "who" and not term.matches({"who": "unknown"}):
        return {name: {"actor": name} for name in sorted(names.actors) if term.matches({"who": name})}
    return {}
