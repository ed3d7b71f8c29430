"""What a terminal can show, by what the environment says of it."""

from __future__ import annotations

from collections.abc import Mapping

from .theme import theme_name


def colours(environ: Mapping[str, str]) -> int | None:
    """How many colours it says it has; None: enough."""
    if environ.get("COLORTERM", "") in ("truecolor", "24bit"):
        return None
    terminal = environ.get("TERM", "")
    if terminal == "dumb":
        return 0
    return None if any(word in terminal for word in ("256", "kitty", "direct")) else 16


def speaks_unicode(environ: Mapping[str, str]) -> bool:
    """Whether the locale is one of UTF-8 (POSIX: LC_ALL before LC_CTYPE before LANG)."""
    words = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    return "utf" in words.lower()


def animates(environ: Mapping[str, str]) -> bool:
    """Whether things may glide: not over SSH, where each step is sent; where `TEXTUAL_ANIMATIONS` is set it decides."""
    return "TEXTUAL_ANIMATIONS" in environ or not (environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))


def theme_for(environ: Mapping[str, str], *, color: str, chosen: str) -> str:
    """The theme: none of colour where `color` is `never`, else the one chosen in the config, else by the terminal."""
    if color == "never":
        return theme_name(colours=0)
    if chosen:
        return chosen
    return theme_name(colours=colours(environ) if color == "auto" else None)
