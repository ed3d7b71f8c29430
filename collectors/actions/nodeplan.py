"""Plans for a node of a swarm: that it takes tasks, takes no more, or gives away those it has. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from ..errors import ReadOnly
from ..model import SwarmNode, SwarmPicture
from . import phrases
from .picture import Picture, manager_of
from .placing import others_for, own_data, takes_tasks
from .steps import Deed, Plan, Step, Verb

AVAILABILITIES = ("active", "pause", "drain")
_SAID = {"active": "active", "pause": "paused", "drain": "drained"}
_TITLES = {"active": "Activate", "pause": "Pause", "drain": "Drain"}


def plan_node(
    fleet: Picture,
    cluster: str,
    node_id: str,
    availability: str,
    *,
    read_only: bool = False,
    protected: Collection[str] = (),
) -> Plan:
    """What setting a node to `active`, `pause` or `drain` comes to. Raises ReadOnly in read-only mode."""
    if read_only:
        raise ReadOnly("To set a node's availability is a change, and fleettop runs read-only.")
    picture = fleet.swarms.get(cluster)
    node = next((node for node in picture.nodes if node.id == node_id), None) if picture is not None else None
    name = node.hostname if node is not None else node_id[:12]
    title = f"{_TITLES.get(availability, 'Set')} the node {name}"
    manager = manager_of(fleet, cluster)
    why = ""
    if picture is None or node is None:
        why = f"the swarm knows no node {name} any more"
    elif availability not in AVAILABILITIES:
        why = f"a node is {', '.join(AVAILABILITIES)}, and not {availability!r}"
    elif node.availability == availability:
        why = f"the node {name} is {_SAID[availability]} already"
    elif not manager:
        why = "no manager of the swarm can be reached, and only a manager can change it"
    elif picture.error:
        why = f"the swarm cannot be changed now: {picture.error}"
    if why or picture is None or node is None:
        return Plan(verb=Verb.AVAILABILITY, title=title, blockers=(phrases.sentence(why),))
    sentences, warnings = _effect(picture, node, availability)
    host = _host_of(fleet, node)
    group = fleet.engines[host].group if host else ""
    step = Step(
        engine=manager,
        deed=Deed.AVAILABILITY,
        object_id=node.id,
        object_name=name,
        kind="node",
        waits=availability == "drain",
        availability=availability,
        expected=node.availability,
    )
    return Plan(
        verb=Verb.AVAILABILITY,
        title=title,
        sentences=tuple(map(phrases.sentence, sentences)),
        steps=(step,),
        warnings=tuple(map(phrases.sentence, warnings)),
        hosts=(host or manager,),
        name_to_type=name if availability == "drain" and group and group in protected else "",
        seconds=15.0 if availability == "drain" else 1.0,
    )


def _effect(picture: SwarmPicture, node: SwarmNode, availability: str) -> tuple[list[str], list[str]]:
    tasks = Counter(
        task.service_id
        for task in picture.tasks
        if task.node_id == node.id and task.desired == "running" and task.state == "running"
    )
    run = phrases.count(sum(tasks.values()), "task")
    if availability == "pause":
        return [f"the swarm starts no new tasks on {node.hostname}; the {run} there run on"], _last_one(picture, node)
    if availability == "active":
        return [f"the swarm may start tasks on {node.hostname} again; none moves back to it by itself"], []
    sentences, warnings = [f"the swarm ends the {run} on {node.hostname}, about 15 s"], []
    moving: list[str] = []
    for service in sorted(picture.services, key=lambda service: service.name):
        count = tasks.get(service.id, 0)
        if not count:
            continue
        sure, maybe = others_for(picture, service, node.id)
        named = f"{count} of {service.name}"
        down = service.running is not None and service.running <= count
        if service.mode.startswith("global"):
            sentences.append(f"{named} is not started elsewhere: it is global, one task on every node")
        elif sure or maybe:
            moving.append(named)
            if not sure:
                warnings.append(f"whether another node has the labels that {service.name} wants is not known here")
            if down:
                warnings.append(f"nothing of {service.name} serves until it runs elsewhere")
            if own := own_data(service.design):
                warnings.append(f"elsewhere {service.name} is without the {phrases.names(own)} of this node")
        else:
            warnings.append(f"{named} can run on no other node: {'it is down then' if down else 'it waits'}")
    if moving:
        sentences.append(f"it starts them on other nodes: {phrases.names(moving, 8)}")
    sentences.append(f"containers on {node.hostname} that are not the swarm's run on")
    if node.role == "manager":
        sentences.append("it stays a manager")
    return sentences, [*_last_one(picture, node), *warnings]


def _last_one(picture: SwarmPicture, node: SwarmNode) -> list[str]:
    if any(takes_tasks(other) for other in picture.nodes if other.id != node.id):
        return []
    return ["no other node takes tasks: the swarm can start none anywhere then"]


def _host_of(fleet: Picture, node: SwarmNode) -> str:
    for name, status in fleet.engines.items():
        swarm = status.info.swarm if status.info is not None else None
        if swarm is not None and swarm.node_id == node.id and not status.same_as:
            return name
    return ""
