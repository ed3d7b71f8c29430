"""Holding packets back, for kernels without sch_netem: ``python slow_packets.py QUEUE DELAY_MS JITTER_MS LOSS``.

Reads packets from an NFQUEUE over netlink, keeps each for the delay, drops a share of them. Runs until killed; the
iptables rule that feeds it has --queue-bypass, so traffic flows at full speed when it is gone.
"""

from __future__ import annotations

import errno
import heapq
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator

NETLINK_NETFILTER = 12
QUEUE_PACKET, QUEUE_VERDICT, QUEUE_CONFIG = 0, 1, 2
DROP, ACCEPT = 0, 1


class Queue:
    """One NFQUEUE of this network namespace."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((0, 0))
        self._send(QUEUE_CONFIG, 1, struct.pack(">BBH", 1, 0, socket.AF_INET))  # bind
        self._send(QUEUE_CONFIG, 2, struct.pack(">IB", 0, 1))  # copy meta data only
        self._send(QUEUE_CONFIG, 3, struct.pack(">I", 20000))  # how many packets may wait

    def _send(self, message: int, kind: int, payload: bytes) -> None:
        attribute = struct.pack("=HH", 4 + len(payload), kind) + payload
        attribute += b"\0" * (-len(attribute) % 4)
        body = struct.pack("=BB", 0, 0) + struct.pack(">H", self.number) + attribute
        self.socket.send(struct.pack("=IHHII", 16 + len(body), (3 << 8) | message, 1, 0, 0) + body)

    def decide(self, packet: int, verdict: int) -> None:
        """Let a packet go on or drop it."""
        self._send(QUEUE_VERDICT, 2, struct.pack(">II", verdict, packet))

    def arrived(self, timeout: float | None) -> Iterator[int]:
        """The numbers of packets that arrive within so many seconds."""
        if not select.select([self.socket], [], [], timeout)[0]:
            return
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                return
            raise
        yield from packets(data)


def packets(data: bytes) -> Iterator[int]:
    """The packet numbers in what netlink sent."""
    position = 0
    while position + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, position)
        if length < 16:
            return
        if kind == (3 << 8) | QUEUE_PACKET:
            at = position + 20
            while at + 4 <= position + length:
                size, attribute = struct.unpack_from("=HH", data, at)
                if attribute == 1:
                    yield struct.unpack_from(">I", data, at + 4)[0]
                if size < 4:
                    break
                at += (size + 3) & ~3
        position += (length + 3) & ~3


def hold(number: int, delay_ms: float, jitter_ms: float, loss: float) -> None:
    """Delay every packet of a queue by so many milliseconds, and lose a share of them, until killed."""
    queue = Queue(number)
    held: list[tuple[float, int]] = []
    while True:
        now = time.monotonic()
        while held and held[0][0] <= now:
            queue.decide(heapq.heappop(held)[1], ACCEPT)
        for packet in queue.arrived(max(0.0, held[0][0] - now) if held else None):
            if random.random() < loss:
                queue.decide(packet, DROP)
            else:
                wanted = max(0.0, random.gauss(delay_ms, jitter_ms / 2)) / 1000
                heapq.heappush(held, (time.monotonic() + wanted, packet))


if __name__ == "__main__":
    hold(int(float(sys.argv[1])), *(float(argument) for argument in sys.argv[2:5]))
