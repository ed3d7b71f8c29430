"""Trying a way over SSH in one line, and what stands on the host at its end."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.errors import (
    EngineError,
)
from fleettop.collectors.links import HandshakeGate, link_to

from .servers import Sshd, ask

OK = b"HTTP/1.1 200 OK"


async def reach(sshd: Sshd, gate: HandshakeGate | None = None, **changes: Any) -> bytes:
    """Open a link, ask the engine, close it, and see that nothing is left."""
    link = link_to(sshd.address(**changes), gate=gate)
    try:
        endpoint = await link.open()
        return await ask(endpoint.path)
    finally:
        await link.close()


async def refusal(sshd: Sshd, gate: HandshakeGate | None = None, **changes: Any) -> EngineError:
    """The error that opening a link ends with."""
    with pytest.raises(EngineError) as caught:
        await reach(sshd, gate, **changes)
    return caught.value


async def run(*command: object, **environment: str) -> None:
    """Run a program that must succeed."""
    process = await asyncio.create_subprocess_exec(
        *(str(word) for word in command), env=os.environ | environment, stderr=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


def behind(sshd: Sshd, *jumps: Sshd) -> None:
    """Let the ssh config of `sshd` reach it through `jumps`, each with its own key and known hosts."""
    hops = ""
    for number, jump in enumerate(jumps, 1):
        hops += (
            f"Host jump{number}\n HostName 127.0.0.1\n Port {jump.port}\n User ops\n IdentityFile {jump.key}\n"
            f" IdentitiesOnly yes\n UserKnownHostsFile {jump.known_hosts}\n GlobalKnownHostsFile none\n"
        )
    names = ",".join(f"jump{number}" for number in range(1, len(jumps) + 1))
    sshd.write_config(f"{hops}Host host\n ProxyJump {names}\n")


def docker_command(folder: Path, script: str = "") -> Path:
    """A folder with a docker command that does what `docker system dial-stdio` does."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(exist_ok=True)
    program = bin_folder / "docker"
    program.write_text(script or DIAL.format(python=sys.executable))
    program.chmod(0o755)
    return bin_folder


DIAL = """#!{python}
import os, select, socket, sys
assert sys.argv[1] == "--host" and sys.argv[3:] == ["system", "dial-stdio"], sys.argv
engine = socket.socket(socket.AF_UNIX)
try:
    engine.connect(sys.argv[2].removeprefix("unix://"))
except OSError as error:
    sys.exit("Cannot connect to the Docker daemon at " + sys.argv[2] + ". Is the docker daemon running?")
waiting = [0, engine]
while engine in waiting:
    for ready in select.select(waiting, [], [])[0]:
        data = os.read(0, 65536) if ready == 0 else engine.recv(65536)
        if ready == 0 and data:
            engine.sendall(data)
        elif ready == 0:
            waiting.remove(0)
            engine.shutdown(socket.SHUT_WR)
        elif data:
            os.write(1, data)
        else:
            waiting.remove(engine)
"""
