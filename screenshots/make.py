"""Draw the screens shown in the README from a running demo: `make screenshots`.

The demo is the same each time (its seed, its night, the time of day); only what takes real time differs by a little.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # run as a script, this folder's own modules are found by the name of the folder

from fleettop.collectors.config import Config  # noqa: E402
from fleettop.collectors.demo import DemoFleet  # noqa: E402
from fleettop.collectors.model import ContainerKey, ContainerState, LinkPhase  # noqa: E402
from fleettop.tui.app import FleetApp  # noqa: E402
from fleettop.tui.screens.confirm import ConfirmScreen  # noqa: E402
from textual.pilot import Pilot  # noqa: E402

from screenshots import raster, vector  # noqa: E402
from screenshots.cells import Grid, grid_of  # noqa: E402

WIDE, SMALL = (160, 42), (80, 24)
NIGHT = datetime(2026, 3, 14, 2, 41, tzinfo=UTC)
"""When the doors of the demo open."""
SOCKETS = Path("/tmp/fleettop-demo")
"""Shown as the addresses of hosts: the same on every machine."""
DEADLINE = 120.0
"""Seconds to wait for what must come."""
PATIENCE = 12.0
"""Seconds to wait for figures, which not every row has."""
MOMENT = 38.0
"""Seconds into the demo: its edge host has been gone for a while, and rows on screen have been sampled a few times."""


class NightClock:
    """A clock that goes as real ones do, from a time of its own."""

    def __init__(self, begin: datetime) -> None:
        self._begin = begin
        self._started = time.monotonic()

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return self._begin + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    @property
    def passed(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started


class Camera:
    """A running app, what a person presses in it, and pictures of what it shows."""

    def __init__(self, app: FleetApp, pilot: Pilot[int], folder: Path) -> None:
        self._app = app
        self._pilot = pilot
        self._folder = folder

    async def press(self, *keys: str) -> None:
        """Press keys, and let what they do be drawn."""
        await self._pilot.press(*keys)
        await self._pilot.pause()

    async def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; SystemExit where it never does."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not condition():
                    await self._pilot.pause(0.05)
        except TimeoutError:
            raise SystemExit(f"Not within {DEADLINE:g} s: {what}.") from None
        await self._pilot.pause()

    async def sampled(self) -> None:
        """Wait until the rows on the screen have figures, as far as they can; those that crash all the time may not."""
        app = self._app
        app.dashboard.look_at_visible()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not all(key in app.fleet.usage for key in _running_on_screen(app)):
            await self._pilot.pause(0.05)
        await self._pilot.pause()

    def take(self, name: str, *, svg: bool = True) -> None:
        """Write the picture."""
        grid = grid_of(self._app)
        raster.save(grid, self._folder / f"{name}.png")
        if svg:
            (self._folder / f"{name}.svg").write_text(vector.draw(grid, f"fleettop: {name}"))
        sys.stdout.write(f"{name}: {_size_of(grid)}\n")


def _size_of(grid: Grid) -> str:
    return f"{max(len(line) for line in grid)}x{len(grid)}"


def _running_on_screen(app: FleetApp) -> list[ContainerKey]:
    dashboard, fleet = app.dashboard, app.fleet
    keys = {key for row in dashboard.table.visible_keys() for key in dashboard.view.containers(fleet, row)}
    return [
        key
        for key in keys
        if fleet.containers[key].state is ContainerState.RUNNING and app.session.client(key.engine) is not None
    ]


async def take_all(folder: Path) -> None:
    """Take every picture, one after the other, in one night of the demo."""
    clock = NightClock(NIGHT)
    async with DemoFleet(seed=1, clock=clock, folder=SOCKETS) as demo:
        app = FleetApp(demo.addresses, Config(), clock=clock, theme="fleettop-dark")
        async with app.run_test(size=WIDE) as pilot:
            camera = Camera(app, pilot, folder)
            await camera.until("every engine listed", lambda: all(e.confirmed for e in app.fleet.engines.values()))
            await camera.until("the host that goes", lambda: _hosts_down(app) > 0 and clock.passed > MOMENT)
            await camera.sampled()
            camera.take("services")
            await camera.press("R")
            await camera.until("the question", lambda: isinstance(app.screen, ConfirmScreen))
            camera.take("confirm")
            await camera.press("escape")
            for key, view in (("2", "containers"), ("3", "hosts"), ("4", "trail"), ("8", "swarm")):
                await camera.press(key)
                await camera.sampled()
                camera.take(view)
            await camera.press("1")
            await pilot.resize_terminal(*SMALL)
            await camera.sampled()
            camera.take("services-80x24")
            await pilot.resize_terminal(*WIDE)
            app.theme = "fleettop-light"
            await camera.sampled()
            camera.take("services-light")


def _hosts_down(app: FleetApp) -> int:
    return sum(engine.link.phase is LinkPhase.DOWN for engine in app.fleet.engines.values())


def main() -> int:
    """Take the pictures into the folder named, else beside this file."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    folder.mkdir(parents=True, exist_ok=True)
    try:
        SOCKETS.mkdir(mode=0o700)
    except FileExistsError:
        raise SystemExit(f"{SOCKETS} is there already: remove it, if no other demo uses it.") from None
    try:
        asyncio.run(take_all(folder))
    finally:
        shutil.rmtree(SOCKETS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
