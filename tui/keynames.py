"""The names of keys: as Textual calls them, as a person writes them into the config, and as they are shown."""

from __future__ import annotations

import unicodedata

from fleettop.collectors.errors import ConfigError

_NAMES = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
# Textual names a key by its Unicode name, with these exceptions (textual.keys.KEY_NAME_REPLACEMENTS).
_ALIASES = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "return": "enter", "del": "delete", "ins": "insert"}
_SPECIAL = frozenset(
    [
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
        *("insert", "delete", "backspace", "tab", "enter", "escape", "space"),
        *(f"f{number}" for number in range(1, 25)),
    ]
)
_MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")
_LABELS = {
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "escape": "Esc",
    "enter": "Enter",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "tab": "Tab",
    "home": "Home",
    "end": "End",
    **{f"f{number}": f"F{number}" for number in range(1, 25)},
}
_ASCII_LABELS = {"↑": "up", "↓": "down", "←": "left", "→": "right"}


def character_key(character: str) -> str:
    """Textual's name of the key that types `character`: `slash` for `/`, `R` for `R`."""
    if character.isalnum():
        return character
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return _NAMES.get(name, name)


_CHARACTERS = {character_key(chr(code)): chr(code) for code in range(0x21, 0x7F)}


def key_label(key: str, *, ascii_only: bool = False) -> str:
    """A key as a person reads it: `/` for `slash`, `PgUp` for `pageup`, `ctrl+p`."""
    *modifiers, last = key.split("+") if key != "+" else ["+"]
    label = _LABELS.get(last) or _CHARACTERS.get(last, last)
    if ascii_only:
        label = _ASCII_LABELS.get(label, label)
    return "+".join([*modifiers, label])


def parse_key(name: str, written: str) -> str:
    """Textual's name of a key that the config gives the command `name`; raises ConfigError where it is none."""
    text = written.strip()
    *modifiers, last = text.split("+") if not text.endswith("+") else [*text[:-1].rstrip("+").split("+"), "+"]
    modifiers = [modifier.lower() for modifier in modifiers if modifier]
    if len(last) == 1 and last.isprintable():
        last = character_key(last)
    elif last in _CHARACTERS:
        pass
    else:
        last = _ALIASES.get(last.lower(), last.lower())
    wrong = [modifier for modifier in modifiers if modifier not in _MODIFIERS]
    if wrong or (last not in _SPECIAL and last not in _CHARACTERS and len(last) != 1):
        raise ConfigError(
            f"[keys] gives {name} the key {text!r}, which is no key.",
            hint='Write a character, or a name like f5, enter, pageup, with ctrl+ or alt+ in front; several as "R,f5".',
        )
    if modifiers == ["shift"] and len(last) == 1:
        return last.upper()
    if modifiers and len(last) == 1:
        last = last.lower()
    return "+".join([*sorted(modifiers, key=_MODIFIERS.index), last])
