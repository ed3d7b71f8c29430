"""Spans of time, amounts of memory and shares as people write them: `90s`, `1h30m`; `500M`, `10GiB`; `0.5%`."""

from __future__ import annotations

import re

from ..errors import ConfigError

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kmgt]?)(i?b)?")
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,4})?)\s*%", re.ASCII)
_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def parse_duration(text: str) -> float:
    """Seconds of a span such as `90s`, `3m`, `1h30m` or `2d`. Raises ConfigError in one sentence."""
    compact = text.strip().lower().replace(" ", "")
    parts = _PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise ConfigError(f"{text!r} is no span of time", hint="Write 30s, 5m, 1h30m or 2d.")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def parse_size(text: str) -> int:
    """Bytes of an amount such as `500M` or `10GiB`, in powers of 1024. Raises ConfigError in one sentence."""
    found = _SIZE.fullmatch(text.strip().lower().replace(" ", ""))
    if found is None:
        raise ConfigError(f"{text!r} is no amount of memory", hint="Write 500M or 10G.")
    return int(float(found[1]) * _BYTES[found[2]])


def parse_share(text: str) -> float:
    """The share that `0.5%` is: 0.005; no more than a whole. Raises ConfigError in one sentence."""
    found = _SHARE.fullmatch(text.strip())
    if found is None or float(found[1]) > 100:
        raise ConfigError(f"{text.strip()!r} is no share", hint="Write 1% or 0.5%; 0% is nothing at all.")
    return float(found[1]) / 100
