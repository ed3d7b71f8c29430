"""Plans of more or fewer replicas: by clones and removals on the engines, where no owner decides the number. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..model import Container, ContainerState
from . import phrases
from .draft import Chosen, Draft
from .naming import name_stem, next_number, replica_number
from .picture import owner_of, unreachable
from .steps import CloneOrder, Deed, Step
from .swarmplan import plan_swarm_scale

__all__ = ["plan_scale", "replica_number"]

MOST = 50
"""Clones made by one plan: more is taken for a slip of the finger."""
CLONED = ("compose", "podman-compose", "podman", "rule", "config")
"""Sources of services whose replicas are made by cloning one."""
_DECIDES = {
    "kubernetes": "Kubernetes decides how many pods run: scale its deployment (kubectl scale)",
    "nomad": "Nomad decides how many allocations run: change the group's count (nomad job scale)",
    "ecs": "ECS decides how many tasks run: change the service's desired count",
    "kontena": "Kontena decides how many instances run: scale the service there",
    "rancher": "Rancher decides how many containers run: scale the service there",
    "kamal": "Kamal's proxy knows only the containers it started, so a clone would get nothing to do: use kamal",
    "dokku": "Dokku's proxy knows only the containers it started, so a clone would get nothing: use dokku ps:scale",
    "container": "a container of its own has no number of replicas: it belongs to no service",
}


def plan_scale(one: Chosen, draft: Draft, *, to: int | None, by: int | None) -> float:
    """Bring a service `to` a number of replicas, or change it `by` some. Returns the seconds it takes, about."""
    if (to is None) == (by is None) or by == 0 or (to is not None and to < 0):
        draft.block("say to which number to scale, or by how many")
        return 0.0
    service = one.service
    source = service.key.source if service is not None else "container"
    if source == "swarm":
        return plan_swarm_scale(one, draft, to=to, by=by)
    if service is None or source in _DECIDES:
        draft.block(f"scaling {one.title} is not possible from here: {_DECIDES.get(source, _DECIDES['container'])}")
        return 0.0
    owner = next(filter(None, map(owner_of, one.members)), "")
    if owner or source not in CLONED:
        draft.block(
            f"scaling {one.title} is not possible from here: {owner or 'whoever deploys it'} decides how many there are"
        )
        return 0.0
    now = len(one.members)
    wanted = to if to is not None else now + (by or 0)
    if wanted == now:
        draft.block(f"there {'is' if now == 1 else 'are'} {phrases.count(now, 'replica')} of {one.title} already")
    elif wanted > now:
        return _more(one, draft, wanted - now)
    elif wanted < 1:
        draft.block(
            f"scaling {one.title} to zero would remove its last replica, and its configuration with it: stop it instead"
        )
    else:
        return _fewer(one, draft, now - wanted)
    return 0.0


def best_source(members: Sequence[Container]) -> Container | None:
    """The newest replica that serves; if none does the newest that runs, else the newest."""
    running = [c for c in members if c.state is ContainerState.RUNNING]
    candidates = [c for c in members if c.serving] or running or list(members)
    return max(candidates, key=lambda c: (c.created.timestamp() if c.created else 0.0, c.name), default=None)


def _more(one: Chosen, draft: Draft, count: int) -> float:
    assert one.service is not None
    title = one.service.title
    members = [c for c in one.members if not unreachable(draft.fleet, c.engine)]
    source = best_source(members)
    if source is None:
        draft.block(f"no replica of {title} can be reached, so there is none to clone")
        return 0.0
    stem = name_stem(source.name, source.labels)
    if stem is None:
        draft.block(f"the name of {title} is fixed ({source.name}, by its container_name), so there can be one only")
        return 0.0
    if count > MOST:
        draft.block(f"{count} more replicas at once are more than {MOST}: do it in several steps if it is meant")
        return 0.0
    if not source.serving:
        draft.warn(f"none of its replicas serves: the clone of {source.name} may do no better")
    counts = {c.engine: sum(1 for m in members if m.engine == c.engine) for c in members}
    numbers = {c.engine: [replica_number(m) for m in one.members if m.engine == c.engine] for c in one.members}
    lane = draft.lane()
    steps = []
    for _ in range(count):
        host = min(counts, key=lambda name: (counts[name], name != source.engine, name))
        taken = {c.name for key, c in draft.fleet.containers.items() if key.engine == host}
        number = next_number(numbers, host, stem=stem, taken=taken)
        order = CloneOrder(
            source=source.key,
            source_name=source.name,
            labels=source.labels,
            counts=dict(counts),
            numbers={name: tuple(values) for name, values in numbers.items()},
            now=len(one.members),
        )
        steps.append(_clone_step(order, host, number, stem, one, lane))
        counts[host] += 1
        numbers.setdefault(host, []).append(number)
    draft.steps += steps
    draft.touches(step.engine for step in steps)
    draft.say(more_words(title, steps))
    return len(steps) * (draft.pace.settle + 2)


def _clone_step(order: CloneOrder, host: str, number: int, stem: str, one: Chosen, lane: int) -> Step:
    """One more replica on `host`."""
    return Step(
        engine=host,
        deed=Deed.CLONE,
        object_id=order.source.id,
        object_name=f"{stem}{number}",
        lane=lane,
        waits=True,
        service=one.service.key if one.service is not None else None,
        service_name=one.title,
        number=number,
        clone=order,
    )


def more_words(title: str, steps: Sequence[Step]) -> str:
    """The effect of clones: which, where, like what."""
    order = steps[0].clone
    assert order is not None
    made = phrases.names(f"{step.object_name} on {step.engine}" for step in steps)
    counts = Counter(step.engine for step in steps)
    each = phrases.names((f"{number} on {host}" for host, number in counts.items()), 8)
    sums, now = f" ({each})" if len(steps) > 4 else "", order.now
    return f"scales {title} from {now} to {now + len(steps)}: makes {made}{sums}, like {order.source_name}"


def _fewer(one: Chosen, draft: Draft, count: int) -> float:
    members = list(one.members)
    chosen: list[Container] = []
    for _ in range(count):
        reachable = [c for c in members if not unreachable(draft.fleet, c.engine)]
        if not reachable:
            draft.block(f"only {len(chosen)} of the {count} replicas to remove can be reached")
            break
        counts = {c.engine: sum(1 for m in members if m.engine == c.engine) for c in members}
        last = max(reachable, key=lambda c: (replica_number(c), counts[c.engine], c.engine, c.name))
        chosen.append(last)
        members.remove(last)
    for container in chosen:
        draft.steps.append(
            Step(
                engine=container.engine,
                deed=Deed.REMOVE,
                object_id=container.id,
                object_name=container.name,
                lane=draft.lane(),
                service=one.service.key if one.service is not None else None,
                service_name=one.title,
                stop_timeout=container.detail.stop_timeout if container.detail is not None else None,
            )
        )
    if not chosen:
        return 0.0
    draft.removes = True
    draft.touches(c.engine for c in chosen)
    where = phrases.names(f"{c.name} on {c.engine}" for c in chosen)
    now = len(one.members)
    draft.say(f"scales {one.title} from {now} to {len(members)}: stops and removes {where}; volumes are kept")
    serving, left = sum(1 for c in one.members if c.serving), sum(1 for c in members if c.serving)
    if left == 0 and serving:
        draft.say("None of those that remain serves")
    elif serving != left:
        draft.say(f"{left} {'keeps' if left == 1 else 'keep'} serving")
    return 10.0
