"""Plans that a swarm carries out: forced updates and replica numbers, told to a manager."""

from __future__ import annotations

import re
from collections import Counter

from ..cause.comparison import design_words
from ..model import SwarmService
from . import phrases
from .draft import Chosen, Draft
from .picture import manager_of
from .placing import others_for
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


SERVICE_VERBS = (Verb.ROLLBACK, Verb.IMAGE, Verb.HOLD, Verb.GO_ON)
"""What only a swarm can do with a service."""
_DEEDS = {
    Verb.ROLLBACK: Deed.ROLLBACK, Verb.IMAGE: Deed.IMAGE, Verb.HOLD: Deed.HOLD, Verb.GO_ON: Deed.GO_ON
}  # fmt: skip
_UPDATING = ("updating", "rollback_started")
_REFERENCE = re.compile(
    r"[A-Za-z0-9][\w.-]*(:\d+)?(/[a-z0-9][\w.-]*)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?", re.ASCII
)


def plan_service_verb(verb: Verb, one: Chosen, draft: Draft, *, image: str) -> float:
    """Roll a swarm's service back, set its image, pause its update or go on with it. Returns the seconds, about."""
    if one.service is None or one.service.key.source != "swarm" or not one.whole:
        draft.block(_NOT_A_SWARMS[verb].format(title=one.title) + _last_known(one))
        return 0.0
    found = swarm_service(one, draft)
    if found is None:
        return 0.0
    manager, service = found
    tasks = service.wanted if service.wanted is not None else service.running or 1
    why = _against(verb, one, service, image)
    if why:
        draft.block(why)
        return 0.0
    _tell(manager, service, one, draft, _DEEDS[verb], replicas=tasks, image=image)
    draft.touches(one.service.hosts or [manager])
    if verb is Verb.ROLLBACK and service.before is not None and service.design is not None:
        words = design_words(service.design, service.before)
        draft.say(f"rolls {one.title} back to what it was before its last change: {words or 'nothing that is told of'}")
        draft.say("a second roll back undoes this one: the swarm keeps one spec before")
    elif verb is Verb.IMAGE:
        draft.say(f"the swarm replaces {phrases.count(tasks, 'task')} of {one.title} by its own update rule")
        if "@" not in image:
            draft.warn(f"{image} has no digest: each node runs what that name means where it is pulled")
        draft.warn("the nodes pull it with the credentials the service has; fleettop asks no registry")
    elif verb is Verb.HOLD:
        draft.say(f"the update of {one.title} takes the tasks it is at, and the next of its row, and then waits")
        before = service.before.image if service.before is not None and service.before.image else "what was before"
        draft.warn(
            "the API cannot pause an update: its delay is set to a year. That takes the place of the spec before: "
            f"no roll back leads to {before} any more, which would have to be set as the image"
        )
    else:
        draft.say(f"the update of {one.title} goes on from where it is")
    if service.update_state in _UPDATING and verb in (Verb.ROLLBACK, Verb.IMAGE):
        draft.warn(f"an update of {one.title} is under way: it ends where it is")
    return _PER_TASK * tasks if verb is not Verb.HOLD else 1.0


_NOT_A_SWARMS = {
    Verb.ROLLBACK: "rolling {title} back is not possible from here: it is no swarm's service, an engine keeps no "
    "configuration but the present one, and fleettop clones only what is there; deploy the version before with what "
    "deployed this one",
    Verb.IMAGE: "{title} is no swarm's service: its image is set by what deploys it",
    Verb.HOLD: "{title} is no swarm's service, so no update of it can be paused",
    Verb.GO_ON: "{title} is no swarm's service, so no update of it can go on",
}


def _last_known(one: Chosen) -> str:
    change = one.service.last_change if one.service is not None else None
    if change is None or change.what not in ("deploy", "recreate", "update") or not change.detail:
        return ""
    return f" (its last change was: {change.detail})"


def _against(verb: Verb, one: Chosen, service: SwarmService, image: str) -> str:
    """Why it cannot be done, in words; empty: it can."""
    if service.mode.endswith("-job"):
        return f"the service {one.title} is a job of the swarm: it is not updated"
    match verb:
        case Verb.ROLLBACK if service.before is None:
            return f"the service {one.title} has not been changed since it was made, so there is nothing to go back to"
        case Verb.IMAGE if not _REFERENCE.fullmatch(image):
            return f"{image!r} is no image: write name:tag, or name:tag@sha256:…"
        case Verb.HOLD if service.update_state not in _UPDATING:
            return f"no update of {one.title} is under way"
    return ""


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
        if wanted == 0:
            draft.warn(f"at 0 replicas {one.title} is down until it is scaled up again")
        draft.say(f"scales {one.title} from {now} to {wanted}: the swarm ends {lost}, the others run on{ends}")
    else:
        draft.touches([manager])
        more = phrases.count(wanted - now, "task")
        draft.say(f"scales {one.title} from {now} to {wanted}: the swarm starts {more} more, the others run on")
        _say_where(manager, service, one, draft)
    return _PER_TASK if wanted < now else 5.0


def _say_where(manager: str, service: SwarmService, one: Chosen, draft: Draft) -> None:
    """On which nodes new tasks may come to stand: which of them it takes, the swarm alone decides."""
    picture = next((p for p in draft.fleet.swarms.values() if service in p.services), None)
    if picture is None or not picture.nodes:
        return
    sure, maybe = others_for(picture, service, gone="")
    if not sure and not maybe:
        draft.warn(f"no node takes tasks of {one.title} now: the new ones wait")
        return
    tasks = Counter(t.node_id for t in picture.tasks if t.service_id == service.id and t.desired == "running")
    where = phrases.names((f"{node.hostname} (has {tasks[node.id]})" for node in (*sure, *maybe)), 8)
    draft.say(f"the swarm chooses among {where}, those with the fewest first")


def _tell(
    manager: str,
    service: SwarmService,
    one: Chosen,
    draft: Draft,
    deed: Deed,
    *,
    replicas: int,
    before: int | None = None,
    image: str = "",
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
            image=image,
        )
    )
