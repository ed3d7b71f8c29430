"""How acting speaks: lists of names, counts, and honest estimates."""

from __future__ import annotations

from collections.abc import Iterable


def names(values: Iterable[str], limit: int = 4) -> str:
    """`web-1, web-2`, and from `limit` on `web-1, web-2, web-3 and 4 more`. In the order given, each once."""
    unique = list(dict.fromkeys(values))
    if len(unique) <= limit:
        return ", ".join(unique)
    shown = unique[: limit - 1]
    return f"{', '.join(shown)} and {len(unique) - len(shown)} more"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 replica`, `3 replicas`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def about(seconds: float) -> str:
    """An estimate that does not pretend: `about 40 s`, `about 3 min`."""
    if seconds < 10:
        return f"about {max(1, round(seconds))} s"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s"
    return f"about {round(seconds / 60)} min"


def took(seconds: float) -> str:
    """A measured time: `0.4 s`, `12 s`."""
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def sentence(text: str) -> str:
    """With a capital at its begin and a full stop at its end."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?:" else ".")
