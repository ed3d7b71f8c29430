"""Who is logged in on a host: evidence beside a deed whose doer is not known, never a claim.

Asked over the engine's own SSH connection, with one constant command that takes no word from anywhere. It reads `who`
(logins with a terminal) and, where this user may, the newest lines of sshd's log (those without one, too).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from ..model import HostLogin
from ..text import plain
from .remote import run

if TYPE_CHECKING:
    import asyncssh

MOST = 16
"""Logins told of at most."""

# One line, no `!` and no single quotes, so that every login shell hands it on as it is; each line is marked, since a
# login shell may print anything before. `printf`, since an `echo` may make a line break of a `\n` that somebody wrote
# into the log. SSH_CONNECTION tells our own login from the others.
COMMAND = (
    "export LC_ALL=C PATH=$PATH:/usr/bin:/bin; "
    'echo "fleettop:us $SSH_CONNECTION"; '
    'who 2>/dev/null | while read -r l; do printf "fleettop:who %s\\n" "$l"; done; '
    "j=$(journalctl -q -u ssh -u sshd --since -30min -o short-iso -n 400 --no-pager 2>/dev/null); "
    '[ -n "$j" ] || j=$(tail -n 400 /var/log/auth.log 2>/dev/null); '
    'printf "%s\\n" "$j" | grep -E "sshd.*: (Accepted|Disconnected)" '
    '| while read -r l; do printf "fleettop:log %s\\n" "$l"; done; '
    "if [ -r /var/log/auth.log ] || journalctl -q -u ssh -u sshd -n 1 --no-pager 2>/dev/null | grep -q sshd; "
    'then echo "fleettop:logged"; fi; '
    'echo "fleettop:end"'
)

_WHO = re.compile(r"(\S+)\s+\S+\s+(.+?)(?:\s+\(([^)]*)\))?$")
_SSHD = re.compile(r"^(\S+(?:\s+\d+\s+[\d:]+)?)\s.*?sshd(?:-session)?\[(\d+)\]: (.*)$")
_ACCEPTED = re.compile(r"Accepted \S+ for (\S+) from (\S+) port (\d+)")
_LEFT = re.compile(r"Disconnected from user (\S+) (\S+) port (\d+)")


class Logins(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a host's logins found."""

    answered: bool = False
    log_read: bool = False
    logins: tuple[HostLogin, ...] = ()


async def who_is_in(connection: asyncssh.SSHClientConnection) -> Logins:
    """Who is logged in on the host at the other end, ourselves left out. Never raises for the host."""
    return understood(await run(connection, COMMAND, "fleettop"))


def understood(lines: Sequence[str]) -> Logins:
    """What the command printed, without its marks."""
    if "end" not in lines:
        return Logins()
    us = next((line.split()[1:3] for line in lines if line.startswith("us ")), [])
    logged = [line.removeprefix("log ") for line in lines if line.startswith("log ")]
    over_ssh = _from_log(logged, us)
    seen = {(login.user, login.origin) for login in over_ssh if login.ended is None}
    on_terminals = [
        login for line in lines if line.startswith("who ") and (login := _of_who(line.removeprefix("who "))) is not None
    ]
    known = [login for login in on_terminals if (login.user, login.origin) not in seen]
    return Logins(answered=True, log_read="logged" in lines, logins=tuple(_once([*known, *over_ssh])[:MOST]))


def _of_who(line: str) -> HostLogin | None:
    found = _WHO.match(line.strip())
    if found is None:
        return None
    user, since, origin = found[1], found[2], found[3] or ""
    return HostLogin(user=plain(user, 64), since=plain(since, 40), origin=plain(origin, 128))


def _from_log(lines: Sequence[str], us: Sequence[str]) -> list[HostLogin]:
    open_: dict[tuple[str, str, str], HostLogin] = {}
    closed: list[HostLogin] = []
    for line in lines:
        found = _SSHD.match(line)
        if found is None:
            continue
        stamp, message = found[1], found[3]
        if accepted := _ACCEPTED.search(message):
            user, origin, port = accepted[1], accepted[2], accepted[3]
            if [origin, port] != list(us):
                began = _moment(stamp)
                since = f"{began:%Y-%m-%d %H:%M} UTC" if began is not None else stamp
                open_[user, origin, port] = HostLogin(
                    user=plain(user, 64), origin=plain(origin, 128), since=plain(since, 40), began=began
                )
        elif (left := _LEFT.search(message)) and (login := open_.pop((left[1], left[2], left[3]), None)) is not None:
            closed.append(msgspec.structs.replace(login, ended=_moment(stamp)))
    return [*open_.values(), *reversed([login for login in closed if login.ended is not None])]


def _moment(stamp: str) -> datetime | None:
    """`short-iso` and newer syslogs tell year and zone; older ones neither, and then it is not known."""
    try:
        found = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None


def _once(logins: Sequence[HostLogin]) -> list[HostLogin]:
    """Several terminals of one user from one place are one login, since the first."""
    found: dict[tuple[str, str, datetime | None], HostLogin] = {}
    for login in logins:
        found.setdefault((login.user, login.origin, login.ended), login)
    return list(found.values())
