"""What is measured: fleettop, its peers, and floors that show what the machine and the engine can do."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "build/peers"
DTOP = "dtop==2.3.5"
NAME = re.compile(r"\bweb-\d{3}\b")
READY = 10
"""A program has its containers on screen when it shows the names of so many."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to start something, and what on its screen means what. `{socket}` and `{file}` are filled in."""

    name: str
    what: str
    command: tuple[str, ...]
    view: bytes = b""
    """Typed when it stands, to get to where it is measured."""
    ended: str = ""
    """A regex of the line that says a container has ended, `{name}` filled in; empty: its line is gone."""
    runs: str = r"\b{name}\b"
    """A regex of the line that says it runs."""
    appends: bool = False
    """Puts what starts at the end of its list, so off the screen where more run than fit."""
    figures: bool = False
    """Shows CPU and memory of containers."""
    keys: bool = False
    """Moves by arrow keys."""
    events: bool = True
    """Shows what containers do."""
    lists: bool = True
    """Shows names of containers when it has started."""
    version: tuple[str, ...] = field(default=())
    """A command that prints its version."""

    def line(self, socket: Path, file: Path) -> list[str]:
        """The command for this engine."""
        return [word.replace("{socket}", str(socket)).replace("{file}", str(file)) for word in self.command]

    def environment(self, socket: Path, home: Path) -> Mapping[str, str]:
        """Surroundings in which it finds this engine, and no settings of who measures."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "DOCKER_HOST": f"unix://{socket}",
        }

    def told_version(self) -> str:
        """What it prints of its version, in one line."""
        if not self.version:
            return ""
        done = subprocess.run(self.version, capture_output=True, text=True, check=False)
        return (done.stdout or done.stderr).strip().partition("\n")[0]


FLEETTOP_BINARY = str(Path(sys.executable).parent / "fleettop")
FLEETTOP = Program(
    name="fleettop",
    what="this",
    command=(FLEETTOP_BINARY, "unix://{socket}"),
    view=b"2",
    ended=r"\b{name}\s+exited",
    runs=r"\b{name}\s+(?:running|healthy|starting)",
    figures=True,
    keys=True,
    version=(FLEETTOP_BINARY, "--version"),
)
TRAIL = Program(
    name="fleettop, Trail",
    what="this, without figures",
    command=FLEETTOP.command,
    view=b"4",
)
DOCKER_STATS = Program(
    name="docker stats",
    what="Docker's own",
    command=("docker", "stats"),
    figures=True,
    appends=True,
    version=("docker", "--version"),
)
PS_LOOP = Program(
    name="docker ps, looped",
    what="floor: `docker ps`, cleared and repeated every second",
    command=("sh", "-c", 'while :; do out=$(docker ps); clear; echo "$out" | head -48; sleep 1; done'),
    events=False,
)
DOCKER_EVENTS = Program(
    name="docker events",
    what="floor: a line for each event",
    command=("docker", "events", "--format", "{{.Action}} {{.Actor.Attributes.name}}"),
    ended=r"^die {name}\b",
    runs=r"^start {name}\b",
    lists=False,
)
LESS = Program(name="less", what="floor: a file", command=("less", "{file}"), keys=True, events=False, lists=False)
# It reads /var/run/docker.sock whatever DOCKER_HOST says, so it gets mounts of its own where that is the engine's.
DTOP_INSIDE = "mount -t tmpfs tmpfs /run && ln -s {socket} /run/docker.sock && exec "


def dtop(binary: Path) -> Program:
    """PyPI's dtop, installed there."""
    python = binary.parent / "python"
    told = "import importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in ('dtop', 'textual')), sep=', ')"
    return Program(
        name="dtop",
        what="PyPI's, Textual too",
        command=("unshare", "--mount", "sh", "-c", DTOP_INSIDE + shlex.quote(str(binary))),
        ended=r"\b{name}\s+\S+\s+exited",
        runs=r"\b{name}\s+\S+\s+running",
        figures=True,
        keys=True,
        version=(str(python), "-c", told),
    )


def install_dtop() -> Path | str:
    """Install dtop into an environment of its own under build/; where that fails, the reason."""
    folder = PEERS / "dtop"
    binary = folder / "bin/dtop"
    if binary.exists():
        return binary
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", DTOP],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            return f"{DTOP} could not be installed: {(done.stderr or done.stdout).strip().splitlines()[-1]}"
    return binary
