"""Fleets for test runs: a number nobody uses, and a keeper that takes the fleet away however the run ends."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from .fleet import Fleet
from .site import LOCKS, Site
from .teardown import namespaces

NUMBER_VARIABLE = "FLEETTOP_FLEET_ID"
NEWER_VARIABLE = "FLEETTOP_FLEET_NEWER"
FIRST, LAST = 20, 127
"""Numbers below are for people; test runs pick among the others."""

KEPT = "kept-by-a-test-run"
ROOT = Path(__file__).parents[2]


def _claim(number: int) -> IO[str] | None:
    """The lock on a number for a test run; None where another run has it."""
    LOCKS.mkdir(exist_ok=True)
    file = (LOCKS / f"ft{number}.run.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _free(number: int) -> bool:
    """Nothing is there, or only what a test run left whose keeper died as well."""
    site = Site(number)
    return (site.folder / KEPT).exists() or (not site.known and not namespaces(site))


def claim_number(*, second: bool = False) -> tuple[int, IO[str]]:
    """A fleet number for this run, and the lock on it. Raises RuntimeError.

    FLEETTOP_FLEET_ID asks for one; a `second` fleet beside it takes any.
    """
    wanted = None if second else os.environ.get(NUMBER_VARIABLE)
    span = LAST - FIRST + 1
    candidates = [int(wanted)] if wanted else [FIRST + (os.getpid() + step) % span for step in range(span)]
    for number in candidates:
        lock = _claim(number)
        if lock is not None:
            if wanted or _free(number):
                return number, lock
            lock.close()
    raise RuntimeError(f"no free number for a fleet among {candidates[0]}…; FLEETTOP_FLEET_ID chooses one")


class KeptFleet:
    """A fleet that is taken down when closed, and by its keeper when this process ends in any other way."""

    def __init__(self, number: int, lock: IO[str]) -> None:
        self.fleet = Fleet(number)
        self._lock = lock
        # The keeper waits on its standard input: a word says that all is done, the end of the input that we are gone.
        # It holds the lock too, so nobody takes the number before it is done.
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.fleet", "--id", str(number), "keep"],
            stdin=subprocess.PIPE, pass_fds=(lock.fileno(),), cwd=ROOT, start_new_session=True,
        )  # fmt: skip

    def up(self) -> None:
        """Bring up what the tests need: h1, h2 (no forwarding), h3 (private), pod1, jump, and a swarm of h1 to h3.

        With FLEETTOP_FLEET_NEWER=1 those three run Debian 13 with its Docker.
        """
        newer = os.environ.get(NEWER_VARIABLE) == "1"
        self.fleet.up(hosts=3, swarm=True, private=1, noforward=1, podman=True, all_newer=newer)
        (self.fleet.folder / KEPT).touch()

    def up_newer(self) -> None:
        """Bring up what tests of a newer Docker need: n1, a swarm of its own, and `bare` for engines of their own."""
        self.fleet.up(hosts=0, newer=1, bare=True, swarm=True)
        (self.fleet.folder / KEPT).touch()

    def close(self) -> None:
        """Take the fleet down. Raises RuntimeError where something stays behind."""
        with ExitStack() as stack:
            stack.callback(self._lock.close)
            left = self.fleet.down()
            self._keeper.communicate(b"done\n", timeout=60)
            if left:
                raise RuntimeError(f"left behind by the fleet: {', '.join(left)}")


def keep(number: int) -> int:
    """The keeper's own program: take the fleet down unless the run says that it did."""
    if sys.stdin.readline().strip() == "done":
        return 0
    return 1 if Fleet(number).down() else 0
