"""What `ls` reads beyond the first listing: what containers use, and the images nobody uses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.engine.decode_images import decode_images
from fleettop.collectors.errors import Permission
from fleettop.tui import cli
from fleettop.tui.filter import parse_filter

Listed = Callable[..., tuple[list[dict[str, object]], str]]


@pytest.fixture
def listed(capsys: pytest.CaptureFixture[str]) -> Listed:
    """Run `ls` as JSON on the simulated fleet: its records, and what it said on standard error."""

    def listed(*arguments: str) -> tuple[list[dict[str, object]], str]:
        assert cli.main(["ls", *arguments, "--json", "--demo"]) == 0
        out, err = capsys.readouterr()
        return [json.loads(line) for line in out.splitlines()], err

    return listed


def refuse(monkeypatch: pytest.MonkeyPatch, call: str, engine: str) -> list[str]:
    """Let that engine refuse that call; returns the engines that were asked, one entry a call."""
    asked: list[str] = []
    real = getattr(EngineClient, call)

    async def answer(self: EngineClient, *arguments: str) -> object:
        asked.append(self.engine)
        if self.engine == engine:
            raise Permission(f"{engine} does not allow that.")
        return await real(self, *arguments)

    monkeypatch.setattr(EngineClient, call, answer)
    return asked


@pytest.mark.parametrize("noun", ["containers", "services", "engines"])
def test_a_filter_by_use_samples_first(listed: Listed, noun: str) -> None:
    """`cpu>0` finds what works, and no figure is a guess: what is stopped has none."""
    records, said = listed(noun, "--filter", "cpu>0 mem>1m")
    assert records
    assert said == ""
    if noun != "engines":
        assert all(record["cpu"] > 0 and record["memory"] > 1 << 20 for record in records)  # type: ignore[operator]


def test_nothing_is_sampled_where_no_figure_is_asked_for(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample costs its engine 4 ms; `--usage` asks for all, a filter for those the rest of it lets through."""
    asked = refuse(monkeypatch, "sample", "")
    records, _ = listed("containers", "--filter", "host:web-1")
    assert (asked, {record["cpu"] for record in records}) == ([], {None})
    listed("containers", "--filter", "host:web-1 cpu>0")
    assert set(asked) == {"web-1"}
    listed("containers", "--usage")
    assert len(set(asked)) == 3


def test_an_engine_without_figures_is_named(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence on standard error; what the others told is listed."""
    refuse(monkeypatch, "sample", "web-2")
    records, said = listed("containers", "--filter", "cpu>0")
    assert "web-2" not in {record["engine"] for record in records}
    assert records
    assert said == "fleettop: web-2 gave no figures of CPU and memory for its containers within 15 s.\n"


def test_figures_that_do_not_come_are_not_waited_for_without_end(
    listed: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is that of the command; what came in time counts."""
    real = EngineClient.sample

    async def hang(self: EngineClient, id: str) -> object:  # noqa: A002
        return await (real(self, id) if self.engine != "db-1" else asyncio.Event().wait())

    monkeypatch.setattr(EngineClient, "sample", hang)
    records, said = listed("services", "--usage", "--timeout", "5")
    assert any(record["cpu"] for record in records)
    assert "db-1 gave no figures" in said


def test_images_that_nobody_uses_are_listed_last(listed: Listed) -> None:
    """Every image of every engine, with how many containers are made from it and how large it is."""
    records, said = listed("images")
    used = [bool(record["containers"]) for record in records]
    assert used == sorted(used, reverse=True)
    assert set(used) == {True, False}
    assert all(isinstance(record["size"], int) for record in records)
    assert said == ""
    assert all(record["containers"] == 0 for record in listed("images", "--filter", "containers=0")[0])


def test_an_engine_that_lists_no_images_still_has_those_in_use(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is one sentence; what its containers tell stays."""
    refuse(monkeypatch, "images", "db-1")
    records, said = listed("images")
    on_it = [record for record in records if "db-1" in record["engines"]]  # type: ignore[operator]
    assert on_it
    assert all(record["containers"] for record in on_it)
    assert said == "fleettop: db-1 did not list its images (no permission): only those in use are known.\n"


def test_what_has_no_name_is_known_by_its_id() -> None:
    """Docker before 25 calls a dangling image `<none>:<none>`; a digest is a name where there is no tag."""
    body = json.dumps(
        [
            {"Id": "sha256:" + "a" * 64, "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"], "Size": 5},
            {"Id": "b" * 64, "RepoTags": None, "RepoDigests": ["web@sha256:" + "c" * 64], "Size": -1},
            {"Id": "sha256:" + "d" * 64, "RepoTags": ["web:1", "web:2"]},
            {"RepoTags": ["lost:1"]},
            {"Id": "sha256:" + "e" * 64, "RepoTags": 7},
        ]
    )
    images, refused = decode_images(body.encode(), engine="h1")
    assert [(image.id[:8], image.names, image.size) for image in images] == [
        ("sha256:a", (), 5),
        ("sha256:b", ("web@sha256:" + "c" * 64,), None),
        ("sha256:d", ("web:1", "web:2"), None),
    ]
    assert len(refused) == 2


def test_a_filter_without_some_fields_lets_more_through() -> None:
    """What matches the whole matches the rest of it."""
    whole = parse_filter("host:web-1 cpu>50 | !mem>1g")
    assert whole.fields == {"host", "cpu", "mem"}
    rest = whole.without({"cpu", "mem"})
    assert rest.matches({"host": "db-1"})
    assert parse_filter("host:web-1 cpu>50").without({"cpu"}).matches({"host": "web-1"})
    assert not parse_filter("host:web-1 cpu>50").without({"cpu"}).matches({"host": "db-1"})
