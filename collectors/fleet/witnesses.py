"""Deeds of nobody known on hosts where we may look who is logged in, and what such a look tells of them.

Logins are evidence, never a claim: whoever was there need not have done it, and who did it need not have been there
(the API over TCP, a cron job, an agent).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from ..address import EngineAddress
from ..model import Attribution, Cause, HostCommand, HostLogin, LoginsSeen, Record, RecordKind

DEEDS = frozenset(
    (
        *("stop", "kill", "restart", "destroy", "exec_create", "create", "start", "update", "rename", "pause"),
        *("unpause", "connect", "disconnect", "extract-to-dir", "archive-path", "export", "commit"),
        *("remove", "delete", "prune", "scale", "deploy", "rollback"),
    )
)
"""What a person does, by the action of the record; a `die` counts where somebody sent the signal."""
FRESH = timedelta(seconds=30)
"""Who is logged in now says nothing of what happened longer ago."""
AROUND = timedelta(seconds=3)
"""A login that ended this shortly before a deed may still have done it."""
BEFORE = timedelta(seconds=15)
"""A command this long before a deed may have asked for it: `docker stop` waits ten seconds for its container."""
LOST = timedelta(hours=1)
"""A login whose end no log tells may have been there for this long; most are of before a power cycle."""
MOST_COMMANDS = 5
WANTED = 200


class Witnesses:
    """Which records want to know who was logged in on the host."""

    def __init__(
        self,
        addresses: Sequence[EngineAddress],
        ours: Callable[[str, datetime], datetime],
        now: Callable[[], datetime],
    ) -> None:
        self._hosts = frozenset(address.name for address in addresses if address.correlate)
        self._ours = ours
        self._now = now
        self._wanted: defaultdict[str, list[int]] = defaultdict(list)
        self._asked: dict[int, None] = {}

    def consider(self, records: Iterable[Record]) -> None:
        """These were written."""
        if not self._hosts:
            return
        for record in records:
            if record.engine in self._hosts and record.id not in self._asked and self._wants(record):
                self._asked[record.id] = None
                if len(self._asked) > 10 * WANTED:
                    self._asked.pop(next(iter(self._asked)))
                if len(self._wanted[record.engine]) < WANTED:
                    self._wanted[record.engine].append(record.id)

    def _wants(self, record: Record) -> bool:
        if record.kind is not RecordKind.EVENT or record.attribution is not Attribution.UNKNOWN:
            return False
        deed = record.action in DEEDS or (record.action == "die" and record.cause is Cause.KILLED)
        return deed and self._now() - self._ours(record.engine, record.time) <= FRESH

    def wanted(self) -> tuple[str, ...]:
        """Engines on whose hosts to look."""
        return tuple(engine for engine, records in self._wanted.items() if records)

    def take(self, engine: str) -> tuple[int, ...]:
        """The records for whose sake to look there; they are not asked for again."""
        return tuple(self._wanted.pop(engine, ()))

    @staticmethod
    def heard(seen: LoginsSeen, record: Record) -> tuple[tuple[str, ...], bool]:
        """What the look says of a record, in sentences, and whether exactly one login or one caller was there."""
        if not seen.answered:
            return ("who was logged in then could not be read on the host",), False
        there = [login for login in seen.logins if _there(login, record.time)]
        told = "; ".join(map(_words, there)) if there else "nobody that could be seen"
        evidence = [f"logged in then: {told}"]
        if not seen.log_read:
            evidence.append("sshd's log could not be read on the host: logins without a terminal are not seen")
        ran = [one for one in seen.commands if record.time - BEFORE <= one.at <= record.time + AROUND]
        evidence += [_command_words(one) for one in ran[-MOST_COMMANDS:]]
        callers = {one.user for one in ran}
        one = len(callers) == 1 if callers else len(there) == 1 and not there[0].lost
        return tuple(evidence), one


def _there(login: HostLogin, at: datetime) -> bool:
    if login.lost:
        return login.began is not None and at - LOST <= login.began <= at + AROUND
    begun = login.began is None or login.began <= at + AROUND
    return begun and (login.ended is None or login.ended >= at - AROUND)


def _words(login: HostLogin) -> str:
    words = [f"{login.user} from {login.origin}" if login.origin else f"{login.user} at the host itself"]
    words += [f"since {login.since}"] if login.since else []
    words += [login.proof] if login.proof else []
    return " ".join(words) + (" (no longer, and the log does not tell since when)" if login.lost else "")


def _command_words(command: HostCommand) -> str:
    return f"auditd saw {command.user} run “{command.words}” at {command.at:%H:%M:%S} UTC"
