"""`fleettop [ENGINE…]`: the dashboard."""

from __future__ import annotations

import argparse

from fleettop.collectors.config.tomlfile import nearest
from fleettop.collectors.errors import ConfigError

from .. import loading
from . import COMMANDS
from .request import USAGE, Request


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The engines to show."""
    parser.add_argument(
        "engines",
        nargs="*",
        metavar="ENGINE",
        help="ssh://user@host:port/path/to.sock, tcp://host:2376, unix:///path, or a name from the config, "
        "a docker context or the ssh config",
    )


def run(request: Request) -> int:
    """Open it; returns when it is closed."""
    try:
        resolution = request.resolve()
    except ConfigError as error:
        engines = request.args.engines
        near = nearest(engines[0], COMMANDS) if engines and repr(engines[0]) in str(error) else ""
        raise ConfigError(str(error), hint=f"Did you mean `fleettop {near}`?" if near else error.hint) from error
    if not can_draw(request):
        return USAGE
    loading.begin()
    import asyncio

    from ..run import run_dashboard

    return asyncio.run(
        run_dashboard(
            resolution.addresses,
            request.config,
            read_only=request.read_only,
            mouse=request.config.mouse and not request.args.no_mouse,
            color=color_mode(request),
            environ=request.environ,
            notes=(*resolution.tried, *resolution.notes),
            open_trail=request.open_trail,
        )
    )


def can_draw(request: Request) -> bool:
    """Whether there is a terminal to draw on; says so where there is none."""
    if not request.screen:
        request.out.error("The dashboard needs a terminal.", hint="`fleettop ls` and `fleettop events` print instead.")
    return request.screen


def color_mode(request: Request) -> str:
    """`auto`, `always` or `never`: as asked for, else as the config says, else as NO_COLOR does."""
    mode: str = request.args.color or request.config.color
    return "never" if mode == "auto" and request.environ.get("NO_COLOR") else mode
