"""Follows every service: when it stopped serving and when it served again, also where that was between two looks.

A look tells since when each replica serves and when it had ended before. So an outage that was over before anybody
looked is found afterwards: from the last end of those that served to the first start of those that serve.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum, auto

import msgspec

from ..model import ContainerKey, ServiceKey, ServiceState
from .lapses import Lapse, Look, Why, key_of
from .spans import MONTH, Availability, Span, availability, common, joined

RESTART = timedelta(seconds=60)
"""What was stopped and serves again within this was restarted: it did not rest, it was away."""
NOTICEABLE = timedelta(milliseconds=20)
RECENT = timedelta(seconds=2)
"""A start that lies further before the last look was seen then; only our measure of the engine's clock has moved."""
SETTLED = timedelta(seconds=5)
"""An outage that is shorter is written down once, when it is over."""
KEPT = 500
"""Spans kept of one service."""
SERVICES = 20_000
GAPS = 2_000
"""Gaps kept of one engine."""
UNWRITTEN = 2_000


class Phase(Enum):
    """What a service does."""

    NEW = auto()
    SERVES = auto()
    OUT = auto()
    RESTS = auto()
    UNKNOWN = auto()


class Course(msgspec.Struct):
    """One service so far."""

    phase: Phase = Phase.NEW
    lapse: Lapse | None = None
    """The one that goes on."""
    served_then: Look | None = None
    """The last look at which it served."""
    looked: datetime | None = None
    first: datetime | None = None
    """When this process first looked."""
    last: Look | None = None
    past: list[Lapse] = msgspec.field(default_factory=list)
    """The newest few that are over, oldest first."""

    @property
    def served(self) -> dict[ContainerKey, datetime | None]:
        """Those that served when last seen, and since when."""
        turns = self.served_then.turns if self.served_then is not None else ()
        return {turn.container: turn.since for turn in turns}


class Ledger:
    """All services. Bounded in every direction."""

    def __init__(self, ended: Callable[[ContainerKey], datetime | None]) -> None:
        """`ended`: when a container ended that no longer serves, on our clock."""
        self._ended = ended
        self._courses: OrderedDict[ServiceKey, Course] = OrderedDict()
        self._out_now: dict[ServiceKey, Course] = {}
        self._gaps: dict[str, list[Span]] = {}
        """Of each engine, joined."""
        self._open_gaps: dict[str, datetime] = {}
        self._since: datetime | None = None
        """From when on the trail, or without one this process, knows anything."""
        self._unwritten: OrderedDict[str, Lapse] = OrderedDict()
        self._written: dict[ServiceKey, Lapse] = {}
        """Those that go on, as last written."""

    # -- looking

    def look(self, service: ServiceKey, look: Look, now: datetime, *, complete: bool = True) -> None:
        """A service was looked at. Not `complete`: hosts that may have replicas of it have not said anything yet."""
        self._since = self._since or now
        course = self._course(service)
        phase = _phase(look, course)
        if not complete and course.phase is Phase.NEW and phase is not Phase.SERVES:
            return  # it may serve where nobody has looked
        match phase:
            case Phase.SERVES:
                self._serves(service, course, look, now)
            case Phase.OUT:
                self._out(service, course, look, now)
            case Phase.RESTS:
                self._rests(service, course, now)
            case Phase.UNKNOWN if course.phase in (Phase.SERVES, Phase.UNKNOWN) and course.lapse is None:
                course.lapse = _lapse(course, service, Why.UNSURE, now)
            case _:
                pass
        course.last, course.first = look, course.first or now
        self._enter(service, course, phase)
        if phase is Phase.SERVES:
            course.served_then, course.looked = look, now

    def gone(self, service: ServiceKey, now: datetime) -> None:
        """Nothing is left of it; where it comes back at once it was only made anew."""
        course = self._courses.get(service)
        if course is not None and course.phase is not Phase.NEW:
            self._rests(service, course, now)
            self._enter(service, course, Phase.RESTS)

    def _enter(self, service: ServiceKey, course: Course, phase: Phase) -> None:
        course.phase = phase
        if phase is Phase.OUT:
            self._out_now[service] = course
        else:
            self._out_now.pop(service, None)

    def began(self, service: ServiceKey) -> datetime | None:
        """Since when it does not serve, where that is known better than from its replicas."""
        course = self._courses.get(service)
        if course is None or course.lapse is None or course.phase is not Phase.OUT:
            return None
        return course.lapse.begin

    def _serves(self, service: ServiceKey, course: Course, look: Look, now: datetime) -> None:
        lapse, course.lapse = course.lapse, None
        if lapse is None:
            if course.phase is Phase.SERVES and (missed := self._missed(course, look)) is not None:
                self._close(course, _lapse(course, service, Why.OUTAGE, missed.begin), missed.end)
            return
        end = min((turn.since for turn in look.turns if turn.since and turn.since >= lapse.begin), default=now)
        if lapse.why is Why.UNSURE:
            if not look.served_at(lapse.begin):
                missed = self._missed(course, look)
                begin = missed.begin if missed is not None else lapse.begin
                self._close(course, _lapse(course, service, Why.OUTAGE if missed else Why.UNSURE, begin), end)
            return
        if lapse.why is Why.REST and end - lapse.begin <= RESTART:
            lapse = msgspec.structs.replace(lapse, why=Why.OUTAGE)
        self._close(course, lapse, end)

    def _missed(self, course: Course, look: Look) -> Span | None:
        """An outage that began and ended since the last look."""
        looked = course.looked
        if looked is None or look.served_at(looked - RECENT):
            return None
        now, served = look.turns, course.served
        if not served or not now or any(turn.since is None for turn in now):
            return None
        if any(served.get(turn.container, turn.ended) == turn.since for turn in now):
            return None
        by_key = {turn.container: turn for turn in now}
        ends = [by_key[key].ended if key in by_key else self._ended(key) for key in served]
        if any(end is None for end in ends):
            return None
        begin, end = max(end for end in ends if end), min(turn.since for turn in now if turn.since)
        return Span(begin, end) if end - begin >= NOTICEABLE else None

    def _out(self, service: ServiceKey, course: Course, look: Look, now: datetime) -> None:
        begin = look.down_since or now
        lapse = course.lapse
        if lapse is not None and lapse.why is Why.OUTAGE:
            if course.phase is Phase.NEW and look.served_from is not None and look.served_from > lapse.begin:
                self._close(course, lapse, look.served_from)  # nobody watched, but it served meanwhile
            else:
                if begin < lapse.begin and _better(look.certain, lapse) and _not_before(course, begin) == begin:
                    course.lapse = msgspec.structs.replace(lapse, begin=begin, certain=look.certain)
                return
        elif (lapse is not None and lapse.why is Why.REST) or (lapse is not None and not look.certain):
            self._close(course, lapse, max(begin, lapse.begin))
        course.lapse = _begun(course, service, begin, certain=look.certain)

    def _rests(self, service: ServiceKey, course: Course, now: datetime) -> None:
        lapse, course.lapse = course.lapse, None
        if lapse is not None and lapse.why is Why.REST:
            course.lapse = lapse
            return
        if lapse is not None:
            self._close(course, lapse, now)
        if course.phase is not Phase.NEW:
            ends = [end for key in course.served if (end := self._ended(key)) is not None]
            begin = max(ends) if ends and course.phase is Phase.SERVES else now
            course.lapse = _lapse(course, service, Why.REST, min(begin, now))

    def _close(self, course: Course, lapse: Lapse, end: datetime) -> None:
        course.lapse = None
        written = self._written.pop(lapse.service, None)
        if written is None and lapse.why is Why.OUTAGE and not lapse.told and end - lapse.begin < NOTICEABLE:
            return
        self._over(course, lapse, end)

    def _over(self, course: Course, lapse: Lapse, end: datetime) -> None:
        lapse = msgspec.structs.replace(lapse, end=max(end, lapse.begin))
        self._keep(course, lapse)
        self._put_off(lapse)

    def _keep(self, course: Course, lapse: Lapse) -> None:
        for at, known in enumerate(course.past):
            if known.key == lapse.key:
                course.past[at] = lapse
                return
        course.past.append(lapse)
        del course.past[:-KEPT]

    def _course(self, service: ServiceKey) -> Course:
        course = self._courses.get(service)
        if course is None:
            course = self._courses[service] = Course()
            if len(self._courses) > SERVICES:
                oldest, _ = self._courses.popitem(last=False)
                self._written.pop(oldest, None)
                self._out_now.pop(oldest, None)
        self._courses.move_to_end(service)
        return course

    # -- what is written down

    def _put_off(self, lapse: Lapse) -> None:
        self._unwritten[lapse.key] = lapse
        while len(self._unwritten) > UNWRITTEN:
            self._unwritten.popitem(last=False)

    def take_unwritten(self, now: datetime) -> tuple[Lapse, ...]:
        """What is to be written down: spans that are over, and outages that go on, each again when it has changed."""
        for service, course in self._out_now.items():
            lapse = course.lapse
            if lapse is None or lapse.why is not Why.OUTAGE or self._written.get(service) == lapse:
                continue
            if lapse.lasted(now) >= SETTLED:
                self._written[service] = lapse
                self._put_off(lapse)
        taken, self._unwritten = tuple(self._unwritten.values()), OrderedDict()
        return taken

    def told(self, service: ServiceKey, incident: str) -> set[str]:
        """What somebody was told of an incident, by this process or another."""
        course = self._courses.get(service)
        return self._told_of(course, incident) if course is not None else set()

    def tell(self, service: ServiceKey, level: str) -> None:
        """Somebody was told. It is kept with the newest outage, since of an earlier one nothing more is written."""
        course = self._courses.get(service)
        if course is None:
            return
        if course.phase is Phase.OUT and course.lapse is not None:
            course.lapse = msgspec.structs.replace(course.lapse, told=(*course.lapse.told, level))
        elif outages := [lapse for lapse in course.past if lapse.why is Why.OUTAGE]:
            newest = max(outages, key=lambda lapse: lapse.begin)
            self._over(course, msgspec.structs.replace(newest, told=(*newest.told, level)), newest.end or newest.begin)

    def _told_of(self, course: Course, incident: str) -> set[str]:
        lapses = [lapse for lapse in course.past if lapse.why is Why.OUTAGE]
        if course.lapse is not None:
            lapses.append(course.lapse)
        first = next((lapse.begin for lapse in lapses if lapse.key == incident), None)
        return {level for lapse in lapses if first is not None and lapse.begin >= first for level in lapse.told}

    def untold(self, since: datetime) -> dict[ServiceKey, Lapse]:
        """Outages that were told, are over since that moment, and of whose end nobody was told."""
        found: dict[ServiceKey, Lapse] = {}
        for service, course in self._courses.items():
            outages = [lapse for lapse in course.past if lapse.why is Why.OUTAGE]
            newest = max(outages, key=lambda lapse: lapse.begin, default=None)
            if newest is None or newest.end is None or newest.end < since or course.phase is Phase.OUT:
                continue
            if newest.told and "recovered" not in newest.told:
                found[service] = newest
        return found

    # -- what was written down

    def recall(self, lapses: Iterable[Lapse]) -> None:
        """Take in what this or another process wrote, oldest first."""
        for lapse in lapses:
            course = self._course(lapse.service)
            going = course.lapse
            if lapse.end is not None:
                reaches_back = going is not None and going.why is Why.OUTAGE and going.begin < lapse.end
                if going is None or going.key != lapse.key or reaches_back:
                    self._keep(course, lapse)
                if going is not None and reaches_back and lapse.why is Why.OUTAGE:
                    begun = _begun(course, lapse.service, going.begin, certain=going.certain)
                    course.lapse = msgspec.structs.replace(begun, told=going.told)
            elif lapse.why is Why.OUTAGE and course.phase is Phase.NEW:
                course.lapse = lapse
            elif lapse.why is Why.OUTAGE:
                self._take_up(course, lapse)

    def _take_up(self, course: Course, lapse: Lapse) -> None:
        """It was not over when that was written."""
        going, last, first = course.lapse, course.last, course.first
        if last is None or first is None:
            return
        ours = lapse.begin >= first
        if course.phase is Phase.OUT and going is not None:
            if last.served_from is not None and last.served_from > lapse.begin:
                self._over(course, lapse, last.served_from)
                return
            told = tuple(dict.fromkeys((*lapse.told, *going.told)))
            better = going.begin < lapse.begin and _better(going.certain, lapse)
            begin, certain = (going.begin, going.certain) if better else (lapse.begin, lapse.certain)
            course.lapse = msgspec.structs.replace(going, key=lapse.key, begin=begin, certain=certain, told=told)
        elif course.phase is Phase.SERVES and not ours:
            since = [turn.since for turn in last.turns if turn.since is not None and turn.since >= lapse.begin]
            self._over(course, lapse, min(since, default=first))
        elif course.phase is Phase.RESTS and not ours:
            self._over(course, lapse, first)

    def unsure(self, service: ServiceKey, begin: datetime, end: datetime) -> None:
        """Its replicas came and went in that span while nobody watched; the last time it was away can be told."""
        course = self._course(service)
        turns = course.last.turns if course.last is not None and course.phase is Phase.SERVES else ()
        ends = [turn.ended for turn in turns if turn.ended is not None and turn.ended >= begin]
        since = [turn.since for turn in turns if turn.since is not None]
        if turns and len(ends) == len(since) == len(turns) and min(since) > max(ends):
            self._over(course, _lapse(course, service, Why.OUTAGE, max(ends)), min(since))
            end = max(ends)
        if end > begin:
            self._over(course, _lapse(course, service, Why.UNSURE, begin), end)

    def known_since(self, moment: datetime) -> None:
        """From here on the trail knows something."""
        self._since = min(moment, self._since) if self._since is not None else moment

    def gap(self, engine: str, begin: datetime, end: datetime | None) -> None:
        """Nothing is known of an engine in that span; told again with its end."""
        if end is None:
            self._open_gaps[engine] = begin
            return
        self._open_gaps.pop(engine, None)
        if end > begin:
            self._gaps[engine] = joined([*self._gaps.get(engine, ()), Span(begin, end)])[-GAPS:]

    # -- what can be asked

    def open(self) -> Mapping[ServiceKey, Lapse]:
        """The outages that go on."""
        return {
            service: course.lapse
            for service, course in self._out_now.items()
            if course.lapse is not None and course.lapse.why is Why.OUTAGE
        }

    def past(self, service: ServiceKey) -> tuple[Lapse, ...]:
        """The outages of a service of which something is kept, newest first, the one that goes on too."""
        course = self._courses.get(service)
        if course is None:
            return ()
        found = [lapse for lapse in course.past if lapse.why is Why.OUTAGE]
        if course.lapse is not None and course.lapse.why is Why.OUTAGE and course.phase is Phase.OUT:
            found = [lapse for lapse in found if lapse.key != course.lapse.key] + [course.lapse]
        return tuple(sorted(found, key=lambda lapse: lapse.begin, reverse=True))

    def availability(
        self, service: ServiceKey, hosts: Iterable[str], now: datetime, span: timedelta, born: datetime | None = None
    ) -> Availability:
        """How it stood over that span up to now. What no engine could tell, and what was before it was `born`, as far
        as that is known, is unknown."""
        window = Span(now - min(span, MONTH), now)
        course = self._courses.get(service)
        lapses = [*course.past] if course is not None else []
        if course is not None and course.lapse is not None:
            lapses.append(course.lapse)
        spans = {why: [Span(lp.begin, lp.end or now) for lp in lapses if lp.why is why] for why in Why}
        since = max(self._since or now, born or window.begin)
        if lapses:  # then it was there earlier
            since = min(since, max(self._since or now, min(lapse.begin for lapse in lapses)))
        unknown = [*spans[Why.UNSURE], Span(window.begin, max(window.begin, since)), *self._dark(hosts, now)]
        return availability(window, spans[Why.OUTAGE], unknown=unknown, rest=spans[Why.REST])

    def _dark(self, hosts: Iterable[str], now: datetime) -> list[Span]:
        """When none of these hosts could tell anything."""
        dark: list[Span] | None = None
        for host in hosts:
            gaps = self._gaps.get(host, [])
            if host in self._open_gaps:
                gaps = joined([*gaps, Span(self._open_gaps[host], now)])
            dark = gaps if dark is None else common(dark, gaps)
            if not dark:
                break
        return dark or []


def _phase(look: Look, course: Course) -> Phase:
    if look.serving:
        return Phase.SERVES
    if look.state is ServiceState.UNKNOWN or look.state is ServiceState.DEGRADED:
        # It was out when last seen, and nobody said otherwise.
        return Phase.OUT if course.phase is Phase.OUT else Phase.UNKNOWN
    if look.state is ServiceState.STOPPED or look.wanted == 0:
        return Phase.RESTS
    if look.state is ServiceState.STARTING and course.lapse is None and course.phase is Phase.NEW:
        return Phase.NEW
    if look.state is ServiceState.STARTING and course.phase is Phase.RESTS:
        return Phase.RESTS
    return Phase.OUT


def _better(certain: bool, lapse: Lapse) -> bool:
    """Whether an earlier begin is worth more than that one: of a loop an engine tells only the earliest it may be."""
    return certain or not lapse.certain


def _not_before(course: Course, begin: datetime) -> datetime:
    """None reaches back into one that was over: in between it served, for however short."""
    ends = (lapse.end for lapse in course.past if lapse.why is Why.OUTAGE and lapse.end is not None)
    return max((end for end in ends if end > begin), default=begin)


def _begun(course: Course, service: ServiceKey, begin: datetime, *, certain: bool) -> Lapse:
    since = _not_before(course, begin)
    return _lapse(course, service, Why.OUTAGE, since, certain=certain and since == begin)


def _lapse(course: Course, service: ServiceKey, why: Why, begin: datetime, *, certain: bool = True) -> Lapse:
    key = key_of(service, begin)
    if any(lapse.key == key for lapse in course.past):  # one that comes and goes within seconds
        key = key_of(service, begin, exact=True)
    return Lapse(service=service, why=why, begin=begin, certain=certain, key=key)
