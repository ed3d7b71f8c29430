"""`fleettop ls`: one pass over the fleet, printed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fleettop.collectors.config.tomlfile import nearest
from fleettop.collectors.errors import ConfigError

from . import request as ending
from .request import Request, lost_engines

if TYPE_CHECKING:
    from fleettop.collectors.session import Session

    from ..filter import Filter
    from .listings import Listing

NOUNS = ("services", "containers", "engines", "nodes", "images")
_ALIASES = {"hosts": "engines", "ps": "containers", **{noun.removesuffix("s"): noun for noun in NOUNS}}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to list, and how."""
    parser.add_argument(
        "words", nargs="*", metavar="WHAT [ENGINE…]", help=f"{', '.join(NOUNS)}; services when nothing is named"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--filter", default="", metavar="TEXT", help="as in the dashboard: 'state:down host:web*'")
    parser.add_argument(
        "--usage", action="store_true", help="CPU and memory too (as a filter by cpu or mem does): two samples of each"
    )
    add_timeout(parser)


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """How long engines may take to answer."""
    parser.add_argument(
        "--timeout", type=float, default=15.0, metavar="SECONDS", help="how long to wait for the engines (15)"
    )


def run(request: Request) -> int:
    """List once; 3 where an engine could not be reached."""
    from .running import run_to_end

    noun, engines = split_words(request.args.words)
    request.args.engines = engines
    try:
        return run_to_end(_list(request, noun))
    except ConfigError as error:
        near = nearest(engines[0], NOUNS) if engines and repr(engines[0]) in str(error) else ""
        raise ConfigError(str(error), hint=f"Did you mean `fleettop ls {near}`?" if near else error.hint) from error


def split_words(words: list[str]) -> tuple[str, list[str]]:
    """What is listed, and the engines it is listed of."""
    if words and (noun := _ALIASES.get(words[0], words[0])) in NOUNS:
        return noun, words[1:]
    return "services", list(words)


def _filter(text: str) -> Filter:
    from ..filter import FilterError, parse_filter

    try:
        return parse_filter(text)
    except FilterError as error:
        raise ConfigError(f"--filter: {error}", hint=error.hint) from error


async def _list(request: Request, noun: str) -> int:
    wanted = _filter(request.args.filter)
    async with request.session() as session:
        if session is None:
            return ending.UNREACHABLE
        from .figures import FIGURES
        from .images import read_images
        from .listings import LISTINGS, Images, Moment, with_figures
        from .onepass import complete

        deadline, fleet, said = request.args.timeout, session.fleet, tuple[str, ...]()
        every_detail = noun == "containers" and request.args.json
        await complete(session, every_detail=every_detail, deadline=deadline)
        listing = LISTINGS[noun]
        if noun == "images":
            lying, said = await read_images(session, deadline=deadline)
            listing = Images(lying)
        elif request.args.usage or wanted.fields & FIGURES:
            said = await _take_figures(session, listing, wanted, deadline)
            listing = with_figures(listing)
        moment = Moment(session.clock.now(), session.clock.monotonic())
        things = [thing for thing in listing.things(fleet) if wanted.matches(listing.fields(fleet, thing))]
        if request.args.json:
            records = [listing.record(fleet, thing, moment) for thing in things]
        else:
            rows = [listing.row(fleet, thing, moment) for thing in things]
        lost, number = lost_engines(session), len(fleet.engines)
    # Printed when no engine is listened to any more: a pager that nobody scrolls must not make one wait.
    if request.args.json:
        for record in records:
            request.out.json(record)
    else:
        request.out.table(listing.headings, rows)
    for sentence in said:
        request.out.note(sentence)
    return ending.UNREACHABLE if request.say_lost(lost, of=number) else ending.FINE


async def _take_figures(session: Session, listing: Listing, wanted: Filter, deadline: float) -> tuple[str, ...]:
    """Of all that the rest of the filter lets through: a sample costs its engine 4 ms."""
    from .figures import FIGURES, take_figures

    fleet, rest = session.fleet, wanted.without(FIGURES)
    meant = [thing for thing in listing.things(fleet) if rest.matches(listing.fields(fleet, thing))]
    keys = [key for thing in meant for key in listing.containers(fleet, thing)]
    return await take_figures(session, keys, deadline=deadline)
