"""The command line against Docker 26, over every way to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleet import Fleet
from tests.fleet.load import HEALTH

WAYS = ("unix", "tls", "ssh", "ssh dial-stdio")


class Program:
    """fleettop with one engine, n1, in its config."""

    def __init__(self, fleet: Fleet, folder: Path, way: str) -> None:
        if way == "ssh dial-stdio":
            fleet.reconfigure_sshd("n1", forward=False)
        address = fleet.address("n1", way.partition(" ")[0])
        lines = ["[[engines]]", 'name = "n1"', f'address = "{address.text}"']
        if address.tls:
            files = {"ca": address.tls.ca, "cert": address.tls.cert, "key": address.tls.key}
            lines.append("tls = { " + ", ".join(f'{name} = "{path}"' for name, path in files.items()) + " }")
        if address.ssh_config:
            lines.append(f'ssh_config = "{address.ssh_config}"')
        self.config = folder / "fleettop.toml"
        self.config.write_text("\n".join(lines) + "\n")

    def __call__(self, *arguments: str) -> tuple[int, str]:
        """Run it to its end: exit code and standard output; it may complain of nothing."""
        done = subprocess.run(
            [sys.executable, "-m", "fleettop.tui", "--config", str(self.config), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "TERM": "dumb", "PYTHONWARNINGS": "error"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.stderr == ""
        return done.returncode, done.stdout


@pytest.mark.parametrize("way", WAYS)
def test_it_is_reached_listed_and_checked(newer_fleet: Fleet, tmp_path: Path, way: str) -> None:
    """`engines test`, `ls --json`, `check --json` and `logs`: it speaks 1.45, and all that is asked is answered."""
    fleettop = Program(newer_fleet, tmp_path, way)
    newer_fleet.run("n1", "shop", "web", "web", Healthcheck=HEALTH)
    newer_fleet.run_plain("n1", "odd", "sh -c 'echo last words; exit 3'")
    code, out = fleettop("engines", "test")
    assert code == 0, out
    assert "API 1.45." in out
    rows = {row["name"]: row for row in _rows(fleettop("ls", "containers", "--json"), 0)}
    assert rows.keys() == {"shop-web-1", "odd"}
    assert (rows["odd"]["exit_code"], rows["shop-web-1"]["service"]) == (3, "shop/web")
    [engine] = _rows(fleettop("ls", "engines", "--json"), 0)
    assert str(engine["version"]).startswith("26.1.5")
    found = _rows(fleettop("check", "--json"), 1)
    assert {"E02", "E09", "S01", "C09"} <= {row.get("check") for row in found}
    assert "last words" in fleettop("logs", "odd", "-e", "n1", "--tail", "3")[1]


def _rows(done: tuple[int, str], code: int) -> list[dict[str, object]]:
    assert done[0] == code, done
    return [json.loads(line) for line in done[1].splitlines()]


def test_a_prune_from_the_command_line_frees_what_it_says(newer_fleet: Fleet, tmp_path: Path) -> None:
    """`fleettop prune`: an ended container goes, and what is freed is said."""
    fleettop = Program(newer_fleet, tmp_path, "ssh")
    newer_fleet.run_plain("n1", "runs", "sleep 600")
    ended = newer_fleet.run_plain("n1", "old", "sh -c 'dd if=/dev/zero of=/x bs=1M count=3'")
    assert newer_fleet.api("n1", "POST", f"/containers/{ended}/wait", timeout=30)[0] == 200
    code, out = fleettop("prune", "n1", "--yes")
    assert code == 0, out
    assert "Freed 3.146MB." in out
    assert newer_fleet.api("n1", "GET", f"/containers/{ended}/json")[0] == 404
