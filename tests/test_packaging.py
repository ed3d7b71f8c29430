"""What is delivered: the wheel holds the whole program and nothing else, under its own name."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from fleettop.collectors.instance import VERSION

ROOT = Path(__file__).parents[1]
ROOMS = ("collectors", "tui")
BESIDE = ("pyproject.toml", "README.md", "LICENSE")
DELIVERED = {".py", ".tcss", ".typed"}

BUILD = """
import sys
from setuptools import build_meta
print(getattr(build_meta, sys.argv[1])(sys.argv[2]))
"""


def _built(kind: str, folder: Path) -> Path:
    """Build from a copy: what an earlier build left in build/lib would be packed again."""
    source, target = folder / "source", folder / "dist"
    target.mkdir()
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-c", BUILD, kind, str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (made,) = target.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The wheel built from this tree."""
    return zipfile.Path(_built("build_wheel", tmp_path_factory.mktemp("wheel")))


def _delivered_by(wheel: zipfile.Path) -> set[str]:
    names = wheel.root.namelist()
    return {name for name in names if ".dist-info/" not in name and not name.endswith("/")}


def _tree() -> set[str]:
    files = (file for room in ROOMS for file in (ROOT / room).rglob("*") if file.suffix in DELIVERED)
    return {f"fleettop/{file.relative_to(ROOT)}" for file in files}


def test_the_wheel_holds_every_module_of_the_tree_and_nothing_else(wheel: zipfile.Path) -> None:
    """Packages are listed by hand in pyproject.toml; a forgotten one is missing only where it is installed."""
    assert _delivered_by(wheel) == _tree()


def test_every_folder_with_modules_is_a_package() -> None:
    """A folder without __init__.py works in the checkout and is missing in the wheel."""
    folders = {file.parent for room in ROOMS for file in (ROOT / room).rglob("*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_the_wheel_claims_no_name_but_its_own(wheel: zipfile.Path) -> None:
    """Top-level `tui` or `collectors` would overwrite, or be overwritten by, other packages of that name."""
    assert {name.split("/")[0] for name in _delivered_by(wheel)} == {"fleettop"}


def test_the_wheel_brings_the_command_and_the_licence(wheel: zipfile.Path) -> None:
    """`fleettop` is there after an install, and the licence with it."""
    about = next(folder for folder in wheel.iterdir() if folder.name.endswith(".dist-info"))
    assert "fleettop = fleettop.tui.cli:main" in (about / "entry_points.txt").read_text()
    assert (about / "licenses" / "LICENSE").exists()
    assert message_from_string((about / "METADATA").read_text())["Requires-Python"] == ">=3.11"


def test_the_sdist_holds_every_module_of_the_tree(tmp_path: Path) -> None:
    """Who builds from the sdist gets the same program."""
    with tarfile.open(_built("build_sdist", tmp_path)) as sdist:
        names = {f"fleettop/{name.partition('/')[2]}" for name in sdist.getnames()}
    assert _tree() - names == set()


def test_every_dependency_says_what_it_is_for() -> None:
    """A line of pyproject.toml that names a dependency ends with its reason."""
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    named = project["dependencies"] + [name for extra in project["optional-dependencies"].values() for name in extra]
    lines = {line.split('"')[1]: line for line in text.splitlines() if line.startswith('  "')}
    assert [name for name in named if not lines[name].partition("#")[2].strip()] == []


def test_the_lock_names_versions_and_nothing_of_a_machine() -> None:
    """requirements.lock pins every dependency, by no registry and no path."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / "requirements.lock").read_text().splitlines()]
    pins = [line for line in lines if line]
    assert [line for line in pins if "==" not in line or "/" in line or line.startswith("-")] == []
    locked = {line.partition("==")[0] for line in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert {name.split(">")[0].split("=")[0].strip() for name in named} - locked == set()


def test_the_version_in_the_code_is_that_of_the_package() -> None:
    """It stands there, too, since reading it from the metadata costs 30 ms of every start."""
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
