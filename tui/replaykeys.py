"""The keys that are there while a recording is replayed, for the one table of keys (`keymap`)."""

from __future__ import annotations

REPLAY_KEYS: tuple[tuple[str, str, str, str, int, str], ...] = (
    ("pause", "p", "let the recording stand still, or go on", "pause", 99, ""),
    ("next", "n", "to the next event, or host that was lost", "next event", 98, "Stands still a second after it."),
    ("slower", "less_than_sign", "slower", "speed", 96, "×1, ×10, ×60."),
    ("faster", "greater_than_sign", "faster", "speed", 96, ""),
    ("back", "b", "a minute back", "minute", 97, ""),
    ("forward", "f", "a minute on", "minute", 97, ""),
    ("time", "T", "go to a time in the recording", "go to", 94, "14:05, yesterday 14:05, 2026-11-25T14:05, -2h."),
)
"""Name behind `replay.`, keys, title, word in the footer, its worth there, and a sentence more."""
