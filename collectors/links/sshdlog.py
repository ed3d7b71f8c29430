"""What sshd writes into a log about who came and went, and what let them in.

Lines as OpenSSH 7 to 10 write them (auth.c `auth_log`, packet.c `sshpkt_vfatal`, serverloop.c), by journald or syslog.
Who may write into that log may write such a line, too: it is evidence, no proof.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from ..model import HostLogin
from ..text import plain

# `2026-11-26T02:11:05+0000 web-1 sshd[77]: …`, `Nov 26 02:11:05 web-1 sshd-session[77]: …`, and busybox's `auth.info`.
_LINE = re.compile(r"(\S+(?:\s+\d+\s+[\d:]+)?)\s+\S+\s+(?:\w+\.\w+\s+)?sshd(?:-session)?\[(\d+)\]: (.*)$")
_ACCEPTED = re.compile(r"Accepted (\S+) for (\S+) from (\S+) port (\d+)(?: ssh2)?(?:: (.*))?$")
# A client that was killed is not named: `Connection closed by 10.0.0.5 port 41000`.
_LEFT = re.compile(
    r"(?:Disconnected from|Connection closed by|Connection reset by|Timeout, client not responding from)"
    r"(?: user \S+)? (\S+) port (\d+)$"
)
_CLOSED = re.compile(r"pam_unix\(sshd:session\): session closed for user ")
_CERTIFICATE = re.compile(r"(\S+-CERT SHA256:\S+) ID (.+) \(serial (\d+)\) CA (.+)$")
_AHEAD = timedelta(days=1)


def logins_of_sshd(
    lines: Sequence[str], us: Sequence[str], *, gone: Collection[str] = (), now: datetime | None = None
) -> list[HostLogin]:
    """The logins that the lines tell of, those still open first; `us` are address and port of our own.

    `gone` are the numbers of processes of sshd that no longer run, `now` is the host's clock with its zone.
    """
    open_: dict[tuple[str, str], tuple[str, HostLogin]] = {}
    closed: list[HostLogin] = []

    def leave(place: tuple[str, str], stamp: str) -> None:
        _, login = open_.pop(place)
        closed.append(msgspec.structs.replace(login, ended=_moment(stamp, now), lost=_moment(stamp, now) is None))

    for line in lines:
        found = _LINE.match(line)
        if found is None:
            continue
        stamp, number, message = found[1], found[2], found[3]
        if accepted := _ACCEPTED.match(message):
            if list(accepted.group(3, 4)) != list(us):
                open_[accepted[3], accepted[4]] = number, _login(accepted, stamp, now)
        elif left := _LEFT.match(message):
            if (left[1], left[2]) in open_:
                leave((left[1], left[2]), stamp)
        elif _CLOSED.match(message):
            for place in [place for place, (sshd, _) in open_.items() if sshd == number]:
                leave(place, stamp)
    lost = [msgspec.structs.replace(login, lost=True) for number, login in open_.values() if number in gone]
    return [*(login for number, login in open_.values() if number not in gone), *reversed(closed), *lost]


def _login(accepted: re.Match[str], stamp: str, now: datetime | None) -> HostLogin:
    began = _moment(stamp, now)
    since = f"{began:%Y-%m-%d %H:%M} UTC" if began is not None else stamp
    return HostLogin(
        user=plain(accepted[2], 64),
        origin=plain(accepted[3], 128),
        since=plain(since, 40),
        proof=plain(_proof(accepted[1], accepted[5] or ""), 200),
        began=began,
    )


def _proof(method: str, told: str) -> str:
    if method == "publickey":
        if certificate := _CERTIFICATE.match(told):
            return f"with certificate “{certificate[2]}” (serial {certificate[3]}) on {certificate[1]}"
        return f"with key {told}" if told else "with a key"
    return f"by {method}"


def _moment(stamp: str, now: datetime | None) -> datetime | None:
    """`short-iso` and newer syslogs tell year and zone; older ones neither: there it is that of the host's clock."""
    try:
        found = datetime.fromisoformat(stamp)
    except ValueError:
        return _without_year(stamp, now) if now is not None else None
    return found.astimezone(UTC) if found.tzinfo is not None else None


def _without_year(stamp: str, now: datetime) -> datetime | None:
    for year in (now.year, now.year - 1):
        try:
            found = datetime.strptime(f"{year} {stamp}", "%Y %b %d %H:%M:%S").replace(tzinfo=now.tzinfo)
        except ValueError:
            continue  # also a 29th of February in the wrong year
        if found <= now + _AHEAD:
            return found.astimezone(UTC)
    return None
