"""An engine whose containers talk: `python bench/log_storm.py SOCKET RATE SECONDS CONTAINERS [WAIT]`.

One compose service of so many containers, which together write RATE lines a second once somebody follows the first of
them (and WAIT seconds have passed), framed and with times as Docker sends them. Prints how many were sent, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime

from aiohttp import web

LABELS = {
    "com.docker.compose.project": "storm",
    "com.docker.compose.service": "talk",
    "com.docker.compose.oneoff": "False",
}
TURN = 0.01


def frames(number: int, begin: int, count: int) -> bytes:
    """So many lines of a container, with the time of now."""
    nanos = time.time_ns()
    moment = datetime.fromtimestamp(nanos // 10**9, UTC)
    head = f"{moment:%Y-%m-%dT%H:%M:%S}."
    parts = []
    for at in range(begin, begin + count):
        fraction = (nanos + at - begin) % 10**9
        text = f"{head}{fraction:09}Z {number} {at} GET /v1/items/{at % 977} 200 in {at % 89} ms, as it was asked\n"
        parts.append(b"\x01\0\0\0" + len(text).to_bytes(4, "big") + text.encode())
    return b"".join(parts)


class Storm:
    """The engine, and what it sent."""

    def __init__(self, rate: int, seconds: float, containers: int, wait: float) -> None:
        self.rate, self.seconds, self.wait = rate / containers, seconds, wait
        self.ids = [f"{number:064x}" for number in range(1, containers + 1)]
        self.sent: dict[str, int] = {}
        self.over = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        path = request.path.removeprefix("/v1.41")
        if path == "/_ping":
            return web.Response(text="OK", headers={"Api-Version": "1.41"})
        if path == "/version":
            return web.json_response({"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"})
        if path == "/info":
            now = datetime.now(UTC).isoformat()
            return web.json_response({"ID": "STORM", "Name": "storm", "SystemTime": now})
        if path == "/containers/json":
            return web.json_response([self.row(identifier) for identifier in self.ids])
        if path == "/events":
            return await silence(request, ended="until" in request.query)
        parts = path.strip("/").split("/")
        if parts[0] == "containers" and parts[-1] == "logs" and parts[1] in self.ids:
            return await self.logs(request, parts[1])
        if parts[0] == "containers" and parts[-1] == "json" and parts[1] in self.ids:
            return web.json_response(self.inspect(parts[1]))
        return web.json_response({"message": "page not found"}, status=404)

    async def logs(self, request: web.Request, identifier: str) -> web.StreamResponse:
        """No past; the live stream storms once and then is silent."""
        if "follow" not in request.query or identifier in self.sent:
            return await silence(request, ended="follow" not in request.query)
        response = web.StreamResponse()
        await response.prepare(request)
        number, total = int(identifier, 16), int(self.rate * self.seconds)
        self.sent[identifier] = 0
        await asyncio.sleep(self.wait)
        began = time.monotonic()
        while (sent := self.sent[identifier]) < total:
            count = min(total, int((time.monotonic() - began) * self.rate)) - sent
            if count:
                self.sent[identifier] += count
                await response.write(frames(number, sent, count))
            await asyncio.sleep(TURN)
        if len(self.sent) == len(self.ids) and all(sent >= total for sent in self.sent.values()):
            self.over.set()
        await asyncio.Event().wait()
        return response

    def row(self, identifier: str) -> dict[str, object]:
        """As the list tells of a container."""
        number = int(identifier, 16)
        return {"Id": identifier, "Names": [f"/storm-talk-{number}"], "Image": "talk:1", "ImageID": "sha256:1",
                "State": "running", "Status": "Up 2 hours", "Created": 1_700_000_000,
                "Labels": LABELS | {"com.docker.compose.container-number": str(number)}}  # fmt: skip

    def inspect(self, identifier: str) -> dict[str, object]:
        """As an inspect tells of it."""
        begun = "2026-01-01T00:00:00Z"
        number = int(identifier, 16)
        labels = LABELS | {"com.docker.compose.container-number": str(number)}
        state = {"Status": "running", "Running": True, "StartedAt": begun, "FinishedAt": "0001-01-01T00:00:00Z"}
        return {"Id": identifier, "Name": f"/storm-talk-{number}", "Image": "sha256:1", "State": state,
                "Config": {"Image": "talk:1", "Labels": labels}, "HostConfig": {}, "NetworkSettings": {}, "Mounts": [],
                "Created": begun}  # fmt: skip


async def silence(request: web.Request, *, ended: bool) -> web.StreamResponse:
    """A stream in which nothing comes."""
    response = web.StreamResponse()
    await response.prepare(request)
    if not ended:
        await asyncio.Event().wait()
    return response


async def main(socket: str, rate: int, seconds: float, containers: int, wait: float = 0.0) -> None:
    """Serve until the storm is over and standard input is closed."""
    storm = Storm(rate, seconds, containers, wait)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", storm.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, socket).start()
    print("ready", flush=True)
    await storm.over.wait()
    print(json.dumps({"sent": sum(storm.sent.values())}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), *map(float, sys.argv[5:])))
