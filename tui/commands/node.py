"""`fleettop node NODE --to drain|pause|active`: whether a swarm's node takes tasks; what moves is said first."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fleettop.collectors.config.tomlfile import nearest
from fleettop.collectors.errors import ConfigError, ReadOnly

from . import request as ending
from .change import add_options, put_through
from .ls import add_timeout
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.fleet import Fleet

_ID_DIGITS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and what it is to be."""
    parser.add_argument("node", metavar="NODE", help="its host name, its engine, or the first digits of its id")
    parser.add_argument(
        "--to",
        required=True,
        choices=("drain", "pause", "active"),
        help="drain: end its tasks, start them elsewhere; pause: no new ones; active: take tasks again",
    )
    add_options(parser)
    add_timeout(parser)


def run(request: Request) -> int:
    """Do it, after saying what moves; 4 where it could not be done, 5 in read-only mode."""
    if request.read_only:
        raise ReadOnly("To set a node's availability is a change, and fleettop runs read-only.")
    from .running import run_to_end

    return run_to_end(_set(request))


async def _set(request: Request) -> int:
    async with request.session(record=not request.args.dry_run) as session:
        if session is None:
            return ending.UNREACHABLE
        from fleettop.collectors.actions import plan_node, prepare
        from fleettop.collectors.reach import reach_of

        from .onepass import complete

        await complete(session, every_detail=False, deadline=request.args.timeout)
        unreachable = request.say_unreachable(session)
        try:
            cluster, node = find_node(request.args.node, session.fleet)
        except ConfigError as error:
            if unreachable:
                raise ConfigError(f"{error} Not all engines could be reached.", hint=error.hint) from error
            raise
        planned = plan_node(
            session.fleet,
            cluster,
            node,
            request.args.to,
            read_only=request.read_only,
            protected=[name for name, group in request.config.groups.items() if group.protected],
        )
        prepared = await prepare(planned, reach=lambda engine: reach_of(session, engine))
        code, _ = await put_through(request, session, prepared)
        return code


def find_node(name: str, fleet: Fleet) -> tuple[str, str]:
    """The cluster and the id of the node meant. Raises ConfigError for a name that fits none, or several."""
    engine = fleet.engines.get(name)
    here = engine.info.swarm.node_id if engine is not None and engine.info is not None and engine.info.swarm else ""
    nodes = [(cluster, node) for cluster, picture in fleet.swarms.items() for node in picture.nodes]
    if not nodes:
        raise ConfigError(
            "No swarm is known here: none of the engines is a manager that answers.",
            hint="`fleettop ls engines` shows their role.",
        )
    found = [(c, node.id) for c, node in nodes if node.hostname == name or (here and node.id == here)]
    if not found and len(name) >= _ID_DIGITS:
        found = [(c, node.id) for c, node in nodes if node.id.startswith(name)]
    if len(found) > 1:
        ids = " or ".join(sorted(node for _, node in found))
        raise ConfigError(f"There are {len(found)} nodes called {name!r}.", hint=f"Write which by its id: {ids}.")
    if not found:
        near = nearest(name, [node.hostname for _, node in nodes])
        raise ConfigError(
            f"There is no node {name!r}.", hint=f"Did you mean {near!r}?" if near else "`fleettop ls nodes` lists them."
        )
    return found[0]
