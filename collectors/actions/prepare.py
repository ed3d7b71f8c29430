"""A plan looked at once more with the engines' own answers, before a person is asked: what is in the way is said first.

Only clones and changes of a swarm's service need it; any other plan comes back as it is. `perform` looks again by
itself, so a plan that was not prepared does no harm: it is refused later instead of blocked sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from ..errors import FleetError
from . import phrases
from .blueprint import Blueprint, blueprint
from .hostfacts import HostFacts, allot, host_facts, number_on
from .paths import segment
from .scale import more_words
from .spec import ServiceNow, service_now
from .steps import CloneOrder, Deed, Plan, Reach, Step

Reaches = Callable[[str], Reach | None]
"""The way to an engine by its name; None: there is none now."""


class _Look(msgspec.Struct, kw_only=True):
    """What looking at one lane brought."""

    steps: tuple[Step, ...]
    sentences: dict[str, str] = {}
    """Sentences of the plan to replace."""
    said: list[str] = []
    warnings: list[str] = []
    blockers: list[str] = []


async def prepare(plan: Plan, *, reach: Reaches) -> Plan:
    """The plan, with what the engines themselves say in its way. Never raises for an engine's trouble."""
    lanes: dict[int, list[Step]] = {}
    for step in plan.steps:
        lanes.setdefault(step.lane, []).append(step)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_look(tuple(steps), reach)) for steps in lanes.values()]
    looks = [task.result() for task in tasks]
    steps = tuple(step for look in looks if not look.blockers for step in look.steps)
    if steps == plan.steps and not any(look.warnings or look.said for look in looks):
        return plan
    replaced = {old: new for look in looks for old, new in look.sentences.items()}
    blockers = tuple(phrases.sentence(text) for look in looks for text in look.blockers)
    warnings = tuple(phrases.sentence(text) for look in looks for text in look.warnings)
    said = tuple(phrases.sentence(text) for look in looks for text in look.said)
    hosts = plan.hosts
    if any(step.deed is Deed.CLONE for step in steps):
        others = [host for host in hosts if all(step.engine != host for step in plan.steps)]
        hosts = tuple(dict.fromkeys([*(step.engine for step in steps), *others]))
    return msgspec.structs.replace(
        plan,
        steps=steps,
        sentences=(*(replaced.get(s, s) for s in plan.sentences), *said) if steps else (),
        blockers=plan.blockers if steps else (*plan.blockers, *blockers),
        warnings=tuple(dict.fromkeys((*plan.warnings, *warnings, *(blockers if steps else ())))),
        hosts=hosts if steps else (),
        seconds=plan.seconds if steps else None,
        name_to_type=plan.name_to_type if steps else "",
    )


async def _look(steps: tuple[Step, ...], reach: Reaches) -> _Look:
    first = steps[0]
    try:
        if first.deed is Deed.CLONE:
            return await _look_at_clones(steps, reach)
        if first.kind == "service":
            return await _look_at_service(first, reach)
    except FleetError as error:
        return _Look(steps=steps, blockers=[f"not possible now: {error}"])
    return _Look(steps=steps)


# -- clones ------------------------------------------------------------------------------------------------------------


async def read_blueprint(step: Step, order: CloneOrder, reach: Reach) -> Blueprint | None:
    """The clone of the container as it is now; None: that is gone. Raises EngineError."""
    source = order.source
    raw = await reach.client.uncleaned(f"/containers/{segment(source.id)}/json")
    return None if raw is None else blueprint(raw, name=step.object_name, number=step.number or 1)


async def _look_at_clones(steps: tuple[Step, ...], reach: Reaches) -> _Look:
    first = steps[0]
    order = first.clone
    assert order is not None
    source_reach = reach(order.source.engine)
    if source_reach is None:
        return _Look(steps=steps, blockers=[f"there is no way to {order.source.engine} now"])
    wanted = await read_blueprint(first, order, source_reach)
    if wanted is None:
        return _Look(
            steps=steps, blockers=[f"the container {order.source_name} on {order.source.engine} is gone: look again"]
        )
    if wanted.obstacles:
        return _Look(steps=steps, blockers=list(wanted.obstacles))
    facts = {host: await host_facts(host, reach(host), wanted) for host in order.counts}
    if order.source.engine in facts:
        facts[order.source.engine].take(wanted, order.source_name)  # a stopped one holds its ports no less
    placed = _place(steps, order, facts, wanted)
    if len(placed) < len(steps):
        why = "; ".join(filter(None, (one.against(wanted) for one in facts.values())))
        few = f"only {len(placed)} of {len(steps)} more" if placed else "no more"
        plural = "replicas" if len(steps) > 1 else "replica"
        return _Look(steps=steps, blockers=[f"{few} {plural} of {first.service_name} can be made: {why}"])
    old, new = more_words(first.service_name, steps), more_words(first.service_name, placed)
    look = _Look(steps=steps if old == new else tuple(placed))
    look.sentences[phrases.sentence(old)] = phrases.sentence(new)
    look.warnings += _differences(placed, order, wanted)
    return look


def _place(steps: Sequence[Step], order: CloneOrder, facts: dict[str, HostFacts], wanted: Blueprint) -> list[Step]:
    counts = dict(order.counts)
    numbers = {host: list(values) for host, values in order.numbers.items()}
    placed: list[Step] = []
    for step in steps:
        host = allot(order, counts, facts, wanted)
        if not host:
            break
        spot = number_on(order, numbers, facts[host])
        facts[host].take(wanted, spot.name)
        counts[host] += 1
        numbers.setdefault(host, []).append(spot.number)
        placed.append(msgspec.structs.replace(step, engine=host, number=spot.number, object_name=spot.name))
    return placed


def _differences(steps: Sequence[Step], order: CloneOrder, wanted: Blueprint) -> list[str]:
    """What a person should know of the clones before they are made."""
    found = list(wanted.dropped)
    same = any(step.engine == order.source.engine for step in steps)
    others = [step.engine for step in steps if step.engine != order.source.engine]
    if wanted.volumes:
        volumes = phrases.names(wanted.volumes)
        if same:
            found.append(f"it shares the volume {volumes} with {order.source_name}: both may write to it")
        if others:
            found.append(f"on {phrases.names(others)} the volume {volumes} is that host's own, and empty if it is new")
    if wanted.binds:
        folders = phrases.names(wanted.binds)
        if same:
            found.append(f"it uses the same {folders} of {order.source.engine} as {order.source_name}")
        if others:
            found.append(f"it uses {folders} as found on {phrases.names(others)}")
    if wanted.config.get("HostConfig") and _on_host_network(wanted):
        found.append("it uses the host's own network: two that listen on one port of a host cannot both run")
    return found


def _on_host_network(wanted: Blueprint) -> bool:
    host = wanted.config.get("HostConfig")
    return isinstance(host, dict) and host.get("NetworkMode") == "host"


# -- a swarm's services ------------------------------------------------------------------------------------------------


async def _look_at_service(step: Step, reach: Reaches) -> _Look:
    way = reach(step.engine)
    if way is None:
        return _Look(steps=(step,), blockers=[f"there is no way to {step.engine} now"])
    now = await service_now(way, step.engine, step.object_id)
    if now is None:
        return _Look(steps=(step,), blockers=[f"the service {step.service_name} is gone: look again"])
    look = _Look(steps=(step,))
    if step.deed is Deed.REPLICAS:
        if now.replicas is None:
            look.blockers.append(f"the service {step.service_name} is not replicated, so it has no number to set")
        elif now.replicas != step.replicas_before:
            look.blockers.append(
                f"the service {step.service_name} was changed meanwhile: it has {now.replicas} wanted replicas now, "
                f"not {step.replicas_before}: look again"
            )
        return look
    look.steps = (msgspec.structs.replace(step, expected=now.mark),)
    if step.deed is Deed.ROLLBACK and now.previous is None:
        look.blockers.append(f"the service {step.service_name} has no spec before this one to go back to")
    elif step.deed is Deed.ROLLBACK and now.previous_image == now.image:
        look.warnings.append(f"the spec before has the same image {now.image}")
    if step.deed is Deed.ROLLBACK and (now.held or now.was_held):
        look.warnings.append("an update of it was paused: the spec before differs by that pause alone")
    if step.deed is Deed.IMAGE:
        if now.image == step.image:
            look.blockers.append(f"the service {step.service_name} has the image {step.image} already")
        look.said.append(f"image: {now.image} → {step.image}; nothing else of it changes")
    if step.deed is not Deed.HOLD:
        look.said.append(_update_rule(now))
    return look


def _update_rule(now: ServiceNow) -> str:
    at_once = "all at once" if now.parallelism == 0 else f"{now.parallelism} at a time"
    order = ", the new one first" if now.order == "start-first" else ""
    failing = {"continue": "goes on if one fails", "rollback": "rolls back if one fails"}
    return f"its rule: {at_once}{order}; {failing.get(now.failure_action, 'pauses if one fails')}"
