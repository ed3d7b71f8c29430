"""The changes to containers that a simulated engine carries out."""

from __future__ import annotations

from ..errors import Rejected
from .making import plan_from
from .query import number, truth
from .server import Answer, Call, Routes, empty, say
from .things import Container

_GRACE = 10
"""Seconds between SIGTERM and SIGKILL where the caller says nothing."""


def add_writes(routes: Routes) -> None:
    """Put the changes into the table of routes."""
    for method, path, route in (
        ("POST", "/containers/create", create),
        ("POST", "/containers/prune", prune),
        ("POST", "/containers/{}/start", start),
        ("POST", "/containers/{}/stop", stop),
        ("POST", "/containers/{}/restart", restart),
        ("POST", "/containers/{}/kill", kill),
        ("POST", "/containers/{}/pause", pause),
        ("POST", "/containers/{}/unpause", unpause),
        ("POST", "/containers/{}/rename", rename),
        ("POST", "/containers/{}/update", update),
        ("DELETE", "/containers/{}", remove),
        ("POST", "/networks/{}/connect", connect),
    ):
        routes.add(method, path, route)


def _found(call: Call) -> Container:
    return call.machine.find(call.target)


async def create(call: Call) -> Answer:
    """`POST /containers/create`."""
    name = (call.query("name") or "").removeprefix("/")
    if not name:
        name = f"eager_{call.machine.chance.getrandbits(24):06x}"
    plan = plan_from(call.world, call.machine, name, await call.body())
    container = call.machine.create(plan)
    return say(call.machine, {"Id": container.id, "Warnings": []}, status=201)


async def start(call: Call) -> Answer:
    """`POST …/start`: 304 where it runs already."""
    return empty(call.machine, 204 if call.machine.start(_found(call)) else 304)


async def stop(call: Call) -> Answer:
    """`POST …/stop`: answers when it has ended; 304 where it did not run."""
    container, grace = _found(call), number(call.query("t"), _GRACE)
    over = await call.over(lambda done: call.machine.stop(container, timeout=_patience(grace), done=done))
    return empty(call.machine, 304 if over is False else 204)


async def restart(call: Call) -> Answer:
    """`POST …/restart`: answers when it runs again; 500 where the daemon could not start it."""
    container, grace = _found(call), number(call.query("t"), _GRACE)
    await call.over(lambda done: call.machine.restart(container, timeout=_patience(grace), done=done))
    if container.error and not container.alive:
        raise Rejected(container.error, status=500)
    return empty(call.machine)


def _patience(seconds: int) -> float:
    """A negative time means: as long as it takes."""
    return 3_600.0 if seconds < 0 else float(seconds)


async def kill(call: Call) -> Answer:
    """`POST …/kill`: answers when it has ended, for a signal that ends it."""
    container, signal = _found(call), call.query("signal") or "KILL"
    await call.over(lambda done: call.machine.kill(container, signal, done=done))
    return empty(call.machine)


async def pause(call: Call) -> Answer:
    """`POST …/pause`."""
    call.machine.freeze(_found(call), on=True)
    return empty(call.machine)


async def unpause(call: Call) -> Answer:
    """`POST …/unpause`."""
    call.machine.freeze(_found(call), on=False)
    return empty(call.machine)


async def rename(call: Call) -> Answer:
    """`POST …/rename?name=`."""
    name = (call.query("name") or "").removeprefix("/")
    if not name:
        raise Rejected("Neither old nor new names may be empty", status=400)
    call.machine.rename(_found(call), name)
    return empty(call.machine)


async def update(call: Call) -> Answer:
    """`POST …/update`: limits and the restart policy."""
    container, body = _found(call), await call.body()
    container.memory = int(body.get("Memory") or container.memory)
    container.nano_cpus = int(body.get("NanoCpus") or container.nano_cpus)
    policy = body.get("RestartPolicy")
    if isinstance(policy, dict) and policy.get("Name"):
        container.policy = str(policy["Name"])
        container.retries = int(policy.get("MaximumRetryCount") or 0)
    call.machine.tell_of(container, "update")
    return say(call.machine, {"Warnings": None})


async def remove(call: Call) -> Answer:
    """`DELETE /containers/{id}`."""
    container, force = _found(call), truth(call.query("force"))
    await call.over(lambda done: call.machine.remove(container, force=force, done=done))
    return empty(call.machine)


async def prune(call: Call) -> Answer:
    """`POST /containers/prune`: removes what has ended."""
    ended = [c for c in call.machine.containers.values() if c.state in ("exited", "created", "dead")]
    for container in ended:
        call.machine.remove(container, done=lambda: None)
    call.machine.tell("container", "prune", "", {"reclaimed": str(40_960 * len(ended))})
    return say(
        call.machine, {"ContainersDeleted": [c.id for c in ended] or None, "SpaceReclaimed": 40_960 * len(ended)}
    )


async def connect(call: Call) -> Answer:
    """`POST /networks/{id}/connect`."""
    body = await call.body()
    call.machine.connect(call.target, str(body.get("Container") or ""))
    return empty(call.machine, 200)
