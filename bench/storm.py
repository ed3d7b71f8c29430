"""Make things happen in a simulated fleet at a rate: ``python -m bench.storm FOLDER --rate 50``.

Containers are paused and resumed through their engine's own API, which makes one event each, and restarted, which makes
seven or eight; about half of the events are of either kind. SIGTERM ends it, and it prints how many there were.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

RESTARTED = ("kill", "die", "stop", "start", "restart")
"""What a container says that is restarted; each of its networks loses it and has it again, and its health check, where
it has one, says later that it is well. The other deeds make one event each."""
RESTARTS = 2 / 9
"""The share of them among what is done to one that is not paused: each pause is followed by its end."""


async def storm(sockets: Sequence[Path], rate: float, seed: int) -> int:
    """Until SIGTERM: events at this rate, evenly over the engines. Returns how many."""
    chance, ended, done = random.Random(seed), asyncio.Event(), 0
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    sessions = [aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(one), limit=2)) for one in sockets]
    running = [await _running(session) for session in sessions]
    paused: set[str] = set()

    async def one(place: int, identity: str, deed: str) -> None:
        with suppress(aiohttp.ClientError):  # an engine that a soak has taken away for a while
            async with sessions[place].post(f"http://engine/containers/{identity}/{deed}") as answer:
                await answer.read()

    began = time.monotonic()
    try:
        async with asyncio.TaskGroup() as group:
            while not ended.is_set():
                due = int((time.monotonic() - began) * rate)
                while done < due:
                    place = chance.randrange(len(sessions))
                    if not running[place]:
                        done += 1
                        continue
                    identity, restarted = chance.choice(running[place])
                    fresh = "restart" if chance.random() < RESTARTS else "pause"
                    deed = "unpause" if identity in paused else fresh
                    if deed != "restart":
                        paused.symmetric_difference_update((identity,))
                    done += restarted if deed == "restart" else 1
                    group.create_task(one(place, identity, deed))
                await asyncio.sleep(0.01)
    finally:
        for session in sessions:
            await session.close()
    return done


async def _running(session: aiohttp.ClientSession) -> list[tuple[str, int]]:
    """The ids of what runs, each with the events that its restart makes."""
    async with session.get("http://engine/containers/json") as answer:
        return [(one["Id"], _restarted(one)) for one in await answer.json() if one["State"] == "running"]


def _restarted(row: dict[str, Any]) -> int:
    return len(RESTARTED) + 2 * len(row["NetworkSettings"]["Networks"]) + ("(health" in row["Status"])


def main() -> int:
    """Storm, and say how much it was."""
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rate", type=float, default=50.0, help="events a second")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sockets = sorted(options.folder.glob("*.sock"))
    print(json.dumps({"events": asyncio.run(storm(sockets, options.rate, options.seed))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
