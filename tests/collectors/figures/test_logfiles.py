"""Sizes of log files: asked for by a constant command, answered in lines that are understood or refused."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.figures.logfiles import SCRIPT, is_folder, log_sizes, on_this_machine, understood
from fleettop.collectors.links import link_to
from fleettop.collectors.model import EngineInfo

ONE, OTHER = "1" * 64, "2" * 64


def logs(folder: Path, identifier: str, **sizes: int) -> None:
    """Log files of a container; `__` in a name stands for a folder."""
    for name, size in sizes.items():
        file = folder / "containers" / identifier / name.replace("__", "/").replace("_", ".").replace("ID", identifier)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size)


def over_a_shell(folder: Path, *ids: str) -> list[str]:
    """What the command prints for us, run by the shell of this machine."""
    asked = f"nonce\n7 {folder} {' '.join(ids)}\n8 /nowhere {ONE}\n"
    done = subprocess.run(["/bin/sh", "-c", SCRIPT], input=asked, capture_output=True, text=True, check=True)
    lines = [line.removeprefix("fleettop:") for line in done.stdout.splitlines() if line.startswith("fleettop:")]
    assert lines[0] == "ready nonce"
    assert lines[-2:] == ["end 7", "end 8"]
    return lines[1:-2]


def by_shell(folder: Path, *ids: str) -> dict[str, int] | None:
    """As an answer over SSH is understood."""
    return understood(over_a_shell(folder, *ids), ids)


@pytest.mark.parametrize("read", [on_this_machine, lambda folder, ids: by_shell(Path(folder), *ids)])
def test_all_files_of_a_log_count_and_what_is_not_there_is_not_known(
    tmp_path: Path, read: Callable[[str, list[str]], dict[str, int]]
) -> None:
    """Those that were turned over, too, of both drivers; other files beside them do not; no file is not 0."""
    logs(tmp_path, ONE, **{"ID-json_log": 100, "ID-json_log_1": 30, "ID-json_log_2_gz": 4, "config_v2_json": 999})
    logs(tmp_path, OTHER, **{"local-logs__container_log": 0})
    third = "3" * 64
    (tmp_path / "containers" / third).mkdir()
    assert read(str(tmp_path), [ONE, OTHER, third, "4" * 64]) == {ONE: 134, OTHER: 0}
    assert read(str(tmp_path / "elsewhere"), [ONE]) == {}


@pytest.mark.parametrize(
    "line",
    [
        f"12 {OTHER}/{OTHER}-json.log",
        f"12 {ONE}/{OTHER}-json.log",
        f"12 {ONE}/../{ONE}-json.log",
        f"12 {ONE}/{ONE}-json.log.x",
        f"-1 {ONE}/{ONE}-json.log",
        "nonsense",
        "",
    ],
)
def test_an_answer_with_a_line_that_makes_no_sense_is_refused_as_a_whole(line: str) -> None:
    """Nothing that was not asked for is believed."""
    right = f"12 {ONE}/{ONE}-json.log"
    assert understood([right], [ONE]) == {ONE: 12}
    assert understood([right, line], [ONE]) is None


@pytest.mark.parametrize(
    ("path", "fine"),
    [
        ("/var/lib/docker", True),
        ("/home/ops1/.local/share/docker", True),
        ("", False),
        ("relative", False),
        ("/var/../etc", False),
        ("/var/lib/docker; reboot", False),
        ("/$(reboot)", False),
        ("/a\nb", False),
        ("/a/", False),
    ],
)
def test_a_folder_that_is_no_plain_path_is_not_asked_for(path: str, fine: bool) -> None:
    """An engine tells the folder, so it is foreign text."""
    assert is_folder(path) is fine


@pytest.mark.parametrize(
    ("changes", "scheme", "read"),
    [({}, "unix", {ONE: 100}), ({}, "tcp", {}), ({"kind": "podman"}, "unix", {}), ({"data_folder": ""}, "unix", {})],
)
async def test_logs_are_read_where_the_link_leads_to_the_engine_s_own_files(
    tmp_path: Path, changes: dict[str, str], scheme: str, read: dict[str, int]
) -> None:
    """A TCP link leads to an engine and to nothing beside it; a folder that is not told is not looked for."""
    logs(tmp_path, ONE, **{"ID-json_log": 100})
    info = EngineInfo(**{"kind": "docker", "version": "28", "api": "1.51", "data_folder": str(tmp_path), **changes})
    link = link_to(EngineAddress(name="h1", scheme=scheme, host="h1.example", port=2376, socket="/nowhere"))
    assert await log_sizes(link, info, [ONE]) == read


def test_the_command_can_be_handed_on_by_every_login_shell() -> None:
    """One line without what csh, fish or a quoted word would take for something else."""
    assert not set(SCRIPT) & set("!'\\\n")
