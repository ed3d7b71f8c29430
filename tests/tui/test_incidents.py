"""Incidents to learn with: from opening the program, the cause stands on the screen in words within five keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from fleettop.collectors.clock import SystemClock
from fleettop.collectors.config import Config
from fleettop.collectors.demo import INCIDENTS, DemoFleet
from fleettop.tui.app import FleetApp

Eventually = Callable[..., object]
SELDOM = 0.3
"""Seconds between two looks at the whole screen."""

STRUCK = 70.0
"""Seconds after the doors open in which an incident has shown what it is."""


class Look(NamedTuple):
    """How a person finds the cause: what has to be said first, the keys pressed then, and the words it stands in."""

    words: tuple[str, ...]
    keys: tuple[str, ...] = ()
    first: str = "SERVICE"
    ahead: float = STRUCK
    """How much of the play is over when the program is opened; 0: it sees it come."""


LOOKS = {
    "crash-loop": Look(("All 3 replicas exit with code 1", "KeyError: 'LEDGER_URL'")),
    "dead-host": Look(("web-2", "cannot be reached"), ("g",), first="1 down", ahead=0),
    "disk-full": Look(("no space left on device",)),
    "frozen": Look(("db-1 did not answer", "its engine is silent"), ("3", "g"), first="1 down", ahead=0),
    "frozen-daemon": Look(("db-1 did not answer", "its engine is silent"), ("3", "g"), first="1 down", ahead=0),
    "half-deploy": Look(("2 versions of its configuration among its replicas: half-applied",)),
    "noisy-neighbour": Look(("of 800%: stock-forecast-1 takes",), ("3", "g")),
    "oom": Look(("killed for memory",)),
    "quorum-lost": Look(("does not have a leader",), ("8",), first="2 down", ahead=0),
    "unhealthy": Look(("health check", "no shard available")),
}


SMALL: Mapping[str, Look] = {
    "crash-loop": Look(("3 replicas exit 1 after 2 s", "KeyError: 'LEDGER_URL'")),
    "unhealthy": Look(("of 9 unhealthy", "health check", "no shard available")),
}
"""Where a small screen says it in other words."""


class LateClock(SystemClock):
    """The machine's clock, put forward: so much of the play is over when somebody looks."""

    ahead = 0.0

    def now(self) -> datetime:
        """The wall clock, put forward."""
        return super().now() + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        """Seconds, put forward."""
        return super().monotonic() + self.ahead


def on_screen(app: FleetApp) -> str:
    """All that stands on the screen, its lines put together."""
    strips = app.screen._compositor.render_strips()
    return " ".join("".join(segment.text for segment in strip).strip() for strip in strips)


def missing(app: FleetApp, look: Look) -> list[str]:
    """Those of the words that do not stand there yet."""
    there = on_screen(app)
    found = [word for word in look.words if word not in there]
    assert not found, f"{found} is not in: {there}"
    return found


def test_every_incident_has_its_words() -> None:
    """None is left out, and none needs more than five keys."""
    assert set(LOOKS) == set(INCIDENTS)
    assert all(len(look.keys) <= 5 for look in (*LOOKS.values(), *SMALL.values()))


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["large", "80x24"])
@pytest.mark.parametrize("incident", INCIDENTS)
async def test_the_cause_stands_on_the_screen_within_five_keys(
    incident: str, size: tuple[int, int], eventually: Eventually
) -> None:
    """From opening the program, by what the screen itself leads to; on a small screen with the same keys."""
    look, clock = LOOKS[incident], LateClock()
    if size == (80, 24):
        look = SMALL.get(incident, look)
    async with DemoFleet(incident=incident, clock=clock) as demo:
        clock.ahead = look.ahead
        demo.world.catch_up()
        app = FleetApp(demo.addresses, Config(), clock=clock)
        async with app.run_test(size=size) as pilot:
            await app.session.settled(60)
            await eventually(lambda: look.first in on_screen(app), timeout=120, every=SELDOM)
            await pilot.press(*look.keys)
            await eventually(lambda: missing(app, look) == [], timeout=120, every=SELDOM)
