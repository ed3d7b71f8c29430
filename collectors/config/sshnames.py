"""The names a user's ssh config knows, so that `fleettop web-1` can mean what `ssh web-1` means."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Iterator
from pathlib import Path

_DEEPEST_INCLUDE = 16  # OpenSSH's own READCONF_MAX_DEPTH


def ssh_names(path: Path, *, home: Path) -> tuple[str, ...]:
    """The names in the `Host` lines of the ssh config at `path` and what it includes, each once, in their order.

    Patterns (`*`, `?`, `!`) are no names. `~` and relative includes start at `home` (`~/.ssh`), as in ssh_config(5).
    What cannot be read holds no names: that is for ssh to complain about.
    """
    return tuple(dict.fromkeys(_names(path, home, 0)))


def _names(path: Path, home: Path, depth: int) -> Iterator[str]:
    if depth > _DEEPEST_INCLUDE:
        return
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        keyword, values = _words(line)
        if keyword == "host":
            yield from (value for value in values if _is_name(value))
        elif keyword == "include":
            for value in values:
                for found in _included(value, home):
                    yield from _names(found, home, depth + 1)


def _words(line: str) -> tuple[str, list[str]]:
    line = line.strip()
    if not line or line.startswith("#"):
        return "", []
    keyword, _, rest = line.replace("=", " ", 1).partition(" ") if "=" in line.split()[0] else _split(line)
    rest = rest.strip().removeprefix("=")
    try:
        return keyword.lower(), shlex.split(rest, comments=True)
    except ValueError:  # an open quote
        return keyword.lower(), rest.split()


def _split(line: str) -> tuple[str, str, str]:
    words = line.split(None, 1)
    return words[0], " ", words[1] if len(words) > 1 else ""


def _included(pattern: str, home: Path) -> list[Path]:
    where = home / pattern[2:] if pattern.startswith("~/") else home / ".ssh" / pattern
    return [Path(found) for found in sorted(glob.glob(str(where)))]  # noqa: PTH207 - the pattern may be absolute


def _is_name(word: str) -> bool:
    return bool(word) and word.isprintable() and not word.startswith("-") and not set(word) & set("*?!%/@")
