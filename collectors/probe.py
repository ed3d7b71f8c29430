"""Try an engine step by step, and say in words what works and what does not (`fleettop engines test`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import msgspec

from .address import EngineAddress
from .errors import (
    Authentication,
    ConnectionLost,
    EngineError,
    ForwardingForbidden,
    NoSocket,
    NotAnswering,
    NotResolved,
    Permission,
    TimedOut,
    Untrusted,
)
from .links import Endpoint, HandshakeGate, Link, Misconfigured, link_to
from .links.hostkeys import find_known
from .links.ssh import SshLink
from .links.sshoptions import Route, find_route
from .links.tcp import TcpLink

if TYPE_CHECKING:
    from .engine.client import EngineClient
    from .model import EngineInfo

T = TypeVar("T")

ANSWER = 5.0
"""Seconds an engine has for one answer."""
OPEN = 60.0
"""Seconds for the whole way to it; each of its steps has its own, shorter deadline."""
SOON = timedelta(days=14)
SKEW = 2.0


class StepState(StrEnum):
    """How a step went. `warned` works, but not as it should; `not tried` since one before it failed."""

    OK = "ok"
    WARNED = "warned"
    FAILED = "failed"
    NOT_TRIED = "not tried"


class ProbeStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the way to an engine, or one thing asked of it."""

    name: str
    state: StepState
    words: str = ""
    """What is the case, as a sentence."""
    hint: str = ""
    """What to do next; empty where nothing is to be done."""


class ProbeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What trying an engine found, in the order it was tried."""

    engine: str
    address: str
    steps: tuple[ProbeStep, ...]
    route: str = ""
    """How it is reached, in words (`ssh`, `ssh dial-stdio`, `TLS`, …); empty where it is not."""
    error: EngineError | None = None
    """The first failure."""

    @property
    def ok(self) -> bool:
        """Whether the engine can be watched. Warnings do not count."""
        return self.error is None

    @property
    def warned(self) -> bool:
        """Whether any step has a warning."""
        return any(step.state is StepState.WARNED for step in self.steps)


async def test_engine(address: EngineAddress, *, gate: HandshakeGate | None = None) -> ProbeReport:  # noqa: PT028 - no test
    """Try one engine, and let go of it. Never raises for an engine; asks only what changes nothing."""
    trial = _Trial(address)
    link = link_to(address, gate=gate)
    try:
        endpoint = await trial.reach(link)
        if endpoint is not None:
            await trial.ask(endpoint, link)
    finally:
        await link.close()
    return trial.report(link)


_WAYS = {
    "unix": ("socket",),
    "tcp": ("config", "name", "connection"),
    "tls": ("config", "name", "connection", "certificate", "client certificate"),
    "ssh": ("config", "name", "connection", "host key", "login", "socket"),
}
_QUESTIONS = ("engine", "API", "permissions", "events", "figures", "swarm")

_STEP_OF: dict[str, tuple[tuple[type[EngineError], str], ...]] = {
    "unix": ((EngineError, "socket"),),
    "tcp": ((Untrusted, "config"), (NotResolved, "name"), (EngineError, "connection")),
    "tls": (
        *((NotResolved, "name"), (Authentication, "client certificate"), (Untrusted, "certificate")),
        *((NotAnswering, "certificate"), (Misconfigured, "config"), (ConnectionLost, "certificate")),
        (EngineError, "connection"),
    ),
    "ssh": (
        *((Misconfigured, "config"), (NotResolved, "name"), (Untrusted, "host key"), (Authentication, "login")),
        *((NoSocket, "socket"), (Permission, "socket"), (ForwardingForbidden, "socket"), (NotAnswering, "socket")),
        *((ConnectionLost, "login"), (EngineError, "connection")),
    ),
}
"""At which step of the way an error of opening it arose; the first that fits."""


class _Trial:
    """One engine being tried."""

    def __init__(self, address: EngineAddress) -> None:
        self._address = address
        self._way = "tls" if address.scheme == "tcp" and address.tls is not None else address.scheme
        self._steps: list[ProbeStep] = []
        self._error: EngineError | None = None

    def report(self, link: Link) -> ProbeReport:
        """Everything found, with the steps that were not come to."""
        done = {step.name for step in self._steps}
        rest = [name for name in (*_WAYS[self._way], *_QUESTIONS) if name not in done]
        return ProbeReport(
            engine=self._address.name,
            address=self._address.text,
            steps=(*self._steps, *(ProbeStep(name=name, state=StepState.NOT_TRIED) for name in rest)),
            route=link.route if self._opened else "",
            error=self._error,
        )

    _opened = False

    # -- the way there

    async def reach(self, link: Link) -> Endpoint | None:
        """Open the link; None where that fails."""
        try:
            async with asyncio.timeout(OPEN):
                endpoint = await link.open()
        except TimeoutError:
            await self._not_reached(TimedOut(f"No way to {self._address.name} was found within {OPEN:.0f} s."))
            return None
        except EngineError as error:
            await self._not_reached(error)
            return None
        self._opened = True
        words = await self._words(link)
        for name in _WAYS[self._way]:
            self._say(name, StepState.OK, words.get(name, ""))
        self._warn_of_dates(link)
        if link.insecure:
            self._say(
                "connection",
                StepState.WARNED,
                "The connection is neither encrypted nor authenticated.",
                "Use TLS with client certificates, or ssh://.",
            )
        return endpoint

    async def _not_reached(self, error: EngineError) -> None:
        failed = next(name for kind, name in _STEP_OF[self._way] if isinstance(error, kind))
        for name in _WAYS[self._way]:
            if name == failed:
                break
            self._say(name, StepState.OK)
        self._fail(failed, error)

    async def _words(self, link: Link) -> dict[str, str]:
        """What is worth saying of the steps that went well."""
        if isinstance(link, SshLink):
            route = await asyncio.to_thread(find_route, self._address)
            return _ssh_words(route, link)
        if isinstance(link, TcpLink) and link.expires is not None:
            words = {"certificate": f"The engine's certificate is good until {link.expires:%Y-%m-%d}."}
            if link.own_expires is not None:
                words["client certificate"] = f"Ours was accepted; it is good until {link.own_expires:%Y-%m-%d}."
            return words
        return {"socket": f"{self._address.socket} takes connections."} if self._way == "unix" else {}

    def _warn_of_dates(self, link: Link) -> None:
        if not isinstance(link, TcpLink):
            return
        for name, whose, ends in (
            ("certificate", "The engine's certificate", link.expires),
            ("client certificate", "Our client certificate", link.own_expires),
        ):
            if ends is not None and ends - datetime.now(UTC) < SOON:
                days = max((ends - datetime.now(UTC)).days, 0)
                self._say(name, StepState.WARNED, f"{whose} ends in {days} days, on {ends:%Y-%m-%d}.", "Renew it.")

    # -- what it answers

    async def ask(self, endpoint: Endpoint, link: Link) -> None:
        """Ask the engine what fleettop will ask it for."""
        from .engine.client import EngineClient

        client = EngineClient(endpoint, engine=self._address.name, read_only=True, deadline=ANSWER)
        try:
            if await self._greet(client):
                info = await self._try_rights(client)
                if info is not None:
                    self._check_clock(info)
                    await self._try_figures(client, link)
                    await self._try_swarm(client, info)
        finally:
            await client.close()

    async def _greet(self, client: EngineClient) -> bool:
        try:
            latency = await client.ping()
            self._say("engine", StepState.OK, f"It answers in {latency * 1000:.0f} ms.")
        except Permission:
            self._say("engine", StepState.OK, "It answers, and forbids to be pinged.")
        except EngineError as error:
            self._fail("engine", error)
            return False
        try:
            await client.negotiate()
        except EngineError as error:
            self._fail("API", error)
            return False
        self._say("API", StepState.OK, f"API {client.api} is spoken.")
        return True

    async def _try_rights(self, client: EngineClient) -> EngineInfo | None:
        """All that is read, even where something before was forbidden: who must allow it wants the whole list."""
        info = await self._try("permissions", client.info())
        if info is not None:
            self._say("API", StepState.OK, f"{info.kind.capitalize()} {info.version}, API {client.api}.")
        listing = await self._try("permissions", client.list_containers())
        if info is not None and listing is not None:
            count = len(listing.containers) + len(listing.refused)
            self._say("permissions", StepState.OK, f"Its containers can be listed ({count}).")
        skew = timedelta(seconds=info.skew or 0) if info is not None else timedelta()
        followed = await self._try("events", _read_events(client, skew))
        if followed is not None:
            self._say("events", StepState.OK, "Its events can be followed.")
        return info

    def _check_clock(self, info: EngineInfo) -> None:
        if info.skew is not None and abs(info.skew) > SKEW:
            way = "ahead of" if info.skew > 0 else "behind"
            self._say(
                "clock",
                StepState.WARNED,
                f"Its clock is {abs(info.skew):.0f} s {way} this machine's.",
                "Let both machines keep time (NTP): the order of events is off by that much.",
            )

    async def _try_figures(self, client: EngineClient, link: Link) -> None:
        """Those of one container; that they are asked of the engine is no failure."""
        from .clock import SystemClock
        from .figures.source import host_figures, try_figures

        reader = host_figures(link, SystemClock())
        if reader is None:
            self._say("figures", StepState.OK, "CPU and memory are asked of the engine.")
            return
        words = await try_figures(client, reader)
        self._say("figures", StepState.OK, f"CPU and memory are {words}.")

    async def _try_swarm(self, client: EngineClient, info: EngineInfo) -> None:
        swarm = info.swarm
        if swarm is None or swarm.state in ("", "inactive"):
            self._say("swarm", StepState.OK, "It is in no swarm.")
            return
        if not swarm.manager:
            words = f"Its swarm says: {swarm.error}." if swarm.error else "It is a worker: its swarm is read elsewhere."
            self._say("swarm", StepState.WARNED if swarm.error else StepState.OK, words)
            return
        try:
            picture = await client.swarm()
        except EngineError as error:
            self._say("swarm", StepState.WARNED, str(error), error.hint)
            return
        if picture.error:
            self._say("swarm", StepState.WARNED, f"It manages a swarm that cannot be read: {picture.error}.")
            return
        nodes, services = len(picture.nodes), len(picture.services)
        self._say("swarm", StepState.OK, f"It manages a swarm (nodes: {nodes}, services: {services}).")

    # -- keeping count

    async def _try(self, name: str, question: Awaitable[T]) -> T | None:
        try:
            return await question
        except EngineError as error:
            self._fail(name, error)
            return None

    def _say(self, name: str, state: StepState, words: str = "", hint: str = "") -> None:
        step = ProbeStep(name=name, state=state, words=words, hint=hint)
        for place, old in enumerate(self._steps):
            if old.name == name:
                self._steps[place] = step
                return
        self._steps.append(step)

    def _fail(self, name: str, error: EngineError) -> None:
        before = next((step for step in self._steps if step.name == name and step.state is StepState.FAILED), None)
        words = f"{before.words} {error}" if before is not None else str(error)
        self._error = self._error or error
        self._say(name, StepState.FAILED, words, before.hint if before is not None else error.hint)


def _ssh_words(route: Route, link: SshLink) -> dict[str, str]:
    *jumps, target = route
    by = f" by way of {', then '.join(jump.place for jump in jumps)}" if jumps else ""
    known = next((key for key in find_known(target) if not key.marker), None)
    how = "through `docker system dial-stdio`, since sshd forwards no sockets" if link.channels else "through sshd"
    return {
        "name": f"It is {target.host} port {target.port}{by}.",
        "host key": f"Its key is known ({known.place})." if known is not None else "Its key is signed as known.",
        "login": f"Logged in as {target.user}.",
        "socket": f"{link.socket} is reached {how}.",
    }


async def _read_events(client: EngineClient, skew: timedelta) -> int:
    """How many events the last second had, by the engine's clock: a stream that ends by itself."""
    until = int((datetime.now(UTC) + skew).timestamp() * 1e9)
    count = 0
    try:
        async with asyncio.timeout(ANSWER):
            async for _ in client.events(since=until - 10**9, until=until):
                count += 1
    except TimeoutError as error:
        raise NotAnswering(f"{client.engine} does not answer GET /events within {ANSWER:.0f} s.") from error
    return count
