"""The reads of the Engine API that a simulated engine answers."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ..errors import Rejected
from . import about, logs, ring, rows, stats
from .query import filters, nanoseconds, number, seconds, select, truth
from .server import Answer, Call, Routes, headers, say
from .things import Container

_STREAM_PAUSE = 1.0


def add_reads(routes: Routes) -> None:
    """Put the reads into the table of routes."""
    for method, path, route in (
        ("GET", "/_ping", ping),
        ("HEAD", "/_ping", ping),
        ("GET", "/version", version),
        ("GET", "/info", info),
        ("GET", "/events", events),
        ("GET", "/containers/json", list_containers),
        ("GET", "/containers/{}/json", inspect),
        ("GET", "/containers/{}/stats", container_stats),
        ("GET", "/containers/{}/logs", container_logs),
        ("GET", "/images/json", list_images),
        ("GET", "/images/{}/json", inspect_image),
        ("GET", "/system/df", disk_usage),
        ("GET", "/networks", list_networks),
        ("GET", "/networks/{}", inspect_network),
        ("GET", "/volumes", list_volumes),
    ):
        routes.add(method, path, route)


# -- the engine --------------------------------------------------------------------------------------------------------


async def ping(call: Call) -> Answer:
    """`/_ping`: the version to speak is in the headers."""
    machine = call.machine
    told = {
        **headers(machine),
        "Builder-Version": "2",
        "Cache-Control": "no-cache, no-store, must-revalidate",
        "Pragma": "no-cache",
        "Swarm": call.world.swarm_role(machine),
        "Content-Type": "text/plain; charset=utf-8",
    }
    return web.Response(body=b"" if call.request.method == "HEAD" else b"OK", headers=told)


async def version(call: Call) -> Answer:
    """`/version`."""
    return say(call.machine, about.version(call.machine))


async def info(call: Call) -> Answer:
    """`/info`."""
    return say(call.machine, about.info(call.machine, call.now, call.world.swarm_info(call.machine)))


async def events(call: Call) -> Answer:
    """`/events`: what is remembered since then, and from now on what comes, unless `until` is over."""
    wanted = filters(call.query("filters"))
    ring.check_filters(wanted)
    since, until = nanoseconds(call.query("since")), nanoseconds(call.query("until"))
    machine = call.machine
    answer = await call.stream("application/json")
    reader = machine.ring.listen(wanted)
    try:
        past = b"".join(event.line for event in machine.ring.past(since, until, wanted))
        await answer.write(past)  # an empty write sends the headers
        if until is None:
            await _follow(answer, reader)
        else:
            await _follow_until(answer, reader, until / 1e9 - call.now)
    except (ConnectionResetError, ConnectionError):
        return answer  # who listened is gone
    finally:
        machine.ring.leave(reader)
    await answer.write_eof()
    return answer


async def _follow(answer: web.StreamResponse, reader: ring.Reader) -> None:
    while (lines := await reader.take()) is not None:
        await answer.write(lines)


async def _follow_until(answer: web.StreamResponse, reader: ring.Reader, left: float) -> None:
    if left <= 0:
        return
    try:
        async with asyncio.timeout(left):
            await _follow(answer, reader)
    except TimeoutError:
        return


# -- containers --------------------------------------------------------------------------------------------------------


async def list_containers(call: Call) -> Answer:
    """`/containers/json`."""
    wanted = filters(call.query("filters"))
    most = number(call.query("limit"), 0)
    found = select(call.machine, wanted, everything=truth(call.query("all")) or most > 0)
    told = [rows.row(call.machine, container, call.now) for container in (found[:most] if most > 0 else found)]
    if truth(call.query("size")):
        told = [{**one, "SizeRw": 40_960, "SizeRootFs": c.plan.image.size} for one, c in zip(told, found, strict=False)]
    return say(call.machine, told)


async def inspect(call: Call) -> Answer:
    """`/containers/{id}/json`."""
    return say(call.machine, rows.inspect(call.machine, call.machine.find(call.target), call.now))


async def container_stats(call: Call) -> Answer:
    """`/containers/{id}/stats`: one sample, or one a second."""
    container = call.machine.find(call.target)
    streamed = truth(call.query("stream") or "1")
    one_shot = truth(call.query("one-shot"))
    if streamed and one_shot:
        raise Rejected("cannot have stream=true and one-shot=true", status=400)
    if not streamed:
        return say(call.machine, stats.sample(call.machine, container, call.now, one_shot=one_shot))
    answer = await call.stream("application/json")
    try:
        while not container.removed and call.machine.powered:
            call.world.catch_up()
            found = stats.sample(call.machine, container, call.now, one_shot=False)
            await answer.write(say(call.machine, found).body)  # type: ignore[arg-type]
            await asyncio.sleep(_STREAM_PAUSE)
        await answer.write_eof()
    except (ConnectionResetError, ConnectionError):
        pass  # who listened is gone
    return answer


async def container_logs(call: Call) -> Answer:
    """`/containers/{id}/logs`: the newest lines, and with `follow` those that come."""
    container = call.machine.find(call.target)
    streams = {name for name in ("stdout", "stderr") if truth(call.query(name))}
    if not streams:
        raise Rejected("Bad parameters: you must choose at least one stream", status=400)
    tail = call.query("tail") or "all"
    most = None if tail == "all" else number(tail, 0)
    since, until = seconds(call.query("since")) or 0.0, seconds(call.query("until")) or call.now
    tty, times = container.plan.tty, truth(call.query("timestamps"))
    found = [line for line in logs.lines(container, since, min(until, call.now), most) if line.stream in streams]
    kind = "application/vnd.docker.raw-stream" if tty else "application/vnd.docker.multiplexed-stream"
    answer = await call.stream(kind)
    try:
        await answer.write(b"".join(logs.frame(line, tty=tty, times=times) for line in found))
        if truth(call.query("follow")):
            await _follow_log(call, container, answer, streams, times=times)
        await answer.write_eof()
    except (ConnectionResetError, ConnectionError):
        pass  # who listened is gone
    return answer


async def _follow_log(
    call: Call, container: Container, answer: web.StreamResponse, streams: set[str], *, times: bool
) -> None:
    told = call.now
    while container.alive and not container.removed:
        await asyncio.sleep(_STREAM_PAUSE / 4)
        call.world.catch_up()
        fresh = [line for line in logs.lines(container, told, call.now, None) if line.at > told]
        told = call.now
        lines = [logs.frame(one, tty=container.plan.tty, times=times) for one in fresh if one.stream in streams]
        if lines:
            await answer.write(b"".join(lines))


# -- images, networks, volumes -----------------------------------------------------------------------------------------


async def list_images(call: Call) -> Answer:
    """`/images/json`."""
    return say(call.machine, about.images(call.machine))


async def inspect_image(call: Call) -> Answer:
    """`/images/{name}/json`."""
    return say(call.machine, about.image(call.machine.find_image(call.target)))


async def disk_usage(call: Call) -> Answer:
    """`/system/df`."""
    kinds = tuple(call.request.query.getall("type", []))
    return say(call.machine, about.disk_usage(call.machine, call.now, kinds))


async def list_networks(call: Call) -> Answer:
    """`/networks`."""
    return say(call.machine, about.networks(call.machine))


async def inspect_network(call: Call) -> Answer:
    """`/networks/{id}`."""
    return say(call.machine, about.network(call.machine, call.machine.find_network(call.target)))


async def list_volumes(call: Call) -> Answer:
    """`/volumes`."""
    return say(call.machine, about.volumes(call.machine))
