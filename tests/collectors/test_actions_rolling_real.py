"""Going over the replicas of a service on real engines, under the eyes of a client that never stops asking."""

from __future__ import annotations

import ctypes
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from fleettop.collectors.actions import Outcome, Rolling, Verb
from fleettop.collectors.config.allowances import Allowance

from tests.collectors.actions_stage import stage_on
from tests.collectors.test_actions_real import HEALTHY, SLEEP, outcomes, started
from tests.fleet import Fleet

HOSTS = ("h1", "h2", "h3")
EVERY = 0.02
NEVER_AGAIN = (
    "sh -c 'trap exit TERM; if [ -f /tmp/again ]; then rm -f /tmp/ok; else touch /tmp/ok /tmp/again; fi;"
    " while :; do sleep 0.1; done'"
)
"""Healthy the first time, and not after a restart."""


def on_a_port(port: int) -> dict[str, Any]:
    """A web server with a health check, published there."""
    binding = {"8080/tcp": [{"HostPort": str(port)}]}
    return {**HEALTHY, "ExposedPorts": {"8080/tcp": {}}, "HostConfig": {"PortBindings": binding}}


class Client:
    """Asks every replica for a page, again and again, from inside the network of its host."""

    def __init__(self, fleet: Fleet, places: Sequence[tuple[str, int]]) -> None:
        self.seen: list[int] = []
        self._going = True
        self._pools = {host: ThreadPoolExecutor(2, initializer=enter, initargs=(fleet, host)) for host in HOSTS}
        self._places = [(self._pools[host], fleet.state.hosts[host].address, port) for host, port in places]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        pause = threading.Event()
        while self._going:
            asked = [pool.submit(answers, address, port) for pool, address, port in self._places]
            self.seen.append(sum(each.result() for each in asked))
            pause.wait(EVERY)

    def end(self) -> None:
        """Ask no more."""
        self._going = False
        self._thread.join()
        for pool in self._pools.values():
            pool.shutdown()


def enter(fleet: Fleet, host: str) -> None:
    """Let this thread, and no other, be in the network of a host: h3's is not reached from anywhere else."""
    with Path(f"/run/netns/{fleet.site.namespace(host)}").open() as namespace:
        assert ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0x40000000) == 0


def answers(address: str, port: int) -> bool:
    """Whether a page comes back."""
    with suppress(OSError), socket.create_connection((address, port), timeout=5) as one:
        one.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return b" 200 " in one.recv(100)
    return False


async def test_a_client_never_finds_fewer_than_allowed_during_a_rolling_restart(fleet: Fleet, eventually: Any) -> None:
    """6 replicas on 3 hosts, 2 away at once: whenever one looks, 4 or more answer, and all were restarted."""
    places: list[tuple[str, int]] = []
    ids: dict[str, str] = {}
    for number in range(1, 7):
        host = HOSTS[number % 3]
        ids[fleet.run(host, "pay", "api", "web", number, **on_a_port(18080 + number))] = host
        places.append((host, 18080 + number))
    client = Client(fleet, places)
    async with AsyncExitStack() as stack:
        stack.callback(client.end)
        stage = await stack.enter_async_context(stage_on(fleet))

        async def all_healthy() -> bool:
            await stage.look()
            return stage.picture.services[stage.service("api")].serving == 6

        await eventually(all_healthy, timeout=60)
        before = {one: started(fleet, host, one) for one, host in ids.items()}
        await eventually(lambda: client.seen[-1] == 6, timeout=30)
        del client.seen[:-1]
        results = await stage.act(Verb.RESTART, stage.service("api"), rolling=Rolling(allowance=Allowance(40, True)))
        assert outcomes(results) == [Outcome.SUCCESS] * 6, [result.words for result in results]
    assert min(client.seen) == 4, client.seen
    assert all(started(fleet, host, one) > before[one] for one, host in ids.items())
    assert [result.step.engine for result in results] == ["h1", "h1", "h2", "h2", "h3", "h3"]


async def test_a_replica_that_fails_its_check_halts_the_roll_and_leaves_the_rest_alone(
    fleet: Fleet, eventually: Any
) -> None:
    """h2's does not become healthy again within its deadline: those of h3 were not touched."""
    places = (("h1", "web"), ("h2", NEVER_AGAIN), ("h3", "web"), ("h3", "web"))
    ids = [fleet.run(host, "pay", "api", command, n, **HEALTHY) for n, (host, command) in enumerate(places, 1)]
    async with stage_on(fleet) as stage:

        async def all_healthy() -> bool:
            await stage.look()
            return stage.picture.services[stage.service("api")].serving == 4

        await eventually(all_healthy, timeout=60)
        rest = [started(fleet, "h3", container) for container in ids[2:]]
        results = await stage.act(Verb.RESTART, stage.service("api"), rolling=Rolling(deadline=8))
    assert [str(result.outcome) for result in results] == ["success", "failure", "skipped", "skipped"]
    assert results[1].words == "restarted, but after 8.0 s it is unhealthy"
    assert results[2].words == "not begun, since pay-api-2 did not end well"
    assert [started(fleet, "h3", container) for container in ids[2:]] == rest


async def test_a_rolling_stop_and_start_goes_by_what_the_services_depend_on(fleet: Fleet) -> None:
    """web needs db: it is stopped before it, and started after db runs."""
    needs = {"Labels": {"com.docker.compose.depends_on": "db:service_started:false"}}
    web = fleet.run("h1", "pay", "web", SLEEP, 1, **needs)
    db = fleet.run("h2", "pay", "db", SLEEP, 1)
    async with stage_on(fleet, ["h1", "h2"]) as stage:
        await stage.look()
        both = stage.service("db"), stage.service("web")
        stopped = await stage.act(Verb.STOP, *both, rolling=Rolling(asked=True))
        assert outcomes(stopped) == [Outcome.SUCCESS] * 2
        ends = [fleet.get(h, f"/containers/{c}/json")["State"]["FinishedAt"] for h, c in (("h1", web), ("h2", db))]
        assert ends[0] < ends[1]
        await stage.act(Verb.START, *both)
    assert started(fleet, "h2", db) < started(fleet, "h1", web)
