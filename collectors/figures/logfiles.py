"""How large the log files of containers are: no engine tells it, but who may read its folder can see it.

Docker keeps them below its data folder, by id: `containers/ID/ID-json.log` and, turned over, `….1` and so on (driver
json-file), or `containers/ID/local-logs/container.log` (driver local). Usually root alone may look in there: what
cannot be read is not known, which is not 0.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import EngineError
from ..links import Link
from ..links.lineshell import LineShell, ShellTrouble
from ..links.ssh import SshLink
from ..model import EngineInfo
from .target import FULL_ID

AT_ONCE = 100
"""Containers asked for in one line."""
MOST = 5_000
"""Of one engine; those beyond are not known."""
FILES = 64
"""Of one container, that an answer has room for."""
ROW = 200
"""Bytes of an answer for one file, at most."""
DEADLINE = 8.0
"""Seconds for an answer."""

_FOLDER = re.compile(r"(/[A-Za-z0-9_.@:+,=-]{1,100}){1,20}")
_NAMES = r"(?:-json\.log|/container\.log)(?:\.\d{1,5})?(?:\.gz)?"
_ROW = re.compile(rf"(\d{{1,18}}) ([0-9a-f]{{64}})/(?:\2|local-logs){_NAMES}", re.ASCII)

SCRIPT = (
    # One line, no `!`, no single quotes, no backslashes: any login shell hands it on as it is. It reads lines of
    # `NUMBER FOLDER ID …` as data; one process for each answer, and it only looks at sizes.
    "cd /; export LC_ALL=C PATH=$PATH:/usr/bin:/bin; read -r n || exit 1; "
    'command -v stat >/dev/null || { echo "fleettop:no the host has no stat"; exit 1; }; '
    'echo "fleettop:ready $n"; '
    "while read -r q r n; do set --; "
    'if cd "$r/containers"; then for i in $n; do set -- "$@" $i/$i-json.log* $i/local-logs/container.log*; done; '
    'stat -c "fleettop:%s %n" -- "$@"; fi; cd /; '
    'echo "fleettop:end $q"; done'
)


async def log_sizes(link: Link, info: EngineInfo, ids: Sequence[str]) -> Mapping[str, int]:
    """Bytes of the logs of these containers, by id; those that cannot be read are missing. Never raises for a host."""
    ids = [one for one in ids if FULL_ID.fullmatch(one)][:MOST]
    local = link.address.scheme == "unix"
    readable = local or (isinstance(link, SshLink) and link.address.remote_shell)
    if not ids or not readable or info.kind == "podman" or not is_folder(info.data_folder):
        return {}
    try:
        if isinstance(link, SshLink):
            return await _over_ssh(link, info.data_folder, ids)
        return await asyncio.to_thread(on_this_machine, info.data_folder, ids)
    except EngineError:
        return {}


def is_folder(path: str) -> bool:
    """Whether it is the whole path of a folder, without anything that a shell or a person could take for more."""
    return _FOLDER.fullmatch(path) is not None and ".." not in path.split("/")


def on_this_machine(folder: str, ids: Iterable[str]) -> dict[str, int]:
    """A socket here may lead to an engine elsewhere: that the logs are its own is proven by the ids."""
    found: dict[str, int] = {}
    for one in ids:
        home = Path(folder, "containers", one)
        for pattern in (f"{one}-json.log*", "local-logs/container.log*"):
            for file in home.glob(pattern):
                try:
                    size = file.stat().st_size
                except OSError:  # turned over or removed meanwhile
                    continue
                found[one] = found.get(one, 0) + size
    return found


async def _over_ssh(link: SshLink, folder: str, ids: Sequence[str]) -> dict[str, int]:
    shell = await link.start_shell(SCRIPT)
    if shell is None:
        return {}
    found: dict[str, int] = {}
    try:
        for number, begin in enumerate(range(0, len(ids), AT_ONCE), 1):
            found.update(await _ask(shell, number, folder, ids[begin : begin + AT_ONCE]))
    finally:
        shell.close()
    return found


async def _ask(shell: LineShell, number: int, folder: str, ids: Sequence[str]) -> dict[str, int]:
    lines = await shell.ask(
        f"{number} {folder} {' '.join(ids)}", end=f"end {number}", most=ROW * FILES * len(ids), deadline=DEADLINE
    )
    found = understood(lines, ids)
    if found is None:
        raise ShellTrouble("the host's shell answers what makes no sense")
    return found


def understood(lines: Sequence[str], ids: Sequence[str]) -> dict[str, int] | None:
    """The sizes an answer tells, by id; None where it makes no sense."""
    asked, found = frozenset(ids), dict[str, int]()
    for line in lines:
        row = _ROW.fullmatch(line)
        if row is None or row[2] not in asked:
            return None
        found[row[2]] = found.get(row[2], 0) + int(row[1])
    return found
