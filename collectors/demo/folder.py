"""The folder that holds a simulated fleet's sockets."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..errors import ConfigError

PREFIX = "fleettop-demo-"
LOCK = "lock"
"""Locked for as long as its fleet lives; the system lets go of it however the process ends."""
LONGEST_PATH = 100
"""Bytes of a unix socket's path: 108 on Linux, 104 on macOS."""


class SocketFolder:
    """A folder for its owner alone. A temporary one is removed on `close`, and so is what killed fleets left behind."""

    def __init__(self, given: Path | None, names: Iterable[str]) -> None:
        """Raises ConfigError for a folder whose path is too long for a socket, or that another fleet uses."""
        self._temporary = given is None
        if given is None:
            _sweep(Path(tempfile.gettempdir()))
            self.path, self._lock = _temporary()
        else:
            longest = max(len(os.fsencode(given / name)) for name in (*names, LOCK))
            if longest > LONGEST_PATH:
                raise ConfigError(
                    f"The folder {str(given)!r} is too long a path for a unix socket.",
                    hint="Give a shorter one, such as /tmp/demo.",
                )
            given.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _lock(given)
            if lock is None:
                raise ConfigError(f"Another demo uses the folder {str(given)!r}.", hint="Give another folder.")
            self.path, self._lock = given, lock

    def close(self) -> None:
        """Let go of it."""
        os.close(self._lock)
        if self._temporary:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            (self.path / LOCK).unlink(missing_ok=True)


def _temporary() -> tuple[Path, int]:
    """A folder of our own with its lock held. One that is swept before it is locked is given up for another."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = _lock(path)
        if lock is not None:
            return path, lock


def _lock(folder: Path) -> int | None:
    """The lock of a folder, held; None: somebody else holds it."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _sweep(parent: Path) -> None:
    """Remove our own folders whose fleet was killed."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            ours = folder.lstat().st_uid == os.getuid() and not folder.is_symlink() and (folder / LOCK).is_file()
            lock = _lock(folder) if ours else None
        except OSError:
            continue  # somebody else swept it
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
