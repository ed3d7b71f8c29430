"""Keys one after the other: each goes to where the one before it has led."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from textual.app import App, ScreenStackError
from textual.events import Key
from textual.message import Message
from textual.message_pump import MessagePump

PATIENCE = 3.0
"""Seconds after which a key that was not done with holds up the next no longer."""
ASKING = 5.0
"""The same while a question is got ready, for which engines may have to be asked first."""


class Behind(Message, bubble=True, verbose=True):
    """Goes the way of a key, right behind it: where this has arrived, that was done with."""

    def __init__(self, turn: int, *, led: bool) -> None:
        super().__init__()
        self.turn = turn
        self.led = led
        """Behind what the key led to, a dialog that got its focus, not behind the key alone."""


class KeyGate:
    """Lets one key in at a time.

    Textual gives a key to what has the focus when it arrives, and does what it means later: of keys that arrive
    together, as they do over a slow line, `/api` is given to the table that had the focus before `/`, letter by letter.
    """

    def __init__(self, app: App[Any], let_in: Callable[[Key], Awaitable[None]]) -> None:
        """`let_in` gives the key to the app."""
        self._app = app
        self._let_in = let_in
        self._waiting: deque[Key] = deque()
        self._turn = 0
        self._busy = False
        self._asking = 0
        self._timer: asyncio.TimerHandle | None = None

    async def key(self, key: Key) -> None:
        """It arrived: let it in now, or after those before it."""
        if self._busy:
            self._waiting.append(key)
        else:
            await self._let(key)

    async def behind(self, message: Behind) -> None:
        """What was sent behind a key has come back."""
        if message.turn != self._turn or not self._busy:
            return
        if not message.led:
            self._send_led()
        elif not self._asking:
            await self._next()

    async def asked(self, question: Awaitable[None]) -> None:
        """What a key asks for is got ready, and asked: keys wait for it, since they are meant for its answer."""
        self._asking += 1
        self._give_up_after(ASKING)
        try:
            await question
        finally:
            self.answerable()

    def answerable(self) -> None:
        """The question stands on the screen, or there is none."""
        if self._asking:
            self._asking -= 1
            if self._busy and not self._asking:
                self._send_led()

    # -- how

    async def _let(self, key: Key) -> None:
        if not self._app.screen_stack:  # the program ends
            return
        self._busy = True
        self._turn += 1
        target = self._app.focused or self._app.screen
        self._give_up_after(PATIENCE)
        await self._let_in(key)
        self._send(target, led=False)

    async def _next(self) -> None:
        self._busy = False
        if self._timer is not None:
            self._timer.cancel()
        if self._waiting:
            await self._let(self._waiting.popleft())

    def _send_led(self) -> None:
        with suppress(ScreenStackError):  # the program ends
            self._send(self._app.screen, led=True)

    def _send(self, target: MessagePump, *, led: bool) -> None:
        if not target.post_message(Behind(self._turn, led=led)):
            self._app.post_message(Behind(self._turn, led=led))

    def _give_up_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._give_up, self._turn)

    def _give_up(self, turn: int) -> None:
        if self._busy and turn == self._turn:
            self._asking = 0
            self._app.post_message(Behind(turn, led=True))
