"""This process, as the trail knows it: who runs it, where, and a name that no other process has."""

from __future__ import annotations

import os
import pwd
import socket

import msgspec

VERSION = "0.1.0"
"""Of fleettop, as in pyproject.toml: reading it from the metadata of the package takes 30 ms of every start."""


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One fleettop that runs, or ran."""

    name: str
    """No other process has it."""
    actor: str
    """Who runs it, and where: `ops1@bastion`."""
    host: str
    pid: int

    @property
    def place(self) -> str:
        """Which process it is, in words that `runs` understands."""
        return f"process {self.pid} on {self.host}"


def this_instance() -> Instance:
    """A new name for this process."""
    return Instance(name=os.urandom(6).hex(), actor=own_name(), host=socket.gethostname(), pid=os.getpid())


def own_name() -> str:
    """Who runs fleettop, and where. From the user id, since an environment can say anything."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def runs(place: str) -> bool | None:
    """Whether the process of an `Instance.place` is still there; None: it is on another machine."""
    words = place.split(" ")
    if len(words) != 4 or words[3] != socket.gethostname() or not words[1].isdigit():
        return None
    try:
        os.kill(int(words[1]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
