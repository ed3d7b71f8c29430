"""Keeping the head of the trail where who can rewrite the trail cannot reach it: a file elsewhere, or the journal."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fleettop.collectors.errors import ConfigError, TrailError

if TYPE_CHECKING:
    from fleettop.collectors.trail.store import Head

JOURNAL = "journal"
WAYS = (("systemd-cat", ("--identifier=fleettop-trail",)), ("logger", ("--tag=fleettop-trail",)))
"""Programs that hand standard input to the system's journal, and their arguments: the first that is there is used."""
PATIENCE = 10.0


class Anchor:
    """Where heads are kept."""

    @staticmethod
    def named(name: str, environ: Mapping[str, str]) -> Anchor:
        """What `--anchor` says: a file, or the word journal. Raises ConfigError where that cannot be used."""
        if name != JOURNAL:
            return FileAnchor(Path(name).expanduser())
        for program, arguments in WAYS:
            path = shutil.which(program, path=environ.get("PATH"))
            if path is not None:
                return JournalAnchor((path, *arguments))
        raise ConfigError(
            "--anchor journal: neither systemd-cat nor logger is installed here.",
            hint="Name a file instead, on a disk that who owns the trail cannot change.",
        )

    def keep(self, head: Head, folder: Path) -> None:
        """Add this head of the trail in that folder. Raises TrailError."""
        raise NotImplementedError


class FileAnchor(Anchor):
    """A file that only grows, for its owner's eyes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, head: Head, folder: Path) -> None:
        """Append it; when it returns it survives a power cut."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            handle = os.open(self._path, flags, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise OSError(0, "it is no plain file")
                os.write(handle, f"{words(head, folder)}\n".encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise TrailError(
                f"The head of the trail cannot be kept in {self._path}: {error.strerror}.",
                hint="Name a file in a folder that can be written, or journal.",
            ) from error


class JournalAnchor(Anchor):
    """The system's journal, through the program that is there for that."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command

    def keep(self, head: Head, folder: Path) -> None:
        """Say it there."""
        try:
            done = subprocess.run(  # noqa: S603 - a constant list of words; the head comes by standard input
                self._command,
                input=f"{words(head, folder)}\n",
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            said = done.stderr.strip().rpartition("\n")[2] or f"exit {done.returncode}" if done.returncode else ""
        except (OSError, subprocess.TimeoutExpired) as error:
            said = str(error)
        if said:
            raise TrailError(
                f"The journal does not take the head of the trail: {said}.",
                hint="Look whether a journal runs here, or name a file instead.",
            )


def words(head: Head, folder: Path) -> str:
    """One line: the head first, as `trail verify --head` takes it."""
    return f"{head.seq}:{head.hash} {head.at or '-'} {folder}"


def _head(text: str) -> tuple[int, str] | None:
    """Number and hash of a head as written by us; None: it is none."""
    seq, _, digest = text.partition(":")
    hexadecimal = len(digest) == 64 and set(digest) <= set("0123456789abcdef")
    return (int(seq), digest) if seq.isascii() and seq.isdigit() and hexadecimal else None


def heads_in(path: Path) -> Iterator[tuple[int, str]]:
    """The heads in a file that `FileAnchor` wrote, or in what the journal printed. Raises ConfigError."""
    try:
        text = path.expanduser().read_text(errors="replace")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", hint="Name the file that --anchor wrote."
        ) from error
    for line in text.splitlines():
        for word in line.split():
            head = _head(word)
            if head is not None:
                yield head
