"""The keys in logs, for the one table of keys (`keymap`)."""

from __future__ import annotations

LOG_KEYS: tuple[tuple[str, str, str, str, int, str], ...] = (
    ("find", "slash", "find a regular expression", "find", 90, "Small letters find capitals, too."),
    ("next", "n", "the next line in which it is found", "next", 40, ""),
    ("previous", "N", "the one before", "next", 40, ""),
    ("filter", "f", "only the lines in which it is found, or all", "only found", 70, ""),
    ("context", "x", "more lines around those found: 0, 2, 5, 10", "context", 30, ""),
    ("tail", "0", "the newest lines", "tail", 45, ""),
    ("head", "1", "from the beginning", "head", 44, "The first lines of each replica; nothing is followed then."),
    ("last-1", "2", "the last minute", "", 0, ""),
    ("last-5", "3", "the last 5 minutes", "", 0, ""),
    ("last-15", "4", "the last 15 minutes", "", 0, ""),
    ("last-30", "5", "the last 30 minutes", "", 0, ""),
    ("last-60", "6", "the last hour", "", 0, ""),
    ("autoscroll", "s", "stay at the newest line, or stand still", "autoscroll", 80, ""),
    ("wrap", "w", "break long lines, or cut them", "wrap", 60, ""),
    ("times", "t", "times: of day, in full, none", "times", 55, ""),
    ("json", "J", "JSON lines: as they are, in a few words, folded out", "json", 50, ""),
    ("fold", "enter", "fold the JSON line under the cursor out or in", "", 0, ""),
    ("mark", "m", "mark the line, or take its mark off", "mark", 35, ""),
    ("next-mark", "M", "to the next marked line", "", 0, ""),
    ("copy", "c", "copy the line to the clipboard", "copy", 25, "By OSC 52: it works over SSH where allowed."),
    ("save", "ctrl+s", "save what is shown to a file", "save", 20, ""),
    ("left", "left", "to the left, where lines are cut", "", 0, ""),
    ("right", "right", "to the right", "", 0, ""),
    ("back", "escape q backspace", "back", "back", 85, "Esc first leaves what was looked for."),
)
"""Name behind `logs.`, keys, title, word in the footer, its worth there, and a sentence more."""
