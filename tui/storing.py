"""The disks of one run: read when somebody looks at them, kept with their age, pruned when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fleettop.collectors.actions import Plan, Verb, plan_prune
from fleettop.collectors.model import DiskUse
from fleettop.collectors.storage import Keep, Needs, Reading, Sorted, needs_of, read_disks, sort_out
from fleettop.collectors.words import bytes_words

from .acting import Act, ask_for
from .changes import Change, Wish
from .screens.prompt import Choice, ChoicePrompt
from .views.storage import DiskKey, Disks

if TYPE_CHECKING:
    from .app import FleetApp
    from .screens.dashboard import DashboardScreen

OLD = 300.0
"""Seconds after which a disk is read again when the view is opened."""
KEEPS = {
    "usual": Keep(),
    "images": Keep(images=0),
    "volumes": Keep(volumes=False),
}
SHOWN_EVERY = 0.1
_LOOK = 0.2


class Storing:
    """Reads disks in the background; the dashboard is told of each."""

    def __init__(self, app: FleetApp) -> None:
        self._app = app
        self._uses: dict[str, DiskUse] = {}
        self._errors: dict[str, str] = {}
        self._under_way: set[str] = set()
        self._kept: dict[str, Sorted] = {}
        self._needs = Needs()
        self._due = False

    def disks(self) -> Disks:
        """What is known of them, sorted by the usual rule."""
        return Disks(self._kept, frozenset(self._under_way), self._errors)

    def sort(self, keep: Keep, engines: Iterable[str]) -> list[Sorted]:
        """These disks, as far as they were read."""
        needs, now = needs_of(self._app.fleet), self._app.clock.now()
        return [sort_out(self._uses[name], needs, keep, now) for name in engines if name in self._uses]

    def engines(self) -> list[str]:
        """Each engine once."""
        return [name for name, engine in self._app.fleet.engines.items() if not engine.same_as]

    def look(self) -> None:
        """The view was opened: read what was not read, or is old."""
        now = self._app.clock.monotonic()
        self.begin(
            name
            for name in self.engines()
            if self._app.session.client(name) is not None
            and (name not in self._uses or now - self._uses[name].at > OLD)
        )

    def go_on(self) -> None:
        """The view is looked at: read what could not be reached when it was opened, once."""
        known = {*self._uses, *self._errors, *self._under_way}
        new = [n for n in self.engines() if n not in known and self._app.session.client(n) is not None]
        if new:
            self.begin(new)

    def begin(self, engines: Iterable[str]) -> None:
        """Read these disks in the background."""
        self._app.run_worker(self.read(list(engines)), group="storage", exclusive=False)

    async def read(self, engines: Iterable[str]) -> None:
        """Read these disks now, but for those that are being read."""
        names = [name for name in engines if name not in self._under_way]
        self._under_way.update(names)
        self._needs = needs_of(self._app.fleet)
        self._show()
        try:
            session = self._app.session
            clients = {name: session.client(name) for name in names}
            await read_disks(clients, on_read=self._read, logs=session.log_sizes)
        finally:
            self._under_way.difference_update(names)
            self._show()

    def _read(self, reading: Reading) -> None:
        self._under_way.discard(reading.engine)
        self._errors.pop(reading.engine, None)
        if reading.use is not None:
            self._uses[reading.engine] = reading.use
            self._kept[reading.engine] = sort_out(reading.use, self._needs, Keep(), self._app.clock.now())
        else:
            self._errors[reading.engine] = reading.error.word if reading.error is not None else "cannot be reached"
        self._show()

    def _show(self) -> None:
        """Soon: many disks may be read at once."""
        if not self._due:
            self._due = True
            self._app.set_timer(SHOWN_EVERY, self._show_now)

    def _show_now(self) -> None:
        self._due = False
        app = self._app
        if app.is_running and app.dashboard.is_mounted and app.dashboard.place.view == "storage":
            app.dashboard.table.forget_rows()
            app.dashboard.look_differently()

    def plan(self, keep: Keep, engines: Iterable[str]) -> Plan:
        """The prune of these disks, as they were read last. Raises ReadOnly in read-only mode."""
        app, names = self._app, list(engines)
        return plan_prune(
            self.sort(keep, [name for name in names if name not in self._errors]),
            keep=keep,
            groups={name: engine.group for name, engine in app.fleet.engines.items()},
            protected=app.protected_groups,
            unread={name: self._errors[name] for name in names if name in self._errors},
            read_only=app.session.read_only,
        )

    def begun(self, change: Change) -> None:
        """A prune began."""
        self._app.run_worker(self._say_freed(change), group="storage", exclusive=False)

    async def _say_freed(self, change: Change) -> None:
        """When it is over: what the engines say now, less than before."""
        hosts = change.plan.hosts
        before = {name: self._uses[name].total for name in hosts}
        while not change.course.done:  # noqa: ASYNC110 - its course has one listener, the screen that shows it
            await asyncio.sleep(_LOOK)
        await self.read(hosts)
        read = [name for name in hosts if name not in self._errors]
        freed = sum(before[name] - self._uses[name].total for name in read)
        where = f" on {len(read)} of {len(hosts)} hosts" if len(read) < len(hosts) else ""
        self._app.notify(f"{change.plan.title}: freed {bytes_words(freed)}{where}.", markup=False)


async def prune(screen: DashboardScreen) -> None:
    """`P`: of the marked disks, of the one under the cursor, or of all where that is their sum."""
    app, storing = screen.app, screen.app.storing
    chosen = [key.engine for key in screen.selected() if isinstance(key, DiskKey)]
    if not chosen:
        return
    names = storing.engines() if "" in chosen else chosen
    choices = [
        Choice("usual", "the usual", "no named volumes, no images under 7 days old"),
        Choice("images", "images of any age, too", "all that no container and no service uses"),
        Choice("volumes", "named volumes, too", "their data is gone for good"),
    ]
    what = names[0] if len(names) == 1 else f"{len(names)} hosts"
    answer = await app.push_screen_wait(ChoicePrompt(f"Prune {what}", choices, glyphs=app.glyphs))
    if answer is None:
        return
    await storing.read(names)
    wish = Wish(verb=Verb.PRUNE, targets=())
    await ask_for(screen, lambda: storing.plan(KEEPS[answer], names), wish, on_begin=storing.begun)


STORING: Mapping[str, Act] = {"storage.prune": prune}
"""By the ids of the command table."""
