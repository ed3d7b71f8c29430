"""Running a command on this machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


class CommandFailed(RuntimeError):
    """A command ended with an exit code that is not 0; the text holds the end of what it said."""


def surroundings(more: Mapping[str, str] | None = None, *, proxies: bool = False) -> dict[str, str]:
    """The environment for commands: system folders on the path (a user's shell may lack them), no `proxies`."""
    kept = {name: value for name, value in os.environ.items() if proxies or name not in PROXIES}
    return {**kept, "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}", **(more or {})}


def sh(*command: object, check: bool = True, stdin: str = "", timeout: float = 120, proxies: bool = False) -> str:
    """Run a command and return what it printed, stripped. Raises CommandFailed where `check` and it failed.

    What has to reach the world is run with the `proxies` of the environment.
    """
    words = [str(word) for word in command]
    kept = surroundings(proxies=proxies)
    done = subprocess.run(
        words, input=stdin, capture_output=True, timeout=timeout, text=True, errors="replace", env=kept
    )
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip()[-800:]
        raise CommandFailed(f"{' '.join(words)} ended with {done.returncode}: {said}")
    return done.stdout.strip()
