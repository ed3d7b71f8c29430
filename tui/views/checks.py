"""View 6: what the checks found, equal findings in one row that opens to its objects."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from fleettop.collectors import words
from fleettop.collectors.fleet import Changed, Fleet

from .. import format as fmt
from ..navigation import Scope
from ..rows import Cell, Column, Line, Row
from .base import Moment, SortKey, View
from .cells import DIM
from .check_detail import ROLES, Place, check_detail, places_of, sign, waiver_words

if TYPE_CHECKING:
    from fleettop.collectors.checks import Group, Inspection, Verdict


class HeadKey(NamedTuple):
    """The look as a whole: its first line."""

    head: str = "checks"


class GroupRow(NamedTuple):
    """Equal findings."""

    check: str
    severity: str


class ObjectRow(NamedTuple):
    """One of a group."""

    check: str
    severity: str
    engine: str
    object: str
    evidence: str


HEAD = HeadKey()
URGENT = ("critical", "high")


class ChecksView(View):
    """Worst first; what somebody answers for behind, what could not be told last."""

    id = "checks"
    noun = "findings"
    columns = (
        Column(id="state", title="", width=1, worth=100),
        Column(id="severity", title="SEVERITY", width=8, worth=96, sortable=False),
        Column(id="check", title="ID", width=3, worth=94, sortable=False),
        Column(id="count", title="N", width=4, align="right", worth=95, sortable=False),
        Column(id="what", title="WHAT / WHERE", width=26, grow=5, worth=99, limit=60, sortable=False),
        Column(id="new", title="NEW", width=4, align="right", worth=70, sortable=False),
        Column(id="hosts", title="HOSTS", width=12, grow=1, worth=60, limit=24, sortable=False),
        Column(id="evidence", title="EVIDENCE", width=24, grow=5, worth=85, sortable=False),
    )

    def __init__(self, inspection: Callable[[], Inspection | None] = lambda: None) -> None:
        self._inspection = inspection
        self._opened: set[Hashable] = set()
        """The groups that are opened."""
        self._indexed: Verdict | None = None
        self._groups: dict[GroupRow, Group] = {}
        self._order: dict[GroupRow, int] = {}
        self._objects: dict[ObjectRow, tuple[int, Place]] = {}
        """Of the groups that were asked for, with their place in the group."""
        self._within: dict[GroupRow, list[Place]] = {}

    @property
    def title(self) -> str:  # type: ignore[override]
        """With how many findings there are, once it is known."""
        inspection = self._inspection()
        verdict = inspection.verdict if inspection is not None else None
        return "Checks" if verdict is None else f"Checks {verdict.count}"

    def toggle(self, key: Hashable) -> bool:
        """Open a group, or close it; False: the row is none."""
        if not isinstance(key, GroupRow):
            return False
        self._opened ^= {key}
        return True

    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        """The look itself, its groups, and the objects of those that are opened."""
        self._index()
        yield HEAD
        for key in self._groups:
            yield key
            if key in self._opened:
                yield from _rows(key, self._members(key))

    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        """Whether it is there."""
        return any(key == other for other in self.keys(fleet, scope))

    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        """A look is of its moment: the fleet's changes change nothing of it."""
        return set()

    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        """The look, a group or an object."""
        self._index()
        if isinstance(key, GroupRow) and (group := self._groups.get(key)) is not None:
            return _group_row(group, key, moment, opened=key in self._opened)
        if isinstance(key, ObjectRow) and (one := self._one(key)) is not None:
            return _object_row(one, key)
        return Row(key=key, cells=(), span=self._head(moment)) if key == HEAD else None

    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        """As the groups are ordered; objects under their group."""
        self._index()
        if not isinstance(key, GroupRow | ObjectRow):
            return (-1, 0)
        group = self._order.get(GroupRow(*key[:2]), -1)
        return (group, 1 + self._objects[key][0] if isinstance(key, ObjectRow) and key in self._objects else 0)

    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        """Objects keep to their groups: there is no other order."""
        return None

    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        """What the filter language sees; of a group what it sees of any of its objects."""
        self._index()
        if isinstance(key, ObjectRow) and (one := self._one(key)) is not None:
            return _fields(key, [one])
        if isinstance(key, GroupRow) and key in self._groups:
            return _fields(key, self._members(key), self._groups[key].title)
        return {}

    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        """Critical and high, where nobody answers for it."""
        self._index()
        if isinstance(key, GroupRow) and (group := self._groups.get(key)) is not None:
            return key.severity in URGENT and bool(group.counting)
        if isinstance(key, ObjectRow):
            one = self._one(key)
            return key.severity in URGENT and one is not None and one.waiver is None
        return True

    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        """Why it matters, what it rests on, what to do."""
        self._index()
        if isinstance(key, GroupRow | ObjectRow) and (group := self._groups.get(GroupRow(*key[:2]))) is not None:
            one = self._one(key)
            return tuple(check_detail(group, self._members(GroupRow(*group.key)), one, moment))
        return tuple(self._head_detail(moment))

    def story(self, fleet: Fleet, key: Hashable, moment: Moment) -> Line:
        """What to do, in a line."""
        remedy = self.remedy(key)
        return (Cell(remedy.splitlines()[0]),) if remedy else ()

    def remedy(self, key: Hashable) -> str:
        """What to do about a row, as text to be copied; empty: nothing."""
        self._index()
        one, group = self._one(key), self._groups.get(key) if isinstance(key, GroupRow) else None
        if one is not None:
            return one.remedy
        if group is None:
            return ""
        return group.findings[0].finding.remedy if group.findings else group.check.remedy

    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        """What it is called."""
        if isinstance(key, ObjectRow):
            return key.object
        group = self._groups.get(key) if isinstance(key, GroupRow) else None
        return f"{group.check.id} {group.title}" if group is not None else "checks"

    def history_scope(self, fleet: Fleet, key: Hashable) -> Scope:
        """The service of its container, or its host."""
        one = self._one(key)
        if one is None:
            return None
        service = fleet.service_of(one.container) if one.container is not None else None
        return service if service is not None else one.engine

    def restless(self, fleet: Fleet, key: Hashable, moment: Moment) -> bool:
        """The head says how long ago it was."""
        return key == HEAD

    # -- the look

    def _index(self) -> None:
        inspection = self._inspection()
        verdict = inspection.verdict if inspection is not None else None
        if verdict is self._indexed:
            return
        self._indexed = verdict
        groups = verdict.groups if verdict is not None else ()
        self._groups = {GroupRow(*group.key): group for group in groups}
        self._order = {key: at for at, key in enumerate(self._groups)}
        self._objects, self._within = {}, {}

    def _members(self, key: GroupRow) -> list[Place]:
        """The places of a group, worked out when they are first asked for: there may be ten thousand."""
        if key not in self._within and key in self._groups:
            places = self._within[key] = places_of(self._groups[key])
            self._objects |= {row: (at, places[at]) for at, row in enumerate(_rows(key, places))}
        return self._within.get(key, [])

    def _one(self, key: Hashable) -> Place | None:
        return self._objects.get(key, (0, None))[1] if isinstance(key, ObjectRow) else None

    def _head(self, moment: Moment) -> Cell:
        inspection, dot = self._inspection(), f" {moment.glyphs.dot} "
        if inspection is not None and inspection.looking is not None:
            read, of = inspection.looking
            return Cell(f"looking at the fleet: {read} of {words.count(of, 'host')} read", "starting")
        if inspection is None or inspection.verdict is None or inspection.looked_at is None:
            return Cell("nothing was looked at yet: r looks", DIM)
        verdict = inspection.verdict
        parts = [
            _found_words(verdict),
            *([f"{verdict.new} new since yesterday"] if verdict.new else []),
            *([f"{verdict.waived} waived"] if verdict.waived else []),
            words.count(len(verdict.report.engines), "host"),
            *([f"{len(verdict.report.lost)} not reached"] if verdict.report.lost else []),
            f"looked {fmt.age(moment.monotonic - inspection.looked_at)} ago",
        ]
        return Cell(dot.join(parts), "group" if verdict.report.engines else "warning")

    def _head_detail(self, moment: Moment) -> Iterable[Line]:
        inspection = self._inspection()
        yield (Cell("Is this fleet fit for production?", "title"),)
        yield (self._head(moment),)
        verdict = inspection.verdict if inspection is not None else None
        if inspection is None or verdict is None:
            return
        from fleettop.collectors.checks import AS_OF, CHECKS

        for name, why in sorted(verdict.report.lost.items()):
            yield (Cell(f"{name} could not be looked at: {why}", "warning"),)
        if inspection.sightings.trouble:
            yield (Cell(inspection.sightings.trouble, "warning"),)
        elif verdict.count and all(judged.new is None for judged in verdict.counting):
            yield (Cell("What is new since yesterday is not known: this is the first look.", DIM),)
        yield (Cell(f"Docker's releases and their ends: as of {AS_OF}.", DIM),)
        yield (Cell("r looks again, y copies what to do, Enter opens a group.", DIM),)
        yield ()
        for check in CHECKS.values():
            passed = verdict.report.passed.get(check.id, 0)
            found = sum(len(group.counting) for group in verdict.groups if group.check is check)
            unknown = sum(len(group.unchecked) for group in verdict.groups if group.check is check)
            parts = [f"{found} found"] if found else []
            parts += [f"{unknown} not checkable"] if unknown else []
            parts += [f"{passed} passed"] if passed else []
            yield (
                Cell(f"{check.id} ", DIM),
                Cell(f"{', '.join(parts) or 'nothing to look at'}  "),
                Cell(check.title, DIM),
            )


# -- rows --------------------------------------------------------------------------------------------------------------


def _rows(key: GroupRow, places: list[Place]) -> list[ObjectRow]:
    return [ObjectRow(*key, one.engine, one.object, one.evidence) for one in places]


def _found_words(verdict: Verdict) -> str:
    if verdict.count:
        return words.count(verdict.count, "finding")
    return "nothing is wrong" if verdict.report.engines else "nothing could be looked at"


def _group_row(group: Group, key: GroupRow, moment: Moment, *, opened: bool) -> Row:
    counting, role = group.counting, ROLES[key.severity]
    waived = bool(group.findings) and not counting
    if group.unchecked:
        number, evidence = len(group.unchecked), group.unchecked[0].why
        evidence += " …" if len({one.why for one in group.unchecked}) > 1 else ""
    elif waived:
        number, waiver = len(group.findings), group.findings[0].waiver
        evidence = waiver_words(waiver) if waiver is not None else ""
    else:
        number = len(counting)
        evidence = counting[0].finding.evidence + (" …" if len({j.finding.evidence for j in counting}) > 1 else "")
    hosts = group.hosts
    title = group.title if group.findings else f"not checkable: {group.check.title}"
    return Row(
        key=key,
        style="stale" if waived else "",
        cells=(
            Cell(moment.glyphs.mark if waived else sign(key.severity, moment), role),
            Cell("waived" if waived else key.severity, role),
            Cell(key.check, DIM),
            Cell(str(number), "strong" if key.severity in URGENT and not waived else ""),
            Cell(("- " if opened else "+ ") + title, "strong" if key.severity in URGENT and not waived else ""),
            Cell(f"+{group.new}" if group.new else "", "warning"),
            Cell(hosts[0] if len(hosts) == 1 else words.count(len(hosts), "host"), DIM),
            Cell(evidence, DIM),
        ),
    )


def _object_row(one: Place, key: ObjectRow) -> Row:
    role = ROLES[key.severity]
    return Row(
        key=key,
        style="stale" if one.waiver is not None else "",
        cells=(
            Cell(""),
            Cell("waived" if one.waiver is not None else "", DIM),
            Cell("", DIM),
            Cell(""),
            Cell(f"    {one.where}", DIM if role == DIM else ""),
            Cell("new" if one.new else "", "warning"),
            Cell(one.engine, DIM),
            Cell(one.evidence if one.waiver is None else waiver_words(one.waiver), DIM),
        ),
    )


def _fields(key: GroupRow | ObjectRow, places: list[Place], title: str = "") -> Mapping[str, object]:
    return {
        "check": key.check,
        "severity": key.severity,
        "name": sorted({place.object for place in places}),
        "service": sorted({place.service for place in places}),
        "host": sorted({place.engine for place in places}),
        "state": sorted({place.state for place in places}),
        "what": sorted({title, *(place.sentence for place in places)}),
    }
