"""A ProxyCommand of the user's own ssh config: a program whose input and output are the way to the host."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import socket
import tempfile
from typing import IO

from ..errors import EngineError
from ..text import plain
from .base import Misconfigured
from .sshoptions import Hop

PATIENCE = 1.0


class ProxyCommand:
    """The running program; `near` is our end of the way."""

    def __init__(self, hop: Hop, process: asyncio.subprocess.Process, near: socket.socket, said: IO[bytes]) -> None:
        self.near = near
        self._hop = hop
        self._process = process
        self._said = said

    @classmethod
    async def start(cls, hop: Hop, who: str) -> ProxyCommand:
        """Run the program, without a shell. asyncssh could, but takes what it prints as errors for data.

        Raises Misconfigured where it cannot be run.
        """
        near, far = socket.socketpair()
        said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        near.setblocking(False)
        try:
            process = await asyncio.create_subprocess_exec(
                *hop.proxy_command, stdin=far.fileno(), stdout=far.fileno(), stderr=said, start_new_session=True
            )
        except BaseException as error:
            near.close()
            said.close()
            if isinstance(error, OSError):
                raise Misconfigured(
                    f"The ProxyCommand for {who} cannot be run: {hop.proxy_command[0]}: {error.strerror}."
                ) from error
            raise
        finally:
            far.close()
        return cls(hop, process, near, said)

    def explain(self, error: EngineError) -> EngineError:
        """The failure of the login, with the program's own last words where it has some."""
        words = self._last_words
        if not words:
            return error
        fuller = copy.copy(error)
        fuller.args = (f"{error} It said: {words}",)
        fuller.__traceback__ = None
        return fuller

    async def close(self) -> None:
        """End the program; never raises."""
        with contextlib.suppress(OSError):
            self._said.seek(0)
            self._last_words = plain(self._said.read(4096).decode(errors="replace").strip(), 200)
        self._said.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._process.wait()
                return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    _last_words = ""
