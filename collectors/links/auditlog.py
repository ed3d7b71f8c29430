"""What auditd writes about logins, and about docker commands where a rule of the host has them watched.

Records are lines `type=NAME msg=audit(SECONDS.MS:SERIAL): …`; those of one event share its number (auditd.conf(5),
audit userspace: "Understanding Audit log files"). With `log_format = ENRICHED` names follow the numbers: AUID="ops".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from ..model import HostCommand, HostLogin
from ..text import plain, redact_arguments

_LINE = re.compile(r"(?:node=\S+ )?type=(\w+) msg=audit\((\d{1,12})\.(\d{3}):(\d+)\): (.*)$")
_NO_SESSION = ("", "4294967295")
_DOORS = ("sshd", "sshd-session", "login")
_CLIENTS = ("docker", "podman")
MOST_WORDS = 200
"""Characters kept of a command."""


class _Line(msgspec.Struct, frozen=True):
    kind: str
    at: datetime
    event: str
    text: str

    def field(self, name: str) -> str:
        found = re.search(rf"(?<![A-Za-z_]){name}=(?:\"([^\"]*)\"|([^\s'\"]+))", self.text)
        return "" if found is None else found[1] or found[2] or ""

    @property
    def program(self) -> str:
        return self.field("exe").rpartition("/")[2]

    def user(self, names: Mapping[str, str]) -> str:
        """Who logged in at first, whatever `su` and `sudo` made of them since."""
        number = self.field("auid")
        return self.field("AUID") or names.get(number, f"user {number}")


def read_audit(
    lines: Sequence[str], names: Mapping[str, str], session: str = ""
) -> tuple[list[HostLogin], list[HostCommand]]:
    """The logins and the docker commands that the lines tell of; `names` are of users by number, `session` is ours."""
    read = [line for text in lines if (line := _line(text)) is not None]
    return _logins(read, names, session), _commands(read, names, session)


def _line(text: str) -> _Line | None:
    found = _LINE.match(text)
    if found is None:
        return None
    at = datetime.fromtimestamp(int(found[2]), UTC).replace(microsecond=int(found[3]) * 1000)
    return _Line(found[1], at, f"{found[2]}.{found[3]}:{found[4]}", found[5])


def _logins(lines: Sequence[_Line], names: Mapping[str, str], session: str) -> list[HostLogin]:
    found: dict[str, HostLogin] = {}
    for line in lines:
        ses = line.field("ses")
        if ses in _NO_SESSION or ses == session or line.program not in _DOORS:
            continue
        if line.kind == "USER_LOGIN" and line.field("res") == "success":
            place = line.field("addr")
            found[ses] = HostLogin(
                user=plain(line.user(names), 64),
                origin=plain(place if place != "?" else "", 128),
                since=f"{line.at:%Y-%m-%d %H:%M} UTC",
                began=line.at,
            )
        elif line.kind in ("USER_END", "USER_LOGOUT") and (login := found.get(ses)) is not None:
            found[ses] = msgspec.structs.replace(login, ended=line.at)
    return list(found.values())


def _commands(lines: Sequence[_Line], names: Mapping[str, str], session: str) -> list[HostCommand]:
    events: defaultdict[str, dict[str, _Line]] = defaultdict(dict)
    for line in lines:
        if line.kind in ("SYSCALL", "EXECVE"):
            events[line.event][line.kind] = line
    found = []
    for parts in events.values():
        call, run = parts.get("SYSCALL"), parts.get("EXECVE")
        if call is None or run is None or call.program not in _CLIENTS or call.field("success") == "no":
            continue
        if session not in _NO_SESSION and call.field("ses") == session:
            continue
        words = plain(" ".join(redact_arguments(_arguments(run))), MOST_WORDS)
        found.append(HostCommand(user=plain(call.user(names), 64), at=call.at, words=words))
    return found


def _arguments(run: _Line) -> list[str]:
    """Words with blanks, quotes or bytes beyond ASCII are written as hexadecimal digits, without quotes."""
    words = []
    for number in range(64):
        found = re.search(rf"(?<![A-Za-z_])a{number}=(?:\"([^\"]*)\"|([0-9A-Fa-f]+))", run.text)
        if found is None:
            break
        digits = found[2] or ""
        words.append(bytes.fromhex(digits[: len(digits) // 2 * 2]).decode(errors="replace") if digits else found[1])
    return words
