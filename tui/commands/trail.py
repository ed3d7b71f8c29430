"""`fleettop trail`: reading, proving and handing out the audit trail that is kept. Asks no engine, changes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fleettop.collectors.errors import ConfigError, TrailError

from . import request as ending
from .request import Request
from .when import nanoseconds, parse_when

if TYPE_CHECKING:
    from fleettop.collectors.trail.segments import SegmentStore
    from fleettop.collectors.trail.store import Query

    from ..filter import Filter

FORMATS = ("jsonl", "csv", "cef")
LIMIT = 200
"""Records shown unless more are asked for."""
TAKES: Mapping[str, tuple[str, ...]] = {
    "show": ("since", "until", "filter", "limit", "raw", "json"),
    "verify": ("head", "anchored", "json"),
    "head": ("anchor", "json"),
    "export": ("since", "until", "filter", "format", "output"),
}
"""The options of each."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with the trail, and how."""
    parser.add_argument(
        "action", choices=tuple(TAKES), help="show: its records; verify: is it whole; head: its last line; export: all"
    )
    when = "a span (1h), a time (14:30), a date (2026-01-02) or both (2026-01-02T14:30)"
    parser.add_argument("--since", metavar="WHEN", help=f"show, export: {when}")
    parser.add_argument("--until", metavar="WHEN", help="show, export: likewise; what is before it")
    parser.add_argument("--filter", metavar="TEXT", help="show, export: as in the dashboard: 'host:web* kind:gap'")
    parser.add_argument("--limit", type=_amount, metavar="N", help=f"show: the newest N ({LIMIT}); 0: all")
    parser.add_argument("--raw", action="store_true", default=None, help="show: lines as written instead of records")
    parser.add_argument("--json", action="store_true", default=None, help="one JSON object a line")
    parser.add_argument("--head", metavar="SEQ:HASH", help="verify: see that this line is in the trail unchanged")
    parser.add_argument("--anchored", metavar="FILE", help="verify: likewise every head that --anchor wrote there")
    parser.add_argument("--anchor", metavar="FILE|journal", help="head: also append it there, out of the trail's reach")
    parser.add_argument("--format", choices=FORMATS, help="export: jsonl (default), csv or cef")
    parser.add_argument("--output", type=Path, metavar="FILE", help="export: into this file, whole or not at all")


def _amount(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is less than 0")
    return value


def run(request: Request) -> int:
    """Do it; 1 where something is wrong with the trail, 2 where there is none."""
    action = request.args.action
    for others in TAKES.values():
        for option in others:
            if option not in TAKES[action] and getattr(request.args, option) is not None:
                owners = " and ".join(f"`fleettop trail {name}`" for name, own in TAKES.items() if option in own)
                raise ConfigError(f"--{option} is not for `fleettop trail {action}`.", hint=f"It is for {owners}.")
    return _ACTIONS[action](request)


def _show(request: Request) -> int:
    from .trailshow import show

    meant = chosen(request)
    limit = LIMIT if request.args.limit is None else request.args.limit
    raw, json = bool(request.args.raw), bool(request.args.json)
    with closing(open_trail(request)) as store:
        show(request.out, store, meant.query(store), meant.filter, limit=limit, raw=raw, json=json)
        return _say_damage(request, store)


def _verify(request: Request) -> int:
    from .trailproof import prove

    return prove(request, there(request))


def _head(request: Request) -> int:
    from .anchor import Anchor

    anchor = Anchor.named(request.args.anchor, request.environ) if request.args.anchor else None
    with closing(open_trail(request)) as store:
        head = store.head()
    if request.args.json:
        request.out.json({"seq": head.seq, "hash": head.hash, "time": head.at or None})
    else:
        request.out.line(f"{head.seq}:{head.hash} {head.at}".rstrip())
    if anchor is not None:
        anchor.keep(head, request.trail_folder)
    return ending.FINE


def _export(request: Request) -> int:
    from .trailexport import hand_out

    meant = chosen(request)
    with closing(open_trail(request)) as store:
        hand_out(request, store, meant.query(store), meant.filter)
        return _say_damage(request, store)


_ACTIONS: Mapping[str, Callable[[Request], int]] = {
    "show": _show,
    "verify": _verify,
    "head": _head,
    "export": _export,
}


def there(request: Request) -> Path:
    """The folder of the trail. Raises ConfigError where none lies in it."""
    from fleettop.collectors.trail.folder import Folder

    folder = request.trail_folder
    try:
        if folder.exists():
            Folder(folder).look()
            if Folder(folder).numbers():
                return folder
    except TrailError as error:
        raise ConfigError(f"{str(error).removesuffix('.')}.", hint=error.hint) from error
    raise ConfigError(
        f"There is no trail in {folder}.",
        hint="`fleettop record` or the dashboard begins one; --trail DIR or [trail] folder name another place.",
    )


def open_trail(request: Request) -> SegmentStore:
    """The trail that is kept, for reading. Raises ConfigError where there is none."""
    from fleettop.collectors.trail.segments import SegmentStore

    return SegmentStore(there(request), read_only=True)


class Chosen(NamedTuple):
    """Which records are meant."""

    filter: Filter
    since: int | None
    until: int | None

    def query(self, store: SegmentStore) -> Query:
        """As much of it as an index of the trail can find."""
        from .trailquery import query_of

        names = store.names() if self.filter else ()
        return query_of(self.filter, since=self.since, until=self.until, names=names)


def chosen(request: Request) -> Chosen:
    """What the options say. Raises ConfigError."""
    from ..filter import FilterError, parse_filter

    since = parse_when(request.args.since or "", option="--since")
    until = parse_when(request.args.until or "", option="--until")
    if since is not None and until is not None and until <= since:
        raise ConfigError("--until is not after --since: nothing can be between them.", hint="Swap them.")
    try:
        wanted = parse_filter(request.args.filter or "")
    except FilterError as error:
        raise ConfigError(f"--filter: {error}", hint=error.hint) from error
    return Chosen(wanted, nanoseconds(since), nanoseconds(until))


def _say_damage(request: Request, store: SegmentStore) -> int:
    """What could not be read was left out of what was printed: say so. 1 where that is so."""
    damage = store.damage()
    for sentence in damage:
        request.out.error(sentence, hint="`fleettop trail verify` says what is wrong with it.")
    return ending.WRONG if damage else ending.FINE
