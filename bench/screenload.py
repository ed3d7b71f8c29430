"""A fleet that changes so many rows a second, on the terminal: ``python -m bench.screenload`` (what bench.screen runs).

The fleet's picture is told what engines would tell, so that the cost is that of the picture and of the screen: no
network, no simulated engines in the same process.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import random
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fleettop.collectors.address import EngineAddress
from fleettop.collectors.config import Config
from fleettop.collectors.model import (
    Confirmed,
    Container,
    ContainerDetail,
    ContainerKey,
    ContainerState,
    EngineInfo,
    EngineSeen,
    Health,
    LinkChanged,
    LinkPhase,
    LinkStatus,
    Listed,
    Usage,
    UsageSeen,
)
from fleettop.tui import app as app_module
from fleettop.tui.app import FleetApp
from fleettop.tui.bridge import Bridge
from textual.app import App, ComposeResult
from textual.widgets import DataTable

STEP = 0.01
"""Seconds between two lots of updates: as from many engines, in no rhythm that frames could fall in with."""
MIB = 1 << 20


def sample(number: random.Random, at: float) -> Usage:
    """What a container used: each figure another than before."""
    return Usage(
        cpu=number.uniform(0, 99),
        memory=number.randrange(100, 999) * MIB,
        memory_limit=1 << 30,
        received=number.uniform(0, 9999),
        sent=number.uniform(0, 9999),
        at=at,
    )


class Loaded(FleetApp):
    """The dashboard, on a fleet that is told by us."""

    CSS_PATH = str(Path(app_module.__file__).with_name("fleettop.tcss"))

    def __init__(self, engines: int, containers: int, rate: int, *, visible: bool, textual: bool) -> None:
        names = [f"host-{number}" for number in range(engines)]
        super().__init__([EngineAddress(name=name, scheme="unix", socket=f"/{name}") for name in names], Config())
        self._each, self._rate, self._visible, self._textual = containers // engines, rate, visible, textual
        self._random = random.Random(1)

    async def _watch(self) -> None:
        keys = [key for name in self.addresses for key in self._list(name)]
        async with asyncio.TaskGroup() as group:
            group.create_task(Bridge(self.session, self._show, self._tick).run())
            group.create_task(self._change(keys))
            group.create_task(self._confirm())

    def _list(self, name: str) -> list[tuple[str, str]]:
        now, apply = self.clock.monotonic(), self.fleet.apply
        apply(LinkChanged(engine=name, link=LinkStatus(phase=LinkPhase.UP, since=now)))
        apply(EngineSeen(engine=name, info=EngineInfo(kind="docker", version="28.0.0", api="1.48", id=name)))
        made = [container(name, number, self.clock.now()) for number in range(self._each)]
        apply(Listed(engine=name, containers=tuple(made), at=now))
        return [(name, one.id) for one in made]

    async def _confirm(self) -> None:
        while True:
            for name in self.addresses:
                self.fleet.apply(Confirmed(engine=name, at=self.clock.monotonic(), latency=0.001))
                await asyncio.sleep(5 / len(self.addresses))

    async def _change(self, keys: Sequence[tuple[str, str]]) -> None:
        due, loop = 0.0, asyncio.get_running_loop()
        then = loop.time()
        while True:
            await asyncio.sleep(STEP)
            due, then = due + (loop.time() - then) * self._rate, loop.time()
            among: Sequence[Any] = keys
            if self._visible:
                shown = self.dashboard.table.visible_keys()
                among = [(key.engine, key.id) for key in shown if isinstance(key, ContainerKey)]
            while due >= 1 and among:
                due -= 1
                engine, identifier = self._random.choice(among)
                usage = {identifier: sample(self._random, self.clock.monotonic())}
                self.fleet.apply(UsageSeen(engine=engine, usage=usage))

    def _display(self, screen: Any, renderable: Any) -> None:
        if self._textual:
            App._display(self, screen, renderable)  # as Textual writes: whole regions
        else:
            super()._display(screen, renderable)


def container(engine: str, number: int, now: Any) -> Container:
    """A replica that runs; there are as many services as containers on each engine."""
    name = f"web-{number:03d}"
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": name,
        "com.docker.compose.container-number": engine.rpartition("-")[2],
    }
    return Container(
        engine=engine,
        id=f"{engine}-{number}",
        name=f"shop-{name}",
        image="shop/web:41",
        image_id="sha256:41",
        state=ContainerState.RUNNING,
        health=Health.NONE,
        created=now,
        labels=labels,
        detail=ContainerDetail(restart_policy="always", started_at=now),
    )


class Peer(App[None]):
    """Textual's own table with as many rows, told of changes cell by cell."""

    def __init__(self, containers: int, rate: int, *, visible: bool) -> None:
        super().__init__()
        self._containers, self._rate, self._visible = containers, rate, visible
        self._random = random.Random(1)

    def compose(self) -> ComposeResult:
        """Only the table."""
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        """Fill it, and begin."""
        table = self.query_one(DataTable)
        for name in ("NAME", "IMAGE", "STATE", "HOST", "CPU", "MEM", "NET"):
            table.add_column(name, key=name, width=22 if name == "NAME" else None)
        for number in range(self._containers):
            table.add_row(f"shop-web-{number:05d}", "shop/web:41", "running", "host-1", *figures(self._random))
        self._rows = list(table.rows)
        table.focus()
        self._then = asyncio.get_running_loop().time()
        self._due = 0.0
        self.set_interval(STEP, self._change)

    def _change(self) -> None:
        table, now = self.query_one(DataTable), asyncio.get_running_loop().time()
        self._due, self._then = self._due + (now - self._then) * self._rate, now
        top = round(table.scroll_y)
        among = self._rows[top : top + 47] if self._visible else self._rows
        while self._due >= 1:
            self._due -= 1
            row = self._random.choice(among)
            for name, value in zip(("CPU", "MEM", "NET"), figures(self._random), strict=True):
                table.update_cell(row, name, value)


def figures(number: random.Random) -> tuple[str, str, str]:
    """CPU, memory, network, as they are shown."""
    return f"{number.randrange(99):3d}%", f"{number.randrange(100, 999)}M", f"{number.randrange(9999):5d}B↓"


def main() -> None:
    """Run until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engines", type=int, default=100)
    parser.add_argument("--containers", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=500, help="updates a second")
    parser.add_argument("--visible", action="store_true", help="only of rows on the screen")
    parser.add_argument("--drawn", choices=("frames", "textual", "datatable"), default="frames")
    parser.add_argument("--profile", type=Path, help="where cProfile writes at the end; SIGUSR1 begins")
    options = parser.parse_args()
    app: App[Any]
    if options.drawn == "datatable":
        app = Peer(options.containers, options.rate, visible=options.visible)
    else:
        textual = options.drawn == "textual"
        app = Loaded(options.engines, options.containers, options.rate, visible=options.visible, textual=textual)
    gc.collect()
    gc.freeze()  # as the program does when it is loaded
    profile = cProfile.Profile(builtins=False) if options.profile else None
    if profile is not None:
        signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    app.run()
    if profile is not None:
        profile.disable()
        profile.dump_stats(options.profile)
    if isinstance(app, FleetApp) and app.crash is not None:
        raise app.crash


if __name__ == "__main__":
    main()
