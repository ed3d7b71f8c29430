"""A command in a container with a person at its terminal: found out what can run, recorded, and told how it ended.

The intent is recorded before, with the command; the outcome after, with the exit code and how long it took. What was
typed and what was shown are neither kept nor looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from typing import Protocol

from ..clock import Clock, SystemClock
from ..engine.decode_evidence import ExecEntry
from ..errors import EngineError, FleetError, ReadOnly, Rejected
from . import phrases
from .attaching import Attached, Size, attach
from .deeds import LOST, explain
from .recording import Ledger, Recorder
from .steps import Outcome, Pace, Plan, Reach, Step, StepResult
from .writer import Writer

SHELLS: tuple[tuple[str, ...], ...] = (("/bin/bash",), ("/bin/sh",), ("/bin/busybox", "ash"))
"""What is tried, in this order, where no command is given."""
NO_SHELL = "none of /bin/bash, /bin/sh and busybox can run in it, so it has no shell"
WITHOUT = "Run one of its own programs instead: fleettop shell NAME -- COMMAND."
"""What to do about that."""
_CANNOT_RUN = (126, 127)
"""The exit codes of an exec whose program is no program or is not there."""
_HELD = 0.3
"""Seconds for which the first words are held back while another shell could still be tried: they may be the engine's,
saying that there is no such program."""
_HELD_ERROR = 5.0
"""The same where they look like that."""
_ERROR_WORDS = (b"exec failed", b"OCI runtime", b"no such file", b"executable file not found")
_CLOSING = 6.0
"""Seconds for the engine to say how a command ended whose terminal is closed."""


class Terminal(Protocol):
    """Where a person sits."""

    @property
    def size(self) -> Size:
        """Columns and lines."""
        ...

    def taken(self) -> AbstractContextManager[None]:
        """While it is inside, every key goes to `keys` and nobody else writes; afterwards all is as it was."""
        ...

    async def keys(self) -> bytes:
        """What was typed; empty: no more of this (the detach key), or the terminal is gone."""
        ...

    async def show(self, data: bytes) -> None:
        """Write it as it is."""
        ...

    async def resized(self) -> None:
        """Return when the size has changed."""
        ...


async def run_at_terminal(
    plan: Plan,
    terminal: Terminal,
    *,
    reach: Callable[[str], Reach | None],
    environment: Mapping[str, str],
    recorder: Recorder | None = None,
    reason: str = "",
    pace: Pace | None = None,
    clock: Clock | None = None,
) -> StepResult:
    """Run what the plan's one step says, with `terminal` at it, until it ends, the person leaves, or the link breaks.

    Raises ReadOnly before anything is recorded or sent, and TrailError where the intent cannot be recorded.
    """
    [step] = plan.steps
    way = reach(step.engine)
    if way is not None and way.read_only:
        raise ReadOnly(f"Nothing is run on {step.engine}: fleettop runs read-only.")
    ledger = Ledger(recorder, reason=reason)
    await ledger.begin((step,))
    result = StepResult(step=step, outcome=Outcome.UNKNOWN, words="fleettop left before it ended")
    try:
        if way is None:
            words = f"{step.engine} cannot be reached, so nothing was sent"
            result = StepResult(step=step, outcome=Outcome.REFUSED, words=words)
        else:
            result = await _Run(step, way, terminal, environment, pace or Pace(), clock or SystemClock()).go()
    finally:
        ledger.close(0, result)
    await ledger.kept()
    return result


class _Run:
    """One step being run."""

    def __init__(
        self, step: Step, way: Reach, terminal: Terminal, environment: Mapping[str, str], pace: Pace, clock: Clock
    ) -> None:
        self._step = step
        self._way = way
        self._terminal = terminal
        self._environment = dict(environment)
        self._pace = pace
        self._clock = clock
        self._begin = clock.monotonic()
        self._writer = Writer(
            way.endpoint, api=way.api, engine=step.engine, read_only=way.read_only, deadline=pace.answer
        )
        self._typed = False
        self._left = False

    async def go(self) -> StepResult:
        """One command after the other until one runs."""
        try:
            for command in (self._step.command,) if self._step.command else SHELLS:
                result = await self._try(command)
                if result is not None:
                    return result
            return self._result(Outcome.FAILURE, NO_SHELL, hint=WITHOUT)
        except FleetError as error:
            return self._result(*explain(error))
        finally:
            await self._writer.close()

    async def _try(self, command: tuple[str, ...]) -> StepResult | None:
        """Run that; None: there is no such program, and another may be tried."""
        other = not self._step.command
        try:
            exec_id = await self._writer.create_exec(self._step.object_id, command, environment=self._environment)
        except LOST as error:
            return self._result(Outcome.REFUSED, f"nothing was started: {str(error).rstrip('.')}")
        try:
            attached = await attach(
                self._way, exec_id, engine=self._step.engine, size=self._terminal.size, seconds=self._pace.answer
            )
        except Rejected as error:
            if other and any(words in str(error).encode() for words in _ERROR_WORDS):
                return None
            raise
        except LOST as error:
            return self._result(Outcome.UNKNOWN, f"{str(error).rstrip('.')}; whether it runs is not known")
        try:
            with self._terminal.taken():
                await self._talk(attached, exec_id, hold=other)
        finally:
            await attached.close()
        return await self._ending(command, exec_id, other=other)

    async def _talk(self, attached: Attached, exec_id: str, *, hold: bool) -> None:
        """Both ways, until either side ends."""
        async with asyncio.TaskGroup() as group:
            showing = group.create_task(self._show(attached, hold=hold))
            typing = group.create_task(self._type(attached))
            sizing = group.create_task(self._resize(exec_id))
            await asyncio.wait((showing, typing), return_when=asyncio.FIRST_COMPLETED)
            for task in (showing, typing, sizing):
                task.cancel()

    async def _show(self, attached: Attached, *, hold: bool) -> None:
        data = await attached.read()
        if hold and data:
            data, ended = await _more(attached, data)
            if ended and not self._typed and any(words in data for words in _ERROR_WORDS):
                return  # the engine's words, in place of a program
        while data:
            await self._terminal.show(data)
            data = await attached.read()

    async def _type(self, attached: Attached) -> None:
        while data := await self._terminal.keys():
            self._typed = True
            if not await attached.send(data):
                return
        self._left = True

    async def _resize(self, exec_id: str) -> None:
        """Tell the engine the size, at first and whenever it changes. It may not be running yet at first."""
        tries = 10
        while True:
            columns, lines = self._terminal.size
            try:
                await self._writer.resize_exec(exec_id, columns=columns, lines=lines)
            except FleetError:
                tries -= 1
                if tries > 0:
                    await asyncio.sleep(0.1)
                    continue
            tries = 1
            if (columns, lines) == self._terminal.size:
                await self._terminal.resized()

    async def _ending(self, command: tuple[str, ...], exec_id: str, *, other: bool) -> StepResult | None:
        name = " ".join(command)
        after = phrases.took(self._clock.monotonic() - self._begin)
        if self._left:
            return self._result(Outcome.SUCCESS, f"left {name} after {after}; what runs there may go on")
        entry = await self._entry(exec_id)
        if entry is None or entry.running or entry.exit_code is None:
            return self._result(
                Outcome.UNKNOWN, f"the connection was lost after {after}; what runs there may go on", lost=True
            )
        if other and not self._typed and entry.exit_code in _CANNOT_RUN:
            return None
        words = f"{name} ended with exit code {entry.exit_code} after {after}"
        return self._result(Outcome.SUCCESS, words, exit_code=entry.exit_code)

    async def _entry(self, exec_id: str) -> ExecEntry | None:
        """How the engine says it ended. Its terminal may be closed a moment before that is known."""
        entry: ExecEntry | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING):
                while True:
                    with suppress(EngineError):
                        entry = await self._way.client.exec_entry(exec_id)
                        if entry is None or not entry.running:
                            return entry
                    await asyncio.sleep(self._pace.poll)
        return entry

    def _result(
        self, outcome: Outcome, words: str, *, exit_code: int | None = None, hint: str = "", lost: bool = False
    ) -> StepResult:
        seconds = self._clock.monotonic() - self._begin
        if lost:
            hint = f"Look when {self._step.engine} answers again."
        return StepResult(
            step=self._step, outcome=outcome, words=words, seconds=seconds, exit_code=exit_code, hint=hint
        )


async def _more(attached: Attached, data: bytes) -> tuple[bytes, bool]:
    """What comes within the time for which it is held back, and whether it ended by then."""
    try:
        async with asyncio.timeout(_HELD) as limit:
            start = (limit.when() or 0.0) - _HELD
            while True:
                if any(words in data for words in _ERROR_WORDS):
                    limit.reschedule(start + _HELD_ERROR)
                more = await attached.read()
                if not more:
                    return data, True
                data += more
    except TimeoutError:
        return data, False
