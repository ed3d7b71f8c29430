"""A file that is there whole or not at all, for its owner's eyes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from fleettop.collectors.errors import ConfigError


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Write it: at the end of the block it takes the place of what was there before, and survives a power cut.

    Where the block fails, nothing is left behind. Raises ConfigError where it cannot be written.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ConfigError(f"{path} is no plain file.", hint="Name a plain file, or leave it out to print.")
    draft = ""
    try:
        try:
            handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
            draft = ""
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be written: {error.strerror or error}.",
                hint="Name a file in a folder you can write to.",
            ) from error
    finally:
        if draft:
            with suppress(OSError):
                os.unlink(draft)  # noqa: PTH108 - a name, not a path
