"""The ways out: a web address and a command. Each has a queue of its own that holds so many, and tries again."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from .message import Message

if TYPE_CHECKING:
    import aiohttp

WAITING = 100
"""Alarms that wait for one way at most; then the oldest go."""
DEADLINE = 10.0
"""Seconds for one try."""
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds before each further try; after the last of them an alarm is given up."""


class Way(Protocol):
    """Something that takes a message to somebody."""

    name: str

    async def send(self, message: Message) -> str:
        """Empty where it arrived, else in a few words why not; words never name a secret."""
        ...


class Outbox:
    """One way, its queue, and whether it works."""

    def __init__(
        self,
        way: Way,
        changed: Callable[[], None],
        pauses: Sequence[float] = PAUSES,
        *,
        arrived: Callable[[Message], None] | None = None,
    ) -> None:
        self.way = way
        self._arrived = arrived
        self.trouble = ""
        """Why it does not work at the moment."""
        self.given_up = 0
        self._changed = changed
        self._pauses = tuple(pauses)
        self._queue: deque[Message] = deque()
        self._wake = asyncio.Event()

    def put(self, message: Message) -> None:
        """Send it, soon."""
        if len(self._queue) >= WAITING:
            self._queue.popleft()
            self.given_up += 1
        self._queue.append(message)
        self._wake.set()

    @property
    def idle(self) -> bool:
        """Whether nothing waits."""
        return not self._queue

    async def run(self) -> None:
        """Send what comes, in its order, for ever."""
        while True:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
            message = self._queue[0]
            if not await self._try(message):
                self.given_up += 1
            elif self._arrived is not None:
                self._arrived(message)
            if self._queue and self._queue[0] is message:
                self._queue.popleft()

    async def _try(self, message: Message) -> bool:
        for pause in (*self._pauses, None):
            why = await self.way.send(message)
            self._say(f"{self.way.name} {why}" if why else "")
            if not why:
                return True
            if pause is not None:
                await asyncio.sleep(pause)
        return False

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()


class Webhook:
    """POSTs the message as JSON. Of its address nothing but the host is ever told."""

    def __init__(self, address: str, host: str) -> None:
        self.name = f"webhook at {host}"
        self._address = address
        self._tls: ssl.SSLContext | None = None

    async def send(self, message: Message) -> str:
        """One try; it follows no redirect, since the secret in the address is meant for one host."""
        from .quick_aiohttp import aiohttp

        try:
            if self._tls is None:
                self._tls = await asyncio.to_thread(ssl.create_default_context)  # reads all authorities
            async with asyncio.timeout(DEADLINE), aiohttp.ClientSession(trust_env=False) as session:
                return await self._post(session, message, self._tls)
        except TimeoutError:
            return "did not answer"
        except aiohttp.ClientConnectorCertificateError:
            return "has a certificate that is not trusted"
        except aiohttp.ClientConnectorError:
            return "cannot be reached"
        except (aiohttp.ClientError, OSError, ValueError):
            return "broke off"  # the error's own words hold the address

    async def _post(self, session: aiohttp.ClientSession, message: Message, tls: ssl.SSLContext) -> str:
        headers = {"Content-Type": "application/json", "User-Agent": "fleettop"}
        async with session.post(
            self._address, data=message.body(), headers=headers, ssl=tls, allow_redirects=False
        ) as answer:
            return "" if 200 <= answer.status < 300 else f"answered {answer.status}"


class Command:
    """Runs words of the config: the message is on its standard input as JSON, and in its environment."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = f"command {words[0]}"
        self._words = tuple(words)
        self._environment = dict(environment)

    async def send(self, message: Message) -> str:
        """One try."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={**self._environment, **message.variables()},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return f"could not be started: {(getattr(error, 'strerror', None) or str(error)).lower()}"
        try:
            async with asyncio.timeout(DEADLINE):
                await process.communicate(message.body() + b"\n")
        except TimeoutError:
            return f"took longer than {DEADLINE:.0f} s"
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        return "" if process.returncode == 0 else f"ended with exit code {process.returncode}"
