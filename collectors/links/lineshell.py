"""A shell that stays open on a host and answers lines: one constant command, started once, asked often.

What is sent to it are lines on its standard input, which the command reads as data; no text ever becomes part of the
command itself.
"""

from __future__ import annotations

import asyncio
import secrets
import shlex
from typing import TYPE_CHECKING

from ..errors import EngineError
from ..text import plain
from .remote import EXEC

if TYPE_CHECKING:
    import asyncssh

MARK = "fleettop:"
"""Before each line that is meant for us: a login shell may print anything."""
NOISE = 65536
"""Bytes that a login shell may print before the command begins."""
CHUNK = 65536


class ShellTrouble(EngineError):
    """The shell on the host could not be started, has ended, or answers what makes no sense."""

    word = "remote shell"
    transient = True


class LineShell:
    """The shell, once it has shown that it is what we started. Whoever started it closes it."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process
        self._left = b""

    @classmethod
    async def start(cls, connection: asyncssh.SSHClientConnection, script: str, *words: str) -> LineShell:
        """Start `script` (one line, without `!`, `'` and line breaks, so that every login shell hands it on as it is).

        It must read one line and print `fleettop:ready` with that line behind it, or `fleettop:no` and a reason. A
        forced command that prints or echoes something else is told by that. Raises ShellTrouble.
        """
        import asyncssh

        command = " ".join(["/bin/sh", "-c", *(shlex.quote(word) for word in (script, "fleettop", *words))])
        nonce = secrets.token_hex(8)
        try:
            async with asyncio.timeout(EXEC):
                process = await connection.create_process(command, encoding=None, stderr=asyncssh.DEVNULL)
        except asyncssh.ChannelOpenError as error:
            raise ShellTrouble(f"no session for it ({plain(error.reason, 100)})") from error
        except (asyncssh.Error, OSError, TimeoutError) as error:
            raise ShellTrouble("the host runs no commands") from error
        shell = cls(process)
        try:
            shell.tell(nonce)
            await shell._ready(nonce)
        except BaseException:
            shell.close()
            raise
        return shell

    async def _ready(self, nonce: str) -> None:
        read = 0
        try:
            async with asyncio.timeout(EXEC):
                while read < NOISE:
                    line = await self._line(NOISE)
                    read += len(line)
                    if line == f"{MARK}ready {nonce}":
                        return
                    if line.startswith(f"{MARK}no "):
                        raise ShellTrouble(plain(line.removeprefix(f"{MARK}no "), 100))
        except TimeoutError as error:
            raise ShellTrouble("the host's shell does not answer") from error
        raise ShellTrouble("the host answers with something else than our command")

    def tell(self, line: str) -> None:
        """Send one line. Raises ShellTrouble where the shell has ended."""
        try:
            self._process.stdin.write(line.encode() + b"\n")
        except OSError as error:  # asyncssh: BrokenPipeError
            raise ShellTrouble("the host's shell has ended") from error

    async def ask(self, line: str, *, end: str, most: int, deadline: float) -> list[str]:
        """Send one line; the lines of the answer, without mark, up to the one that is `end`.

        Raises ShellTrouble where it is not whole within `deadline` seconds, or longer than `most` bytes; the shell is
        of no use then.
        """
        self.tell(line)
        lines: list[str] = []
        left = most
        try:
            async with asyncio.timeout(deadline):
                while (found := await self._line(left)) != MARK + end:
                    left -= len(found) + 1
                    if left <= 0:
                        raise ShellTrouble("the host's shell says more than it was asked for")
                    lines.append(found.removeprefix(MARK))
        except TimeoutError as error:
            raise ShellTrouble(f"the host's shell has not answered for {deadline:.0f} s") from error
        return lines

    async def _line(self, most: int) -> str:
        import asyncssh

        while (at := self._left.find(b"\n")) < 0:
            if len(self._left) > most:
                raise ShellTrouble("the host's shell says more than it was asked for")
            try:
                more = await self._process.stdout.read(CHUNK)
            except (asyncssh.Error, OSError) as error:
                raise ShellTrouble("the host's shell has ended") from error
            if not more:
                raise ShellTrouble("the host's shell has ended")
            self._left += more
        line, self._left = self._left[:at], self._left[at + 1 :]
        return line.decode("ascii", errors="replace")

    def close(self) -> None:
        """End it: its input ends, and with that the command. Never raises."""
        self._process.close()
