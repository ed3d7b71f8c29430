"""The trail in SQLite files: whose they are, how one follows the other, what happens when they are full or damaged."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fleettop.collectors.errors import StoreFull, StoreLocked, TrailError
from fleettop.collectors.trail.notes import tells_continued
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.store import Mark, Place, Query
from fleettop.collectors.trail.verify import verify

from .trail_entries import SECOND, T0, event, key, line

Opener = Callable[..., SegmentStore]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the trail will be."""
    return tmp_path / "trail"


@pytest.fixture
def opened(folder: Path) -> Iterator[Opener]:
    """Opens the trail; as often as asked for."""
    stores: list[SegmentStore] = []

    def _open(**options: object) -> SegmentStore:
        stores.append(SegmentStore(folder, **options))  # type: ignore[arg-type]
        return stores[-1]

    yield _open
    for store in stores:
        store.close()


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def _files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


# -- whose files these are


def test_nobody_else_can_read_the_trail(folder: Path, opened: Opener) -> None:
    """The folder 0700, every file 0600, also what SQLite keeps beside them, whatever the umask."""
    before = os.umask(0)
    try:
        store = opened(segment_size=1)
        for number in range(3):
            store.append([event(number)])
        store.mark([Mark(engine="a", origin="", heard=1, read_to=1, instance="one")])
        assert any(name.endswith("-wal") for name in _files(folder))
        assert _mode(folder) == 0o700
        assert {_mode(file) for file in folder.iterdir()} == {0o600}
    finally:
        os.umask(before)


def test_a_trail_that_was_open_to_others_is_closed(folder: Path, opened: Opener) -> None:
    """A copy made without care gets its modes back when it is opened to be written."""
    opened().close()
    folder.chmod(0o755)
    (folder / "segment-000001.sqlite").chmod(0o644)
    opened()
    assert (_mode(folder), _mode(folder / "segment-000001.sqlite")) == (0o700, 0o600)


def test_drafts_that_another_program_takes_away_in_that_moment_stop_nobody(
    folder: Path, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several programs open one trail and clear away their drafts: a file that is listed may be gone when looked at."""
    opened().close()
    drafts = [folder / f".segment-00000{number}-1-1.sqlite" for number in (2, 3)]
    for draft in drafts:
        draft.touch(0o600)
        os.utime(draft, (0, 0))
    asked = Path.lstat

    def gone(path: Path) -> os.stat_result:
        if path == drafts[0]:
            path.unlink(missing_ok=True)
        return asked(path)

    monkeypatch.setattr(Path, "lstat", gone)
    opened().append([event(1)])
    assert not [draft for draft in drafts if draft.exists()]


def test_a_folder_that_is_not_the_trails_own_is_left_alone(folder: Path, opened: Opener) -> None:
    """A home folder named by mistake keeps its mode."""
    folder.mkdir(mode=0o755)
    (folder / "letters").touch()
    with pytest.raises(TrailError) as refused:
        opened()
    assert "folder of its own" in refused.value.hint
    assert (_mode(folder), _files(folder)) == (0o755, ["letters"])


def test_a_folder_that_is_a_link_is_refused(folder: Path, tmp_path: Path, opened: Opener) -> None:
    """Whoever can set a link must not choose where the trail goes."""
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TrailError, match="symbolic link"):
        opened()
    assert _files(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("name", ["segment-000001.sqlite", "marks.sqlite"])
def test_a_file_that_is_a_link_is_refused(folder: Path, tmp_path: Path, opened: Opener, name: str) -> None:
    """Nothing is written through it."""
    target = tmp_path / "precious"
    target.write_bytes(b"")
    folder.mkdir(mode=0o700)
    (folder / name).symlink_to(target)
    with pytest.raises(TrailError, match="symbolic link"):
        opened().mark([Mark(engine="a", origin="", heard=1, read_to=1, instance="one")])
    assert target.read_bytes() == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_belongs_to_somebody_else_is_refused(folder: Path, opened: Opener, what: str) -> None:
    """Root does not write into a user's trail either: that user could not go on with it."""
    opened().close()
    os.chown(folder if what == "folder" else folder / "segment-000001.sqlite", 4711, 4711)
    with pytest.raises(TrailError, match="4711"):
        opened()


def test_reading_only_makes_nothing(folder: Path, opened: Opener) -> None:
    """Who reads a copy changes no segment, and cannot append."""
    opened().append([event(1)])
    before = (folder / "segment-000001.sqlite").read_bytes()
    reader = opened(read_only=True)
    assert len(reader.read(Query(), 9)) == 1
    with pytest.raises(TrailError):
        reader.append([event(2)])
    assert (folder / "segment-000001.sqlite").read_bytes() == before
    with pytest.raises(TrailError):
        SegmentStore(folder / "nowhere", read_only=True)


# -- one segment after the other


def test_a_full_segment_is_sealed_and_the_chain_goes_on_in_the_next(folder: Path, opened: Opener) -> None:
    """Numbers and hashes run on; a sealed segment is one file without a log beside it, and is never written again."""
    store = opened(segment_size=1)
    store.append([event(1)])
    store.append([event(2)])
    store.settle()
    first = (folder / "segment-000001.sqlite").read_bytes()
    store.append([event(3), event(1)])
    assert _files(folder)[:2] == ["segment-000001.sqlite", "segment-000002.sqlite"]
    assert (folder / "segment-000001.sqlite").read_bytes() == first
    assert [one.seq for one in store.lines()] == [1, 2, 3]
    assert verify(folder).problems == ()


def test_a_sealed_segment_can_be_copied_and_verified_alone(folder: Path, tmp_path: Path, opened: Opener) -> None:
    """It says itself which line and hash it goes on from."""
    store = opened(segment_size=1)
    for number in range(4):
        store.append([event(number), event(number + 10)])
    store.settle()
    copy = tmp_path / "segment-000002.sqlite"
    shutil.copy(folder / copy.name, copy)
    report = verify(copy)
    assert (report.intact, report.lines, report.begins, report.head.seq) == (True, 2, 3, 4)


def test_writers_find_out_that_a_segment_was_sealed(folder: Path, opened: Opener) -> None:
    """Several programs write one trail; whoever fills a segment, the others go on in the next."""
    one, two, three = opened(segment_size=1), opened(), opened(segment_size=1)
    assert [store.append([event(n)])[0] for n, store in enumerate((one, two, three, two, one, three, two))] == [
        *range(1, 8)
    ]
    assert verify(folder).problems == ()
    assert one.head() == two.head() == three.head()


def test_what_others_write_leaves_traces(folder: Path, opened: Opener) -> None:
    """A line of another program, also in a segment that it begins after ours; and none where nobody writes."""
    one, two = opened(), opened(segment_size=1)
    one.append([event(0)])
    two.append([event(1)])
    _turn_back(folder)
    before = one.traces()
    assert before is not None
    assert one.traces() == before
    two.append([event(2)])
    assert one.traces() != before
    _turn_back(folder)
    before = one.traces()
    two.append([event(3)])
    assert one.traces() != before


def test_a_segment_without_a_log_leaves_traces_too(folder: Path, opened: Opener) -> None:
    """SQLite removes its log with the last connection: the folder tells then, and the next line makes a new one."""
    one = opened()
    one.append([event(0)])
    for log in folder.glob("*-wal"):
        log.rename(folder.parent / log.name)
    before = one.traces()
    assert before is not None
    assert one.traces() == before
    _turn_back(folder)
    assert one.traces() != before


def _turn_back(folder: Path) -> None:
    """As if all this was long ago: a file system's clock may stand still between two lines of a test."""
    for file in (folder, *folder.iterdir()):
        os.utime(file, ns=(T0, T0))


def test_duplicates_are_found_in_earlier_segments(opened: Opener) -> None:
    """A replay of an engine's ring may reach back over many segments, into each of them."""
    store = opened(segment_size=1)
    for number in range(6):
        store.append([event(number)])
    assert store.append([event(number, instance="two") for number in range(7)]) == (0, 0, 0, 0, 0, 0, 7)
    assert store.append([event(2, attribution="own"), event(2, attribution="derived")]) == (8, 0)


def test_a_thread_runs_over_segments_and_is_one_record(opened: Opener) -> None:
    """The line that says most is shown in its place; the earlier ones are in the thread."""
    store = opened(segment_size=1)
    for number in range(3):
        store.append([event(number)])
    store.append([line(key(1), T0 + SECOND, what="amended")])
    store.append([line(key(1), T0 + SECOND, what="once more")])
    assert [one.seq for one in store.read(Query(), 9)] == [3, 5, 1]
    assert [one.seq for one in store.thread(key(1))] == [2, 4, 5]
    assert [one.seq for one in opened().thread(key(1))] == [2, 4, 5]
    assert [one.seq for one in store.read(Query(), 9, before=Place(T0 + SECOND, 1 << 60))] == [5, 1]


def test_what_is_amended_after_a_restart_is_found_without_a_hint(opened: Opener) -> None:
    """A program that never saw a thread's begin finds it in the segment that is written, and in earlier ones."""
    opened().append([event(1), event(2, thread=key(1)), event(3)])
    later = opened(segment_size=1)
    assert later.append([line(key(1), T0, what="a"), line(key(9), T0, what="b")]) == (4, 5)
    assert later.append([line(key(1), T0, what="a"), line(key(9), T0, what="b")]) == (0, 0)
    assert len(later.read(Query(), 9)) == 3
    assert verify(later.folder.path).index_problems == ()


def test_many_appends_at_once_from_threads_of_one_program(opened: Opener, folder: Path) -> None:
    """A store is used from a thread pool."""
    from concurrent.futures import ThreadPoolExecutor

    store = opened(segment_size=200_000)
    with ThreadPoolExecutor(6) as pool:
        batches = [[event(start + n) for n in range(20)] for start in range(0, 600, 20)]
        numbers = [seq for result in pool.map(store.append, batches) for seq in result]
        pages = list(pool.map(lambda _: len(store.read(Query(), 1000)), range(6)))
    assert sorted(numbers) == [*range(1, 601)]
    assert pages == [600] * 6
    assert verify(folder).problems == ()


# -- locked, full


def test_a_trail_that_somebody_holds_too_long_says_so(folder: Path, opened: Opener) -> None:
    """Writing waits for a while, then says what to do; it works again as soon as the other lets go."""
    store = opened(patience=0.05)
    store.append([event(1)])
    holder = sqlite3.connect(folder / "segment-000001.sqlite", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked) as locked:
            store.append([event(2)])
        assert locked.value.hint
        assert len(store.read(Query(), 9)) == 1
        holder.execute("ROLLBACK")
    finally:
        holder.close()
    assert store.append([event(2)]) == (2,)


FILLING = """
import os, resource, signal, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from fleettop.collectors.errors import StoreFull
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.verify import verify
from tests.collectors.trail_entries import event
store = SegmentStore(Path({folder!r}))
kept = 0
def fill(first):
    global kept
    for number in range(first, first + 5000, 50):
        try:
            kept = max(kept, *store.append([event(n) for n in range(number, number + 50)]))
        except StoreFull as full:
            assert full.hint
            return number
    raise SystemExit("it never became full")
{limit}
stopped = fill(0)
assert store.head().seq == kept > 0
{room}
assert store.append([event(n) for n in range(stopped, stopped + 50)])[-1] == kept + 50
store.close()
report = verify(Path({folder!r}))
assert report.intact and not report.index_problems and report.lines == kept + 50, report
print("went on")
"""


def _run(script: str, *before: str) -> str:
    done = subprocess.run(
        [*before, sys.executable, "-c", script], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_writing_goes_on_when_there_is_room_again(folder: Path) -> None:
    """A limit on the size of files (or a quota): StoreFull with a hint, nothing half written, then it goes on."""
    root = str(Path(__file__).parents[2])
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))"
    room = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    assert _run(FILLING.format(root=root, folder=str(folder), limit=limit, room=room)) == "went on"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="a small disk needs root and unshare")
def test_a_full_disk_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    """On a disk of 2 MB that is really full: the same."""
    root = str(Path(__file__).parents[2])
    folder.mkdir()
    script = FILLING.format(
        root=root,
        folder=str(folder / "trail"),
        limit="",
        room=f"os.system('mount -o remount,size=8m {folder}') == 0 or sys.exit('no room could be made')",
    )
    mounted = f'mount -t tmpfs -o size=2m,mode=700 none {folder} && exec "$@"'
    assert _run(script, "unshare", "-m", "sh", "-c", mounted, "sh") == "went on"


def test_a_full_disk_at_the_first_start_is_told_as_such(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room even to begin a trail is StoreFull, and leaves nothing behind."""

    def _no_room(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", _no_room)
    with pytest.raises(StoreFull):
        SegmentStore(folder)
    assert _files(folder) == []


# -- damage


def _cut(file: Path) -> None:
    with file.open("r+b") as handle:
        handle.truncate(file.stat().st_size * 2 // 3)


def _scribble(file: Path) -> None:
    file.write_bytes(b"this was a database once" * 400)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _change_last_line(file: Path) -> None:
    with sqlite3.connect(file) as sql:
        sql.execute("UPDATE line SET body = replace(body, 'exited', 'EXITED') WHERE seq = (SELECT max(seq) FROM line)")
    sql.close()


def _drop_a_table(file: Path) -> None:
    with sqlite3.connect(file) as sql:
        sql.execute("DROP TABLE record")
    sql.close()


@pytest.mark.parametrize("harm", [_cut, _scribble, _empty, _change_last_line, _drop_a_table])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_damaged_segment_is_left_and_the_trail_goes_on(
    folder: Path, opened: Opener, harm: Callable[[Path], None], earlier: bool
) -> None:
    """Opening to write works: a new segment begins with a note of what is wrong; nothing is deleted; what can be read
    is read, and what cannot is said."""
    store = opened(segment_size=1 if earlier else 1 << 30)
    store.append([event(n) for n in range(40)])
    if earlier:
        store.append([event(n) for n in range(40, 80)])
    store.close()
    newest = sorted(folder.glob("segment-*.sqlite"))[-1]
    harm(newest)
    after = newest.read_bytes()

    store = opened(instance="later", now=lambda: T0)
    note = next(iter(store.read(Query(kinds=("note",)), 1)))
    assert tells_continued(note.entry)
    assert newest.name in note.entry.what
    assert note.entry.trouble
    assert newest.read_bytes() == after
    assert store.append([event(100)]) == (note.seq + 1,)
    assert store.read(Query(), 1)[0].seq == note.seq + 1

    report = verify(folder)
    assert not report.intact
    assert report.problems[0].segment == newest.name
    assert {problem.told for problem in report.problems} <= {0, note.seq}
    assert len(list(store.lines())) == report.lines or store.damage()


def test_damage_met_while_writing_is_gone_on_from(folder: Path, opened: Opener) -> None:
    """A file cut under a running program costs no line that is written from then on."""
    store = opened()
    store.append([event(n) for n in range(200)])
    other = sqlite3.connect(folder / "segment-000001.sqlite")
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    _scribble(folder / "segment-000001.sqlite")
    numbers = [store.append([event(n)])[0] for n in range(300, 320)]
    assert numbers == sorted(numbers)
    assert numbers[0] > 200
    assert [one.seq for one in store.lines()][-20:] == numbers


@pytest.mark.parametrize("everything", [True, False])
def test_a_file_deleted_under_a_running_program_is_noticed(folder: Path, opened: Opener, everything: bool) -> None:
    """Nothing is written into a file without a name; numbers go on from where this program knows they were."""
    store = opened(segment_size=1)
    for number in range(3):
        store.append([event(number)])
    for file in folder.glob("segment-00000?.sqlite*" if everything else "segment-000003.sqlite*"):
        file.unlink()
    assert store.append([event(9)]) == (5,)
    last = [*store.lines()][-2:]
    assert tells_continued(last[0].entry)
    assert not verify(folder).intact


def test_a_trail_of_a_newer_fleettop_is_not_taken_for_damage(folder: Path, opened: Opener) -> None:
    """It is refused, and left as it is."""
    opened().close()
    sql = sqlite3.connect(folder / "segment-000001.sqlite")
    sql.execute("PRAGMA user_version = 99")
    sql.close()
    with pytest.raises(TrailError, match="newer fleettop"):
        opened()
    assert len(list(folder.glob("segment-*.sqlite"))) == 1


def test_marks_that_are_damaged_are_begun_anew(folder: Path, opened: Opener) -> None:
    """They are no evidence: without them a gap is longer, nothing else."""
    store = opened()
    mark = Mark(engine="a", origin="", heard=1, read_to=1, instance="one")
    store.mark([mark])
    store.close()
    _scribble(folder / "marks.sqlite")
    again = opened()
    assert again.marks() == ()
    again.mark([mark])
    assert again.marks() == (mark,)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="a read-only mount needs root and unshare")
def test_a_copy_on_a_medium_that_cannot_be_written_is_read_and_verified(folder: Path, opened: Opener) -> None:
    """An auditor's copy: nothing is made beside it."""
    store = opened(segment_size=1)
    for number in range(3):
        store.append([event(number)])
    store.close()
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.store import Query
from fleettop.collectors.trail.verify import verify
store = SegmentStore(Path({str(folder)!r}), read_only=True)
print(len(store.read(Query(), 9)), len(store.thread(store.read(Query(), 1)[0].entry.thread)), store.damage())
print(verify(store.folder.path).intact)
"""
    mounted = f'mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && exec "$@"'
    before = _files(folder)
    assert _run(script, "unshare", "-m", "sh", "-c", mounted, "sh") == "3 1 ()\nTrue"
    assert _files(folder) == before
