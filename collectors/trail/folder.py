"""The folder a trail lies in: ours alone, its files found by number, made whole or not at all, links never followed."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..errors import StoreFull, TrailError

NAME = re.compile(r"segment-(\d{6,})\.sqlite")
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file that is being written."""
LEFT_OVER = 3600.0
"""Seconds after which a half-made file was left by a program that died."""
FULL = (28, 122, 27)
"""ENOSPC, EDQUOT, EFBIG."""


class Folder:
    """The files of one trail."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make it, or see that it is ours alone. Raises TrailError where it is not."""
        with _told(self.path):
            if not self.path.is_symlink():
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.look()
            about = self.path.lstat()
            _refuse_strangers(self.path, about)
            if stat.S_IMODE(about.st_mode) & 0o077:
                self._narrow()
            self._sweep()

    def look(self) -> None:
        """See that it is a folder and no link. Raises TrailError."""
        with _told(self.path):
            mode = self.path.lstat().st_mode
        if not stat.S_ISDIR(mode):
            what = "a symbolic link" if stat.S_ISLNK(mode) else "no folder"
            raise TrailError(f"{self.path} is {what}", hint="Name the folder itself that the trail is to lie in.")

    def _sweep(self) -> None:
        """Remove the drafts that were left over. Another program may be at its own in the same moment."""
        for file in self.path.glob(".segment-*"):
            with suppress(FileNotFoundError):
                if time.time() - file.lstat().st_mtime > LEFT_OVER:
                    file.unlink()

    def _narrow(self) -> None:
        """Others may look into it: close it, where it is the trail's own."""
        if any(not NAME.fullmatch(file.name.removeprefix(".")) for file in self.path.iterdir()) and not self.numbers():
            raise TrailError(
                f"{self.path} is open to other users and holds other things than a trail",
                hint="Name a folder of its own for the trail, or close this one: chmod 700.",
            )
        self.path.chmod(0o700)

    def numbers(self) -> list[int]:
        """The segments there are, oldest first."""
        with _told(self.path):
            names = os.listdir(self.path)  # noqa: PTH208 - names are enough, and this is called for every page
        return sorted(int(found[1]) for name in names if (found := NAME.fullmatch(name)))

    def file(self, number: int) -> Path:
        """Where a segment lies."""
        return self.path / f"segment-{number:06d}.sqlite"

    def own(self, file: Path) -> bool:
        """See that a file is a plain one, ours, and readable by nobody else (made so where not). False: not there."""
        try:
            about = file.lstat()
        except FileNotFoundError:
            return False
        _refuse_links(file, about)
        _refuse_strangers(file, about)
        if stat.S_IMODE(about.st_mode) & 0o077:
            try:
                file.chmod(0o600)
            except FileNotFoundError:
                return False
        return True

    def create(self, file: Path, fill: Callable[[Path], None]) -> bool:
        """Make a file whole: `fill` writes it under another name first. False: somebody else was quicker."""
        draft = file.with_name(f".{file.stem}-{os.getpid()}-{time.monotonic_ns()}.sqlite")
        try:
            with _told(self.path):
                os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600))
                draft.chmod(0o600)
                fill(draft)
                _to_disk(draft)
                try:
                    os.link(draft, file)  # unlike a rename, never in place of what is there
                except FileExistsError:
                    return False
        finally:
            for beside in ("", *BESIDE):
                with suppress(OSError):
                    os.unlink(f"{draft}{beside}")  # noqa: PTH108
        _to_disk(self.path)
        return True

    def remove(self, number: int) -> None:
        """Delete a segment whole."""
        with _told(self.path):
            for beside in ("", *BESIDE):
                Path(f"{self.file(number)}{beside}").unlink(missing_ok=True)
            _to_disk(self.path)

    def size_of(self, number: int) -> int:
        """Bytes of a segment, none where another program removed it meanwhile."""
        with _told(self.path):
            try:
                return self.file(number).stat().st_size
            except FileNotFoundError:
                return 0

    def traces(self, number: int) -> tuple[int, int, int]:
        """What shows from outside that a segment was written or another begun: other numbers, where anyone did.

        What is written within one tick of the file system's clock may leave the same. Where SQLite has removed its log,
        as whoever closes the segment last does, the next to write makes one, which changes the folder.
        """
        folder = 0
        try:
            folder = os.stat(self.path).st_mtime_ns  # noqa: PTH116 - called every second
            log = os.stat(f"{self.file(number)}{BESIDE[0]}")  # noqa: PTH116
        except OSError:
            return folder, 0, 0
        return folder, log.st_mtime_ns, log.st_size

    def size(self) -> int:
        """Bytes of all its files."""
        total = 0
        with _told(self.path):
            for entry in os.scandir(self.path):
                with suppress(FileNotFoundError):
                    total += entry.stat(follow_symlinks=False).st_size
        return total


def refuse_link(file: Path) -> None:
    """Raises TrailError for what is no plain file."""
    with suppress(FileNotFoundError):
        _refuse_links(file, file.lstat())


def _refuse_links(file: Path, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        what = "a symbolic link" if stat.S_ISLNK(about.st_mode) else "no plain file"
        raise TrailError(
            f"{file} is {what}", hint="Find out who put it there; the trail does not follow links. Move it away."
        )


def _refuse_strangers(path: Path, about: os.stat_result) -> None:
    if about.st_uid != os.geteuid():
        raise TrailError(
            f"{path} belongs to another user (uid {about.st_uid})",
            hint="Keep the trail as the user that owns it, or name another folder.",
        )


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _told:  # noqa: N801 - read as a word
    """What the system refuses becomes an error of ours."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            if error.errno in FULL:
                raise full(self._path) from error
            raise TrailError(
                f"The trail in {self._path} cannot be used: {error.strerror or error}",
                hint="Check the folder and its rights, or name another with --trail.",
            ) from error


def full(path: Path) -> StoreFull:
    """No room."""
    return StoreFull(
        f"There is no room left for the trail in {path}",
        hint="Make room on that disk (or raise the quota); writing goes on by itself then.",
    )
