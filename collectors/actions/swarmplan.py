"""Plans that a swarm carries out: forced updates and replica numbers, told to a manager."""

from __future__ import annotations

from ..model import SwarmService
from . import phrases
from .draft import Chosen, Draft
from .picture import manager_of
from .steps import Deed, Step, Verb

_PER_TASK = 15.0
"""Seconds one task takes to be replaced where nothing is known of it: 10 to stop, 5 to come up."""


def swarm_service(one: Chosen, draft: Draft) -> tuple[str, SwarmService] | None:
    """A manager that can be reached and the service as it last told; None: blocked, and the draft says why."""
    service = one.service
    assert service is not None
    picture = draft.fleet.swarms.get(service.key.scope)
    if picture is None:
        every = draft.fleet.swarms.values()  # its cluster may not be known yet: then it is found by its own id
        picture = next((p for p in every if any(s.id == service.swarm_service_id for s in p.services)), None)
    found = None
    if picture is not None:
        found = next((s for s in picture.services if s.id == service.swarm_service_id), None)
    manager = manager_of(draft.fleet, picture.cluster_id if picture is not None else service.key.scope)
    if not manager:
        draft.block(f"no manager of the swarm of {one.title} can be reached, and only a manager can change it")
    elif picture is not None and picture.error:
        draft.block(f"the swarm cannot be changed now: {picture.error}")
    elif found is None:
        draft.block(f"the swarm's manager {manager} knows no service {one.title}")
    else:
        return manager, found
    return None


def plan_swarm(verb: Verb, one: Chosen, draft: Draft) -> float:
    """Restart, stop or start of a whole swarm service. Returns the seconds it takes, about."""
    found = swarm_service(one, draft)
    if found is None:
        return 0.0
    manager, service = found
    if service.mode.endswith("-job"):
        draft.block(f"the service {one.title} is a job of the swarm: it runs to its end, and is not restarted")
        return 0.0
    if verb is not Verb.RESTART:
        other = "to 0" if verb is Verb.STOP else "up"
        why = "starts another for each that is stopped" if verb is Verb.STOP else "alone starts its tasks"
        if service.mode == "global":
            draft.block(f"the service {one.title} is global: the swarm {why}, one on every node")
        else:
            draft.block(f"the swarm {why}: scale {one.title} {other} instead")
        return 0.0
    if service.wanted == 0:
        draft.block(f"the service {one.title} is scaled to 0, so there is nothing to restart: scale it up instead")
        return 0.0
    tasks = service.wanted if service.wanted is not None else service.running or 1
    _tell(manager, service, one, draft, Deed.REPLACE, replicas=tasks)
    draft.touches(one.service.hosts if one.service is not None and one.service.hosts else [manager])
    where = phrases.names(one.service.hosts) if one.service is not None else ""
    draft.say(
        f"the swarm replaces {phrases.count(tasks, 'task')} of {one.title}{f' on {where}' if where else ''} "
        f"by the service's own update rule, and may place them on other nodes"
    )
    if service.update_state in ("updating", "rollback_started"):
        draft.warn(f"an update of {one.title} is under way already")
    return _PER_TASK * tasks


def plan_swarm_scale(one: Chosen, draft: Draft, *, to: int | None, by: int | None) -> float:
    """A new number of replicas for a swarm service. Returns the seconds it takes, about."""
    found = swarm_service(one, draft)
    if found is None:
        return 0.0
    manager, service = found
    if service.mode != "replicated":
        what = "a global service: one task on every node" if service.mode == "global" else f"a {service.mode}"
        draft.block(f"the service {one.title} is {what}, so it has no number of replicas to set")
        return 0.0
    now = service.wanted
    if now is None:
        draft.block(f"it is not known how many replicas {one.title} has now")
        return 0.0
    wanted = to if to is not None else now + (by or 0)
    if wanted < 0 or wanted == now:
        already = f"the service {one.title} wants {phrases.count(now, 'replica')} already"
        draft.block(already if wanted == now else "there is nothing below 0")
        return 0.0
    _tell(manager, service, one, draft, Deed.REPLICAS, replicas=wanted, before=now)
    if wanted < now:
        draft.removes = True
        draft.touches(one.service.hosts if one.service is not None and one.service.hosts else [manager])
        lost = phrases.count(now - wanted, "task")
        ends = "; nothing serves then" if wanted == 0 else ""
        draft.say(f"scales {one.title} from {now} to {wanted}: the swarm ends {lost}, the others run on{ends}")
    else:
        draft.touches([manager])
        more = phrases.count(wanted - now, "task")
        draft.say(f"scales {one.title} from {now} to {wanted}: the swarm starts {more} more, the others run on")
    return _PER_TASK if wanted < now else 5.0


def _tell(
    manager: str,
    service: SwarmService,
    one: Chosen,
    draft: Draft,
    deed: Deed,
    *,
    replicas: int,
    before: int | None = None,
) -> None:
    draft.steps.append(
        Step(
            engine=manager,
            deed=deed,
            object_id=service.id,
            object_name=service.name,
            kind="service",
            lane=draft.lane(),
            waits=True,
            service=one.service.key if one.service is not None else None,
            service_name=one.title,
            replicas=replicas,
            replicas_before=before,
        )
    )
