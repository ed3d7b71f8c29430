"""What can follow of a change that did not all end well: asked of a person, else said as the command that does it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from fleettop.collectors.model import ServiceKey

from ..changes import Wish, again, follow_ups
from .change import answer
from .onepass import look_again
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.actions import Target
    from fleettop.collectors.fleet import Fleet
    from fleettop.collectors.session import Session

    from ..course import FollowUp
    from .change import Results

COMMANDS = {"set image": "set-image", "pause update": "pause-update", "go on with update": "resume-update"}
"""Verbs whose command is called otherwise."""


class FollowUps:
    """What follows a change and each one that follows it, until all ended well or nothing is left to be done.

    What --on-halt says is done without a question, but not after Ctrl-C. Where it says nothing, a person is asked;
    without a person, or with --yes, the commands are said, each for exactly the objects it is about.
    """

    def __init__(self, request: Request, session: Session) -> None:
        self._request, self._session = request, session
        self.halted = False
        """Whether something followed by --on-halt: then not all of what was asked for was done."""
        self._before: Results = ()
        self._went_back = False

    async def next_wish(self, wish: Wish, results: Results, *, stopped: bool) -> Wish | None:
        """What is to be done next, after these results: the rest, what failed again, or back. None: nothing."""
        from fleettop.collectors.actions import Outcome

        bad = any(result.outcome is not Outcome.SUCCESS for result in results)
        if bad and not stopped and (following := self._by_option(wish, results)) is not None:
            self.halted = True
            await look_again(self._session, results, deadline=self._request.args.timeout)
            return following
        results = (*self._before, *results)
        offers = follow_ups(wish, results) if bad or self._before else ()
        if self._went_back:
            offers = tuple(offer for offer in offers if offer.id != "back")
        if not offers:
            return None
        asked = self._request.interactive and not self._request.args.yes and wish.rolling.on_halt is None
        if not asked:
            self._say(wish, results, offers)
            return None
        self._request.out.ask(f"{'; '.join(map(_offered, offers))}; Enter leaves it as it is:")
        said = (await answer(self._request)).upper()
        chosen = next((offer for offer in offers if offer.key == said), None)
        if chosen is None:
            return None
        await look_again(self._session, results, deadline=self._request.args.timeout)
        return again(chosen.id, wish, results)

    def _by_option(self, wish: Wish, results: Results) -> Wish | None:
        """What --on-halt says is to follow; None: nothing, or there is nothing to do it with."""
        from fleettop.collectors.actions import OnHalt, Outcome

        tried = tuple(result for result in results if result.outcome is not Outcome.SKIPPED)
        note = self._request.out.note
        if wish.rolling.on_halt is OnHalt.BACK:
            back = again("back", wish, results)
            if back is None:
                note("Halted: nothing was done that can be taken back.")
                return None
            self._went_back = True
            note(f"Halted: takes back what was done ({len(back.targets)} of {len(results)}).")
            # What can be put back is put back: one that fails does not keep the others from it.
            return msgspec.structs.replace(back, rolling=msgspec.structs.replace(back.rolling, on_halt=OnHalt.GO_ON))
        if wish.rolling.on_halt is not OnHalt.GO_ON or not tried:
            return None
        rest = again("rest", wish, results)
        if rest is not None:
            note(f"Halted: goes on with the {len(results) - len(tried)} not begun.")
            self._before = (*self._before, *tried)
        return rest

    def _say(self, wish: Wish, results: Results, offers: Sequence[FollowUp]) -> None:
        for offer in offers:
            following = again(offer.id, wish, results)
            if following is not None:
                command = command_for(self._request, following, self._session.fleet)
                self._request.out.note(f"What {offer.words[:-1]}: {command}")


def _offered(offer: FollowUp) -> str:
    return f"{offer.key} {offer.words[:-1]}"


def command_for(request: Request, wish: Wish, fleet: Fleet) -> str:
    """The command line that asks for it, on the engines and in the way that this one was asked for."""

    args, verb = request.args, wish.verb.value
    words = ["fleettop"]
    words += [word for name in args.engine for word in ("--engine", name)]
    for option in ("config", "group", "context", "trail"):
        if given := getattr(args, option, None):
            words += [f"--{option}", str(given)]
    words.append(COMMANDS.get(verb, verb))
    for target in wish.targets:
        if isinstance(target, ServiceKey):
            words.append(fleet.services[target].title)
        else:
            words += ["--container", _container(target, fleet)]
    if wish.to is not None:
        words += ["--to", str(wish.to)]
    elif wish.by is not None:
        words.append(f"--by={wish.by}")
    if wish.image:
        words += ["--to", wish.image]
    if verb == "kill":
        words += ["--signal", wish.signal]
    if getattr(args, "rolling", False):
        words.append("--rolling")
    for option in ("max_unavailable", "deadline"):
        if given := getattr(args, option, None):
            words += [f"--{option.replace('_', '-')}", given]
    return shlex.join(words)


def _container(target: Target, fleet: Fleet) -> str:
    assert not isinstance(target, ServiceKey)
    container = fleet.containers.get(target)
    return f"{container.name if container is not None else target.id}@{target.engine}"
