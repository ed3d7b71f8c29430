"""The unit in the README: what a user copies is what systemd takes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fleettop.tui.cli import split_command

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "tests" / "fleettop-record.service"
NEEDS_SYSTEMD = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def test_the_unit_in_the_readme_is_the_one_that_is_tested() -> None:
    """Word for word."""
    (shown,) = re.findall(r"```ini\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown == UNIT.read_text()


def test_the_unit_starts_a_command_that_there_is() -> None:
    """With options that it takes."""
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    program, *arguments = line.split()
    command, rest = split_command(arguments)
    assert program == "/usr/local/bin/fleettop"
    assert command is not None
    assert command.name == "record"
    assert set(rest[0::1]) >= {"--read-only", "--config", "--trail", "--anchor"}


def complaints(folder: Path, text: str) -> list[str]:
    """What `systemd-analyze verify` says of that unit (of a program that is installed here)."""
    unit = folder / UNIT.name
    unit.write_text(text.replace("/usr/local/bin/fleettop", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    return [line for line in (done.stdout + done.stderr).splitlines() if UNIT.name in line]


@NEEDS_SYSTEMD
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """No setting that it does not know, no value that it does not take."""
    assert complaints(tmp_path, UNIT.read_text()) == []


@NEEDS_SYSTEMD
@pytest.mark.parametrize(
    ("line", "wrong", "says"),
    [
        ("Type=notify", "Type=notfy", "notfy"),
        ("ProtectClock=yes", "ProtectClok=yes", "ProtectClok"),
        ("RestartSec=5s", "RestartSec=soon", "soon"),
        ("SystemCallFilter=@system-service", "SystemCallFilter=@no-such-set", "no-such-set"),
    ],
)
def test_systemd_would_find_what_is_wrong_with_it(tmp_path: Path, line: str, wrong: str, says: str) -> None:
    """Its silence means something: each mistake of a hand is told."""
    text = UNIT.read_text()
    assert line in text.splitlines()
    assert any(says in complaint for complaint in complaints(tmp_path, text.replace(line, wrong)))
