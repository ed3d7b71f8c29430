"""An engine whose containers go mad: `python storm_engine.py SOCKET RATE SECONDS`. Prints how it fared, as JSON.

Nine of ten events are a health check's execs, the rest are crashes: die, start. Each event is sent in its turn of the
clock, or as soon as the reader has taken what was before. `longest`: seconds the reader once let it wait.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress

from aiohttp import web

CONTAINERS = [f"{number:064x}" for number in range(1, 101)]
CHECK = "/bin/sh -c curl -f http://127.0.0.1/health"
CONFIG = {"Image": "shop:1", "Labels": {}, "Env": [], "Healthcheck": {"Test": ["CMD-SHELL", CHECK[11:]], "Interval": 1}}


def event(number: int) -> bytes:
    """One line of the stream."""
    turn, which = number % 10, CONTAINERS[number // 10 % len(CONTAINERS)]
    action = {0: "die", 1: "start"}.get(turn, f"exec_create: {CHECK}")
    nanos = time.time_ns()
    attributes = {"name": f"c{int(which, 16)}", "image": "shop:1"} | ({"exitCode": "1"} if turn == 0 else {})
    actor = {"ID": which, "Attributes": attributes}
    said = {"Type": "container", "Action": action, "Actor": actor, "time": nanos // 10**9, "timeNano": nanos}
    return json.dumps(said).encode() + b"\n"


class Storm:
    """The engine, and what it remembers of its storm."""

    def __init__(self, rate: int, seconds: float) -> None:
        self.rate, self.total = rate, int(rate * seconds)
        self.sent, self.longest = 0, 0.0
        self.over = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        path = request.path.removeprefix("/v1.41")
        if path == "/_ping":
            return web.Response(text="OK", headers={"Api-Version": "1.41"})
        if path == "/version":
            return web.json_response({"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"})
        if path == "/info":
            return web.json_response({"ID": "STORM", "Name": "storm", "ContainersRunning": len(CONTAINERS)})
        if path == "/containers/json":
            return web.json_response([row(identifier) for identifier in CONTAINERS])
        if path == "/events":
            return await self.events(request)
        parts = path.strip("/").split("/")
        if parts[0] == "containers" and parts[-1] == "json":
            return web.json_response(inspect(parts[1]))
        return web.json_response({"message": "page not found"}, status=404)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The ring is empty; the live stream storms and then is silent."""
        response = web.StreamResponse()
        await response.prepare(request)
        if "until" in request.query:
            return response
        began = time.monotonic()
        while self.sent < self.total:
            due = min(self.total, int((time.monotonic() - began) * self.rate))
            if due > self.sent:
                lines = b"".join(event(number) for number in range(self.sent, min(due, self.sent + 200)))
                self.sent = min(due, self.sent + 200)
                waited = time.monotonic()
                await response.write(lines)
                self.longest = max(self.longest, time.monotonic() - waited)
            await pace(0.002)
        self.over.set()
        await asyncio.Event().wait()
        return response


async def pace(seconds: float) -> None:
    """What an engine does between two bursts."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


def row(identifier: str) -> dict[str, object]:
    """As the list tells of a container."""
    name = f"/c{int(identifier, 16)}"
    return {"Id": identifier, "Names": [name], "Image": "shop:1", "ImageID": "sha256:1", "State": "running",
            "Status": "Up 2 hours (healthy)", "Labels": {}, "Created": 1_700_000_000}  # fmt: skip


def inspect(identifier: str) -> dict[str, object]:
    """As an inspect tells of it."""
    health = {"Status": "healthy", "FailingStreak": 0, "Log": []}
    never, begun = "0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
    state = {"Status": "running", "Running": True, "StartedAt": begun, "FinishedAt": never, "ExitCode": 0}
    return {
        "Id": identifier,
        "Name": f"/c{int(identifier, 16)}",
        "Image": "sha256:1",
        "State": state | {"Health": health},
        "Config": CONFIG,
        "HostConfig": {"RestartPolicy": {"Name": "always"}},
        "NetworkSettings": {},
        "Mounts": [],
        "Created": begun,
    }


async def main(socket: str, rate: int, seconds: float) -> None:
    """Serve until the storm is over and standard input is closed."""
    storm = Storm(rate, seconds)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", storm.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, socket).start()
    print("ready", flush=True)
    await storm.over.wait()
    print(json.dumps({"sent": storm.sent, "longest": storm.longest}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
