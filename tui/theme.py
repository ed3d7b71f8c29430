"""Roles of the screen and how each is drawn: on dark, on light, with 16 colours, and with none.

A widget names a role (`down`, `dim`, `cursor`); what it looks like is decided here alone. The colours of the two
true-colour palettes keep 4.5:1 on every background a text can meet (WCAG 2.2, 1.4.3), and the seven states stay apart
under deuteranopia, protanopia and tritanopia: tests/tui/test_theme.py measures both.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from rich.style import Style

from .glyphs import ASCII, SERVICE_STATES, UNICODE, Glyphs, state_glyph, state_of

if TYPE_CHECKING:
    from textual.app import App
    from textual.theme import Theme

__all__ = [
    "ASCII",
    "ROLES",
    "SERVICE_STATES",
    "UNICODE",
    "Glyphs",
    "Palette",
    "Styles",
    "palette_for",
    "register_themes",
    "state_glyph",
    "state_of",
    "styles_for",
    "styles_of",
    "theme_name",
]


class Palette(msgspec.Struct, frozen=True, kw_only=True):
    """The colours of one theme, as `#rrggbb`."""

    name: str
    dark: bool
    background: str
    panel: str
    """Behind the header, the footer and dialogs."""
    cursor: str
    cursor_blurred: str
    marked: str
    gap: str
    """The bar of a span of which nothing is known."""
    text: str
    strong: str
    dim: str
    accent: str
    line: str
    """Borders and rules: no text."""
    down: str
    degraded: str
    starting: str
    flapping: str
    unknown: str
    stopped: str
    healthy: str
    replicas: tuple[str, ...]
    """Names of replicas, in turn."""

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """Everything that text is drawn on."""
        return (self.background, self.panel, self.cursor, self.cursor_blurred, self.marked)


DARK = Palette(
    name="fleettop-dark",
    dark=True,
    background="#10141a",
    panel="#1a2029",
    cursor="#1f2d45",
    cursor_blurred="#1c2430",
    marked="#2e2b1c",
    gap="#2a3039",
    text="#d6dbe3",
    strong="#ffffff",
    dim="#98a2b0",
    accent="#83ccf3",
    line="#5b6675",
    down="#fc6142",
    degraded="#f6dd7c",
    starting="#83ccf3",
    flapping="#e058fe",
    unknown="#ced1d4",
    stopped="#8f9fae",
    healthy="#59a780",
    replicas=("#b4effd", "#f9761f", "#9b83fc", "#f4f4be", "#dca3ae", "#cef91f"),
)

LIGHT = Palette(
    name="fleettop-light",
    dark=False,
    background="#ffffff",
    panel="#f1f3f6",
    cursor="#cfe0f7",
    cursor_blurred="#e4e9f0",
    marked="#f3ecc8",
    gap="#e2e5ea",
    text="#1c2229",
    strong="#000000",
    dim="#545d69",
    accent="#144bcd",
    line="#7d8794",
    down="#ba290c",
    degraded="#572b00",
    starting="#0b4ef2",
    flapping="#6f178c",
    unknown="#232f3d",
    stopped="#50545e",
    healthy="#1e6849",
    replicas=("#054ebd", "#82172c", "#1f4751", "#bd0505", "#0b0b41", "#410b21"),
)

REPLICAS = 6
"""How many colours there are for the names of replicas: `replica-0` and so on. The name always stands beside."""

Styles = Mapping[str, Style]
"""A style for each role."""


def _true_colour(palette: Palette) -> Styles:
    p = palette
    plain = Style.null()
    states = {state: Style(color=getattr(p, state)) for state in SERVICE_STATES}
    states["down"] = Style(color=p.down, bold=True)
    return {
        "": plain,
        **states,
        "dim": Style(color=p.dim),
        "strong": Style(color=p.strong, bold=True),
        "title": Style(color=p.strong, bold=True),
        "head": Style(color=p.dim, bold=True),
        "head-sorted": Style(color=p.accent, bold=True),
        "key": Style(color=p.accent, bold=True),
        "hint": Style(color=p.dim),
        "tab": Style(color=p.dim),
        "tab-active": Style(color=p.strong, bgcolor=p.cursor, bold=True),
        "ok": Style(color=p.healthy),
        "warning": Style(color=p.degraded),
        "error": Style(color=p.down, bold=True),
        "insecure": Style(color=p.down, bold=True, reverse=True),
        "read-only": Style(color=p.accent, bold=True, reverse=True),
        "age-old": Style(color=p.degraded),
        "age-warn": Style(color=p.degraded, bold=True),
        "age-page": Style(color=p.down, bold=True),
        "usage-high": Style(color=p.degraded),
        "usage-full": Style(color=p.down, bold=True),
        "link": Style(color=p.accent, underline=True),
        "match": Style(underline=True, bold=True),
        "line": Style(color=p.line),
        "gap": Style(color=p.text, bgcolor=p.gap),
        "unknown-actor": Style(color=p.degraded, bold=True),
        "group": Style(color=p.accent, bold=True),
        "stale": Style(color=p.dim, italic=True),
        "trouble": plain,
        "cursor": Style(bgcolor=p.cursor),
        "cursor-blurred": Style(bgcolor=p.cursor_blurred),
        "marked": Style(bgcolor=p.marked),
        "mark": Style(color=p.accent, bold=True),
        **{f"replica-{number}": Style(color=colour) for number, colour in enumerate(p.replicas)},
        "found": Style(color=p.degraded, bold=True, reverse=True),
    }


def _sixteen(*, dark: bool) -> Styles:
    """With the terminal's own colours, whatever they are: nothing but bold, reverse and the 16 names."""
    red, blue, magenta = ("bright_red", "bright_cyan", "bright_magenta") if dark else ("red", "blue", "magenta")
    # Yellow cannot be read on white on any usual palette: there it is a badge.
    yellow = Style(color="bright_yellow") if dark else Style(color="black", bgcolor="yellow")
    plain = Style.null()
    return {
        **_no_colour(),
        "down": Style(color=red, bold=True),
        "degraded": yellow,
        "starting": Style(color=blue),
        "flapping": Style(color=magenta),
        "unknown": plain,
        "stopped": Style(dim=True),
        "healthy": Style(color="green") if dark else plain,
        "head-sorted": Style(color=blue, bold=True),
        "key": Style(color=blue, bold=True),
        "ok": Style(color="green") if dark else plain,
        "warning": yellow,
        "error": Style(color=red, bold=True),
        "insecure": Style(color=red, bold=True, reverse=True),
        "age-old": yellow,
        "age-warn": yellow + Style(bold=True),
        "age-page": Style(color=red, bold=True),
        "usage-high": yellow,
        "usage-full": Style(color=red, bold=True),
        "link": Style(color=blue, underline=True),
        "group": Style(color=blue, bold=True),
        "unknown-actor": yellow + Style(bold=True),
        "mark": Style(color=blue, bold=True),
        **{
            f"replica-{number}": Style(color=name)
            for number, name in enumerate(
                (blue, "yellow" if dark else "red", magenta, "green", "cyan", "white" if dark else "black")
            )
        },
        "found": Style(color="black", bgcolor="yellow"),
    }


def _no_colour() -> Styles:
    """With bold, dim, underline and reverse alone (https://no-color.org)."""
    plain, bold, dim = Style.null(), Style(bold=True), Style(dim=True)
    turned = Style(bold=True, reverse=True)
    return {
        "": plain,
        "down": bold,
        "degraded": bold,
        "starting": plain,
        "flapping": bold,
        "unknown": plain,
        "stopped": dim,
        "healthy": dim,
        "dim": dim,
        "strong": bold,
        "title": bold,
        "head": Style(underline=True),
        "head-sorted": Style(underline=True, bold=True),
        "key": bold,
        "hint": plain,
        "tab": plain,
        "tab-active": turned,
        "ok": plain,
        "warning": bold,
        "error": bold,
        "insecure": turned,
        "read-only": turned,
        "age-old": bold,
        "age-warn": bold,
        "age-page": turned,
        "usage-high": bold,
        "usage-full": turned,
        "link": Style(underline=True),
        "match": Style(underline=True, bold=True),
        "line": dim,
        "gap": Style(reverse=True),
        "unknown-actor": bold,
        "group": bold,
        "stale": dim,
        "trouble": plain,
        "cursor": Style(reverse=True),
        "cursor-blurred": Style(underline=True),
        "marked": bold,
        "mark": bold,
        **{f"replica-{number}": plain for number in range(REPLICAS)},
        "found": Style(bold=True, reverse=True, underline=True),
    }


ROLES = tuple(_no_colour())
"""Every role there is."""

_PALETTES: Mapping[str, Palette] = {DARK.name: DARK, LIGHT.name: LIGHT}
_TABLES = {
    "fleettop-ansi-dark": lambda: _sixteen(dark=True),
    "fleettop-ansi-light": lambda: _sixteen(dark=False),
    "fleettop-mono": _no_colour,
}


@cache
def styles_for(name: str, *, dark: bool = True) -> Styles:
    """The styles of all roles in the theme of that name; for a foreign theme those of ours that is as dark or light."""
    if name in _TABLES:
        return _TABLES[name]()
    return _true_colour(_PALETTES.get(name) or palette_for(dark=dark))


def palette_for(*, dark: bool) -> Palette:
    """The colours of the dark or the light theme."""
    return DARK if dark else LIGHT


def styles_of(app: App[Any]) -> Styles:
    """The styles of all roles as the app is drawn now."""
    theme = app.current_theme
    if theme.ansi and theme.name not in _TABLES:
        return styles_for("fleettop-ansi-dark" if theme.dark else "fleettop-ansi-light")
    return styles_for(theme.name, dark=theme.dark)


def theme_name(*, dark: bool = True, colours: int | None = None) -> str:
    """The theme for a terminal: `colours` is how many it has (0: none wanted; None or more than 16: enough)."""
    if colours == 0:
        return "fleettop-mono"
    if colours is not None and colours <= 16:
        return "fleettop-ansi-dark" if dark else "fleettop-ansi-light"
    return DARK.name if dark else LIGHT.name


def register_themes(app: App[Any]) -> None:
    """Make the five themes known to the app."""
    for theme in _themes():
        app.register_theme(theme)


_CALM_LINES = dict.fromkeys(
    ("border", "border-blurred", "scrollbar", "scrollbar-hover", "scrollbar-active"), "ansi_default"
)
"""In sixteen colours, too: Textual draws borders magenta and scrollbars blue, which mean something here, or nothing."""
_COLOURLESS = {
    **dict.fromkeys(
        [
            *("border", "border-blurred", "ansi-background", "ansi-foreground"),
            *("block-cursor-foreground", "block-cursor-background", "block-hover-background"),
            *("scrollbar", "scrollbar-hover", "scrollbar-active", "scrollbar-background", "scrollbar-corner-color"),
            *("scrollbar-background-hover", "scrollbar-background-active"),
            *("link-color", "link-background-hover", "link-color-hover"),
            *("input-cursor-background", "input-cursor-foreground"),
            *("input-selection-background", "input-selection-foreground"),
            *("screen-selection-background", "screen-selection-foreground"),
        ],
        "ansi_default",
    ),
    "block-cursor-text-style": "bold reverse",
    "input-cursor-text-style": "reverse",
}
"""What Textual's own widgets are drawn with where there is to be no colour."""


def _themes() -> tuple[Theme, ...]:
    from textual.theme import BUILTIN_THEMES, Theme

    def true_colour(p: Palette) -> Theme:
        return Theme(
            name=p.name,
            dark=p.dark,
            primary=p.accent,
            secondary=p.line,
            accent=p.accent,
            warning=p.degraded,
            error=p.down,
            success=p.healthy,
            foreground=p.text,
            background=p.background,
            surface=p.panel,
            panel=p.panel,
            boost=p.panel,
            text_alpha=1.0,
            variables={
                "text": p.text,
                "text-muted": p.dim,
                "text-disabled": p.dim,
                "border": p.line,
                "border-blurred": p.line,
                "input-cursor-background": p.text,
                "input-cursor-foreground": p.background,
                "input-selection-background": p.cursor,
                "block-cursor-background": p.cursor,
                "block-cursor-foreground": p.strong,
                "block-cursor-text-style": "bold",
                "scrollbar": p.line,
                "scrollbar-hover": p.dim,
                "scrollbar-active": p.dim,
                "scrollbar-background": p.background,
                "scrollbar-background-hover": p.background,
                "scrollbar-background-active": p.background,
                "scrollbar-corner-color": p.background,
            },
        )

    def sixteen(name: str, *, dark: bool, colours: bool = True) -> Theme:
        base = BUILTIN_THEMES["ansi-dark" if dark else "ansi-light"]
        none = "" if colours else "ansi_default"
        return Theme(
            name=name,
            ansi=True,
            dark=dark,
            primary=none or base.primary,
            secondary=none or base.secondary,
            warning=none or base.warning,
            error=none or base.error,
            success=none or base.success,
            accent=none or base.accent,
            foreground="ansi_default",
            background="ansi_default",
            surface="ansi_default",
            panel="ansi_default",
            boost="ansi_default",
            variables={**base.variables, **_CALM_LINES} if colours else _COLOURLESS,
        )

    return (
        true_colour(DARK),
        true_colour(LIGHT),
        sixteen("fleettop-ansi-dark", dark=True),
        sixteen("fleettop-ansi-light", dark=False),
        sixteen("fleettop-mono", dark=True, colours=False),
    )
