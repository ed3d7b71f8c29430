"""The two framings of a container's output, and its last lines."""

from __future__ import annotations

from collections import deque

HEADER = 8
"""Bytes before each frame of a container without a TTY: the stream, three zeros, the length (moby: pkg/stdcopy)."""
LINE_LIMIT = 64 * 1024
"""Bytes kept of one line."""


class LastLines:
    """Takes in a container's output in chunks of any size and keeps the last `count` lines, as they came out.

    The framing is told by the first bytes unless `multiplexed` says it: text of a TTY does not begin with a stream
    number and three zeros.
    """

    def __init__(self, count: int, *, multiplexed: bool | None = None) -> None:
        self._lines: deque[bytes] = deque(maxlen=count)
        self._multiplexed = multiplexed
        self._header = bytearray()
        self._left = 0
        self._stream = 1
        self._open: dict[int, bytearray] = {}

    def feed(self, chunk: bytes) -> None:
        """The next bytes."""
        if self._multiplexed is None:
            self._header += chunk
            if len(self._header) < 4 and b"\0\1\2".find(self._header[:1]) >= 0:
                return
            self._multiplexed = (
                self._header[0] in (0, 1, 2) and self._header[1:4] == b"\0\0\0" if self._header else None
            )
            chunk, self._header = bytes(self._header), bytearray()
        if self._multiplexed:
            self._frames(chunk)
        elif chunk:
            self._take(1, chunk)

    def lines(self) -> tuple[str, ...]:
        """The last lines, oldest first, undecodable bytes as U+FFFD, what was not ended by a newline included. Once."""
        if self._header and not self._multiplexed:
            self._take(1, bytes(self._header))
        for stream in sorted(self._open):
            if self._open[stream]:
                self._lines.append(bytes(self._open[stream]))
        return tuple(line.decode("utf-8", "replace") for line in self._lines)

    def _frames(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            if self._left == 0:
                missing = HEADER - len(self._header)
                self._header += view[:missing]
                view = view[missing:]
                if len(self._header) < HEADER:
                    return
                self._stream = self._header[0]
                self._left = int.from_bytes(self._header[4:], "big")
                self._header.clear()
                continue
            part, view = view[: self._left], view[self._left :]
            self._left -= len(part)
            self._take(self._stream, bytes(part))

    def _take(self, stream: int, data: bytes) -> None:
        rest = self._open.setdefault(stream, bytearray())
        first, *more = data.split(b"\n")
        _extend(rest, first)
        for piece in more:
            self._lines.append(bytes(rest))
            rest.clear()
            _extend(rest, piece)


def _extend(line: bytearray, piece: bytes) -> None:
    line += piece[: max(0, LINE_LIMIT - len(line))]
