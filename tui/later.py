"""What the first screen does without. It is loaded while that screen stands, or when it is wanted, whichever is first.

A fifth of what the program is made of is there for keys that nobody has pressed yet: loading it takes 60 ms of a start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .acting import Act
    from .looking import Look

MODULES = (
    "fleettop.tui.views.containers",
    "fleettop.tui.views.hosts",
    "fleettop.tui.views.trail",
    "fleettop.tui.views.checks",
    "fleettop.tui.views.storage",
    "fleettop.tui.views.swarm",
    "fleettop.tui.looking",
    "fleettop.tui.screens.help",
    "fleettop.tui.acting",
    "fleettop.tui.swarming",
    "fleettop.tui.storing",
    "fleettop.tui.drilling",
    "fleettop.tui.owncommands",
    "fleettop.collectors.looseends",
    "fleettop.collectors.alarms.watchman",
)
"""What is looked at before what is done."""


@cache
def looks() -> Mapping[str, Look]:
    """The commands that only look, by their ids in the command table."""
    from .looking import LOOKS

    return LOOKS


@cache
def deeds() -> Mapping[str, Act]:
    """The commands that change something, likewise."""
    from .acting import ACTS
    from .drilling import DRILLS
    from .storing import STORING
    from .swarming import MENUS

    return {**ACTS, **MENUS, **STORING, **DRILLS}


async def load() -> None:
    """Load all of it, in a thread: whoever presses a key meanwhile waits for one module at most."""
    for name in MODULES:
        await asyncio.to_thread(import_module, name)
