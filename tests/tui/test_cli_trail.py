"""`fleettop trail`: what it shows, proves and hands out, and how it says what is wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from fleettop.collectors.cause.noise import NOISE
from fleettop.collectors.trail.entry import Entry, RawEvent, nanos, stamp
from fleettop.collectors.trail.segments import SegmentStore
from fleettop.tui import cli

README = Path(__file__).parents[2] / "README.md"
BEGIN = nanos("2026-01-02T03:04:05.000000001Z")
SECOND = 1_000_000_000
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home with nothing in it."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the trail lies."""
    return tmp_path / "trail"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], folder: Path) -> Run:
    """`run("show", …)` is `fleettop trail show --trail FOLDER …`: exit code, standard output, standard error."""

    def run(action: str, *options: str) -> tuple[int, str, str]:
        code = cli.main(["trail", action, "--trail", str(folder), *options])
        return code, *capsys.readouterr()

    return run


def happened(second: int, action: str = "die", *, engine: str = "web-1", **more: object) -> Entry:
    """An event so many seconds after the beginning."""
    at = stamp(BEGIN + second * SECOND)
    name = str(more.get("name", "pay-api-1"))
    values: dict[str, object] = {
        "thread": f"{second:032x}",
        "key": f"{second:032x}",
        "kind": "event",
        "at": at,
        "seen": at,
        "instance": "one",
        "event": RawEvent(type="container", action=action, time=at),
        "engine": engine,
        "type": "container",
        "id": "c" * 64,
        "name": name,
        "service": "pay/api",
        "service_key": "compose\tpay\tapi",
        "action": action,
        "what": "exited 1 by itself",
        "actor": "the program",
        "attribution": "derived",
        "trouble": True,
    }
    return Entry(**{**values, **more})  # type: ignore[arg-type]


def gap(second: int, engine: str = "web-1") -> Entry:
    """A gap that began then."""
    at = stamp(BEGIN + second * SECOND)
    return Entry(
        thread=f"one-{second}", kind="gap", at=at, seen=at, instance="one", engine=engine, type="host", name=engine,
        action="gap", what="nothing known for 12s: link lost", actor="gap, certain", attribution="derived",
        certain=True, reason="pay-api-2 is gone", until=stamp(BEGIN + (second + 12) * SECOND),
    )  # fmt: skip


@pytest.fixture
def keep(folder: Path) -> Callable[[Sequence[Entry]], None]:
    """Write these lines into the trail."""

    def keep(entries: Sequence[Entry]) -> None:
        with closing(SegmentStore(folder, instance="one")) as store:
            store.append(entries)

    return keep


# -- show


def test_records_are_shown_newest_last_in_the_words_of_the_dashboard(run: Run, keep) -> None:
    """When, where, of what, what, by whom and how that is known; a gap is a bar."""
    keep([happened(2), gap(1), happened(0, reason="to see", name="pay-api-3", actor="ops", attribution="own")])
    code, out, err = run("show")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "2026-01-02 03:04:05  web-1  pay-api-3  exited 1 by itself  ops · own  “to see”",
        "2026-01-02 03:04:06  ╍╍╍ web-1: nothing known for 12s: link lost  “pay-api-2 is gone”",
        "2026-01-02 03:04:07  web-1  pay-api-1  exited 1 by itself  the program · derived",
    ]


def test_what_was_amended_is_one_record_and_two_lines(run: Run, keep) -> None:
    """A record is the newest line of its thread; --raw shows every line as it was written."""
    first = happened(1)
    more = msgspec.structs.replace(
        first,
        key="f" * 32,
        what="exited 1 by itself, started again",
        event=RawEvent(type="container", action="start", time=stamp(BEGIN + 2 * SECOND)),
    )
    keep([first, more])
    assert run("show")[1].count("\n") == 1
    assert "started again" in run("show")[1]
    lines = run("show", "--raw")[1].splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert "container die" in lines[0]
    assert "container start" in lines[1]


def test_the_newest_are_shown_unless_more_are_asked_for(run: Run, keep) -> None:
    """--limit N the newest N, 0 all of them; 200 by default."""
    keep([happened(second) for second in range(1234)])

    def shown(*options: str) -> list[int]:
        return [json.loads(line)["seq"] for line in run("show", "--json", *options)[1].splitlines()]

    assert shown() == list(range(1035, 1235))
    assert shown("--limit", "3") == [1232, 1233, 1234]
    assert shown("--limit", "0") == list(range(1, 1235))
    assert [json.loads(line)["seq"] for line in run("show", "--raw", "--json", "--limit", "2")[1].splitlines()] == [
        1233,
        1234,
    ]


def test_a_span_of_time_is_from_since_to_before_until(run: Run, keep) -> None:
    """Inclusive at its begin, exclusive at its end, for records and for lines."""
    keep([happened(second) for second in range(10)])
    for how in ((), ("--raw",)):
        options = ("--since", "2026-01-02T03:04:07Z", "--until", "2026-01-02T03:04:10Z", "--json", "--limit", "0")
        lines = [json.loads(line) for line in run("show", *options, *how)[1].splitlines()]
        assert [line["seq"] for line in lines] == [3, 4, 5]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("host:web-2", [2]),
        ("HOST=WEB-2", [2]),
        ("host:web*", [1, 2, 3, 4]),
        ("kind:gap", [3]),
        ("!kind:gap", [1, 2, 4]),
        ("service:pay", [1, 2, 4]),
        ("by:ops", [4]),
        ("action:oom | kind:gap", [2, 3]),
        ('why:"to see"', [4]),
        ("nothing", [3]),
        ("host:nowhere", []),
    ],
)
def test_the_filter_is_that_of_the_dashboard(run: Run, keep, text: str, found: list[int]) -> None:
    """The same language and the same fields as in view 4, whichever part of it an index finds."""
    keep(
        [
            happened(1),
            happened(2, "oom", engine="web-2"),
            gap(3),
            happened(4, actor="ops@bastion", attribution="own", reason="to see"),
        ]
    )
    for how in ((), ("--raw",), ("--limit", "0")):
        code, out, _ = run("show", "--json", "--filter", text, *how)
        assert code == 0
        assert [json.loads(line)["seq"] for line in out.splitlines()] == found


def test_a_record_as_json_has_its_documented_fields(run: Run, keep) -> None:
    """One object a line; what is not known is null."""
    keep([happened(1, exit_code=1)])
    (line,) = run("show", "--json")[1].splitlines()
    record = json.loads(line)
    readme = README.read_text()
    (row,) = [row for row in readme.splitlines() if row.startswith("| `trail show` |")]
    assert list(record) == row.split("|")[2].split()
    assert (record["exit_code"], record["reason"], record["time"]) == (1, None, "2026-01-02T03:04:06Z")


def test_a_line_as_json_is_its_canonical_form_with_its_place_in_the_chain(run: Run, keep) -> None:
    """What the hash is of, byte for byte."""
    keep([happened(1)])
    (line,) = run("show", "--raw", "--json")[1].splitlines()
    kept = json.loads(line)
    assert (kept["seq"], kept["prev"]) == (1, "0" * 64)
    assert json.dumps(kept["record"], sort_keys=True, separators=(",", ":"), ensure_ascii=False) in line


# -- head


def test_the_head_is_the_last_line_and_its_hash(run: Run, keep) -> None:
    """NUMBER:HASH and when it was written."""
    keep([happened(1), happened(2)])
    last = json.loads(run("show", "--raw", "--json", "--limit", "1")[1])
    code, out, err = run("head")
    assert (code, err) == (0, "")
    assert out == f"2:{last['hash']} 2026-01-02T03:04:07.000000001Z\n"
    assert json.loads(run("head", "--json")[1]) == {
        "seq": 2,
        "hash": last["hash"],
        "time": "2026-01-02T03:04:07.000000001Z",
    }


def test_the_head_is_added_to_an_anchor_for_its_owner_s_eyes(run: Run, keep, tmp_path: Path, folder: Path) -> None:
    """A file that only grows, 0600, each line with the head and the folder of the trail."""
    anchor = tmp_path / "heads"
    keep([happened(1)])
    assert run("head", "--anchor", str(anchor))[0] == 0
    keep([happened(2)])
    assert run("head", "--anchor", str(anchor))[0] == 0
    assert anchor.stat().st_mode & 0o777 == 0o600
    first, second = anchor.read_text().splitlines()
    assert (first[:2], second[:2]) == ("1:", "2:")
    assert second.endswith(f" {folder}")
    assert second.split()[0] == run("head")[1].split()[0]


def test_an_anchor_is_never_a_link_nor_a_device(run: Run, keep, tmp_path: Path) -> None:
    """Whoever puts a link there must not make fleettop write elsewhere: exit 4, one sentence."""
    keep([happened(1)])
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for where in (tmp_path / "link", Path("/dev/null"), tmp_path / "no" / "folder"):
        code, _, err = run("head", "--anchor", str(where))
        assert code == 4
        assert err.startswith(f"fleettop: The head of the trail cannot be kept in {where}: ")
    assert not (tmp_path / "elsewhere").exists()


def program(folder: Path, name: str, text: str) -> None:
    """A program of that name."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("name", ["systemd-cat", "logger"])
def test_the_journal_gets_the_head_by_whichever_program_is_there(
    run: Run, keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """On its standard input, with arguments that never change."""
    keep([happened(1)])
    program(tmp_path / "bin", name, f'echo "$@" >{tmp_path}/said; /bin/cat >>{tmp_path}/said')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert run("head", "--anchor", "journal")[0] == 0
    arguments, head = (tmp_path / "said").read_text().splitlines()
    assert arguments in ("--identifier=fleettop-trail", "--tag=fleettop-trail")
    assert head.split()[0] == run("head")[1].split()[0]


def test_a_journal_that_is_not_there_is_said_in_a_sentence(
    run: Run, keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No program for it: exit 2; one that fails: exit 4, with its last words."""
    keep([happened(1)])
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    code, _, err = run("head", "--anchor", "journal")
    assert code == 2
    assert "neither systemd-cat nor logger is installed" in err
    program(tmp_path / "bin", "logger", "echo socket /dev/log: no such file >&2; exit 1")
    code, _, err = run("head", "--anchor", "journal")
    assert code == 4
    assert "The journal does not take the head of the trail: socket /dev/log: no such file." in err


# -- what is wrong


@pytest.mark.parametrize("action", ["show", "verify", "head", "export"])
def test_where_no_trail_is_it_says_where_it_looked(run: Run, folder: Path, action: str) -> None:
    """Exit 2, nothing printed, nothing made."""
    code, out, err = run(action)
    assert (code, out) == (2, "")
    assert f"There is no trail in {folder}." in err
    assert "--trail DIR" in err
    assert not folder.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("show", "--since", "soon"), "--since 'soon' is neither a span nor a time."),
        (("show", "--since", "1h", "--until", "2h"), "--until is not after --since"),
        (("show", "--filter", "hots:web"), "--filter: At 1: there is no field 'hots'; did you mean host?"),
        (("show", "--format", "csv"), "--format is not for `fleettop trail show`."),
        (("verify", "--filter", "x"), "--filter is not for `fleettop trail verify`."),
        (("head", "--head", "1:a"), "--head is not for `fleettop trail head`."),
        (("export", "--json"), "--json is not for `fleettop trail export`."),
        (("show", "--limit", "-1"), "-1 is less than 0"),
        (("nonsense",), "invalid choice: 'nonsense'"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_said_in_a_sentence(run: Run, keep, options, words: str) -> None:
    """Exit 2 and what is wrong with it."""
    keep([happened(1)])
    code, out, err = run(*options)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_a_file_in_the_place_of_the_folder_is_no_trail(run: Run, folder: Path) -> None:
    """Exit 2, with what it is."""
    folder.write_text("x")
    code, _, err = run("show")
    assert code == 2
    assert f"{folder} is no folder." in err


def test_the_readme_names_all_that_is_left_out() -> None:
    """Every action of the product's own list of noise, in the paragraph about it."""
    text = README.read_text()
    paragraph = text[text.index("Left out as noise") :].partition("\n\n")[0]
    assert [action for _, action in NOISE if f"`{action}`" not in paragraph] == []


# -- verify


def spoil(folder: Path, *statements: str) -> None:
    """Change the newest segment by hand."""
    file = max(folder.glob("segment-*.sqlite"))
    with closing(sqlite3.connect(file, isolation_level=None)) as sql:
        for statement in statements:
            sql.execute(statement)


def test_a_whole_trail_is_said_to_be_intact_with_what_is_in_it(run: Run, keep) -> None:
    """Kinds, span, gaps, segments and the head; exit 0."""
    keep([happened(1), gap(2), happened(30)])
    code, out, err = run("verify")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "3 lines in 1 segment: 2 event, 1 gap"
    head = run("head")[1].split()[0]
    assert lines[1] == f"from 2026-01-02 03:04:06 to 2026-01-02 03:04:35 UTC; the head is {head}"
    assert lines[2] == "1 gap line, the longest of them 12s"
    assert lines[-1].startswith("intact: ")
    record = json.loads(run("verify", "--json")[1])
    assert (record["intact"], record["lines"], record["kinds"]) == (True, 3, {"event": 2, "gap": 1})


def test_a_start_without_an_end_is_told(run: Run, keep) -> None:
    """It still runs, or was killed: no fault of the trail."""
    at = stamp(BEGIN)
    keep([Entry(thread="one-1", kind="start", at=at, seen=at, instance="one", actor="ops@here")])
    code, out, _ = run("verify")
    assert code == 0
    assert "1 start without an end (line 1)" in out


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            ["UPDATE line SET body = replace(CAST(body AS TEXT), 'exited 1', 'exited 0') WHERE seq = 3"],
            "line 3",
        ),
        (["DELETE FROM line WHERE seq = 3"], "lines 3 to 3 are missing"),
        (["UPDATE line SET hash = zeroblob(32) WHERE seq = 4"], "line 4"),
    ],
)
def test_what_was_changed_is_named_by_the_first_bad_line(run: Run, keep, folder: Path, statements, words: str) -> None:
    """Changed, removed, or with another hash: exit 1, on the screen and as JSON."""
    keep([happened(second) for second in range(1, 7)])
    spoil(folder, *statements)
    code, out, _ = run("verify")
    assert code == 1
    first = next(line for line in out.splitlines() if line.startswith("WRONG"))
    assert words in first
    assert "intact" not in out
    code, out, _ = run("verify", "--json")
    assert code == 1
    assert words in json.loads(out)["problems"][0]["what"]


def test_a_head_kept_elsewhere_proves_what_the_trail_alone_cannot(run: Run, keep, folder: Path) -> None:
    """On the chain: fine. Cut off behind, or written anew: exit 1, though every hash in it is right."""
    keep([happened(1), happened(2)])
    head = run("head")[1].split()[0]
    keep([happened(3)])
    code, out, _ = run("verify", "--head", head)
    assert code == 0
    assert "ok: on the chain is 1 head kept elsewhere" in out
    shutil.rmtree(folder)
    keep([happened(1)])
    assert run("verify")[0] == 0
    code, out, _ = run("verify", "--head", head)
    assert code == 1
    assert "WRONG: head 2:" in out
    keep([happened(7)])
    code, out, _ = run("verify", "--head", head)
    assert code == 1
    assert "the trail was written anew" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--head", "nonsense"), "--head: 'nonsense' is no head of a trail"),
        (("--head", "1:abc"), "is no head of a trail"),
        (("--anchored", "/nowhere/heads"), "/nowhere/heads cannot be read"),
        (("--anchored", "/dev/null"), "no head stands in /dev/null"),
    ],
)
def test_a_head_that_is_none_is_refused(run: Run, keep, options, words: str) -> None:
    """Exit 2, which is not the exit of a trail that is wrong."""
    keep([happened(1)])
    code, out, err = run("verify", *options)
    assert (code, out) == (2, "")
    assert words in err


# -- export


def readme_script() -> str:
    """The program in the README that verifies an export."""
    text = README.read_text()
    (script,) = re.findall(r"```python\n(import hashlib.*?)```", text, re.DOTALL)
    return str(script)


def check(file: Path) -> subprocess.CompletedProcess[str]:
    """Run it, with nothing of fleettop in reach."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", readme_script(), str(file)], capture_output=True, text=True, check=False
    )


def test_the_script_in_the_readme_is_short_and_needs_nothing(run: Run) -> None:
    """Twenty lines, and only hashlib, json and sys."""
    script = readme_script()
    assert len(script.strip().splitlines()) <= 20
    assert re.findall(r"^(?:import|from) .*", script, re.MULTILINE) == ["import hashlib, json, sys"]


def test_an_export_is_verified_by_the_script_in_the_readme(run: Run, keep, tmp_path: Path) -> None:
    """Also with letters of every kind in it, and from the middle of a chain on."""
    odd = 'äöü “quotes” \\ back " 日本語 🐳 <>&/ \u2028'
    keep([happened(1), happened(2, reason=odd, name=odd), gap(3)])
    file = tmp_path / "trail.jsonl"
    assert run("export", "--output", str(file)) == (0, "", "")
    assert file.stat().st_mode & 0o777 == 0o600
    head = run("head")[1].split()[0]
    assert check(file).stdout == f"3 lines, the last is {head}\n"
    assert run("export", "--since", "2026-01-02T03:04:07Z", "--output", str(file))[0] == 0
    assert check(file).stdout == f"2 lines, the last is {head}\n"


@pytest.mark.parametrize(
    ("spoil_it", "words"),
    [
        (lambda lines: [lines[0], lines[1].replace("exited 1", "exited 0"), lines[2]], "line 2 was changed"),
        (lambda lines: [lines[0], lines[2]], "line 2 is missing or was put in another place"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 3 is missing or was put in another place"),
    ],
)
def test_the_script_in_the_readme_finds_what_was_changed(run: Run, keep, tmp_path: Path, spoil_it, words) -> None:
    """It names the line, and ends with an error."""
    keep([happened(1), happened(2), happened(3)])
    file = tmp_path / "trail.jsonl"
    run("export", "--output", str(file))
    file.write_text("".join(spoil_it(file.read_text().splitlines(keepends=True))))
    done = check(file)
    assert done.returncode == 1
    assert done.stderr.strip() == words


@pytest.mark.parametrize(("form", "first"), [("jsonl", '{"seq":1,'), ("csv", "seq,hash,"), ("cef", "CEF:0|fleettop|")])
def test_an_export_goes_to_standard_output_in_three_formats(run: Run, keep, form: str, first: str) -> None:
    """One line after the other, narrowed as asked."""
    keep([happened(1), gap(2), happened(3)])
    code, out, err = run("export", "--format", form, "--filter", "!kind:gap")
    assert (code, err) == (0, "")
    assert out.startswith(first)
    assert len(out.splitlines()) == 2 + (form == "csv")


def test_an_export_is_there_whole_or_not_at_all(
    run: Run, keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written leaves the file of before, and nothing beside it."""
    keep([happened(1)])
    file = tmp_path / "out" / "trail.jsonl"
    code, _, err = run("export", "--output", str(file))
    assert code == 2
    assert f"{file} cannot be written: No such file or directory." in err
    file.parent.mkdir()
    file.write_text("before")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, _, err = run("export", "--output", str(file))
    assert code == 2
    assert "No space left on device" in err
    assert [(one.name, one.read_text()) for one in file.parent.iterdir()] == [("trail.jsonl", "before")]


def test_an_export_never_takes_the_place_of_what_is_no_plain_file(run: Run, keep, tmp_path: Path) -> None:
    """No device, no link: exit 2."""
    keep([happened(1)])
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for where in (Path("/dev/null"), tmp_path / "link", tmp_path):
        code, _, err = run("export", "--output", str(where))
        assert code == 2
        assert f"{where} is no plain file." in err
    assert Path("/dev/null").is_char_device()
