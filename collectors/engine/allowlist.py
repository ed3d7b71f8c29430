"""What may be sent to an engine at all: a default-deny list of (method, path), on the way of every request.

Read-only lets the reads through; otherwise a second list of the writes that actions send is let through too. Anything
else is refused in both modes, unknown GETs included: `export`, `archive`, `attach/ws` and `/swarm` (which returns join
tokens) are not harmless, and `/top` leaves an event for each look.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..errors import ReadOnly

_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_IMAGE = r"[A-Za-z0-9][A-Za-z0-9_.:@-]*(?:/[A-Za-z0-9][A-Za-z0-9_.:@-]*)*"

READS: tuple[tuple[str, str], ...] = (
    ("GET", "/_ping"),
    ("HEAD", "/_ping"),
    ("GET", "/version"),
    ("GET", "/info"),
    ("GET", "/events"),
    ("GET", "/system/df"),
    ("GET", "/containers/json"),
    ("GET", "/containers/{id}/json"),
    ("GET", "/containers/{id}/stats"),
    ("GET", "/containers/{id}/logs"),
    ("GET", "/exec/{id}/json"),
    ("GET", "/images/json"),
    ("GET", "/images/{image}/json"),
    ("GET", "/networks"),
    ("GET", "/networks/{id}"),
    ("GET", "/volumes"),
    ("GET", "/volumes/{id}"),
    ("GET", "/nodes"),
    ("GET", "/nodes/{id}"),
    ("GET", "/services"),
    ("GET", "/services/{id}"),
    ("GET", "/tasks"),
    ("GET", "/tasks/{id}"),
)
"""Allowed always."""

WRITES: tuple[tuple[str, str], ...] = (
    ("POST", "/containers/create"),
    *(
        ("POST", f"/containers/{{id}}/{verb}")
        for verb in ("start", "stop", "restart", "kill", "pause", "unpause", "update", "rename")
    ),
    ("DELETE", "/containers/{id}"),
    ("POST", "/containers/{id}/exec"),
    ("POST", "/exec/{id}/start"),
    ("POST", "/exec/{id}/resize"),
    ("POST", "/networks/{id}/connect"),
    ("POST", "/services/{id}/update"),
    ("POST", "/nodes/{id}/update"),
    ("DELETE", "/images/{image}"),
    ("DELETE", "/volumes/{id}"),
    ("POST", "/build/prune"),
)
"""Allowed where fleettop does not run read-only: what its actions send, and no more."""


def _compiled(rules: tuple[tuple[str, str], ...]) -> dict[str, re.Pattern[str]]:
    patterns: dict[str, list[str]] = {}
    for method, path in rules:
        pattern = "".join({"{id}": _ID, "{image}": _IMAGE}.get(part, part) for part in re.split(r"({\w+})", path))
        patterns.setdefault(method, []).append(pattern)
    return {method: re.compile("|".join(f"(?:{pattern})" for pattern in found)) for method, found in patterns.items()}


_READS = _compiled(READS)
_WRITES = _compiled(WRITES)
_VERSION = re.compile(r"/v\d{1,2}\.\d{1,3}(?=/)")
_PLAIN = re.compile(r"/[A-Za-z0-9_.:@/-]*")


def check(method: str, path: str, *, read_only: bool) -> None:
    """Return where this request may be sent; raise ReadOnly, which says what was refused, where it may not.

    `path` may carry the version (`/v1.41/…`) and a query. Anything that two readers could read differently is refused:
    percent signs, backslashes, doubled or trailing slashes, dot segments, whole URLs.
    """
    method = method.upper()
    bare = path.partition("?")[0]
    if _unambiguous(bare):
        bare = _VERSION.sub("", bare, count=1)
        if _matches(_READS, method, bare):
            return
        if _matches(_WRITES, method, bare):
            if not read_only:
                return
            raise ReadOnly(f"Refused: {method} {bare} changes something, and fleettop runs read-only.")
    shown = bare[:120] if bare.isprintable() else ascii(bare[:120])
    raise ReadOnly(
        f"Refused: {method[:16]!a} {shown} is not among the requests fleettop may send.",
        hint="fleettop sends an engine only what stands on its list of requests; no setting changes that.",
    )


@lru_cache(1 << 10)  # an engine is asked the same things again and again
def _unambiguous(path: str) -> bool:
    return (
        _PLAIN.fullmatch(path) is not None
        and "//" not in path
        and not any(segment in (".", "..") for segment in path.split("/"))
    )


def _matches(rules: dict[str, re.Pattern[str]], method: str, path: str) -> bool:
    pattern = rules.get(method)
    return pattern is not None and pattern.fullmatch(path) is not None
