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


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """`systemd-analyze verify` says nothing (of a program that is installed here)."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/fleettop", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    about_it = [line for line in (done.stdout + done.stderr).splitlines() if UNIT.name in line]
    assert about_it == []
