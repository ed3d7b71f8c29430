"""The logs of containers, of one or of all replicas of a service: read, followed, found in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fleettop.collectors.clock import nanoseconds
from fleettop.collectors.errors import FleetError
from fleettop.collectors.logs import LogFeed, Ring, Span, Wanted, members_of
from fleettop.collectors.logs.colours import text_of
from fleettop.collectors.logs.find import Finder
from fleettop.collectors.logs.ring import MOST_LINES
from fleettop.collectors.logs.saving import save
from fleettop.collectors.logs.search import Search
from fleettop.collectors.model.logs import ERR, NOTE, LogLine
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap

from ..frames.sparing import SparingScreen
from ..keymap import Keys
from ..widgets.findbar import FindBar
from ..widgets.footer import KeyFooter
from ..widgets.loglines import JSON, TIMES
from ..widgets.logtitle import LogFacts, LogTitle
from ..widgets.logview import CONTEXTS, LogView
from .help import HelpScreen
from .saveprompt import SavePrompt, SaveTo

if TYPE_CHECKING:
    from ..app import FleetApp

TAIL = 500
"""Lines of each replica that are read at first."""
HEAD = 2_000
SLICE = 4_000
"""Lines that are put away in one go: about 3 ms."""
SECOND = 0.5
"""Seconds between two looks at what only time changes."""
MINUTES = (1, 5, 15, 30, 60)


class LogScreen(SparingScreen[None]):
    """Lines of all the containers meant, in the order of time; closed with Esc or q."""

    app: FleetApp
    AUTO_FOCUS = "LogView"

    def __init__(self, keys: Keys, wanted: Wanted, title: str) -> None:
        super().__init__()
        self._keys = keys
        self._wanted = wanted
        self._title = title
        self._span = Span(tail=TAIL)
        self._span_words = f"last {TAIL} lines"
        self._feed: LogFeed | None = None
        self._ring = Ring()
        self._around = 0
        self._searching = asyncio.Event()
        self._jump = False
        """A search was begun: go to what it finds first."""
        self._bindings = BindingsMap(
            Binding(",".join(command.keys), f"log({command.id!r})", command.title, show=False, id=command.id)
            for command in keys.at("logs")
            if command.keys and (command.screen or command.id == "app.help")
        )
        self._deeds: Mapping[str, Callable[[], object]] = {
            "logs.find": self._open_find,
            "logs.next": partial(self._go_to_found, forward=True),
            "logs.previous": partial(self._go_to_found, forward=False),
            "logs.filter": self._filter,
            "logs.context": self._more_context,
            "logs.tail": partial(self._read_anew, Span(tail=TAIL), f"last {TAIL} lines"),
            "logs.head": partial(self._read_anew, Span(head=HEAD), f"first {HEAD:,} lines"),
            **{f"logs.last-{minutes}": partial(self._read_last, minutes) for minutes in MINUTES},
            "logs.autoscroll": lambda: self.view.set_autoscroll(not self.view.autoscroll),
            "logs.wrap": lambda: self._shown(wrap=not self.view.options.wrap, shift=0),
            "logs.times": lambda: self._shown(times=(self.view.options.times + 1) % len(TIMES)),
            "logs.json": lambda: self._shown(json=(self.view.options.json + 1) % len(JSON)),
            "logs.fold": self._fold,
            "logs.mark": self._mark,
            "logs.next-mark": self._next_mark,
            "logs.copy": self._copy,
            "logs.save": self._save,
            "logs.left": lambda: self.view.shift(-1),
            "logs.right": lambda: self.view.shift(1),
            "logs.back": self._back,
            "app.help": lambda: self.app.push_screen(HelpScreen(self._keys, "logs", glyphs=self.app.glyphs)),
        }

    def compose(self) -> ComposeResult:
        """Title, lines, what is looked for, key hints."""
        glyphs = self.app.glyphs
        self.title_line = LogTitle(glyphs=glyphs, id="log-title")
        self.view = LogView(self._ring, self._name_of, self._pressed, glyphs=glyphs, id="log")
        self.find_bar = FindBar(glyphs=glyphs, id="find")
        self.footer = KeyFooter(glyphs=glyphs, id="log-footer")
        yield self.title_line
        yield self.view
        yield self.find_bar
        yield self.footer

    def on_mount(self) -> None:
        """Begin to read."""
        self.find_bar.display = False
        self.footer.show(self._keys.hints("logs"))
        self.set_interval(SECOND, self._say)
        self._read_anew(self._span, self._span_words)
        self.run_worker(self._search(), group="search", exclusive=True)

    def action_log(self, name: str) -> None:
        """Do what the key table calls `name`."""
        self._deeds[name]()
        self._say()

    @property
    def feed(self) -> LogFeed | None:
        """What is being read."""
        return self._feed

    # -- reading

    def _read_last(self, minutes: int) -> None:
        since = nanoseconds(self.app.clock.now()) - minutes * 60_000_000_000
        self._read_anew(Span(since=since, tail=MOST_LINES), f"last {minutes} min")

    def _read_anew(self, span: Span, words: str) -> None:
        self._span, self._span_words = span, words
        self._ring = Ring()
        self._feed = None
        self.view.restart(self._ring)
        if self.view.search is not None:
            self._begin_search(self.view.search.finder)
        self.run_worker(self._read(self._ring), group="logs", exclusive=True)

    async def _read(self, ring: Ring) -> None:
        fleet = self.app.fleet

        async def deliver(lines: Sequence[LogLine]) -> None:
            ring.held = not self.view.autoscroll
            for at in range(0, len(lines), SLICE):
                if at:
                    await asyncio.sleep(0)
                ring.extend(lines[at : at + SLICE])
            self._searching.set()
            self.view.lines_came()
            self._say()

        self._feed = LogFeed(
            self.app.session, lambda: members_of(fleet, self._wanted), deliver, span=self._span, courteous=True
        )
        await self._feed.run()

    def _pressed(self) -> None:
        if self._feed is not None:
            self._feed.stand_back()

    def _name_of(self, number: int) -> str:
        return self._feed.sources[number].label if self._feed is not None else ""

    def _say(self) -> None:
        """The line over the lines, and how wide names are."""
        feed, view, ring = self._feed, self.view, self._ring
        sources = feed.sources if feed is not None else []
        self.view.set_names(max((len(source.label) for source in sources), default=0) if len(sources) > 1 else 0)
        search = view.search
        self.title_line.show(
            LogFacts(
                title=self._title,
                span=self._span_words,
                replicas=len(sources),
                followed=sum(source.followed for source in sources),
                reading=feed is None or not all(source.read for source in sources),
                lines=len(ring),
                gone=ring.gone,
                autoscroll=view.autoscroll,
                place=view.cursor - ring.first + 1 if view.cursor is not None else None,
                find=search.finder.expression if search is not None else "",
                found=search.found if search is not None else 0,
                only_found=view.only_found,
                context=self._around,
            )
        )

    @on(LogView.Moved)
    def _moved(self) -> None:
        self._say()

    # -- finding

    def _open_find(self) -> None:
        self.find_bar.display = True
        self.find_bar.open(self.view.search.finder.expression if self.view.search is not None else "")

    @on(FindBar.Submitted)
    def _find_submitted(self, message: FindBar.Submitted) -> None:
        try:
            finder = Finder(message.text) if message.text else None
        except FleetError as error:
            self.find_bar.show_error(str(error))
            return
        self._close_find()
        if finder is None:
            self.view.find(None)
        else:
            self._jump = not self.view.only_found
            self._begin_search(finder)
        self._say()

    @on(FindBar.Cancelled)
    def _find_cancelled(self) -> None:
        self._close_find()

    def _close_find(self) -> None:
        self.find_bar.display = False
        self.view.focus()

    def _begin_search(self, finder: Finder) -> None:
        self.view.find(Search(finder, self._ring, context=self._around))
        self._searching.set()

    async def _search(self) -> None:
        """Look through the lines, those that come too, in slices between which keys and drawing have their turn."""
        while True:
            await self._searching.wait()
            self._searching.clear()
            search = self.view.search
            try:
                while search is not None and search is self.view.search and search.behind:
                    search.advance()
                    await asyncio.sleep(0)
            except FleetError as error:
                self.view.find(None)
                self.notify(f"{error} {error.hint}", severity="warning", markup=False)
            if search is not None and search is self.view.search:
                self._found_all()

    def _found_all(self) -> None:
        if self._jump:
            self._jump = False
            self._go_to_found(forward=False, here=True)
        if self.view.only_found:
            self.view.lines_came()
            self.view.refresh()
        self._say()

    def _go_to_found(self, *, forward: bool, here: bool = False) -> None:
        search, cursor = self.view.search, self.view.cursor
        if search is None or cursor is None:
            if search is None:
                self.notify(f"Nothing is looked for: {self._keys.label('logs.find')} does.", markup=False)
            return
        at = search.match_after(cursor) if forward else search.match_before(cursor + 1 if here else cursor)
        if at is None:  # round the end
            at = search.match_after(-1) if forward else search.match_before(self._ring.end)
            if at is not None and not here:
                self.notify("From the other end." if at != cursor else "It is found nowhere else.", markup=False)
        if at is None:
            self.notify(f"{search.finder.expression!r} is not found.", severity="warning", markup=False)
        self.view.go_to(at)

    def _filter(self) -> None:
        if self.view.search is None:
            self._open_find()
            return
        self.view.set_only_found(not self.view.only_found)

    def _more_context(self) -> None:
        self._around = CONTEXTS[(CONTEXTS.index(self._around) + 1) % len(CONTEXTS)]
        if self.view.search is not None:
            self.view.search.context = self._around
            self.view.set_only_found(self.view.only_found)

    # -- the rest

    def _shown(self, **changes: object) -> None:
        self.view.show(**changes)

    def _fold(self) -> None:
        self.view.fold()

    def _mark(self) -> None:
        self.view.mark()

    def _next_mark(self) -> None:
        cursor = self.view.cursor if self.view.cursor is not None else -1
        marks = sorted(self.view.marks)
        if not marks:
            self.notify(f"No line is marked: {self._keys.label('logs.mark')} marks one.", markup=False)
            return
        self.view.go_to(next((mark for mark in marks if mark > cursor), marks[0]))

    def _copy(self) -> None:
        if self.view.cursor is None:
            return
        self.app.copy_to_clipboard(text_of(self._ring[self.view.cursor]))
        self.notify("Copied the line.", markup=False)

    def _save(self) -> None:
        safe = "".join(sign if sign.isalnum() or sign in "-._" else "-" for sign in self._title)[:60].strip("-.")
        name = f"{safe or 'log'}-{self.app.clock.now():%Y%m%d-%H%M%S}.log"
        title = "Save the lines found" if self.view.only_found else f"Save {len(self._ring):,} lines"
        self.app.push_screen(SavePrompt(title, name, folder=Path.cwd(), glyphs=self.app.glyphs), self._save_to)

    def _save_to(self, to: SaveTo | None) -> None:
        if to is not None:
            self.run_worker(self._write(to, self._lines_shown()), group="save")

    def _lines_shown(self) -> list[LogLine]:
        ring, search = self._ring, self.view.search
        if not self.view.only_found or search is None:
            return ring.slice(ring.first, ring.end)
        numbers, at = list[int](), search.after(ring.first - 1)
        while at is not None:
            numbers.append(at)
            at = search.after(at)
        return [ring[number] for number in numbers]

    async def _write(self, to: SaveTo, lines: Sequence[LogLine]) -> None:
        names = [source.label for source in self._feed.sources] if self._feed is not None else []
        try:
            count = await asyncio.to_thread(save, to.path, _written(lines, names), overwrite=to.overwrite)
        except OSError as error:
            words = f"{to.path} could not be written: {error.strerror or error}."
            self.notify(words, severity="error", markup=False)
        else:
            self.notify(f"Saved {count:,} lines to {to.path}", markup=False)

    def _back(self) -> None:
        if self.view.only_found:
            self.view.set_only_found(False)
        elif self.view.search is not None:
            self.view.find(None)
        else:
            self.dismiss()

    @on(KeyFooter.Chosen)
    def _hint_chosen(self, message: KeyFooter.Chosen) -> None:
        message.stop()
        if message.command in self._deeds:
            self.action_log(message.command)


def _written(lines: Sequence[LogLine], names: Sequence[str]) -> Iterator[str]:
    """Lines as they are saved: time, replica, stream, text."""
    for line in lines:
        moment = datetime.fromtimestamp(line.time // 1_000_000_000, UTC)
        time = f"{moment:%Y-%m-%dT%H:%M:%S}.{line.time % 1_000_000_000:09}Z"
        if line.source == NOTE:
            yield f"{time} -- fleettop: {text_of(line)}"
            continue
        more = f" … {line.cut:,} bytes more" if line.cut else ""
        yield f"{time} {names[line.source]} {'!' if line.stream == ERR else '|'} {text_of(line)}{more}"
