"""Lines written to a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def save(path: Path, lines: Iterable[str], *, overwrite: bool = False) -> int:
    """Write the lines; how many. A file that is there is left alone, or replaced whole with `overwrite`.

    Raises OSError (FileExistsError among them); then nothing is left behind.
    """
    target = path if not overwrite else path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    count = 0
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            for line in lines:
                file.write(f"{line}\n")
                count += 1
        if overwrite:
            target.replace(path)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return count
