"""What is left behind when fleettop itself fails: a report a person can send along."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_state_path


def write_report(error: BaseException, folder: Path | None = None) -> Path:
    """Write the traceback of `error` into the state folder, readable by its user alone; where it lies.

    Raises OSError where it cannot be written.
    """
    where = folder or user_state_path("fleettop") / "crashes"
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = where / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    head = f"fleettop {version('fleettop')}\nPython {sys.version}\n{platform.platform()}\n\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(head + "".join(traceback.format_exception(error)))
    return path
