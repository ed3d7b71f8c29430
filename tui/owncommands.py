"""A person's own commands (`[[commands]]`): run on this machine with what is known of the row under the cursor."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from fleettop.collectors.config.owncommands import OwnCommand
from fleettop.collectors.errors import FleetError
from fleettop.collectors.model import ContainerKey, ServiceKey

from .screens.confirm import ConfirmScreen, Question
from .screens.output import OutputScreen

if TYPE_CHECKING:
    from .app import FleetApp
    from .screens.dashboard import DashboardScreen

KEPT = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "SSH_AUTH_SOCK")
"""What such a command gets of fleettop's own environment; nothing else."""
GRACE = 3.0
"""Seconds between asking its processes to end and ending them."""
_CHUNK = 1 << 16


async def run_own(screen: DashboardScreen, command: OwnCommand) -> None:
    """Ask where that is wanted, run it, and show what it writes until a person closes that."""
    app, chosen = screen.app, screen.selected()
    if len(chosen) != 1:
        words = "takes one row: take the marks off." if chosen else "has no row here."
        app.notify(f"{command.name} {words}", severity="warning", markup=False)
        return
    try:
        words_ = command.words(values_of(app, chosen[0]))
        shown = shlex.join(words_)
        if command.confirm or command.dangerous:
            asked = ConfirmScreen(_question(app, command, chosen[0], shown), key=app.confirming_key, glyphs=app.glyphs)
            confirmed = await app.push_screen_wait(asked)
            if confirmed is None:
                return
            if command.dangerous:
                because = f" ({confirmed.reason})" if confirmed.reason else ""
                app.fleet.note(f"own command {command.name!r} is run here: {shown}{because}")
                await app.session.kept()
    except FleetError as error:
        app.notify(f"{error} {error.hint}".strip(), severity="error", markup=False)
        return
    output = OutputScreen(f"{command.name}: {shown}", glyphs=app.glyphs)
    await app.push_screen(output)
    output.finish(await run_words(words_, environment_of(app.environ), output.feed, output.stopping))


def _question(app: FleetApp, command: OwnCommand, key: Hashable, shown: str) -> Question:
    """What it comes to; in a protected group a dangerous one wants the row's name typed."""
    name = screen_name(app, key)
    groups = {app.fleet.engines[host].group for host in _hosts(app, key) if host in app.fleet.engines}
    guarded = command.dangerous and groups & app.protected_groups
    return Question(
        title=f"{command.name}: {name}",
        sentences=(f"Runs on this machine: {shown}",),
        warnings=("The config calls it dangerous: what it does is its own affair.",) if command.dangerous else (),
        verb="Run",
        name_to_type=name if guarded else "",
    )


def screen_name(app: FleetApp, key: Hashable) -> str:
    """What the row is called."""
    return app.dashboard.view.name_of(app.fleet, key)


def _hosts(app: FleetApp, key: Hashable) -> Sequence[str]:
    if isinstance(key, ServiceKey):
        service = app.fleet.services.get(key)
        return service.hosts if service is not None else ()
    return (key.engine if isinstance(key, ContainerKey) else str(key),)


def values_of(app: FleetApp, key: Hashable) -> dict[str, str]:
    """The fields of a row (`owncommands.FIELDS`); what is not known is missing."""
    if isinstance(key, ServiceKey):
        service = app.fleet.services.get(key)
        if service is None:
            return {}
        return {
            "service.name": service.name,
            "service.stack": service.stack,
            "service.image": service.images[0] if service.images else "",
            "service.state": service.state.value,
        }
    if not isinstance(key, ContainerKey):
        return _of_host(app, str(key))
    container = app.fleet.containers.get(key)
    if container is None:
        return {}
    owner = app.fleet.service_of(key)
    known = app.fleet.services.get(owner) if owner is not None else None
    return {
        **_of_host(app, key.engine),
        "container.name": container.name,
        "container.id": container.id,
        "container.image": container.image,
        "container.state": container.state.value,
        "container.service": known.title if known is not None else "",
    }


def _of_host(app: FleetApp, name: str) -> dict[str, str]:
    address = app.addresses.get(name)
    found = {"host.name": name}
    if address is not None:
        found["host.address"] = address.host or ("localhost" if address.scheme == "unix" else "")
        found["host.user"], found["host.group"] = address.user, address.group
        found["host.port"] = str(address.port) if address.port is not None else ""
    return found


def environment_of(environ: Mapping[str, str]) -> dict[str, str]:
    """What such a command is started with."""
    return {name: environ[name] for name in KEPT if name in environ}


async def run_words(
    words: Sequence[str], environment: Mapping[str, str], feed: Callable[[bytes], None], stop: asyncio.Event
) -> str:
    """Run it in a process group of its own and feed what it writes; how it ended, in words.

    `stop` ends it: TERM to all of the group, KILL after GRACE; leaving early ends it by KILL.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return f"{words[0]} could not be started: {why.lower()}"
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(_follow(process, feed))
            stopping = group.create_task(stop.wait())
            await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                _signal(process.pid, signal.SIGTERM)
                await asyncio.wait((running,), timeout=GRACE)
            running.cancel()
            stopping.cancel()
    finally:
        if stop.is_set() or process.returncode is None:
            _signal(process.pid, signal.SIGKILL)
    code = await process.wait()
    if code >= 0:
        return f"ended with exit code {code}"
    return f"ended by {signal.Signals(-code).name}" if -code in set(signal.Signals) else f"ended by signal {-code}"


async def _follow(process: asyncio.subprocess.Process, feed: Callable[[bytes], None]) -> None:
    """Until all that holds its output has ended, and so has it."""
    assert process.stdout is not None
    while data := await process.stdout.read(_CHUNK):
        feed(data)
    await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
