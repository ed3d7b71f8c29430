"""Programs that are killed in the middle of writing."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.verify import verify

from .trail_entries import deed, event

ROUNDS = 50
WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from fleettop.collectors.trail.segments import SegmentStore
from tests.collectors.trail_entries import deed
store = SegmentStore(Path(sys.argv[2]), segment_size=400_000, patience=30)
while first := int(sys.stdin.readline()):
    for number in range(first, first + 3000, 3):
        for part in ((number,), (number + 1, number + 2)):
            done = store.append([deed(n) for n in part])
            print(part[0], *done, flush=True)
"""
"""Says which lines it was told are kept, after it was told: first what it is about to do, then what came of it."""


class Writer:
    """A program that writes until it is killed."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(Path(__file__).parents[2]), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def begin(self, first: int) -> None:
        """Write events from that number on."""
        assert self.process.stdin
        self.process.stdin.write(b"%d\n" % first)
        self.process.stdin.flush()

    def kill_after(self, answers: int) -> list[list[int]]:
        """Kill it in the middle of what follows that many answers; all that it said."""
        assert self.process.stdout
        assert self.process.stdin
        pipe, said = self.process.stdout.fileno(), b""
        while said.count(b"\n") < answers:
            assert select.select([pipe], [], [], 60)[0], "the writer says nothing"
            piece = os.read(pipe, 65536)
            assert piece, "the writer ended by itself"
            said += piece
        self.process.send_signal(signal.SIGKILL)
        while piece := os.read(pipe, 65536):
            said += piece
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()
        # A line without its end was not acknowledged: the pipe was cut.
        return [[int(word) for word in text.split()] for text in said.split(b"\n")[:-1]]


def test_no_acknowledged_line_is_lost_when_writers_are_killed(tmp_path: Path) -> None:
    """Two programs write at once and die at random moments, fifty times: the chain is whole each time, and what was
    acknowledged is there under the number that was said; of each deed so the intent, whatever became of the rest."""
    folder = tmp_path / "trail"
    chance = random.Random(4711)
    acknowledged: dict[int, int] = {}
    waiting = [Writer(folder), Writer(folder)]
    try:
        for turn in range(ROUNDS // 2):
            running, waiting = waiting, [Writer(folder), Writer(folder)]  # the next ones start meanwhile
            for place, writer in enumerate(running):
                writer.begin(3 + (2 * turn + place) * 3000)
            for writer in running:
                for number, *numbers in writer.kill_after(chance.randrange(1, 24)):
                    acknowledged.update((seq, number + offset) for offset, seq in enumerate(numbers))
            report = verify(folder)
            assert (report.problems, report.index_problems) == ((), ())
            assert report.head.seq >= max(acknowledged)
    finally:
        for writer in waiting:
            writer.process.kill()
            writer.kill_after(0)
    store = SegmentStore(folder)
    try:
        kept = {one.seq: one.entry for one in store.lines()}
        wanted = {seq: deed(number).what for seq, number in acknowledged.items()}
        assert {seq: kept[seq].what for seq in acknowledged} == wanted
        assert {kept[seq].kind for seq in acknowledged} == {"intent", "event", "outcome"}
        assert store.append([event(10**6)]) == (len(kept) + 1,)
        assert len(store.folder.numbers()) > 1
    finally:
        store.close()
