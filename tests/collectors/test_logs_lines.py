"""What becomes of a line before a person sees it: safe, in its colours, found in, folded, saved."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import pytest
from fleettop.collectors.logs.colours import SHOWN, Look, runs_of, text_of
from fleettop.collectors.logs.find import BadExpression, Finder
from fleettop.collectors.logs.jsonlines import folded_out, parsed, summary
from fleettop.collectors.logs.ring import Ring
from fleettop.collectors.logs.saving import save
from fleettop.collectors.logs.search import Search
from fleettop.collectors.model.logs import OUT, LogLine
from hypothesis import given
from hypothesis import strategies as st

NASTY = st.lists(
    st.one_of(
        st.text(max_size=6),
        st.sampled_from(
            ["\x1b[2J", "\x1b[31m", "\x1b[0m",
              "\x1b[1;38;5;200m", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\x9b31m",
             "\x1bc", "\x1b[6n", "\x1b[?1049h", "\r", "\x08", "\x1b", "\x90", "\u202e", "\x1b[38;2;1;2;3m", "\x1b[m"]
        ),
    ),
    max_size=12,
).map("".join)  # fmt: skip


def said(text: str) -> LogLine:
    return LogLine(1, 0, OUT, text.encode("utf-8", "surrogatepass"))


@given(NASTY)
def test_nothing_that_a_program_logs_can_move_the_cursor(text: str) -> None:
    """No control character is left in any piece, however escapes are put together."""
    for shown in (text_of(said(text)), *(run.text for run in runs_of(said(text)))):
        assert shown.isprintable(), ascii(shown)
    for run in runs_of(said(text)):
        assert re.fullmatch(r"[0-9;]*", run.look.sgr())


def test_colours_are_kept_and_everything_else_is_not() -> None:
    """SGR as data; hidden and blinking text is plain text."""
    runs = runs_of(said("a\x1b[1;31mb\x1b[39mc\x1b[2Jd\x1b[0;48;5;17me\x1b[38;2;1;2;300mf\x1b[8;5mg"))
    assert [(run.text, run.look.sgr()) for run in runs] == [
        ("a", ""), ("b", "1;31"), ("cd", "1"), ("e", "48;5;17"), ("f", "38;2;1;2;255;48;5;17"),
        ("g", "38;2;1;2;255;48;5;17"),
    ]  # fmt: skip
    assert text_of(said("a\x1b[1;31mb\x1b[0m")) == "ab"
    assert Look(front=9, back=12).sgr() == "91;104"


def test_a_very_long_line_is_shown_to_a_bound() -> None:
    """With or without colours."""
    assert len(text_of(said("x" * 3 * SHOWN))) == SHOWN
    assert sum(len(run.text) for run in runs_of(said("\x1b[31m" + "x" * 3 * SHOWN))) == SHOWN


# -- finding


def test_small_letters_find_capitals_and_capitals_only_themselves() -> None:
    """As vi and ripgrep do it."""
    assert Finder("error").found("An ERROR")
    assert not Finder("Error").found("An ERROR")
    assert Finder(r"o+").spans("foo boo") == [(1, 3), (5, 7)]


@pytest.mark.parametrize("bad", ["(", "[a", "a{2,1}", "*", "(?P<x", "\\"])
def test_a_bad_expression_is_one_sentence(bad: str) -> None:
    """What is wrong with it and where."""
    with pytest.raises(BadExpression) as caught:
        Finder(bad)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_an_expression_that_would_take_for_ever_is_stopped() -> None:
    """Within its deadline; `re` would hold the interpreter for hours on this."""
    finder = Finder(r"(?:a|aa|a?a)+(?:b|c)+$")
    evil = "a" * 400 + "!"
    for call in (finder.found, finder.spans):
        with pytest.raises(BadExpression, match="takes too long"):
            call(evil)


def brute(shown: list[int], around: int, last: int) -> list[int]:
    return sorted({n for at in shown for n in range(at - around, at + around + 1) if 0 <= n < last})


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 3), st.integers(1, 7))
def test_what_is_found_is_walked_with_what_stands_around_it(hits: list[bool], around: int, step: int) -> None:
    """Forward and backward alike, and as much of it as is looked at."""
    ring = Ring()
    ring.extend([said("hit" if hit else "miss") for hit in hits])
    search = Search(Finder("hit"), ring, context=around)
    while search.behind:
        search.advance(step)
    found = [at for at, hit in enumerate(hits) if hit]
    assert search.found == len(found)
    wanted = brute(found, around, len(hits))
    walked, at = list[int](), search.after(-1)
    while at is not None:
        walked.append(at)
        at = search.after(at)
    back, at = list[int](), search.before(ring.end)
    while at is not None:
        back.append(at)
        at = search.before(at)
    assert walked == wanted == back[::-1]
    assert [search.match_after(n) for n in found[:-1]] == found[1:]
    assert [search.match_before(n) for n in found[1:]] == found[:-1]


def test_what_was_found_in_lines_that_are_gone_is_forgotten() -> None:
    """The numbers of lines stay those of the ring."""
    ring = Ring(lines=10)
    search = Search(Finder("hit"), ring)
    for _ in range(5):
        ring.extend([said("hit")] * 4)
        search.advance()
    assert search.found == 10
    assert search.match_after(-1) == ring.first == 10


# -- JSON


def test_a_json_line_is_told_in_a_few_words() -> None:
    """Level, message and error first, however a library names them; its own time is left to the engine's."""
    found = parsed(b' {"ts": 1, "Level": "WARN", "msg": "slow", "err": "late\\n", "n": 3, "o": {"a": [1]}} ')
    assert found is not None
    assert summary(found) == ("warn", "slow: late ", 'n=3 o={"a":[1]}')
    assert summary({"level": 50, "time": 1}) == ("error", "", "")


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b"{1}", b"plain", b'{"a":' * 5_000 + b"1" + b"}" * 5_000])
def test_what_is_no_json_object_stays_as_it_is(line: bytes) -> None:
    """Neither is it an error, however deep it is nested."""
    found = parsed(line)
    assert found is None or isinstance(summary(found), tuple)


def test_json_is_folded_out_clean_and_to_a_bound() -> None:
    """Escapes that JSON hides in its strings are not for the terminal."""
    lines = folded_out({"a": "\x1b[2J\u202ex", "b": list(range(1_000))})
    assert all(line.isprintable() for line in lines)
    assert lines[0] == "{"
    assert lines[-1] == f"… {len(json.dumps(list(range(1_000)), indent=2).splitlines()) + 3 - 200:,} more"


# -- saving


def test_a_saved_file_is_its_owners_alone_and_overwrites_nothing_unasked(tmp_path: Path) -> None:
    """0600 whatever the umask; links are not followed; with the word for it the old one is replaced whole."""
    path = tmp_path / "x.log"
    before = os.umask(0)
    try:
        assert save(path, ["a", "b"]) == 2
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        save(path, ["c"])
    assert path.read_text() == "a\nb\n"
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):  # noqa: PT011 - which one differs between systems
        save(tmp_path / "link", ["c"])
    assert save(path, ["c"], overwrite=True) == 1
    assert path.read_text() == "c\n"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["link", "x.log"]


def test_what_cannot_be_written_to_its_end_leaves_nothing_behind(tmp_path: Path) -> None:
    """Half a file would be taken for a whole one."""

    def lines() -> object:
        yield "a"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        save(tmp_path / "x.log", lines())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
