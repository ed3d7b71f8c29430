"""An engine made of a few lines: enough of the API to act on, and misbehaving as told. Keeps every request it got."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from fleettop.collectors.actions import Deed, Plan, Reach, Step, Verb
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.links.base import UnixEndpoint

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
STARTED = "2026-01-01T00:00:{:02d}Z"


class TinyEngine:
    """Containers by id; `answers` replaces the answer to a verb.

    Changes wait for `gate`; `busy` are under way now, `most` were at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.containers: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Answer] = {}
        self.most = self.busy = 0
        self.gate = asyncio.Event()
        self.gate.set()

    def add(self, name: str, *, state: str = "running", health: str = "", then: str = "running") -> str:
        """A container; after a start it is `then`."""
        container = f"{len(self.containers) + 1:064x}"
        self.containers[container] = {"name": name, "state": state, "health": health, "then": then, "runs": 1}
        return container

    @property
    def changes(self) -> list[str]:
        """The requests that were no reads, without the version and the query."""
        found = [request for request in self.requests if not request.startswith("GET ")]
        return [f"{r.split()[0]} /{r.split()[1].partition('/v1.41/')[2].partition('?')[0]}" for r in found]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        self.requests.append(f"{request.method} {request.raw_path}")
        self.headers.append(dict(request.headers))
        parts = request.path.removeprefix("/v1.41").strip("/").split("/")
        if request.method == "GET":
            return self._inspect(parts[1]) if len(parts) == 3 and parts[0] == "containers" else web.json_response({})
        verb = parts[-1] if request.method == "POST" else "remove"
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await self.gate.wait()
            if verb in self.answers:
                return await self.answers[verb](request)
            return self._change(verb, parts[1])
        finally:
            self.busy -= 1

    def _inspect(self, container: str) -> web.Response:
        found = self.containers.get(container)
        if found is None:
            return web.json_response({"message": "No such container"}, status=404)
        state = {
            "Status": found["state"], "Running": found["state"] in ("running", "paused"), "ExitCode": 3, "Pid": 7,
            "StartedAt": STARTED.format(found["runs"]), "FinishedAt": "0001-01-01T00:00:00Z",
        }  # fmt: skip
        if found["health"]:
            state["Health"] = {"Status": found["health"], "FailingStreak": 0, "Log": []}
        config = {"Image": "a:1", "Labels": {}, "Env": []}
        return web.json_response(
            {"Id": container, "Name": f"/{found['name']}", "Image": "sha256:1", "State": state, "Config": config,
             "HostConfig": {}, "NetworkSettings": {}, "Mounts": [], "Created": STARTED.format(0)}
        )  # fmt: skip

    def _change(self, verb: str, container: str) -> web.Response:
        found = self.containers.get(container)
        if found is None:
            return web.json_response({"message": "No such container"}, status=404)
        running = found["state"] == "running"
        if (verb == "stop" and not running) or (verb == "start" and running):
            return web.Response(status=304)
        if verb in ("start", "restart"):
            found["state"] = found["then"]
            found["runs"] += 1
        elif verb == "remove":
            del self.containers[container]
        else:
            found["state"] = {"stop": "exited", "kill": "exited", "pause": "paused", "unpause": "running"}[verb]
        return web.Response(status=204)

    def step(self, container: str, deed: Deed = Deed.STOP, *, engine: str = "e1", lane: int = 0) -> Step:
        """A step on one of its containers."""
        waits = deed in (Deed.RESTART, Deed.START)
        name = self.containers[container]["name"]
        return Step(
            engine=engine, deed=deed, object_id=container, object_name=name, lane=lane, waits=waits, signal="SIGKILL"
        )


def planned(*steps: Step) -> Plan:
    """A plan of these steps."""
    return Plan(verb=Verb.RESTART, title="A plan", steps=steps)


@asynccontextmanager
async def tiny_engine(
    folder: Path, name: str = "e1", *, read_only: bool = False
) -> AsyncIterator[tuple[TinyEngine, Reach]]:
    """One listening on a socket in `folder`, and the way to it."""
    engine = TinyEngine(folder / f"{name}.sock")

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await engine.handle(request)  # type: ignore[arg-type]

    server = web.Server(handle)
    runner = web.ServerRunner(server)
    await runner.setup()
    await web.UnixSite(runner, str(engine.path)).start()
    endpoint = UnixEndpoint(str(engine.path))
    client = EngineClient(endpoint, engine=name, deadline=2)
    try:
        yield engine, Reach(endpoint=endpoint, api="1.41", client=client, read_only=read_only)
    finally:
        await client.close()
        await runner.cleanup()
