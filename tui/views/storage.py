"""View 7: a row is a host's disk: what lies on it, and what of that may go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import NamedTuple

from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import DiskUse
from fleettop.collectors.storage import Kind, Sorted
from fleettop.collectors.words import bytes_words

from .. import format as fmt
from ..navigation import Scope
from ..rows import Cell, Column, Line, Row
from .base import Moment, SortKey, View
from .cells import DIM

LARGEST_LOGS = 3
"""Logs told by name."""
MOST_LINES = 300
"""Objects told of one disk, at most."""
_HEADS = {
    Kind.IMAGE: "images",
    Kind.CONTAINER: "containers",
    Kind.VOLUME: "volumes",
    Kind.CACHE: "build cache",
}


class DiskKey(NamedTuple):
    """The disk of an engine; of no name: all disks together."""

    engine: str


ALL = DiskKey("")


class Disks(NamedTuple):
    """What is known of the disks."""

    sorted: Mapping[str, Sorted]
    under_way: frozenset[str]
    errors: Mapping[str, str]
    """Why the disk of an engine could not be read."""


class StorageView(View):
    """All disks, those on which most may go first, under their sum."""

    id = "storage"
    title = "Storage"
    noun = "disks"
    columns = (
        Column(id="host", title="HOST", width=14, grow=2, worth=100, limit=30),
        Column(id="free", title="MAY GO", width=9, align="right", worth=99),
        Column(id="total", title="SIZE", width=9, align="right", worth=95),
        Column(id="image", title="IMAGES", width=14, align="right", worth=90),
        Column(id="container", title="CONTAINERS", width=14, align="right", worth=70),
        Column(id="volume", title="VOLUMES", width=14, align="right", worth=85),
        Column(id="cache", title="BUILD CACHE", width=14, align="right", worth=75),
        Column(id="logs", title="LOGS", width=9, align="right", worth=72),
        Column(id="read", title="READ", width=14, grow=3, worth=80, limit=44),
    )

    def __init__(self, disks: Callable[[], Disks] | None = None) -> None:
        """`disks` tells what is known of them now."""
        self._disks = disks or (lambda: Disks({}, frozenset(), {}))

    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        """The sum, and each engine once."""
        names = [name for name, engine in fleet.engines.items() if not engine.same_as]
        return [ALL, *map(DiskKey, names)] if len(names) > 1 else map(DiskKey, names)

    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        """Whether it is there."""
        return key in set(self.keys(fleet, scope))

    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        """Disks are read when somebody asks: what changes meanwhile does not show before."""
        return {DiskKey(name) for name in changed.engines}

    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        """One disk, or all."""
        assert isinstance(key, DiskKey)
        disks = self._of(key)
        words, role = self._read_words(fleet, key, moment)
        name = Cell(key.engine, "") if key.engine else Cell("all hosts", "strong")
        if not disks:
            empty = Cell(moment.glyphs.dash, DIM)
            return Row(key=key, cells=(name, *[empty] * 7, Cell(words, role)))
        free = sum(disk.most for disk in disks)
        sure = sum(disk.least for disk in disks) == free
        return Row(
            key=key,
            cells=(
                name,
                Cell(f"{'' if sure else '<'}{bytes_words(free)}", "strong" if free else DIM),
                Cell(bytes_words(sum(disk.use.total for disk in disks))),
                *(_kind_cell(disks, kind) for kind in (Kind.IMAGE, Kind.CONTAINER, Kind.VOLUME, Kind.CACHE)),
                _logs_cell(disks, moment),
                Cell(words, role),
            ),
        )

    def _of(self, key: DiskKey) -> tuple[Sorted, ...]:
        known = self._disks().sorted
        if not key.engine:
            return tuple(known.values())
        return (known[key.engine],) if key.engine in known else ()

    def _read_words(self, fleet: Fleet, key: DiskKey, moment: Moment) -> tuple[str, str]:
        """How old the reading is, or why there is none."""
        disks = self._disks()
        if not key.engine:
            number = sum(1 for _ in self.keys(fleet, None)) - 1
            return f"{len(disks.sorted)} of {number} hosts", DIM if len(disks.sorted) == number else "warning"
        known = disks.sorted.get(key.engine)
        old = f"{fmt.age(max(0.0, moment.monotonic - known.use.at))} ago" if known is not None else ""
        if key.engine in disks.under_way:
            return f"{old}, reading" if old else "reading", "starting"
        if key.engine in disks.errors:
            return ", ".join(filter(None, (old, disks.errors[key.engine]))), "warning"
        return old or "not read yet", DIM

    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        """The sum, then where most may go."""
        assert isinstance(key, DiskKey)
        return (bool(key.engine), -sum(disk.most for disk in self._of(key)), key.engine)

    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        """What a column sorts by."""
        assert isinstance(key, DiskKey)
        disks = self._of(key)
        if column == "host" or not disks:
            return key.engine if column == "host" else None
        sizes: dict[str, Callable[[DiskUse], int]] = {
            "total": lambda use: use.total,
            "image": lambda use: use.images_size,
            "container": lambda use: use.written,
            "volume": lambda use: use.volumes_size,
            "cache": lambda use: use.cache_size,
        }
        if column == "free":
            return sum(disk.most for disk in disks)
        if column == "logs":
            known = [disk.use.logs_size for disk in disks if disk.use.logs_size is not None]
            return sum(known) if known else None
        return sum(sizes[column](disk.use) for disk in disks) if column in sizes else -disks[0].use.at

    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        """What the filter language sees."""
        assert isinstance(key, DiskKey)
        engine = fleet.engines.get(key.engine)
        return {"name": key.engine or "all hosts", "host": key.engine, "group": engine.group if engine else ""}

    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        """A disk that could not be read."""
        return isinstance(key, DiskKey) and key.engine in self._disks().errors

    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        """Kind by kind, then what may go by name, then what stays and why."""
        assert isinstance(key, DiskKey)
        disks = self._of(key)
        words, role = self._read_words(fleet, key, moment)
        lines: list[Line] = [(Cell(key.engine or "all hosts", "title"), Cell(f"  {words}", role))]
        if not disks:
            return tuple(lines)
        lines += [(), (Cell(f"{'':<14}{'number':>8}{'size':>10}{'may go':>10}", DIM),)]
        for kind, head in _HEADS.items():
            number = sum(one.kind is kind for disk in disks for one in disk.objects)
            size, free = sum(_size(disk.use, kind) for disk in disks), sum(disk.freed(kind) for disk in disks)
            numbers = f"{number:>8}{bytes_words(size):>10}"
            lines.append((Cell(f"{head:<14}", "head"), Cell(numbers), Cell(f"{bytes_words(free):>10}", "strong")))
        lines += _log_lines(disks, moment)
        objects = sorted(
            (one for disk in disks for one in disk.objects), key=lambda one: (not one.goes, -(one.size or 0), one.name)
        )
        going = Counter(one.goes for one in objects)
        for goes, head in ((True, f"{going[True]} may go"), (False, f"{going[False]} stay")):
            lines += [(), (Cell(head, "head"),)]
            shown = [one for one in objects if one.goes is goes][:MOST_LINES]
            for one in shown:
                where = "" if key.engine else f"{one.engine}  "
                lines.append(
                    (
                        Cell(f"{bytes_words(one.size):>8}  "),
                        Cell(f"{where}{one.kind.value} {one.name}"),
                        Cell(f"  {one.why}", DIM),
                    )
                )
            if going[goes] > len(shown):
                lines.append((Cell(f"          and {going[goes] - len(shown)} more", DIM),))
        return tuple(lines)

    def story(self, fleet: Fleet, key: Hashable, moment: Moment) -> Line:
        """What may go of it, in one line."""
        assert isinstance(key, DiskKey)
        going = Counter(one.kind for disk in self._of(key) for one in disk.going)
        things = [f"{going[kind]} {head}" for kind, head in _HEADS.items() if going[kind]]
        words = f"may go: {', '.join(things)}" if things else "nothing may go" if self._of(key) else "not read yet"
        return (Cell(f"{key.engine or 'all hosts'}: {words}"),)

    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        """What it is called."""
        return key.engine if isinstance(key, DiskKey) else ""

    def history_scope(self, fleet: Fleet, key: Hashable) -> Scope:
        """The engine."""
        return key.engine or None if isinstance(key, DiskKey) else None

    def restless(self, fleet: Fleet, key: Hashable, moment: Moment) -> bool:
        """While its reading is young, or under way."""
        return isinstance(key, DiskKey) and bool(key.engine)


def _size(use: DiskUse, kind: Kind) -> int:
    sizes = {
        Kind.IMAGE: use.images_size,
        Kind.CONTAINER: use.written,
        Kind.VOLUME: use.volumes_size,
        Kind.CACHE: use.cache_size,
    }
    return sizes[kind]


def _logs_cell(disks: tuple[Sorted, ...], moment: Moment) -> Cell:
    """What the logs that could be read come to; `>`: there are others."""
    sizes = [disk.use.logs_size for disk in disks]
    known = [size for size in sizes if size is not None]
    if not known:
        return Cell(moment.glyphs.dash, DIM)
    return Cell(f"{'' if _all_logs(disks) else '>'}{bytes_words(sum(known))}")


def _all_logs(disks: tuple[Sorted, ...]) -> bool:
    return all(len(disk.use.logs) == len(disk.use.containers) for disk in disks)


def _log_lines(disks: tuple[Sorted, ...], moment: Moment) -> list[Line]:
    """Their sum as one more kind, how many it is of, and the largest by name."""
    number, total = sum(len(disk.use.logs) for disk in disks), sum(len(disk.use.containers) for disk in disks)
    cell = _logs_cell(disks, moment)
    dash = moment.glyphs.dash
    head = Cell(f"{'logs':<14}", "head")
    if not number:
        return [(head, Cell(f"{dash:>8}{dash:>10}{dash:>10}", DIM), Cell("  not known from here", DIM))]
    of = "" if number == total else f"  of {number} of {total} containers; the others' are not readable"
    lines: list[Line] = [(head, Cell(f"{number:>8}{cell.text:>10}{dash:>10}"), Cell(of, DIM))]
    names = {(disk.use.engine, one.id): one.name for disk in disks for one in disk.use.containers}
    sizes = {(disk.use.engine, one): size for disk in disks for one, size in disk.use.logs.items()}
    for key in sorted(sizes, key=lambda one: -sizes[one])[:LARGEST_LOGS]:
        where = f"{key[0]}  " if len(disks) > 1 else ""
        lines.append((Cell(f"{'':<14}{'':>8}{bytes_words(sizes[key]):>10}  ", DIM), Cell(f"{where}{names[key]}")))
    return lines


def _kind_cell(disks: tuple[Sorted, ...], kind: Kind) -> Cell:
    number = sum(one.kind is kind for disk in disks for one in disk.objects)
    if not number:
        return Cell("none", DIM)
    return Cell(f"{bytes_words(sum(_size(disk.use, kind) for disk in disks))} {number:>5}")
