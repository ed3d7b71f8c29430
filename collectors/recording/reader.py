"""Reading a recording: where its whole pictures are, and the lines from one of them on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from .lines import HOW, Header, Line, RecordingError, decode, decode_header, is_header


class Place(msgspec.Struct, frozen=True):
    """A whole picture, and where in the file its header is."""

    header: Header
    offset: int


class Recording:
    """A file of `record --snapshots`, as it is when it is opened. Raises RecordingError in one sentence.

    A last line that was cut off is left out, since the recorder may have been killed while it wrote it; one that makes
    no sense elsewhere ends what can be played, and `damage` says so.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage = ""
        self.places: list[Place] = []
        self._end = 0
        self._last: Line | None = None
        try:
            self._read_through()
        except OSError as error:
            raise RecordingError(
                f"{path} cannot be read: {error.strerror or error}.", hint="Name a file of `record --snapshots`."
            ) from error
        except RecordingError as error:
            raise RecordingError(f"{path} cannot be played. {error}", hint=error.hint) from error

    def _read_through(self) -> None:
        last = b""
        with self.path.open("rb") as file:
            offset = 0
            for text in file:
                if not text.endswith(b"\n"):
                    self.damage = "its last line was cut off"
                    if not self.places:
                        decode_header(text)
                    break
                if not self.places or is_header(text):
                    self.places.append(Place(decode_header(text), offset))
                elif text != b"\n":
                    last = text
                offset += len(text)
            self._end = offset
        if not self.places:
            raise RecordingError("It is empty: nothing was recorded.", hint=HOW)
        try:
            self._last = decode(last) if last else None
        except _NONSENSE:
            self._last = None

    @property
    def begin(self) -> datetime:
        """The first moment it has."""
        return datetime.fromtimestamp(self.places[0].header.t, UTC)

    @property
    def end(self) -> datetime:
        """The last."""
        last = self.places[-1].header.t
        return datetime.fromtimestamp(max(last, self._last.t if self._last is not None else last), UTC)

    def before(self, t: float) -> int:
        """The number of the newest picture at a time; the first where there is none."""
        return max(0, bisect_right([place.header.t for place in self.places], t) - 1)

    def lines(self, number: int) -> Iterator[Header | Line]:
        """From that picture on: its header and its lines, then what was told after it.

        Pictures that come later in the same run are left out, since nothing in them is new.
        """
        run, skip, first = self.places[number].header.run, 0, True
        with self.path.open("rb") as file:
            offset = file.seek(self.places[number].offset)
            for text in file:
                offset += len(text)
                if offset > self._end:
                    return
                if is_header(text):
                    header = decode_header(text)
                    skip = header.past if header.run == run and not first else 0
                    if not skip and (first or header.run != run):
                        yield header
                    run, first = header.run, False
                elif skip:
                    skip -= 1
                elif text != b"\n":
                    try:
                        line = decode(text)
                    except _NONSENSE:
                        self.damage = "a line of it makes no sense, and nothing behind it is played"
                        return
                    yield line


_NONSENSE = (msgspec.MsgspecError, KeyError, TypeError, NotImplementedError)
