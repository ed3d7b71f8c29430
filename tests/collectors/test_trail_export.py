"""The trail for others to read."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleettop.collectors.trail.entry import canonical
from fleettop.collectors.trail.export import COLUMNS, cef, chosen, csv_row, export
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.collectors.trail.store import Line, Query
from hypothesis import given
from hypothesis import strategies as st

from .trail_entries import SECOND, T0, event, line, texts

SCRIPT = Path(__file__).with_name("verify_export.py")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SegmentStore]:
    """Lines of several kinds in several segments."""
    made = SegmentStore(tmp_path / "trail", segment_size=1)
    made.append([event(n, what="naïve – ☂ \U0001f433", actor="ann") for n in range(5)])
    made.append([line("one-1", kind="gap"), event(7, evidence=('says "so"', "a\\b"), trouble=True)])
    yield made
    made.close()


def _plain_python(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script, with nothing of fleettop in reach."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *arguments],
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        env={"PYTHONUTF8": "1"},
        cwd="/",
        check=False,
    )


def _some(**says: object) -> Line:
    entry = line("one-1", T0, **says)
    return Line(seq=1, previous="0" * 64, hash="a" * 64, body=canonical(entry), entry=entry)


def test_an_export_is_verified_by_plain_python(store: SegmentStore) -> None:
    """Twenty lines with hashlib and json, which anybody can read before trusting them."""
    text = "".join(export(store.lines(), "jsonl"))
    done = _plain_python(text)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"7 lines, intact; the last is 7:{store.head().hash}\n"
    assert set(json.loads(text.splitlines()[0])) == {"seq", "prev", "hash", "record"}


def test_plain_python_finds_what_was_changed_in_an_export(store: SegmentStore) -> None:
    """A word, a missing line, another order."""
    rows = list(export(store.lines(), "jsonl"))
    for changed in (
        [*rows[:2], rows[2].replace("exited", "x").replace("naïve", "naive"), *rows[3:]],
        [*rows[:2], *rows[3:]],
        [rows[1], rows[0], *rows[2:]],
    ):
        done = _plain_python("".join(changed))
        assert (done.returncode, done.stdout) == (1, "")
        assert re.match(r"line \d: ", done.stderr)


def test_a_part_of_the_trail_is_exported_and_verified_line_by_line(store: SegmentStore) -> None:
    """By what is asked for and when; each line still holds its own hash."""
    asked = Query(engine="h1", since=T0 + SECOND, until=T0 + 8 * SECOND)
    text = "".join(export(chosen(store, asked), "jsonl"))
    assert [json.loads(row)["seq"] for row in text.splitlines()] == [2, 5, 7]
    assert _plain_python(text, "--part").returncode == 0
    assert _plain_python(text).returncode == 1


def test_a_table_has_every_column_and_every_line(store: SegmentStore) -> None:
    """CSV as spreadsheets read it."""
    rows = list(csv.DictReader(io.StringIO("".join(export(store.lines(), "csv")))))
    assert len(rows) == 7
    assert tuple(rows[0]) == COLUMNS
    assert rows[6]["evidence"] == 'says "so" · a\\b'
    assert (rows[6]["trouble"], rows[0]["trouble"], rows[0]["exit_code"]) == ("yes", "no", "")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_nothing_in_a_table_is_a_formula(begin: str) -> None:
    """What engines say may begin like one; a spreadsheet would run it."""
    (row,) = csv.DictReader(io.StringIO(",".join(COLUMNS) + "\r\n" + csv_row(_some(name=f"{begin}cmd|' /C calc'!A0"))))
    assert row["name"] == f"'{begin}cmd|' /C calc'!A0"


@given(texts | st.text(st.sampled_from("|\\=\r\n ax")), texts | st.text(st.sampled_from("|\\=\r\n ax")))
def test_foreign_text_cannot_break_out_of_its_field_in_cef(what: str, name: str) -> None:
    """One event is one line with seven unescaped pipes; a value is read back as it was."""
    text = cef(_some(what=what, name=name, action="die"), "0.1")
    assert text.count("\n") == 1
    assert len((text + " ").splitlines()) == 2 or any(mark in what + name for mark in "\x85\u2028")
    *head, extension = re.split(r"(?<!\\)(?:\\\\)*\|", text, maxsplit=7)
    assert head[:4] == ["CEF:0", "fleettop", "fleettop", "0.1"]
    assert len(head) == 7
    found = re.search(r" fname=((?:\\.|[^\\=])*?)(?: \w+=|$)", extension)
    read = re.sub(r"\\(.)", lambda one: "\n" if one[1] == "n" else one[1], found[1]) if found else ""
    assert read == name.replace("\r\n", "\n").replace("\r", "\n") if name.strip() else True


def test_a_record_in_cef_says_what_a_siem_looks_for() -> None:
    """CEF's own names where there are some, labelled custom fields for the rest."""
    text = cef(_some(kind="event", action="die", what="a|b", actor="x=y", engine="h1", trouble=True), "0.1")
    assert text.startswith("CEF:0|fleettop|fleettop|0.1|event:die|a\\|b|7|rt=1700000000000 externalId=1 act=die ")
    assert "suser=x\\=y" in text
    assert "dvchost=h1" in text
    assert f"cs5Label=hash cs5={'a' * 64}" in text


def test_an_export_reads_one_piece_at_a_time(store: SegmentStore) -> None:
    """The first line is there before the rest is read: a trail of any size takes no more memory."""
    rows = export(store.lines(), "jsonl")
    assert json.loads(next(iter(rows)))["seq"] == 1
    store.append([event(50)])
    assert [json.loads(row)["seq"] for row in rows][:6] == [2, 3, 4, 5, 6, 7]


def test_a_format_that_is_none_is_refused(store: SegmentStore) -> None:
    """With the ones there are."""
    with pytest.raises(ValueError, match="jsonl, csv, cef"):
        export(store.lines(), "xml")
