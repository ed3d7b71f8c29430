"""How many logins go on at once, and the jump hosts that several engines share."""

from __future__ import annotations

import asyncio
import copy
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from ..errors import EngineError
from .sshoptions import Hop, Route

if TYPE_CHECKING:
    from .login import Login

LIMIT = 8


class Turn(NamedTuple):
    """Who goes first where several wait for a place: the smaller. Of equals who came first."""

    silent: bool = False
    """It did not answer again and again: likely it takes a place for as long as its deadlines allow, for nothing."""
    calm: bool = True
    """Nothing that was last known of it is in trouble: others are looked for more urgently."""


FIRST_TURN = Turn()


class HandshakeGate:
    """One for the whole program: bounds logins at one sshd or through one jump host, and shares jump connections.

    A bastion before a thousand hosts is logged into once, and not more than `limit` of the hosts behind it at a time:
    sshd throws away logins beyond its MaxStartups (10:30:100 unless configured). Who logs in at the engine's host keeps
    the place until sshd has answered something after the login.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._doors: dict[tuple[str, int], _Door] = {}
        self._jumps: dict[Route, _Jump] = {}

    @property
    def busy(self) -> bool:
        """Whether anything is logging in, waits for it, or holds a jump host."""
        return bool(self._doors or self._jumps)

    @asynccontextmanager
    async def slot(self, hop: Hop, turn: Turn = FIRST_TURN) -> AsyncIterator[None]:
        """Wait for one of the places at an sshd (or jump host), and hold it. Take the host's before its jump host's."""
        place = (hop.host, hop.port)
        door = self._doors.setdefault(place, _Door(self._limit))
        door.users += 1
        try:
            await door.take(turn)
            try:
                yield
            finally:
                door.give()
        finally:
            door.users -= 1
            if not door.users:
                del self._doors[place]

    async def jump(self, route: Route, log_in: Callable[[], Awaitable[Login]]) -> JumpLease:
        """The connection to the last hop of `route`: the one there is, or a new one by `log_in`.

        Who waits while another's attempt fails gets that failure, and does not try again in turn. Raises what `log_in`
        raises.
        """
        jump = self._jumps.setdefault(route, _Jump())
        jump.users += 1
        failures = jump.failures
        try:
            async with jump.lock:
                if jump.login is not None and jump.login.closed:
                    stale, jump.login = jump.login, None
                    await stale.close()
                if jump.failures != failures and jump.failure is not None:
                    raise _again(jump.failure)
                if jump.login is None:
                    jump.login = await _first(jump, log_in)
                return JumpLease(self, route, jump, jump.login)
        except BaseException:
            await self._leave(route, jump)
            raise

    async def _leave(self, route: Route, jump: _Jump) -> None:
        jump.users -= 1
        if jump.users:
            return
        if self._jumps.get(route) is jump:
            del self._jumps[route]
        if jump.login is not None:
            login, jump.login = jump.login, None
            await login.close()


class JumpLease:
    """A share in a jump host's connection; it is closed when the last one lets go."""

    def __init__(self, gate: HandshakeGate, route: Route, jump: _Jump, login: Login) -> None:
        self.login = login
        self._held: tuple[HandshakeGate, Route, _Jump] | None = (gate, route, jump)

    async def release(self) -> None:
        """Let go, once; never raises."""
        if self._held is not None:
            gate, route, jump = self._held
            self._held = None
            await gate._leave(route, jump)


class _Door:
    """Places, given to who waits by turn."""

    def __init__(self, limit: int) -> None:
        self.users = 0
        self._free = limit
        self._waiting: list[tuple[Turn, int, asyncio.Future[None]]] = []
        self._number = count()

    async def take(self, turn: Turn) -> None:
        if self._free:
            self._free -= 1
            return
        place = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (turn, next(self._number), place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # it was given in the same moment
                self.give()
            raise

    def give(self) -> None:
        while self._waiting:
            *_, place = heapq.heappop(self._waiting)
            if not place.done():
                place.set_result(None)
                return
        self._free += 1


class _Jump:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
        self.login: Login | None = None
        self.failures = 0
        self.failure: EngineError | None = None


async def _first(jump: _Jump, log_in: Callable[[], Awaitable[Login]]) -> Login:
    try:
        return await log_in()
    except EngineError as error:
        jump.failures += 1
        jump.failure = error
        raise


def _again(error: EngineError) -> EngineError:
    """The same failure for another engine: an exception must not be raised twice, its traceback would grow."""
    same = copy.copy(error)
    same.__traceback__ = None
    return same
