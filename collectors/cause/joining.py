"""A running container connected to a network, or disconnected: somebody's deed.

The same events come with each start and end of a container, and are noise then. Their order (seen on 20.10):
`create`, `connect`, `start`; `die`, `disconnect`, `stop`. One `disconnect` by a person is told twice by the engine.
From Docker 23 on (seen on 26.1) `disconnect` comes before the `die`, so it is told once it is known that none follows.
Podman 4.3 tells of connects by a person only, and names the container where Docker names the network.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from ..model import ContainerState, EngineEvent
from .desk import Step, attributed

TWICE = timedelta(seconds=2)
ENDS = ("die", "stop")
"""What a `disconnect` may have come with."""
ALIVE = ("kill", "pause", "unpause", "exec_create")
"""What is said of one that runs: a `disconnect` before that was not its end."""
PARTED = 16
"""Disconnects of one container that are kept."""
RUNS = (ContainerState.RUNNING, ContainerState.PAUSED)


def joined_container(event: EngineEvent) -> EngineEvent | None:
    """The container that a network's event is about, as an event of it; None: about none (a swarm's own sandbox)."""
    named = event.attributes.get("container")
    container = named if named is not None else event.id
    if len(container) != 64 or not set(container) <= set("0123456789abcdef"):
        return None
    name = "" if named is not None else event.name
    return msgspec.structs.replace(event, type="container", id=container, name=name, attributes={})


def on_join(step: Step, event: EngineEvent, *, settled: bool = False) -> bool:
    """Write a record of it where the container ran at that moment; whether there is one.

    Until it is `settled` that it did not end just then, a `disconnect` from what it was last read to be on is kept.
    """
    container = step.container
    if container is None or container.state not in RUNS or not _ran(step):
        return False
    if event.action == "disconnect" and not settled and event.name in container.networks:
        if len(step.case.parted) < PARTED:
            step.case.parted.append(event)
        return False
    network = event.name if "container" in event.attributes else ""
    last = step.case.joined.get((event.action, network))
    step.case.joined[event.action, network] = step.at
    if last is not None and step.at - last <= TWICE:
        return True
    step.event = msgspec.structs.replace(step.event, name=container.name, attributes=container.labels)
    intent = step.intent()
    who = intent.actor if intent is not None else "someone"
    word = "connected to" if event.action == "connect" else "disconnected from"
    step.write(f"{word} network {network} by {who}".replace("  ", " "), **attributed(intent))
    return True


def _ran(step: Step) -> bool:
    """Whether it was running just before, by its events, or by its start time as last read."""
    life, container = step.life, step.container
    read = container.detail.started_at if container is not None and container.detail is not None else None
    started = step.desk.outside.ours(step.event.engine, read) if read is not None else None
    if started is not None and started > step.at:
        started = None
    if life.started_at is not None and not step.dark:
        started = max(started, life.started_at) if started is not None else life.started_at
    return started is not None and (life.ended_at is None or life.ended_at < started)
