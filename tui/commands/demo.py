"""`fleettop demo`: the dashboard on a simulated fleet."""

from __future__ import annotations

import argparse

from .. import loading
from .dashboard import can_draw, color_mode
from .request import USAGE, Request


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How large it is and what goes wrong in it."""
    from fleettop.collectors.demo import INCIDENTS

    parser.add_argument("--engines", dest="demo_engines", type=count, default=12, metavar="N", help="engines (12)")
    parser.add_argument("--containers", type=count, default=300, metavar="N", help="containers on all of them (300)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed is the same fleet (1)")
    parser.add_argument("--incident", choices=INCIDENTS, help="something that goes wrong soon")


def count(text: str) -> int:
    """A number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def run(request: Request) -> int:
    """Open it; returns when it is closed."""
    if not can_draw(request):
        return USAGE
    from fleettop.collectors.demo import DemoFleet
    from fleettop.collectors.trail import TrailFolder

    loading.begin()
    import asyncio

    from ..run import run_dashboard

    args = request.args
    return asyncio.run(
        run_dashboard(
            (),
            request.config,
            read_only=request.read_only,
            mouse=request.config.mouse and not args.no_mouse,
            color=color_mode(request),
            environ=request.environ,
            notes=(),
            open_trail=TrailFolder(request.trail_folder) if args.trail is not None else None,
            demo=DemoFleet(
                engines=args.demo_engines, containers=args.containers, seed=args.seed, incident=args.incident
            ),
        )
    )
