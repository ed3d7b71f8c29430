"""The front door of a simulated engine: HTTP/1.1 as dockerd speaks it. The routes of containers are in `routes`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.web_request import BaseRequest

from ..errors import Rejected
from .about import minimum_api
from .agenda import Action
from .machine import Machine
from .world import World

Answer = web.StreamResponse
_THAW = 0.5
_VERSIONED = re.compile(r"/v(\d+)\.(\d+)(/.*)")


class Call:
    """One request to one engine: what the routes work with."""

    __slots__ = ("_machine", "_parts", "_request", "_world")

    def __init__(self, world: World, machine: Machine, request: BaseRequest, parts: tuple[str, ...]) -> None:
        self._world = world
        self._machine = machine
        self._request = request
        self._parts = parts

    @property
    def world(self) -> World:
        """Everything there is."""
        return self._world

    @property
    def machine(self) -> Machine:
        """The engine that was asked."""
        return self._machine

    @property
    def request(self) -> BaseRequest:
        """The request itself."""
        return self._request

    @property
    def target(self) -> str:
        """The name or id in the path."""
        return self._parts[0]

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self._world.now

    def query(self, name: str) -> str | None:
        """A value of the query."""
        return self._request.query.get(name)

    async def body(self) -> dict[str, Any]:
        """The JSON object that came along; empty where none did. Raises Rejected (400)."""
        raw = await self._request.read()
        if not raw:
            return {}
        try:
            found = msgspec.json.decode(raw)
        except msgspec.DecodeError as error:
            raise Rejected("invalid JSON: " + str(error), status=400) from error
        if not isinstance(found, dict):
            raise Rejected("invalid JSON: an object is expected", status=400)
        return found

    async def over(self, begin: Callable[[Action], bool | None]) -> bool | None:
        """Begin something that takes its time and wait until it is over; answers what `begin` answered."""
        finished = asyncio.get_running_loop().create_future()

        def done() -> None:
            if not finished.done():
                finished.set_result(None)

        begun = begin(done)
        if begun is False:
            return False
        await finished
        return begun

    def headers(self) -> dict[str, str]:
        """What every answer of this engine bears."""
        return headers(self._machine)

    async def stream(self, content_type: str) -> web.StreamResponse:
        """Begin an answer in chunks."""
        answer = web.StreamResponse(headers={**self.headers(), "Content-Type": content_type})
        answer.enable_chunked_encoding()
        await answer.prepare(self._request)
        return answer


Route = Callable[[Call], Awaitable[Answer]]


class Routes:
    """Which function answers which method and path."""

    def __init__(self) -> None:
        self._routes: dict[str, list[tuple[re.Pattern[str], Route]]] = {}

    def add(self, method: str, path: str, route: Route) -> None:
        """`path` has `{}` for a name or id, which may have slashes in it."""
        pattern = "".join("(.+?)" if part == "{}" else re.escape(part) for part in re.split(r"(\{\})", path))
        self._routes.setdefault(method, []).append((re.compile(pattern), route))

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
        """The route and the names in the path."""
        for pattern, route in self._routes.get(method, ()):
            if match := pattern.fullmatch(path):
                return route, match.groups()
        return None


class Door:
    """Answers the requests to one engine."""

    def __init__(self, world: World, machine: Machine, routes: Routes) -> None:
        self._world = world
        self._machine = machine
        self._routes = routes
        self.requests = 0
        """So many came in."""
        self.answering: set[asyncio.Task[object]] = set()
        """Those being answered now."""

    async def answer(self, request: BaseRequest) -> Answer:
        """One request."""
        self.requests += 1
        self._world.catch_up()
        task = asyncio.current_task()
        if task is not None:
            self.answering.add(task)
        try:
            while self._machine.silent:  # noqa: ASYNC110 - rare, and nobody is told when it speaks again
                await asyncio.sleep(_THAW)
            return await self._route(request)
        except Rejected as error:
            return problem(self._machine, error.status, str(error))
        except ConnectionResetError:  # whoever asked has gone meanwhile: nothing to tell on standard error
            return problem(self._machine, 500, "the client is gone")
        finally:
            if task is not None:
                self.answering.discard(task)

    async def _route(self, request: BaseRequest) -> Answer:
        path = request.path
        if match := _VERSIONED.fullmatch(path):
            _check_version(self._machine, match[1], match[2])
            path = match[3]
        found = self._routes.find(request.method, path)
        if found is None:
            return problem(self._machine, 404, "page not found")
        route, parts = found
        return await route(Call(self._world, self._machine, request, parts))


def _check_version(machine: Machine, major: str, minor: str) -> None:
    asked, least, most = (int(major), int(minor)), _numbers(minimum_api(machine)), _numbers(machine.api)
    name = f"{major}.{minor}"
    if asked < least:
        raise Rejected(
            f"client version {name} is too old. Minimum supported API version is {minimum_api(machine)}, "
            "please upgrade your client to a newer version",
            status=400,
        )
    if asked > most:
        raise Rejected(f"client version {name} is too new. Maximum supported API version is {machine.api}", status=400)


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def headers(machine: Machine) -> dict[str, str]:
    """What every answer of this engine bears."""
    return {
        "Api-Version": machine.api,
        "Docker-Experimental": "false",
        "Ostype": "linux",
        "Server": f"Docker/{machine.version} (linux)",
    }


def say(machine: Machine, found: object, *, status: int = 200) -> web.Response:
    """A JSON answer, ended by a newline as Go's encoder does."""
    body = msgspec.json.encode(found) + b"\n"
    return web.Response(body=body, status=status, headers={**headers(machine), "Content-Type": "application/json"})


def empty(machine: Machine, status: int = 204) -> web.Response:
    """An answer without a body."""
    return web.Response(status=status, headers=headers(machine))


def problem(machine: Machine, status: int, message: str) -> web.Response:
    """An error in the words of the engine."""
    return say(machine, {"message": message}, status=status)
