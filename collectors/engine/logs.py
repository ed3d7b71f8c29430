"""A container's output taken apart: the two framings, the engine's times, lines, and the last of them."""

from __future__ import annotations

import re
import struct
from collections import deque
from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

from ..errors import Malformed
from ..model.logs import OUT, LogLine

HEADER = 8
"""Bytes before each frame of a container without a TTY: the stream, three zeros, the length (moby: pkg/stdcopy)."""
LINE_LIMIT = 64 * 1024
"""Bytes kept of one line."""
WHOLE_FRAME = 256 * 1024
"""Frames up to this size are waited for; Docker's are 16 KB at most, and a larger one is taken piece by piece."""
PART = 16 * 1024
"""Docker cuts longer lines into parts of this size, and with `timestamps=1` puts a time before each of them
(moby: daemon/logger/copier.go, api/server/httputils/write_log_stream.go)."""
STREAMS = 3
"""The highest number of a stream: 3 is the engine's own word about the log."""

STAMP = 31
"""Bytes of a time as Docker writes it, with the space behind it."""
SHORTEST = HEADER + STAMP + 1
"""Bytes of the frame of an empty line."""

_HEADER = struct.Struct(">II").unpack_from
_USUAL = struct.Struct(">II20s9s2s").unpack_from
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ")
_SECOND = 1_000_000_000
_REMEMBERED = 512


class LogOutput(NamedTuple):
    """A container's output on its way here."""

    chunks: AsyncIterator[bytes]
    multiplexed: bool | None
    """Whether it comes in frames; None: its first bytes tell (an engine says it from API 1.42 on, and only some do)."""


class _Seconds(dict[bytes, int]):
    """Unix seconds of `2026-01-02T03:04:05` in UTC, worked out once for all the lines of a second."""

    def __missing__(self, text: bytes) -> int:
        value = int(datetime.fromisoformat(f"{text.decode('ascii')}+00:00").timestamp())
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = value
        return value


_seconds = _Seconds()


def stamp(data: bytes) -> tuple[int | None, int]:
    """The time in front of a line (Unix nanoseconds) and where the line itself begins; None and 0: there is none."""
    try:
        if data[29:31] == b"Z " and data[19:20] == b"." and (fraction := data[20:29]).isdigit():
            return _seconds[data[:19]] * _SECOND + int(fraction), STAMP
        found = _STAMP.match(data)
        if found is None:
            return None, 0
        second, digits, zone = found.groups()
        nanoseconds = _seconds[second] * _SECOND + int((digits or b"0").ljust(9, b"0"))
        if zone != b"Z":
            hours, minutes = int(zone[1:3]), int(zone[4:6])
            nanoseconds -= (hours * 3600 + minutes * 60) * _SECOND * (-1 if zone[:1] == b"-" else 1)
        return nanoseconds, found.end()
    except (ValueError, OverflowError):
        return None, 0


class _Open:
    """A line whose end has not come yet."""

    __slots__ = ("cut", "text", "time")

    def __init__(self, time: int | None) -> None:
        self.time = time
        self.text = bytearray()
        self.cut = 0

    def extend(self, piece: bytes) -> None:
        """More of it, up to the limit."""
        room = max(0, LINE_LIMIT - len(self.text))
        self.text += piece[:room]
        self.cut += max(0, len(piece) - room)


class LogDecoder:
    """Takes in a container's output in chunks of any size and gives the lines they complete.

    The framing is told by the first bytes unless `multiplexed` says it: text of a TTY does not begin with a stream
    number and three zeros. `stamped`: each line begins with the engine's time, whose clock is `ahead` of ours by so
    many nanoseconds; a line without one has the time of the line before.
    """

    def __init__(
        self, *, source: int = 0, ahead: int = 0, multiplexed: bool | None = None, stamped: bool = True
    ) -> None:
        self._source = source
        self._ahead = ahead
        self._multiplexed = multiplexed
        self._stamped = stamped
        self._last = 0
        self._rest = b""
        self._left = 0
        self._stream = OUT
        self._open: dict[int, _Open] = {}

    def feed(self, chunk: bytes) -> list[LogLine]:
        """The next bytes. Raises Malformed where they are no frames any more."""
        if self._multiplexed is None:
            chunk, self._rest = self._rest + chunk, b""
            if len(chunk) < 4 and b"\0\1\2\3".find(chunk[:1]) >= 0:
                self._rest = chunk
                return []
            if chunk:
                self._multiplexed = chunk[0] <= STREAMS and chunk[1:4] == b"\0\0\0"
        done: list[LogLine] = []
        if self._multiplexed:
            self._frames(self._rest + chunk if self._rest else chunk, done)
        elif chunk:
            self._pieces(OUT, chunk, None, done)
        return done

    def skip(self, chunk: bytes) -> int:
        """Pass over the next bytes, keeping the place among the frames; about how many lines that were."""
        if not self._multiplexed:
            return chunk.count(b"\n") if self._multiplexed is False else len(self.feed(chunk))
        data, at, count = self._rest + chunk, self._left, 0
        while at + HEADER <= len(data):
            at += HEADER + int.from_bytes(data[at + 4 : at + HEADER], "big")
            count += 1
        if at > len(data):
            self._left, self._rest = at - len(data), b""
        else:
            self._left, self._rest = 0, data[at:]
        self._open.clear()
        return count

    def end(self) -> list[LogLine]:
        """What was not ended by a newline. Once."""
        done: list[LogLine] = []
        if self._rest and not self._multiplexed:
            self._pieces(OUT, self._rest, None, done)
        elif len(self._rest) > HEADER:
            self._frame(self._rest[0], self._rest[HEADER:], done)
        for stream in sorted(self._open):
            if self._open[stream].text:
                self._close(stream, done)
        self._rest = b""
        return done

    # -- frames

    def _frames(self, data: bytes, done: list[LogLine]) -> None:
        at, end = 0, len(data)
        if self._left:
            at = min(self._left, end)
            self._left -= at
            self._pieces(self._stream, data[:at], None, done)
        if self._stamped:
            at = self._usual(data, at, done)
        while at + HEADER <= end:
            word, size = _HEADER(data, at)
            stream = word >> 24
            if stream > STREAMS or word & 0xFFFFFF:
                raise Malformed("The log's frames make no sense.", where="framing of the log")
            begin = at + HEADER
            stop = begin + size
            if stop > end:
                if size > WHOLE_FRAME:
                    self._stream, self._left = stream, stop - end
                    self._frame(stream, data[begin:end], done)
                    at = end
                break
            self._frame(stream, data[begin:stop], done)
            at = self._usual(data, stop, done) if self._stamped else stop
        self._rest = data[at:]

    def _usual(self, data: bytes, at: int, done: list[LogLine]) -> int:
        """Take in the frames from `at` on that are one whole line with a time as Docker writes it, as most are.

        Up to the first that is not, or is not all there: where that begins. One loop without a call into Python, since
        it sees fifty thousand lines a second.
        """
        source, open_, append, find = self._source, self._open, done.append, data.find
        last_end, known, base = len(data) - SHORTEST, b"", 0
        while at <= last_end:
            word, size, second, fraction, zone = _USUAL(data, at)
            stop, text = at + HEADER + size, at + HEADER + STAMP
            stream = word >> 24
            if find(b"\n", text, stop) != stop - 1 or zone != b"Z " or size > LINE_LIMIT or word & 0xFFFFFF:
                break
            if second != known:
                found = _seconds.get(second[:19])
                if found is None or second[19] != 46:
                    break
                known, base = second, found * _SECOND - self._ahead
            if not fraction.isdigit() or stream in open_ or stream > STREAMS:
                break
            self._last = base + int(fraction)
            append(LogLine(self._last, source, stream or OUT, data[text : stop - 1]))
            at = stop
        return at

    def _frame(self, stream: int, payload: bytes, done: list[LogLine]) -> None:
        time: int | None = None
        if self._stamped:
            time, start = stamp(payload)
            if start:
                payload = payload[start:]
        if stream not in self._open and payload.find(b"\n") == len(payload) - 1 >= 0 and len(payload) <= LINE_LIMIT:
            done.append(LogLine(self._when(time), self._source, stream or OUT, payload[:-1]))
        else:
            self._pieces(stream, payload, time, done)

    # -- lines

    def _pieces(self, stream: int, data: bytes, time: int | None, done: list[LogLine]) -> None:
        first, *more = data.split(b"\n")
        if first or more:
            self._open.setdefault(stream, _Open(time)).extend(first)
        if not more:
            return
        self._close(stream, done)
        *whole, begun = more
        for piece in whole:
            if len(piece) > PART or self._multiplexed or not self._stamped:
                self._open[stream] = line = _Open(time)
                line.extend(piece)
                self._close(stream, done)
                continue
            moment, start = stamp(piece)
            done.append(LogLine(self._when(moment), self._source, stream or OUT, piece[start:].rstrip(b"\r")))
        if begun:
            self._open.setdefault(stream, _Open(time)).extend(begun)

    def _close(self, stream: int, done: list[LogLine]) -> None:
        line = self._open.pop(stream, None) or _Open(None)
        text, time = bytes(line.text), line.time
        if self._stamped and not self._multiplexed:
            time, start = stamp(text)
            text = (_rejoined(text[start:]) if start else text).rstrip(b"\r")
        done.append(LogLine(self._when(time), self._source, stream or OUT, text, line.cut))

    def _when(self, time: int | None) -> int:
        if time is not None:
            self._last = time - self._ahead
        return self._last


def _rejoined(text: bytes) -> bytes:
    """A long line of a TTY without the times that Docker puts between its parts."""
    if len(text) <= PART:
        return text
    parts, at = [text[:PART]], PART
    while at < len(text):
        _, start = stamp(text[at : at + 64])
        parts.append(text[at + start : at + start + PART])
        at += start + PART
    return b"".join(parts)


class LastLines:
    """Takes in a container's output in chunks of any size and keeps the last `count` lines, as they came out."""

    def __init__(self, count: int, *, multiplexed: bool | None = None) -> None:
        self._lines: deque[bytes] = deque(maxlen=count)
        self._decoder = LogDecoder(multiplexed=multiplexed, stamped=False)

    def feed(self, chunk: bytes) -> None:
        """The next bytes."""
        self._lines.extend(line.data for line in self._decoder.feed(chunk))

    def lines(self) -> tuple[str, ...]:
        """The last lines, oldest first, undecodable bytes as U+FFFD, what was not ended by a newline included. Once."""
        self._lines.extend(line.data for line in self._decoder.end())
        return tuple(line.decode("utf-8", "replace") for line in self._lines)
