"""`fleettop replay FILE`: the dashboard on what `fleettop record --snapshots FILE` kept. Contacts nobody."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fleettop.collectors.config.durations import parse_duration
from fleettop.collectors.errors import ConfigError

from .. import loading
from .dashboard import can_draw, color_mode
from .request import USAGE, Request

if TYPE_CHECKING:
    from fleettop.collectors.recording import Recording


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The recording, and where to begin in it."""
    parser.add_argument("file", type=Path, metavar="FILE", help="what `record --snapshots` wrote")
    parser.add_argument(
        "--at", default="", metavar="TIME", help="begin there, paused: 14:05, 2026-11-25T14:05, 1h before its end"
    )


def run(request: Request) -> int:
    """Open it; returns when it is closed."""
    from fleettop.collectors.recording import Player, Recording, RecordingError, ReplaySession

    try:
        recording = Recording(request.args.file.expanduser())
    except RecordingError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    at = moment_in(recording, request.args.at) if request.args.at else None
    if not can_draw(request):
        return USAGE
    player = Player(recording)
    player.paused = at is not None
    loading.begin()
    import asyncio

    from ..run import run_dashboard

    return asyncio.run(
        run_dashboard(
            (),
            request.config,
            read_only=True,
            mouse=request.config.mouse and not request.args.no_mouse,
            color=color_mode(request),
            environ=request.environ,
            notes=(),
            replay=ReplaySession(player, at),
        )
    )


def moment_in(recording: Recording, text: str) -> float:
    """The time that is meant, Unix time. Raises ConfigError where it is none, or is not in the recording."""
    from ..trail.moments import MomentError, parse_moment

    begin, end = recording.begin, recording.end
    try:
        moment = end - timedelta(seconds=parse_duration(text))
    except (ConfigError, OverflowError):
        try:
            moment = parse_moment(text, end) or end
        except MomentError as error:
            raise ConfigError(f"--at {text!r} is no time in the recording.", hint=_span(recording)) from error
    if moment < begin - timedelta(seconds=1):
        raise ConfigError(f"--at {text!r} is not in the recording.", hint=_span(recording))
    return moment.timestamp()


def _span(recording: Recording) -> str:
    begin, end = (f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" for moment in (recording.begin, recording.end))
    before = recording.path.with_name(f"{recording.path.name}.1")
    earlier = f" What was before is in {before}." if before.exists() else ""
    return f"It goes from {begin} to {end}.{earlier}"
