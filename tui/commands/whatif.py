"""`fleettop what-if HOST`: what would be down, degraded, moved or lost if that host died now."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fleettop.collectors.config.tomlfile import nearest
from fleettop.collectors.errors import ConfigError

from ..output import Text
from . import request as ending
from .ls import add_timeout
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.actions import WhatIf
    from fleettop.collectors.actions.whatif import Loss
    from fleettop.collectors.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which host."""
    parser.add_argument("host", metavar="HOST", help="an engine, or a node of a swarm by its host name")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_timeout(parser)


def run(request: Request) -> int:
    """Tell it; 1 where something would be down, 3 where not all engines could be asked."""
    from .running import run_to_end

    return run_to_end(_tell(request))


async def _tell(request: Request) -> int:
    async with request.session() as session:
        if session is None:
            return ending.UNREACHABLE
        from .onepass import complete

        await complete(session, every_detail=True, deadline=request.args.timeout)
        session.fleet.take_changes()
        lost = request.say_unreachable(session)
        found = _find(request.args.host, session)
        if request.args.json:
            request.out.json(record(found))
        else:
            request.out.line(Text(f"If {found.subject} died now: ", "strong"), found.short)
            for sentence in found.sentences:
                request.out.line(f"  {sentence}")
        if lost:
            return ending.UNREACHABLE
        return ending.WRONG if found.down or (found.quorum is not None and not found.quorum.holds) else ending.FINE


def _find(name: str, session: Session) -> WhatIf:
    from fleettop.collectors.actions import what_if_host, what_if_node

    fleet = session.fleet
    if name in fleet.engines:
        return what_if_host(fleet, name)
    nodes = [
        (picture.cluster_id, node)
        for picture in fleet.swarms.values()
        for node in picture.nodes
        if node.hostname == name
    ]
    if nodes:
        found = what_if_node(fleet, nodes[0][0], nodes[0][1].id)
        assert found is not None
        return found
    near = nearest(name, fleet.engines)
    raise ConfigError(
        f"There is no host {name!r}.", hint=f"Did you mean {near!r}?" if near else "`fleettop ls engines` lists them."
    )


def record(found: WhatIf) -> dict[str, object]:
    """The answer as `--json` prints it."""
    quorum = found.quorum
    return {
        "host": found.subject,
        "short": found.short,
        "down": [_loss(loss) for loss in found.down],
        "degraded": [_loss(loss) for loss in found.degraded],
        "unknown": [_loss(loss) for loss in found.unknown],
        "quorum": {"managers": quorum.managers, "left": quorum.left, "needed": quorum.needed, "holds": quorum.holds}
        if quorum is not None
        else None,
        "ports": list(found.ports),
        "data": list(found.data),
        "trouble": found.trouble or None,
        "sentences": list(found.sentences),
    }


def _loss(loss: Loss) -> dict[str, object]:
    return {
        "service": loss.title,
        "lost": loss.lost,
        "left": loss.left,
        "maybe": loss.maybe,
        "wanted": loss.wanted,
        "swarm": loss.moved or None,
        "why": loss.why or None,
    }
