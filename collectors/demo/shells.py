"""Shells in simulated containers: `POST /containers/{id}/exec` and what follows it, a terminal over the connection."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from typing import Any, cast

from aiohttp import web

from ..errors import Rejected
from .machine import Machine
from .prompt import Prompt
from .query import number
from .server import Answer, Call, Routes, empty, headers, say
from .things import Exec

HAS = ("/bin/sh", "sh", "/bin/ash", "ash")
"""The shells there are; others are no program of these images, as in an Alpine."""
_UPGRADED = {"Content-Type": "application/vnd.docker.raw-stream", "Connection": "Upgrade", "Upgrade": "tcp"}
_MISSING = (
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "{name}": stat {name}: '
    "no such file or directory: unknown\r\n"
)
_FORGETS = 100
"""Execs that one engine remembers."""


def add_shells(routes: Routes) -> None:
    """Put them into the table of routes."""
    routes.add("POST", "/containers/{}/exec", create)
    routes.add("POST", "/exec/{}/start", start)
    routes.add("POST", "/exec/{}/resize", resize)
    routes.add("GET", "/exec/{}/json", inspect)


async def create(call: Call) -> Answer:
    """`POST /containers/{id}/exec`."""
    container, body = call.machine.find(call.target), await call.body()
    if not container.alive:
        raise Rejected(f"Container {container.id} is not running", status=409)
    if container.state == "paused":
        raise Rejected(f"Container {container.id} is paused, unpause the container before exec", status=409)
    command = _words(body.get("Cmd"))
    if not command:
        raise Rejected("No exec command specified", status=400)
    execs = call.machine.execs
    while len(execs) >= _FORGETS:
        del execs[next(iter(execs))]
    made = Exec(f"{call.machine.chance.getrandbits(256):064x}", container, command, _words(body.get("Env")))
    execs[made.id] = made
    call.machine.tell_of(container, f"exec_create: {' '.join(command)}", execID=made.id)
    return say(call.machine, {"Id": made.id}, status=201)


async def inspect(call: Call) -> Answer:
    """`GET /exec/{id}/json`."""
    return say(call.machine, _found(call).plain())


async def resize(call: Call) -> Answer:
    """`POST /exec/{id}/resize`."""
    one = _found(call)
    if not one.running:
        raise Rejected(f"cannot resize a stopped container: exec {one.id} is not running", status=500)
    one.size = (number(call.query("w"), 80), number(call.query("h"), 24))
    return empty(call.machine, 200)


async def start(call: Call) -> Answer:
    """`POST /exec/{id}/start`: from here on the connection is the command's terminal."""
    one, body = _found(call), await call.body()
    if one.running or one.exit_code is not None:
        raise Rejected(f"exec {one.id} has already run", status=409)
    if body.get("Detach") or not body.get("Tty"):
        raise Rejected("a simulated container runs things at a terminal only", status=501)
    answer = web.StreamResponse(status=101, reason="UPGRADED", headers={**headers(call.machine), **_UPGRADED})
    await answer.prepare(call.request)
    transport = call.request.transport
    if transport is None:
        return answer
    keys = _Keys()
    call.request.protocol.set_parser(cast("Any", keys))  # as aiohttp's own websockets take a connection over
    one.running = True
    call.machine.tell_of(one.container, f"exec_start: {' '.join(one.command)}", execID=one.id)
    try:
        one.exit_code = await _talk(call.machine, one, keys, transport)
    finally:
        one.running = False
        if one.exit_code is None:
            one.exit_code = 129  # its terminal is gone: SIGHUP
        if one.container.alive and call.machine.powered:
            call.machine.tell_of(one.container, "exec_die", execID=one.id, exitCode=str(one.exit_code))
        transport.close()
    return answer


async def _talk(machine: Machine, one: Exec, keys: _Keys, transport: asyncio.WriteTransport) -> int | None:
    program, *arguments = one.command
    prompt = Prompt(machine, one.container, one.env, size=lambda: one.size)
    if program not in HAS:
        if not prompt.has(program):
            transport.write(_MISSING.format(name=program).encode())
            return 127
        shown, code = prompt.run(shlex.join(one.command))
        transport.write(shown)
        return code
    if arguments[:1] == ["-c"]:
        shown, code = prompt.run(" ".join(arguments[1:2]))
        transport.write(shown)
        return code
    transport.write(prompt.greeting())
    life = one.container.life
    while data := await keys.next():
        if one.container.life != life or not one.container.alive:
            return 137
        transport.write(prompt.feed(data))
        if prompt.ended is not None:
            return prompt.ended
    return None


class _Keys:
    """What is typed, as aiohttp hands the bytes of a connection to whoever has taken it over."""

    def __init__(self) -> None:
        self._typed: asyncio.Queue[bytes] = asyncio.Queue()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """More of it."""
        self._typed.put_nowait(bytes(data))
        return False, b""

    def feed_eof(self) -> None:
        """The other side hung up."""
        self._typed.put_nowait(b"")

    def set_exception(self, _error: BaseException, _cause: BaseException | None = None) -> None:
        """The connection broke."""
        self.feed_eof()

    async def next(self) -> bytes:
        """What was typed; empty: no more comes."""
        return await self._typed.get()


def _found(call: Call) -> Exec:
    one = call.machine.execs.get(call.target)
    if one is None:
        raise Rejected(f"No such exec instance: {call.target}", status=404)
    return one


def _words(found: object) -> tuple[str, ...]:
    if isinstance(found, str):
        return (found,)
    return tuple(map(str, found)) if isinstance(found, Sequence) else ()
