"""How ages, times, counts and images are put in words. Pure; the screens and the stories use the same ones."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

MINUTE, HOUR, DAY = 60, 3600, 86400
IMAGES = 4096
"""Names of images whose parts are kept: a service of hundreds of replicas asks for the same one hundreds of times."""


def age(seconds: float) -> str:
    """A span in two parts at most: `12s`, `4m 12s`, `3h 5m`, `1d 4h`, `12d`. Below zero it is `0s`."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return _two(whole // MINUTE, "m", whole % MINUTE, "s")
    if whole < DAY:
        return _two(whole // HOUR, "h", whole % HOUR // MINUTE, "m")
    if whole < 3 * DAY:
        return _two(whole // DAY, "d", whole % DAY // HOUR, "h")
    return f"{whole // DAY}d"


def short_age(seconds: float) -> str:
    """A span in one part, for narrow columns: `12s`, `4m`, `3h`, `12d`."""
    whole = max(0, int(seconds))
    for unit, letter in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if whole >= unit:
            return f"{whole // unit}{letter}"
    return f"{whole}s"


def long_age(seconds: float) -> str:
    """A span in one part, as a sentence says it: `12 seconds`, `4 minutes`, `3 days`."""
    whole = max(0, int(seconds))
    for unit, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if whole >= unit:
            return count(whole // unit, word)
    return count(whole, "second")


def clock_time(moment: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """A moment as a clock on the wall shows it (`zone` None: this machine's): `02:36:55`, with the day if not today."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M:%S}"
    if local.year == today.year or abs(today - local) < timedelta(days=180):
        return f"{local.day} {local:%b %H:%M}"
    return f"{local:%Y-%m-%d}"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 replica`, `3 replicas`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`."""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def listed(names: Iterable[str], limit: int = 3) -> str:
    """`web-1, web-2, web-3 and 4 more`."""
    all_of_them = tuple(names)
    if len(all_of_them) <= limit + 1:
        return ", ".join(all_of_them)
    return f"{', '.join(all_of_them[:limit])} and {len(all_of_them) - limit} more"


def signal_name(text: str) -> str:
    """What the engine calls a signal (`9`, `SIGTERM`, `TERM`) as its name: `SIGKILL`."""
    bare = text.strip().upper()
    if bare.isdigit():
        try:
            return signal.Signals(int(bare)).name
        except ValueError:
            return f"signal {bare}"
    if not bare:
        return ""
    return bare if bare.startswith("SIG") else f"SIG{bare}"


@lru_cache(IMAGES)
def image_parts(image: str) -> tuple[str, str]:
    """Name without registry and without digest, and tag: `registry.example.org:5000/pay/api:2@sha256:…` is
    (`pay/api`, `2`). A bare image id has no name.
    """
    named = image.split("@", 1)[0]
    if named.startswith("sha256:") or _HEX_ID.fullmatch(named):
        return "", ""
    name, colon, tag = named.rpartition(":")
    if not colon or "/" in tag:
        name, tag = named, ""
    host, slash, rest = name.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        name = rest
    return name.removeprefix("library/"), tag


_HEX_ID = re.compile(r"[0-9a-f]{12}|[0-9a-f]{64}")


def short_image(image: str) -> str:
    """An image in a narrow column: `pay/api:2`, or `pay/api@9f3c1a2b` where it has a digest and no tag.

    Twelve characters of the id where it has no name.
    """
    name, tag = image_parts(image)
    digest = image.partition("@sha256:")[2]
    if not name:
        return short_id(image.split("@", 1)[-1])
    if not tag and digest:
        return f"{name}@{digest[:8]}"
    return f"{name}:{tag}" if tag else name


@lru_cache(IMAGES)
def familiar_image(image: str) -> str:
    """The same words for the same image: `bb`, `localhost/bb:latest` and `docker.io/library/bb` are all `bb:latest`.

    Podman writes names out: `localhost/` before what was built there, `docker.io/library/` before what Docker calls by
    its bare name. An id stays as it is.
    """
    named, at, digest = image.partition("@")
    if named.startswith("sha256:") or _HEX_ID.fullmatch(named):
        return image
    for prefix in ("localhost/", "docker.io/", "index.docker.io/"):
        named = named.removeprefix(prefix)
    named = named.removeprefix("library/")
    tagged = digest or ":" in named.rpartition("/")[2]
    return f"{named}{at}{digest}" if tagged else f"{named}:latest"


def version_words(image: str) -> str:
    """What tells an image from the one before: its tag where that speaks for itself (`2.8.1`), else `name:tag`."""
    tag = image_parts(image)[1]
    return tag if "." in tag else short_image(image)


def short_id(identifier: str) -> str:
    """Twelve characters of an id, as Docker shows it."""
    return identifier.removeprefix("sha256:")[:12]


def quoted(words: str) -> str:
    """Somebody's own words."""
    return f"“{words}”"


def _two(first: int, first_unit: str, second: int, second_unit: str) -> str:
    return f"{first}{first_unit} {second}{second_unit}" if second else f"{first}{first_unit}"


def bytes_words(amount: int | None) -> str:
    """Bytes as `docker system df` writes them, in steps of 1000: `12.3MB`."""
    if amount is None:
        return "–"
    scaled = float(amount)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if scaled < 999.5 or unit == "TB":
            break
        scaled /= 1000
    return f"{scaled:.4g}{unit}"
