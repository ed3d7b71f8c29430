"""Telling that a hidden value changed, without keeping the value.

A print is a keyed hash, and the key is made anew in each process and never leaves this module: with a print alone
nobody can try out values, and two runs of fleettop cannot be compared. It is never shown and never stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from hashlib import blake2b

from .fields import safe

SIZE = 8
"""Bytes of a print: two values out of a billion have the same one by chance with a likelihood of 3 %."""
_KEYED = blake2b(key=secrets.token_bytes(32), digest_size=SIZE)


def fingerprint(*values: str) -> bytes:
    """Of these values in this order; nothing for none."""
    if not any(values):
        return b""
    print_ = _KEYED.copy()
    print_.update("\0".join(values).encode("utf-8", "surrogatepass"))
    return print_.digest()


def environment(entries: Iterable[str] | None) -> tuple[tuple[str, ...], bytes]:
    """The names of the variables in `NAME=value` entries, in their order, and the prints of their values in that order.

    A print also stands for which name it is of: the same value under two names cannot be told to be the same.
    """
    found: dict[str, str] = {}
    for entry in entries or ():
        name, _, value = entry.partition("=")
        found[safe(name, 128)] = value  # the last one counts
    names = tuple(sorted(found))
    return names, b"".join(fingerprint(name, found[name]) for name in names)
