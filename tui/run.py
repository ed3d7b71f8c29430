"""Opening the dashboard at a terminal, and what is left when it is closed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fleettop.collectors.address import EngineAddress
from fleettop.collectors.config import Config
from fleettop.collectors.trail import OpenTrail, TrailFolder
from textual.worker import WorkerFailed

from .app import FleetApp
from .terminal import speaks_unicode, theme_for

if TYPE_CHECKING:
    from fleettop.collectors.checks import Sightings
    from fleettop.collectors.demo import DemoFleet
    from fleettop.collectors.recording import ReplaySession


async def run_dashboard(
    addresses: Sequence[EngineAddress],
    config: Config,
    *,
    read_only: bool,
    mouse: bool,
    color: str,
    notes: Sequence[str],
    environ: Mapping[str, str],
    demo: DemoFleet | None = None,
    open_trail: OpenTrail | None = None,
    replay: ReplaySession | None = None,
) -> int:
    """Open the dashboard and return the exit code when it is closed. Raises what made it crash."""
    async with AsyncExitStack() as stack:
        if demo is not None:
            await stack.enter_async_context(demo)
            addresses = demo.addresses
            if open_trail is None:
                open_trail = TrailFolder(
                    Path(stack.enter_context(TemporaryDirectory(prefix="fleettop-demo-"))) / "trail"
                )
        app = FleetApp(
            addresses,
            config,
            sightings=partial(_sightings, None if demo is not None else open_trail),
            read_only=read_only,
            notes=notes,
            theme=theme_for(environ, color=color, chosen=config.theme),
            ascii_only=config.ascii or not speaks_unicode(environ),
            open_trail=open_trail,
            environ=environ,
            replay=replay,
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, app.end_by, number)
        await app.run_async(mouse=mouse)
        await app.let_go()  # Textual cancels its workers and does not wait for them
        if app.crash is not None:
            raise _root(app.crash)
        return app.return_value if app.return_value is not None else app.return_code or 0


def _sightings(trail: OpenTrail | None) -> Sightings:
    from .inspecting import sightings_of

    return sightings_of(trail)


def _root(crash: BaseException) -> BaseException:
    """The error itself, out of what workers and task groups wrap around it."""
    if isinstance(crash, WorkerFailed):
        return _root(crash.error)
    if isinstance(crash, BaseExceptionGroup) and len(crash.exceptions) == 1:
        return _root(crash.exceptions[0])
    return crash
