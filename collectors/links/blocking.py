"""Dialing a socket of this machine and waiting for it, for what runs in a thread of its own and has no event loop."""

from __future__ import annotations

import socket


def dial(path: str, seconds: float | None) -> socket.socket:
    """A connected socket with that timeout; whoever gets it closes it. Raises OSError, and leaves nothing open then."""
    dialed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        dialed.settimeout(seconds)
        dialed.connect(path)
    except BaseException:
        dialed.close()
        raise
    return dialed
