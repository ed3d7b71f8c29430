"""The help screen: every key there is here, from the one table of keys, and what the signs and the filter mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from ..commandtable import Command
from ..glyphs import SERVICE_STATES, UNICODE, Glyphs, state_glyph
from ..keymap import GROUPS, Keys
from ..keynames import key_label
from ..rows import Cell, Line
from ..widgets.detail import Detail
from ..widgets.lines import Lines

_STATE_WORDS = {
    "down": "wanted, and no replica serves",
    "degraded": "some replicas serve, others do not",
    "starting": "coming up",
    "flapping": "restarting again and again",
    "unknown": "its hosts cannot be reached: what is shown is old",
    "stopped": "none is wanted",
    "healthy": "all wanted replicas serve",
}
_FILTERS = (
    ("api", "anything with that text in its names and words"),
    ("!api", "anything without it"),
    ("state:down  host:web*", "both: the state, and hosts that begin so"),
    ("state:down | state:flapping", "one of the two"),
    ("image:nginx  label:team=pay", "the image, a label"),
    ("cpu>50  mem>1g  age<1h  restarts>=3", "numbers: percent, bytes, time, counts"),
    ('"a b"', "a text with spaces, or with * in it"),
)
_KEYS_WIDTH = 14
_INDENT = " " * (_KEYS_WIDTH + 3)

Entry = tuple[Line, ...]
"""One thing that help tells: a line, and those that explain it."""


class HelpScreen(ModalScreen[None]):
    """All keys, by group. `/` finds in it; Esc, q or ? closes it."""

    AUTO_FOCUS = "Detail"
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 50%; }
    HelpScreen:ansi { background: transparent; }
    HelpScreen > #box {
        width: 96; max-width: 100%; height: 100%; max-height: 48;
        border: round $border; border-title-color: $text; border-title-style: bold; background: $panel;
    }
    HelpScreen.-ascii > #box { border: ascii $border; }
    HelpScreen Detail { background: $panel; }
    HelpScreen Input { border: none !important; height: 1; padding: 0 1; background: $background; display: none; }
    HelpScreen Input:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    HelpScreen.-finding Input { display: block; }
    HelpScreen #foot { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("q,question_mark", "leave", show=False),
        Binding("slash", "find", show=False),
    ]

    def __init__(self, keys: Keys, view: str = "", *, glyphs: Glyphs = UNICODE) -> None:
        """The keys as they are in that view; those of other views come after."""
        super().__init__()
        self._keys, self._view, self._glyphs = keys, view, glyphs
        self._gone = False
        self.set_class(glyphs.ascii, "-ascii")

    def compose(self) -> ComposeResult:
        """The box, the pane, and the line to find in it."""
        box = Vertical(id="box")
        box.border_title = Content("Keys, read-only" if self._keys.read_only else "Keys")
        with box:
            yield Input(placeholder="find a key or a word", compact=True)
            yield Detail(help_lines(self._keys, self._view, glyphs=self._glyphs), glyphs=self._glyphs)
            yield Lines((_foot(),), id="foot")

    def action_close(self) -> None:
        """Leave the finding first, then the screen."""
        if self.has_class("-finding"):
            self.query_one(Input).value = ""
            self.remove_class("-finding")
            self.query_one(Detail).focus()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Close it; once, however often the key is pressed."""
        if not self._gone:
            self._gone = True
            self.dismiss(None)

    def action_find(self) -> None:
        """Let a word be typed."""
        self.add_class("-finding")
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what has the word in it."""
        event.stop()
        lines = help_lines(self._keys, self._view, event.value, glyphs=self._glyphs)
        self.query_one(Detail).set_lines(lines, keep_place=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep what was found, and scroll in it."""
        event.stop()
        self.query_one(Detail).focus()


def _foot() -> Line:
    parts = (("/", "find"), ("↑ ↓", "scroll"), ("Esc", "close"))
    return tuple(cell for key, word in parts for cell in (Cell(key, "key"), Cell(f" {word}   ", "hint")))


def help_lines(keys: Keys, view: str = "", find: str = "", *, glyphs: Glyphs = UNICODE) -> tuple[Line, ...]:
    """All commands with their keys by group, then the filter language and the signs; of all that, what has `find`."""
    wanted = find.casefold().split()
    lines: list[Line] = []
    for group in GROUPS:
        commands = [command for command in keys.commands if command.group == group and (command.keys or wanted)]
        here = [command for command in commands if not view or command.at(view)]
        elsewhere = [command for command in commands if command not in here]
        entries = [_entry(command, glyphs) for command in here]
        entries += [_entry(command, glyphs, where=command.screen or ", ".join(command.views)) for command in elsewhere]
        _section(lines, group, entries, wanted)
    _section(lines, "Filter", [_pair(text, words) for text, words in _FILTERS], wanted)
    signs = [_sign(state, glyphs) for state in SERVICE_STATES]
    _section(lines, "Signs", signs, wanted)
    if not lines:
        lines = [(Cell(f"Nothing here has {find!r} in it.", "dim"),)]
    return tuple(lines)


def _section(lines: list[Line], title: str, entries: Iterable[Entry], wanted: list[str]) -> None:
    found = [lines for lines in entries if all(word in _plain(lines) for word in wanted)]
    if found:
        if lines:
            lines.append(())
        lines.append((Cell(title, "group"),))
        for entry in found:
            lines += entry


def _plain(entry: Entry) -> str:
    return " ".join(cell.text for line in entry for cell in line).casefold()


def _entry(command: Command, glyphs: Glyphs, where: str = "") -> Entry:
    keys = "  ".join(key_label(key, ascii_only=glyphs.ascii) for key in command.keys if key != "ctrl+@") or "(no key)"
    place = f"  in {where}" if where else ""
    first = (
        Cell(f"  {keys.ljust(_KEYS_WIDTH)} ", "key"),
        Cell(f"{command.title}{place}"),
        Cell(f"  {command.id}", "dim"),
    )
    return (first, (Cell(f"{_INDENT}{command.help}", "dim"),)) if command.help else (first,)


def _pair(text: str, words: str) -> Entry:
    return ((Cell(f"  {text.ljust(36)} ", "key"), Cell(words)),)


def _sign(state: str, glyphs: Glyphs) -> Entry:
    sign = f"  {state_glyph(state, glyphs)} {state.ljust(_KEYS_WIDTH - 2)} "
    return ((Cell(sign, state), Cell(_STATE_WORDS[state])),)
