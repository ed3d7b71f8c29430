"""Who is logged in on a host: evidence beside a deed whose doer is not known, never a claim.

Asked over the engine's own SSH connection, with one constant command that takes no word from anywhere. It reads `who`
(logins with a terminal) and, where this user may, the newest lines of sshd's log (those without one, too) and of
auditd's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ..model import HostCommand, HostLogin
from ..text import plain
from .auditlog import read_audit
from .remote import run
from .sshdlog import logins_of_sshd

if TYPE_CHECKING:
    import asyncssh

MOST = 16
"""Logins told of at most."""
SAME = timedelta(seconds=5)
"""Two logs tell of one login within this."""

# One line, no `!` and no single quotes, so that every login shell hands it on as it is; each line is marked, since a
# login shell may print anything before. `printf`, since an `echo` may make a line break of a `\n` that somebody wrote
# into the log. SSH_CONNECTION and the audit session tell our own login from the others.
# By identifier and not by unit: pam_systemd moves a session out of sshd's unit, and its end is logged from there.
# `preauth` goes first, since on a host in the internet it is most of the log.
# What is printed stays below what is read of a command (remote.MOST): 64, 90 and 40 lines.
COMMAND = (
    "export LC_ALL=C PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin; "
    'echo "fleettop:us $SSH_CONNECTION"; '
    'echo "fleettop:ses $(cat /proc/self/sessionid 2>/dev/null)"; '
    'echo "fleettop:now $(date +%Y-%m-%dT%H:%M:%S%z)"; '
    'who 2>/dev/null | tail -n 64 | cut -c1-160 | while read -r l; do printf "fleettop:who %s\\n" "$l"; done; '
    'k() { grep -E "sshd.*: (Accepted [^ ]+ for|Disconnected from|Connection (closed|reset) by|Timeout, client'
    '|pam_unix.sshd:session.: session closed)" | grep -v "preauth]" | tail -n 90 | cut -c1-320; }; '
    "j=$(journalctl -q -t sshd -t sshd-session -o short-iso -n 2000 --no-pager 2>/dev/null | k); "
    "for f in /var/log/auth.log /var/log/secure /var/log/messages; do "
    '[ -n "$j" ] || j=$(tail -n 4000 $f 2>/dev/null | k); done; '
    'if [ -n "$j" ]; then printf "%s\\n" "$j" | while read -r l; do printf "fleettop:log %s\\n" "$l"; done; '
    'if [ -d /proc/1 ]; then for p in $(printf "%s\\n" "$j" | grep ": Accepted " | grep -oE "sshd(-session)?\\[[0-9]+" '
    '| grep -oE "[0-9]+" | sort -u); do [ -d /proc/$p ] || echo "fleettop:gone $p"; done; fi; '
    'echo "fleettop:logged"; fi; '
    "a=/var/log/audit/audit.log; if [ -r $a ]; then "
    'a=$(tail -n 4000 $a | grep -E "type=(USER_LOGIN|USER_END|USER_LOGOUT) .*(sshd|/login)'
    '|type=SYSCALL .*comm=.(docker|podman)|type=EXECVE .* a0=[^ ]*(docker|podman|646F636B6572)" | tail -n 40 '
    '| cut -c1-500); printf "%s\\n" "$a" | while read -r l; do printf "fleettop:audit %s\\n" "$l"; done; '
    'for u in $(printf "%s\\n" "$a" | grep -oE "auid=[0-9]+" | sort -u | head -n 16); do '
    'printf "fleettop:uid %s %s\\n" "${u#auid=}" "$(id -nu "${u#auid=}" 2>/dev/null)"; done; fi; '
    'echo "fleettop:end"'
)

_WHO = re.compile(r"(\S+)\s+\S+\s+(.+?)(?:\s+\(([^)]*)\))?$")


class Logins(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a host's logins found."""

    answered: bool = False
    log_read: bool = False
    logins: tuple[HostLogin, ...] = ()
    commands: tuple[HostCommand, ...] = ()


async def who_is_in(connection: asyncssh.SSHClientConnection) -> Logins:
    """Who is logged in on the host at the other end, ourselves left out. Never raises for the host."""
    return understood(await run(connection, COMMAND, "fleettop"))


def understood(lines: Sequence[str]) -> Logins:
    """What the command printed, without its marks."""
    if "end" not in lines:
        return Logins()
    us = _told(lines, "us")[0].split()[:2] if _told(lines, "us") else []
    logged = logins_of_sshd(_told(lines, "log"), us, gone=_told(lines, "gone"), now=_clock(_told(lines, "now")))
    names = dict(found for line in _told(lines, "uid") if len(found := line.split()) == 2)
    audited, commands = read_audit(_told(lines, "audit"), names, "".join(_told(lines, "ses")[:1]))
    over_ssh = [*logged, *(login for login in audited if not _is_among(login, logged))]
    seen = {(login.user, login.origin) for login in over_ssh if login.ended is None and not login.lost}
    on_terminals = [login for line in _told(lines, "who") if (login := _of_who(line)) is not None]
    known = [login for login in on_terminals if (login.user, login.origin) not in seen]
    return Logins(
        answered=True,
        log_read="logged" in lines,
        logins=tuple(_once([*known, *over_ssh])[:MOST]),
        commands=tuple(commands),
    )


def _told(lines: Sequence[str], kind: str) -> list[str]:
    return [line.removeprefix(f"{kind} ") for line in lines if line.startswith(f"{kind} ")]


def _clock(told: Sequence[str]) -> datetime | None:
    try:
        found = datetime.fromisoformat(told[0]) if told else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _is_among(login: HostLogin, others: Sequence[HostLogin]) -> bool:
    return any(
        (other.user, other.origin) == (login.user, login.origin)
        and (other.began is None or login.began is None or abs(other.began - login.began) <= SAME)
        for other in others
    )


def _of_who(line: str) -> HostLogin | None:
    found = _WHO.match(line.strip())
    if found is None:
        return None
    user, since, origin = found[1], found[2], found[3] or ""
    return HostLogin(user=plain(user, 64), since=plain(since, 40), origin=plain(origin, 128))


def _once(logins: Sequence[HostLogin]) -> list[HostLogin]:
    """Several terminals of one user from one place by one key are one login, since the first."""
    found: dict[tuple[str, str, str, datetime | None], HostLogin] = {}
    for login in logins:
        found.setdefault((login.user, login.origin, login.proof, login.ended), login)
    return list(found.values())
