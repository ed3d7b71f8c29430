"""A prune as a plan: every object by name, host by host, and what stays. Pure: asks no engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from ..errors import ReadOnly
from ..storage import Keep, Kind, Sorted, Stored
from ..words import age, bytes_words
from . import phrases
from .steps import Deed, Plan, Step, Verb

_ORDER = {kind: order for order, kind in enumerate(Kind)}
TITLES = {
    Kind.CONTAINER: "stopped container",
    Kind.IMAGE: "image",
    Kind.VOLUME: "volume",
    Kind.CACHE: "record of the build cache",
}
BUILDER = "builder"
"""What the events of the build cache are about: they name no object."""
PLURALS = {Kind.CACHE: "records of the build cache"}


def plan_prune(
    disks: Sequence[Sorted],
    *,
    keep: Keep,
    groups: Mapping[str, str] | None = None,
    protected: Collection[str] = (),
    unread: Mapping[str, str] | None = None,
    read_only: bool = False,
) -> Plan:
    """What pruning these disks comes to.

    `groups` are the engines' groups, of which those that are `protected` want a name typed; `unread` says of engines
    why their disk could not be read. Raises ReadOnly in read-only mode.
    """
    if read_only:
        raise ReadOnly("To prune is a change, and fleettop runs read-only.")
    going = [disk for disk in disks if disk.going]
    hosts = tuple(disk.use.engine for disk in going)
    on = phrases.names(hosts) or phrases.names(disk.use.engine for disk in disks) or "nothing"
    title = f"Prune {on}"
    left = "left as it is, since its disk could not be read"
    warnings = [f"{left}: {engine} ({why})" for engine, why in sorted((unread or {}).items())]
    warnings += [
        f"not all that {disk.use.engine} told of its disk made sense, so nothing of it goes"
        for disk in disks
        if disk.use.refused
    ]
    if not going:
        blockers = warnings or ["nothing is there that may go"]
        return Plan(verb=Verb.PRUNE, title=title, blockers=tuple(map(phrases.sentence, blockers)))
    steps: list[Step] = []
    for lane, disk in enumerate(going):
        steps += _steps(disk, lane)
    least, most = sum(disk.least for disk in going), sum(disk.most for disk in going)
    sentences = [_sum_up(going, least, most), _rules(keep)]
    for disk in going:
        sentences += _listed(disk)
    group = next((g for host in hosts if (g := (groups or {}).get(host, "")) and g in protected), "")
    return Plan(
        verb=Verb.PRUNE,
        title=title,
        sentences=tuple(sentences),
        steps=tuple(steps),
        warnings=tuple(map(phrases.sentence, warnings)),
        hosts=hosts,
        name_to_type=(hosts[0] if len(hosts) == 1 else group) if group else "",
        seconds=max(0.3 * sum(step.lane == lane for step in steps) for lane in range(len(going))),
        regardless=True,
    )


def _steps(disk: Sorted, lane: int) -> list[Step]:
    """One after the other, and the build cache last: what an image had is freed there."""
    ordered = sorted(disk.going, key=lambda one: (_ORDER[one.kind], one.name))
    steps = [
        Step(
            engine=one.engine,
            deed=Deed.PRUNE,
            object_id=one.id,
            object_name=one.name,
            kind=one.kind.value,
            lane=lane,
            expected=one.mark if one.kind is not Kind.CONTAINER else "",
            why=_why(one),
        )
        for one in ordered
        if one.kind is not Kind.CACHE
    ]
    records = [one for one in ordered if one.kind is Kind.CACHE]
    if records:
        size = sum(one.size or 0 for one in records)
        steps.append(
            Step(
                engine=disk.use.engine,
                deed=Deed.PRUNE,
                object_id=BUILDER,
                object_name=phrases.count(len(records), "record"),
                kind=Kind.CACHE.value,
                lane=lane,
                parts=tuple(one.id for one in records),
                why=f"not in use, {bytes_words(size)}",
            )
        )
    return steps


def _why(one: Stored) -> str:
    return f"{one.why}, {bytes_words(one.size)}" if one.size else one.why


def _sum_up(going: Sequence[Sorted], least: int, most: int) -> str:
    counts = Counter(one.kind for disk in going for one in disk.going)
    things = [phrases.count(counts[kind], TITLES[kind], PLURALS.get(kind, "")) for kind in Kind if counts[kind]]
    return phrases.sentence(f"removes {', '.join(things)}; {freed_words(least, most)}")


def freed_words(least: int, most: int) -> str:
    """`frees 1.2 GB`; where it is not told what images share, `frees 0.8 to 1.2 GB`."""
    if least == most:
        return f"frees {bytes_words(most)}"
    return f"frees {bytes_words(least)} to {bytes_words(most)}, as images share layers"


def _rules(keep: Keep) -> str:
    images = f"images younger than {age(keep.images)}, " if keep.images > 0 else ""
    volumes = "volumes that have a name, " if keep.volumes else ""
    return f"Stays: {volumes}{images}and whatever a container or a service of the fleet uses."


def _listed(disk: Sorted) -> list[str]:
    """Every object of a host by name, and how many stay."""
    lines = [f"{disk.use.engine}: {freed_words(disk.least, disk.most)}"]
    for one in sorted(disk.going, key=lambda one: (_ORDER[one.kind], -(one.size or 0), one.name)):
        size = bytes_words(one.size) if one.size is not None else "–"
        lines.append(f"  {one.kind.value}  {one.name}  {size}  {one.why}")
    return lines
