"""The keys we may show an sshd: of the agent and of files, and in words which they were."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from .hostkeys import fingerprint
from .sshoptions import Hop

if TYPE_CHECKING:
    import asyncssh

AGENT = 3.0
"""Seconds for the agent to list its keys; it may have hung, or ask a person for a PIN."""


class Keys:
    """The keys for one login, loaded on entering; the agent's connection is let go on leaving.

    In the order ssh tries them: the agent's that are also configured, the agent's others, then files.
    """

    def __init__(self, hop: Hop) -> None:
        self._hop = hop
        self.pairs: list[asyncssh.SSHKeyPair] = []
        self.tried: list[str] = []
        """In words, what was shown."""
        self.passed_over: list[str] = []
        """In words, what could not be used, and why."""
        self._agent: asyncssh.SSHAgentClient | None = None

    async def __aenter__(self) -> Keys:
        try:
            files, blobs = await asyncio.to_thread(self._read_files)
            held = await self._ask_agent()
        except BaseException:
            await self._let_go()
            raise
        listed = [pair for pair in held if pair.public_data in blobs]
        others = [] if self._hop.identities_only else [pair for pair in held if pair.public_data not in blobs]
        if listed or others:
            count = len(listed) + len(others)
            self.tried.insert(0, f"{count} key{'s' if count > 1 else ''} of the agent")
        known = {pair.public_data for pair in held}
        self._note_encrypted(known)
        self.pairs = [*listed, *others, *(pair for pair in files if pair.public_data not in known)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._let_go()

    @property
    def words(self) -> str:
        """What was tried and what could not be, as one clause."""
        tried = f"tried {', '.join(self.tried)}" if self.tried else "no key could be tried"
        return "; ".join([tried, *self.passed_over])

    async def _ask_agent(self) -> list[asyncssh.SSHKeyPair]:
        if not self._hop.agent:
            return []
        import asyncssh

        self._agent = asyncssh.SSHAgentClient(self._hop.agent)
        try:
            async with asyncio.timeout(AGENT):
                return list(await self._agent.get_keys())
        except (OSError, ValueError, TimeoutError):
            self.passed_over.append(f"the agent at {self._hop.agent} does not answer")
            return []

    async def _let_go(self) -> None:
        if self._agent is not None:
            self._agent.close()
            with contextlib.suppress(OSError):
                await self._agent.wait_closed()
            self._agent = None

    # -- files

    def _read_files(self) -> tuple[list[asyncssh.SSHKeyPair], set[bytes]]:
        pairs: list[asyncssh.SSHKeyPair] = []
        blobs: set[bytes] = set()
        self._encrypted: list[tuple[Path, bytes | None]] = []
        for path in self._hop.identities:
            if (public := _public_part(path)) is not None:
                blobs.add(public)
            found = self._load(path, public)
            pairs += found
            blobs.update(pair.public_data for pair in found)
            if found:
                self.tried.append(f"{_short(path)} ({fingerprint(found[-1].key_public_data)})")
        return pairs, blobs

    def _load(self, path: Path, public: bytes | None) -> Sequence[asyncssh.SSHKeyPair]:
        import asyncssh

        certificates = [str(name) for name in self._hop.certificates if name.is_file()]
        try:
            return asyncssh.load_keypairs([str(path)], certlist=certificates)
        except FileNotFoundError:
            if self._hop.identities_configured and public is None:
                self.passed_over.append(f"there is no {_short(path)}")
        except OSError as error:
            self.passed_over.append(f"{_short(path)} cannot be read ({error.strerror})")
        except asyncssh.KeyEncryptionError:
            self._encrypted.append((path, public))
        except (asyncssh.KeyImportError, ValueError) as error:
            if "assphrase" in str(error):
                self._encrypted.append((path, public))
            elif path.suffix != ".pub":
                self.passed_over.append(f"{_short(path)} is no private key that can be used")
        return []

    def _note_encrypted(self, held: set[bytes]) -> None:
        for path, public in self._encrypted:
            if public is None or public not in held:
                self.passed_over.append(f"{_short(path)} is encrypted and not in an agent (ssh-add {_short(path)})")


def _public_part(path: Path) -> bytes | None:
    import asyncssh

    for name in (path, Path(f"{path}.pub")):
        if name.suffix != ".pub":
            continue
        try:
            return asyncssh.read_public_key(str(name)).public_data
        except (OSError, ValueError):
            continue
    return None


def _short(path: Path) -> str:
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)
