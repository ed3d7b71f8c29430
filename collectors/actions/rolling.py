"""How a change goes over the replicas of a service: how many at once, in what order, and when it stops. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from ..config.allowances import ONE, Allowance
from ..model import Container, ServiceKey
from . import phrases
from .draft import Chosen, Draft
from .naming import replica_number
from .ordering import Order, order_of
from .steps import Verb

DEPENDING = (Verb.RESTART, Verb.START, Verb.STOP)
"""What is done to services in the order in which they need each other."""


class OnHalt(StrEnum):
    """What follows where a change did not all end well, said before it begins."""

    LEAVE = "leave"
    """The rest stays as it is."""
    BACK = "back"
    """What was done is undone, where that can be."""
    GO_ON = "go-on"
    """The rest is done without those that failed."""


class Rolling(msgspec.Struct, frozen=True, kw_only=True):
    """What a person, or the config, asks of a change that goes over many replicas."""

    asked: bool = False
    """One after the other, also where all at once is usual (stop, start)."""
    allowance: Allowance | None = None
    """How many replicas of a service may be away at once; None: what its group says, else one."""
    by_group: Mapping[str, Allowance] = {}
    """`max_unavailable` of the groups of the config."""
    deadline: float | None = None
    """Seconds that each replica has to serve; None: the usual ones."""
    on_halt: OnHalt | None = None
    """None: the rest is left, and a person is asked."""

    def rolls(self, verb: Verb) -> bool:
        """Whether that verb goes over the replicas bit by bit."""
        return verb is Verb.RESTART or (verb in DEPENDING and (self.asked or self.allowance is not None))


def at_once(rolling: Rolling, one: Chosen, fit: Sequence[Container], draft: Draft) -> int:
    """How many of `fit` may be away at once, so that of the whole service no more than allowed are.

    What does not serve anyway counts as away, unless it is among those that are changed: those come first. It is one at
    least: else what is broken could not be put right; the draft warns of that.
    """
    groups = {draft.fleet.engines[host].group for host in one.hosts if host in draft.fleet.engines}
    total = max(len(one.members), len(fit))
    given = [rolling.by_group[group] for group in groups if group in rolling.by_group]
    allowed = min((each.of(total) for each in given), default=ONE.of(total))
    if rolling.allowance is not None:
        allowed = rolling.allowance.of(total)
    touched = {container.key for container in fit}
    away = sum(1 for member in one.members if not member.serving and member.key not in touched)
    if away and away >= allowed and any(container.serving for container in fit):
        draft.warn(
            f"{away} of {phrases.count(total, 'replica')} of {one.title} {'does' if away == 1 else 'do'} not serve and "
            f"{'is' if away == 1 else 'are'} left as {'it is' if away == 1 else 'they are'}: with one more away it is "
            f"more than the {allowed} allowed"
        )
    return max(1, min(allowed - away, len(fit)))


def by_host(fit: Sequence[Container]) -> list[Container]:
    """Those that do not serve first: a restart that does not help halts before what does. Then host by host."""
    return sorted(fit, key=lambda c: (c.serving, c.engine, replica_number(c), c.name))


def in_order(verb: Verb, chosen: Sequence[Chosen], draft: Draft) -> tuple[list[Chosen], Order]:
    """The chosen ones as they are to be taken: what others need first, at a stop last. Circles are warned of."""
    keys = [one.service.key for one in chosen if one.service is not None]
    order = order_of(draft.fleet, keys) if verb in DEPENDING and len(keys) > 1 else Order(tuple(keys), {}, ())
    for one, other in order.circles:
        draft.warn(
            f"the services {one.name} and {other.name} depend on each other: {one.name} is taken as the first to start"
        )
    if verb is Verb.STOP:
        order = Order(order.sorted[::-1], _turned(order.needs), order.circles)
    place = {key: at for at, key in enumerate(order.sorted)}
    if not any(order.needs.values()):
        return list(chosen), order
    return sorted(chosen, key=lambda one: place[one.service.key] if one.service is not None else -1), order


def wait_for(order: Order, lanes: Mapping[ServiceKey, Sequence[int]]) -> dict[int, tuple[int, ...]]:
    """For each lane those that have to have ended well before it begins."""
    after: dict[int, tuple[int, ...]] = {}
    for key, needs in order.needs.items():
        before = tuple(lane for need in needs for lane in lanes.get(need, ()))
        if before:
            after.update(dict.fromkeys(lanes.get(key, ()), before))
    return after


def order_words(verb: Verb, order: Order, draft: Draft, after: Mapping[int, Sequence[int]]) -> str:
    """`in their order: db, cache, then api`; empty where there is none to keep."""
    if not after:
        return ""
    names = [key.name for key in order.sorted if any(step.service == key for step in draft.steps)]
    last = "what others need comes last" if verb is Verb.STOP else "what others need comes first"
    return f"in the order of their depends_on ({phrases.names(names, 8)}): {last}"


_ON_HALT = {OnHalt.BACK: "takes back what was done", OnHalt.GO_ON: "then goes on with the rest without it"}


def halts_words(rolling: Rolling, deadline: float, verb: Verb) -> str:
    """When it stops by itself, and what follows."""
    then = _ON_HALT.get(rolling.on_halt or OnHalt.LEAVE, "leaves the rest as it is")
    if verb is Verb.STOP:
        return f"stops at the first that fails, and {then}"
    return f"stops at the first that does not become healthy in {deadline:.0f} s, and {then}"


def _turned(needs: Mapping[ServiceKey, Sequence[ServiceKey]]) -> dict[ServiceKey, tuple[ServiceKey, ...]]:
    return {key: tuple(other for other in needs if key in needs[other]) for key in needs}
