"""Times and spans as Docker writes them."""

from __future__ import annotations

import time

from .things import Container

NEVER = "0001-01-01T00:00:00Z"


def stamp(moment: float) -> str:
    """RFC 3339 with nanoseconds, in UTC; 0 is Go's zero time."""
    if not moment:
        return NEVER
    nanos = int((moment % 1) * 1e9)
    digits = f"{nanos:09d}".rstrip("0")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + (f".{digits}Z" if digits else "Z")


def span(seconds: float) -> str:
    """A duration in words (docker/go-units: HumanDuration)."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if whole < 3_600:
        return "About a minute" if whole < 120 else f"{whole // 60} minutes"
    hours = int(whole / 3_600 + 0.5)
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    for unit, size, most in (("days", 24, 24 * 14), ("weeks", 168, 24 * 60), ("months", 720, 24 * 730)):
        if hours < most:
            return f"{hours // size} {unit}"
    return f"{hours / 24 / 365:.0f} years"


def status(container: Container, now: float) -> str:
    """The words of `docker ps` (moby: container/state.go)."""
    state = container.state
    if state == "created":
        return "Created"
    if state == "restarting":
        return f"Restarting ({container.exit_code}) {span(now - container.finished)} ago"
    if state == "exited":
        return f"Exited ({container.exit_code}) {span(now - container.finished)} ago"
    up = f"Up {span(now - container.started)}"
    if state == "paused":
        return f"{up} (Paused)"
    if container.health:
        return f"{up} (health: starting)" if container.health == "starting" else f"{up} ({container.health})"
    return up
