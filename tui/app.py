"""The program at a terminal: one app, one watched fleet, one bridge between them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING

from fleettop.collectors.address import EngineAddress
from fleettop.collectors.clock import Clock, SystemClock
from fleettop.collectors.config import Config
from fleettop.collectors.config.settings import allowances
from fleettop.collectors.fleet import Changed, Fleet
from fleettop.collectors.session import Session
from fleettop.collectors.trail import OpenTrail
from textual import on
from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.command import CommandPalette
from textual.events import Event, Key, Resize
from textual.filter import Monochrome, NoColor
from textual.screen import Screen

from . import later, loading
from .alarming import alarm
from .bridge import Bridge
from .changelist import Changes
from .driver import TerminalDriver
from .frames import Update
from .glyphs import ASCII, UNICODE, Glyphs
from .keygate import Behind, KeyGate
from .keymap import CONFIRMING, OWN, KeyBinding, Keys
from .screens.dashboard import DashboardScreen
from .screens.page import PageScreen
from .screens.toosmall import TooSmallScreen, fits
from .terminal import animates
from .theme import register_themes, theme_name
from .views import Moment
from .widgets.palette import CommandProvider, PaletteEntry, entries

if TYPE_CHECKING:
    from fleettop.collectors.actions import Reach
    from fleettop.collectors.alarms.watchman import Watchman
    from fleettop.collectors.checks import Inspection, Sightings
    from fleettop.collectors.looseends import LooseEnds
    from fleettop.collectors.recording import ReplaySession
    from rich.console import RenderableType

    from .replaying import Replaying
    from .storing import Storing

FAREWELL = 6.0
"""Seconds that letting go of engines and writing the rest of the trail may take at the end."""
SETTLED = 1.5
"""Seconds after which what the first screen does without is loaded, if not all engines have answered by then."""
ANYWHERE = frozenset(("app.quit", "app.suspend", "app.redraw"))
"""The commands that are there on every screen."""


class FleetApp(App[int]):
    """The dashboard. Owns the session: engines are let go of when it ends, however it ends."""

    TITLE = "fleettop"
    CSS_PATH = "fleettop.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        addresses: Sequence[EngineAddress],
        config: Config,
        *,
        read_only: bool = False,
        notes: Sequence[str] = (),
        group: str = "",
        theme: str = "",
        ascii_only: bool = False,
        clock: Clock | None = None,
        open_trail: OpenTrail | None = None,
        environ: Mapping[str, str] | None = None,
        sightings: Callable[[], Sightings] | None = None,
        replay: ReplaySession | None = None,
    ) -> None:
        self.glyphs: Glyphs = ASCII if ascii_only else UNICODE
        own = config.commands if replay is None else ()  # they run on this machine, now
        self.keys = Keys(config.keys, own=own, read_only=read_only, replay=replay is not None)
        self.own_commands = {OWN + command.name: command for command in own}
        self.addresses = {address.name: address for address in addresses}
        self.environ = dict(environ or {})
        """What the program was started with; `own` and `spoken` say what of it others get."""
        self.clock = clock or (replay.clock if replay is not None else SystemClock())
        self.notes = tuple(notes)
        self.group = group
        self.session = replay or Session(
            addresses,
            rules=config.rules,
            read_only=read_only,
            declared_by=config.declared_by,
            clock=self.clock,
            open_trail=open_trail,
        )
        self.replaying = _replaying(self, replay) if replay is not None else None
        """The recording that is shown; None: it is the present, of live engines."""
        self.inspection: Inspection | None = None
        """The checks; None until somebody comes to see them."""
        self.waivers = config.waivers
        self.sightings = sightings
        self.config = config
        self.alarms = config.alarms
        self.watchman: Watchman | None = None
        """Who looks for outages that somebody is to be told of; None: not yet at work, or this is the past."""
        self.protected_groups = frozenset(name for name, group in config.groups.items() if group.protected)
        self.allowances = allowances(config)
        """How many replicas may be away at once, by group."""
        self.changes = Changes()
        self.changes.on_change = self._changes_changed
        self.chords = frozenset(key for command in self.keys.commands for key in command.keys if key.startswith("alt+"))
        """The keys with alt that do something."""
        super().__init__(driver_class=TerminalDriver)
        if not animates(self.environ):
            self.animation_level = "none"
        register_themes(self)
        self.theme = theme or theme_name()
        # NO_COLOR has been heeded by whoever chose the theme; Textual's Monochrome draws greys for it.
        self._filters = [kept for kept in self._filters if not isinstance(kept, Monochrome)]
        if self.theme == theme_name(colours=0):
            self._filters.append(NoColor())
        self._bindings = BindingsMap(_binding(binding) for binding in self.keys.bindings())
        self.set_keymap(self.keys.remapped())
        self._let_go = asyncio.Event()
        self._let_go.set()
        self.dashboard = DashboardScreen(self.keys)
        self.keygate = KeyGate(self, super().on_event)

    @property
    def fleet(self) -> Fleet:
        """All that is known."""
        return self.session.fleet

    @cached_property
    def loose_ends(self) -> LooseEnds:
        """The changes whose outcome is not known yet."""
        from fleettop.collectors.looseends import LooseEnds

        from .acting import found_later

        return LooseEnds(self.fleet, self.reach, partial(found_later, self))

    @cached_property
    def storing(self) -> Storing:
        """The disks."""
        from .storing import Storing

        return Storing(self)

    @property
    def crash(self) -> Exception | None:
        """What went wrong in the program itself; None: nothing."""
        return self._exception

    @property
    def confirming_key(self) -> str:
        """The key that says yes to a question, on this terminal: without kitty's protocol ctrl+enter is only enter."""
        apart = isinstance(self._driver, TerminalDriver) and self._driver.tells_keys_apart
        return CONFIRMING[0] if apart else CONFIRMING[1]

    def write_terminal(self, sequence: str) -> None:
        """Hand the terminal something that draws nothing."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def moment(self) -> Moment:
        """Now, for drawing."""
        return Moment(now=self.clock.now(), monotonic=self.clock.monotonic(), glyphs=self.glyphs)

    def reach(self, engine: str) -> Reach | None:
        """The way to an engine for acting."""
        from fleettop.collectors.reach import reach_of

        return reach_of(self.session, engine)

    # -- life ----------------------------------------------------------------------------------------------------------

    def get_default_screen(self) -> DashboardScreen:
        """The dashboard is the first screen: it stands before any engine has answered."""
        return self.dashboard

    def on_mount(self) -> None:
        """Keys are answered from now on."""
        self.screen_change_signal.subscribe(self, lambda _: self.keygate.answerable(), immediate=True)

    def on_ready(self) -> None:
        """Begin to watch: the first frame stands, which would else wait for all that engines have to say."""
        loading.done()
        self.run_worker(self._watch(), name="watch", exit_on_error=True)

    def end_by(self, number: int) -> None:
        """Ended by a signal: leave the terminal as it was (a bare Textual app would not)."""
        self.exit(128 + number, return_code=128 + number)

    async def _watch(self) -> None:
        self._let_go.clear()
        try:
            async with self.session, asyncio.TaskGroup() as group:
                group.create_task(self._go_on(group))
                await Bridge(self.session, self._show, self._tick).run()
        finally:
            self._let_go.set()

    async def _go_on(self, group: asyncio.TaskGroup) -> None:
        """What comes after the first screen."""
        await self.session.settled(SETTLED)
        await later.load()
        if self.replaying is not None:
            return  # nobody is told of the past
        from fleettop.collectors.alarms.watchman import PATIENCE, Watchman

        from .owncommands import environment_of

        environment = environment_of(self.environ)
        self.watchman = Watchman(self.fleet, self.config, self.clock, environment=environment, patience=PATIENCE)
        self.watchman.on_alarm = partial(alarm, self)
        group.create_task(self.watchman.run())
        group.create_task(self.loose_ends.watch())

    async def let_go(self) -> None:
        """Return when the session is closed and its trail is written, after the screen has ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await self._let_go.wait()

    def _show(self, changed: Changed) -> None:
        if self.is_running and self.dashboard.is_mounted:
            self.dashboard.fleet_changed(changed)
            if isinstance(self.screen, PageScreen):
                self.screen.fleet_changed()

    def _tick(self, changed: Changed) -> None:
        if self.is_running and self.dashboard.is_mounted:
            self.dashboard.time_passed(changed)
            if self.dashboard.place.view == "storage":
                self.storing.go_on()
            if isinstance(self.screen, PageScreen):
                self.screen.fleet_changed()

    async def on_event(self, event: Event) -> None:
        """Keys go through the gate; all else as it comes."""
        if isinstance(event, Key) and not event.is_forwarded:
            await self.keygate.key(event)
        elif self.screen_stack or not isinstance(event, Key):  # a key may be handed on when the last screen has gone
            await super().on_event(event)

    @on(Behind)
    async def _behind(self, message: Behind) -> None:
        await self.keygate.behind(message)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """What the compositor wants shown goes by frames of changed cells; all else is Textual's."""
        driver = self._driver
        if not isinstance(driver, TerminalDriver) or not isinstance(renderable, Update):
            super()._display(screen, renderable)
            return
        if self._running and not self._closed and not self._batch_count:
            driver.frames.show(renderable)
        self.post_display_hook()

    def _handle_exception(self, error: Exception) -> None:
        """A fault of ours: end, put the terminal right, and let the command line write the report.

        Textual would print the whole traceback over the terminal and may exit with 0.
        """
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    def refresh_css(self, animate: bool = True) -> None:
        """Once there is a screen: before, Textual would parse for the theme what it parses anew for the screen."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    # -- commands ------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A command is only there where the key table has it: in its views, on the dashboard, not when read-only."""
        if action != "command":
            return True
        command = self.keys.get(str(parameters[0]))
        if command is None:
            return False
        if command.id in ANYWHERE:
            return True
        return self.screen is self.dashboard and command.at(self.dashboard.place.view)

    def action_command(self, name: str) -> None:
        """Do what the key table calls `name`."""
        if self.replaying is not None and self.replaying.does(name):
            return
        if name == "app.quit":
            self._quit()
        elif name == "app.suspend":
            self.run_worker(self._suspend(), group="suspend", exclusive=True)
        elif name == "app.redraw" and isinstance(self._driver, TerminalDriver):
            self._driver.frames.forget()
        elif name == "app.help":
            from .screens.help import HelpScreen

            self.push_screen(HelpScreen(self.keys, self.dashboard.place.view, glyphs=self.glyphs))
        elif name == "app.palette":
            self.push_screen(CommandPalette([CommandProvider], placeholder="What to do"))
        elif (look := later.looks().get(name)) is not None:
            look(self.dashboard)
        elif (deed := later.deeds().get(name)) is not None:
            self._act(deed(self.dashboard))
        elif name in self.own_commands and self.keys.get(name) is not None:
            from .owncommands import run_own

            self._act(run_own(self.dashboard, self.own_commands[name]))

    def _act(self, doing: Awaitable[None]) -> None:
        self.run_worker(self.keygate.asked(doing), group="act", exclusive=False)

    def _quit(self) -> None:
        """At once; but while something is being changed, the first time only stops what has not begun."""
        from .screens.progress import ProgressScreen

        screen = self.screen
        going = [change.course for change in self.changes.under_way]
        if isinstance(screen, ProgressScreen) and not screen.done:
            going.append(screen.course)
        if any(not course.stopping for course in going):
            for course in going:
                course.stop()
            self.notify("Stopped what had not begun. Once more quits and leaves the rest to the engines.", markup=False)
            return
        self.exit(0)

    def leave(self) -> None:
        """`q` at the top: not while something is being changed, which ctrl+c alone leaves to the engines."""
        if self.changes.under_way:
            shown = self.keys.label("changes.show")
            self.notify(f"{self.changes.words()}: {shown} shows it, ctrl+c stops it and then quits.", markup=False)
            return
        self.exit(0)

    def _changes_changed(self) -> None:
        if self.is_running and self.dashboard.is_mounted:
            self.dashboard.show_around()

    def palette_entries(self) -> Iterable[PaletteEntry]:
        """What the palette offers here."""
        return entries(self.keys, self.dashboard.place.view, self.choose)

    def choose(self, name: str) -> None:
        """Do a command that was chosen by the mouse or in the palette, where it is there now."""
        command = self.keys.get(name)
        if command is None or not command.at(self.dashboard.place.view):
            return
        if command.table:
            self.call_later(self.dashboard.table.run_action, command.table)
        else:
            self.action_command(name)

    def show_page(self, key: Hashable) -> None:
        """The details of a row on a page of their own."""
        from .looking import show_detail

        show_detail(self.dashboard, key)

    async def _suspend(self) -> None:
        """Ctrl-Z: engines first, since a stopped process takes no events and an engine suffers from that."""
        if not isinstance(self._driver, TerminalDriver) or self._driver.lent:
            return  # there is no terminal, or it is not ours now
        await self.session.suspend()
        try:
            self._driver.stop_process()
        finally:
            self.session.resume()

    def on_resize(self, event: Resize) -> None:
        """Say so where nothing useful fits; that screen goes by itself when there is room again."""
        if not fits(event.size) and not isinstance(self.screen, TooSmallScreen):
            self.push_screen(TooSmallScreen(glyphs=self.glyphs))


def _replaying(app: FleetApp, replay: ReplaySession) -> Replaying:
    from .replaying import Replaying

    return Replaying(app, replay)


def _binding(key: KeyBinding) -> Binding:
    """A command's binding. Ctrl-C and Ctrl-Z also work in fields and in dialogs, as any chord given for them does."""
    everywhere = key.id in ANYWHERE and all("+" in name for name in key.keys.split(","))
    return Binding(key.keys, key.action, key.title, show=False, priority=everywhere)
