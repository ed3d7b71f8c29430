"""What can follow of a change that did not all end well: asked of a person, else said as the command that does it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from fleettop.collectors.model import ServiceKey

from ..changes import Wish, again, follow_ups
from .change import answer
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.actions import Target
    from fleettop.collectors.fleet import Fleet

    from ..course import FollowUp
    from .change import Results

COMMANDS = {"set image": "set-image", "pause update": "pause-update", "go on with update": "resume-update"}
"""Verbs whose command is called otherwise."""


async def next_wish(request: Request, fleet: Fleet, wish: Wish, results: Results) -> Wish | None:
    """What a person asks for next, after these results: the rest, what failed again, or back. None: nothing.

    Without a person, or with --yes, the commands for it are said, each for exactly the objects it is about.
    """
    from fleettop.collectors.actions import Outcome

    if all(result.outcome is Outcome.SUCCESS for result in results):
        return None
    offers = follow_ups(wish, results)
    if not offers:
        return None
    if not request.interactive or request.args.yes:
        for offer in offers:
            following = again(offer.id, wish, results)
            if following is not None:
                request.out.note(f"What {offer.words[:-1]}: {command_for(request, following, fleet)}")
        return None
    request.out.ask(f"{'; '.join(map(_offered, offers))}; Enter leaves it as it is:")
    said = (await answer(request)).upper()
    chosen = next((offer for offer in offers if offer.key == said), None)
    return again(chosen.id, wish, results) if chosen is not None else None


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
