"""Telling a service manager how it goes (sd_notify): one datagram to the socket that it named."""

from __future__ import annotations

import socket
from contextlib import suppress


def notify(address: str, words: str) -> None:
    """Say `READY=1`, `STOPPING=1` or `STATUS=…` there; nothing where none is named, and never an error."""
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
        door.setblocking(False)
        door.sendto(words.encode(), f"\0{address[1:]}" if address[0] == "@" else address)
