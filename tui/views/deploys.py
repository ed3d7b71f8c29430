"""View 5: what was changed on services, from what to what, by whom, and how far it came."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from fleettop.collectors.deploys.deploy import Deploy, Outcome, Step, Version, from_to
from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.model import Attribution, ServiceKey
from fleettop.collectors.words import short_id

from .. import format as fmt
from ..navigation import Scope
from ..rows import Cell, Column, Line, Row
from .base import Moment, SortKey, View
from .cells import DIM, clock_time

ROLES: Mapping[Outcome, str] = {
    Outcome.FAILED: "down",
    Outcome.HALFWAY: "degraded",
    Outcome.ROLLED_BACK: "flapping",
    Outcome.GOING: "starting",
    Outcome.UNKNOWN: "unknown",
    Outcome.DONE: "healthy",
}
"""The state of services by whose sign and colour each outcome is drawn."""
DAYS = 14
WEEK = 7


class PerDay(NamedTuple):
    """The head line: how many there are a day."""

    view: str = "deploys"


class DeploysView(View):
    """The newest on top; above them those that did not come to their end."""

    id = "deploys"
    title = "Deploys"
    noun = "deploys"
    columns = (
        Column(id="state", title="", width=1, worth=100),
        Column(id="time", title="WHEN", width=8, worth=96, limit=12),
        Column(id="name", title="SERVICE", width=12, grow=2, worth=99, limit=28),
        Column(id="change", title="FROM → TO", width=18, grow=6, worth=98),
        Column(id="who", title="BY", width=8, grow=2, worth=80, limit=24),
        Column(id="replicas", title="REPL", width=5, align="right", worth=92),
        Column(id="took", title="TOOK", width=7, align="right", worth=70),
        Column(id="outcome", title="OUTCOME", width=11, worth=95),
        Column(id="revision", title="REVISION", width=9, worth=40),
        Column(id="why", title="WHY", width=12, grow=3, worth=30),
    )

    def keys(self, fleet: Fleet, scope: Scope) -> Iterable[Hashable]:
        """All that are known."""
        found = [deploy.key for deploy in fleet.deploys.all.values() if _within(deploy, scope)]
        return [PerDay(), *found] if found and scope is None else found

    def has(self, fleet: Fleet, key: Hashable, scope: Scope) -> bool:
        """Whether it is there, and within the scope."""
        if isinstance(key, PerDay):
            return scope is None and bool(fleet.deploys.all)
        deploy = _deploy(fleet, key)
        return deploy is not None and _within(deploy, scope)

    def dirty(self, changed: Changed, fleet: Fleet) -> set[Hashable] | None:
        """Those that went on, and the others of their services: one that was the newest may be no longer."""
        if not changed.deploys:
            return set()
        services = {deploy.service for key in changed.deploys if (deploy := fleet.deploys.all.get(key)) is not None}
        family = {deploy.key for service in services for deploy in fleet.deploys.of(service)}
        return {PerDay(), *changed.deploys, *family}

    def row(self, fleet: Fleet, key: Hashable, moment: Moment) -> Row | None:
        """One deploy."""
        if isinstance(key, PerDay):
            return Row(key=key, cells=(), span=Cell(per_day_words(fleet, moment), DIM))
        deploy = _deploy(fleet, key)
        if deploy is None:
            return None
        role = ROLES[deploy.outcome]
        stands = standing_so(fleet, deploy)
        return Row(
            key=key,
            cells=(
                Cell(moment.glyphs.states[role], role),
                Cell(clock_time(deploy.began, moment), DIM),
                Cell(deploy.name, "strong" if stands else ""),
                Cell(change_words(deploy, short=True)),
                Cell(deploy.actor or "unknown", "" if deploy.actor else DIM),
                Cell(count_words(deploy), role if deploy.behind else DIM),
                Cell(took_words(deploy, moment), DIM),
                Cell(str(deploy.outcome), role if deploy.outcome is not Outcome.DONE else DIM),
                Cell(deploy.after.revision[:9], DIM),
                Cell(deploy.reason),
            ),
        )

    def rank(self, fleet: Fleet, key: Hashable) -> SortKey:
        """What stands half-way or failed, then what goes on, then the newest."""
        deploy = _deploy(fleet, key)
        if deploy is None:
            return (0,)
        first = 1 if standing_so(fleet, deploy) else 2 if deploy.outcome is Outcome.GOING else 3
        return (first, -deploy.began.timestamp(), deploy.key)

    def value(self, fleet: Fleet, key: Hashable, column: str) -> object:
        """What a column sorts by."""
        deploy = _deploy(fleet, key)
        if deploy is None:
            return None
        took = (deploy.ended - deploy.began).total_seconds() if deploy.ended is not None else None
        return {
            "state": list(Outcome).index(deploy.outcome),
            "time": -deploy.began.timestamp(),
            "name": deploy.name,
            "change": change_words(deploy),
            "who": deploy.actor or None,
            "replicas": deploy.wanted,
            "took": took,
            "outcome": list(Outcome).index(deploy.outcome),
            "revision": deploy.after.revision or None,
            "why": deploy.reason or None,
        }.get(column)

    def fields(self, fleet: Fleet, key: Hashable) -> Mapping[str, object]:
        """What the filter language sees."""
        deploy = _deploy(fleet, key)
        if deploy is None:
            return {}
        return {
            "name": deploy.name,
            "service": deploy.name,
            "image": (deploy.after.image, deploy.before.image),
            "state": str(deploy.outcome),
            "host": tuple({step.host for step in deploy.steps}),
            "who": deploy.actor or "unknown",
            "how": str(deploy.attribution),
            "what": f"{change_words(deploy)} {deploy.after.revision} {deploy.after.version}",
            "why": deploy.reason,
        }

    def wrong(self, fleet: Fleet, key: Hashable) -> bool:
        """What did not come to its end, and stands so."""
        deploy = _deploy(fleet, key)
        return deploy is not None and standing_so(fleet, deploy)

    def detail(self, fleet: Fleet, key: Hashable, moment: Moment) -> tuple[Line, ...]:
        """From what to what, replica by replica, by whom, and what the service's others were."""
        if isinstance(key, PerDay):
            return tuple(per_day_lines(fleet, moment))
        deploy = _deploy(fleet, key)
        if deploy is None:
            return ()
        others = [other for other in fleet.deploys.of(deploy.service) if other.key != deploy.key][:8]
        lines: list[Line] = [*_head(deploy, moment), (), *_versions(deploy), *_whom(deploy), *_steps(deploy, moment)]
        if others:
            lines += [(), (Cell("its other deploys", "head"),), *(_other(other, moment) for other in others)]
        return (*lines, *per_day_lines(fleet, moment))

    def story(self, fleet: Fleet, key: Hashable, moment: Moment) -> Line:
        """What a narrow table has no room for."""
        deploy = _deploy(fleet, key)
        if deploy is None:
            return ()
        behind = f"; behind: {', '.join(deploy.behind[:4])}" if deploy.behind else ""
        return (
            Cell(f"{deploy.name} {from_to(deploy)}, {outcome_words(deploy)} by {deploy.actor or 'unknown'}"),
            Cell(behind, ROLES[deploy.outcome]),
        )

    def name_of(self, fleet: Fleet, key: Hashable) -> str:
        """What it is called."""
        deploy = _deploy(fleet, key)
        return f"{deploy.began.isoformat()} {deploy.name} {from_to(deploy)}" if deploy is not None else ""

    def history_scope(self, fleet: Fleet, key: Hashable) -> Scope:
        """Its service."""
        deploy = _deploy(fleet, key)
        return deploy.service if deploy is not None else None

    def restless(self, fleet: Fleet, key: Hashable, moment: Moment) -> bool:
        """One that goes on shows its seconds."""
        deploy = _deploy(fleet, key)
        return deploy is not None and deploy.outcome is Outcome.GOING


def standing_so(fleet: Fleet, deploy: Deploy) -> bool:
    """Whether it did not come to its end, and no other has followed it."""
    if not deploy.trouble:
        return False
    newest = fleet.deploys.of(deploy.service)
    return bool(newest) and newest[0].key == deploy.key


def change_words(deploy: Deploy, *, short: bool = False) -> str:
    """From what to what; that it goes back is said."""
    words = from_to(deploy, short=short)
    return f"back: {words}" if deploy.back else words


def count_words(deploy: Deploy) -> str:
    """`3/5`: of the replicas that are wanted, those that are what it wants."""
    return f"{deploy.made}/{deploy.wanted}" if deploy.wanted else ""


def took_words(deploy: Deploy, moment: Moment) -> str:
    """How long it took, or has taken so far."""
    if deploy.ended is not None:
        return fmt.age((deploy.ended - deploy.began).total_seconds())
    if deploy.outcome is Outcome.GOING:
        return fmt.age((moment.now - deploy.began).total_seconds())
    return ""


def outcome_words(deploy: Deploy) -> str:
    """`half-way, 3 of 5`, `failed, 1 of 3 does not serve`, `done`."""
    if deploy.outcome is Outcome.FAILED and (away := sum(step.serves is False for step in deploy.steps)):
        return f"failed, {away} of {deploy.wanted} {'does' if away == 1 else 'do'} not serve"
    return f"{deploy.outcome}, {deploy.made} of {deploy.wanted}" if deploy.behind else str(deploy.outcome)


def per_day_words(fleet: Fleet, moment: Moment) -> str:
    """How many there were today, yesterday, and within a week."""
    counts = fleet.deploys.per_day()
    today = moment.now.astimezone().date()
    week = sum(counts[today - timedelta(days=back)] for back in range(WEEK))
    dot = f" {moment.glyphs.dot} "
    yesterday = counts[today - timedelta(days=1)]
    return dot.join((f"today {counts[today]}", f"yesterday {yesterday}", f"7 days {week}, {week / WEEK:.1f} a day"))


def per_day_lines(fleet: Fleet, moment: Moment) -> list[Line]:
    """A bar for each of the last days, as far as deploys are known."""
    counts = fleet.deploys.per_day()
    today = moment.now.astimezone().date()
    days = [today - timedelta(days=back) for back in range(DAYS)]
    most = max((counts[day] for day in days), default=0)
    if not most:
        return []
    lines: list[Line] = [(), (Cell("deploys per day", "head"),)]
    last = max(at for at, day in enumerate(days) if counts[day])
    for day in days[: last + 1]:
        bar = moment.glyphs.fill * round(counts[day] * 24 / most) if counts[day] else ""
        lines.append((Cell(f"  {day:%a} {day.day:>2} {day:%b} ", DIM), Cell(f"{counts[day]:>3} "), Cell(bar, "line")))
    return lines


def deployed_before(fleet: Fleet, service: ServiceKey, moment: Moment) -> str:
    """What was deployed just before a service broke, in words; empty: it is well, or nothing is known."""
    known = fleet.services.get(service)
    if known is None or known.down_since is None:
        return ""
    slack = timedelta(seconds=2)
    deploy = fleet.deploys.before(service, known.down_since + slack)
    if deploy is None:
        return ""
    pause = (known.down_since - deploy.began).total_seconds()
    when = f"{fmt.age(pause)} before it broke" if pause >= 1 else "as it broke"
    return f"{from_to(deploy)}, {when}, by {deploy.actor or 'unknown'}: {outcome_words(deploy)}"


def _deploy(fleet: Fleet, key: Hashable) -> Deploy | None:
    return fleet.deploys.all.get(key) if isinstance(key, str) else None


def _within(deploy: Deploy, scope: Scope) -> bool:
    if isinstance(scope, ServiceKey):
        return deploy.service == scope
    return scope is None or any(step.host == scope for step in deploy.steps)


def _head(deploy: Deploy, moment: Moment) -> list[Line]:
    role = ROLES[deploy.outcome]
    took = took_words(deploy, moment)
    begun = clock_time(deploy.began, moment)
    lines: list[Line] = [
        (
            Cell(deploy.name, "title"),
            Cell("  "),
            Cell(f"{moment.glyphs.states[role]} {outcome_words(deploy)}", role),
        ),
        (Cell(change_words(deploy), "strong"),),
        (Cell(f"begun {begun}" + (f", took {took}" if took and deploy.ended is not None else ""), DIM),),
    ]
    if deploy.note:
        lines.append((Cell(deploy.note, role),))
    if deploy.what and not from_to(deploy).endswith(deploy.what):
        lines.append((Cell(f"also: {deploy.what}"),))
    return lines


def _versions(deploy: Deploy) -> list[Line]:
    def facts(version: Version) -> list[tuple[str, str]]:
        return [
            ("image", version.image),
            ("digest", short_id(version.digest)),
            ("revision", version.revision),
            ("version", version.version),
            ("source", version.source),
            ("config", version.config[:12]),
        ]

    lines: list[Line] = []
    for (name, old), (_, new) in zip(facts(deploy.before), facts(deploy.after), strict=True):
        if not old and not new:
            continue
        words = new if old == new or not old else f"{old} → {new or 'none'}"
        lines.append((Cell(f"{name:<10}", DIM), Cell(words, "" if old != new else DIM)))
    return lines


def _whom(deploy: Deploy) -> list[Line]:
    how = f" · {deploy.attribution}" if deploy.attribution is not Attribution.UNKNOWN else ""
    lines: list[Line] = [(Cell(f"{'by':<10}", DIM), Cell(f"{deploy.actor or 'unknown'}{how}"))]
    if deploy.reason:
        lines.append((Cell(f"{'why':<10}", DIM), Cell(deploy.reason)))
    return lines


def _steps(deploy: Deploy, moment: Moment) -> list[Line]:
    lines: list[Line] = []
    if deploy.steps:
        lines += [(), (Cell("replica by replica", "head"),)]
        away = "starting" if deploy.outcome is Outcome.GOING else "down"
        lines += [_step(step, away, moment) for step in deploy.steps]
    lines += [
        (Cell(f"  {moment.glyphs.states['degraded']} ", "degraded"), Cell(name), Cell("  still what it was", DIM))
        for name in deploy.behind
    ]
    return lines


def _step(step: Step, away: str, moment: Moment) -> Line:
    role = "unknown" if step.serves is None else "healthy" if step.serves else away
    words = ""
    if step.serves and step.since is not None:
        words = f"serves after {fmt.age((step.since - step.at).total_seconds())}"
    elif step.note:
        words = step.note
    return (
        Cell(f"  {moment.glyphs.states[role]} ", role),
        Cell(f"{clock_time(step.at, moment)}  ", DIM),
        Cell(f"{step.host}  ", DIM),
        Cell(step.name),
        Cell(f"  {words}" if words else "", DIM),
    )


def _other(deploy: Deploy, moment: Moment) -> Line:
    role = ROLES[deploy.outcome]
    return (
        Cell(f"  {moment.glyphs.states[role]} ", role),
        Cell(f"{clock_time(deploy.began, moment)}  ", DIM),
        Cell(change_words(deploy)),
        Cell(f"  {outcome_words(deploy)}", DIM),
        Cell(f"  {deploy.actor}" if deploy.actor else "", DIM),
    )
