"""Taking a fleet away without a trace; what is there is found by name, so it works after any crash."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from .shell import sh
from .site import Site
from .waiting import wait_for


def take_down(site: Site) -> list[str]:
    """End all processes of a fleet and remove its networks, mounts, cgroups and files. Returns what is left behind."""
    left = []
    names = namespaces(site)
    _thaw(site)
    for name in names:
        for process in _processes(name):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
    for name in names:
        try:
            wait_for(f"{name} is empty", partial(_is_empty, name), 20, 0.02)
        except TimeoutError as error:
            left.append(str(error))
    sh("ip", "link", "del", site.root_interface, check=False)
    for name in names:
        sh("ip", "netns", "del", name, check=False)
    for _, place, _ in reversed(list(_mounts())):
        if place == str(site.folder) or place.startswith(f"{site.folder}/"):
            sh("umount", "-l", place, check=False)
    left += _remove_cgroups(site)
    shutil.rmtree(site.folder, ignore_errors=True)
    if site.folder.exists():
        left.append(str(site.folder))
    return left


def namespaces(site: Site) -> list[str]:
    """The network namespaces that a fleet has at the moment."""
    return re.findall(rf"^({site.prefix}-\S+)", sh("ip", "netns", "list"), re.MULTILINE)


def _processes(namespace: str) -> list[int]:
    return [int(number) for number in sh("ip", "netns", "pids", namespace, check=False).split()]


def _is_empty(namespace: str) -> bool:
    return not _processes(namespace)


def _mounts() -> Iterator[tuple[str, str, str]]:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        what, place, kind, *_ = line.split()
        yield what, place, kind


def _cgroup_roots() -> set[Path]:
    return {Path(place) for _, place, kind in _mounts() if kind in ("cgroup", "cgroup2")}


def _thaw(site: Site) -> None:
    """A process in a frozen cgroup (a paused container) does not die of SIGKILL."""
    for root in _cgroup_roots():
        for name, thawed in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            for file in (root / site.cgroup.lstrip("/")).rglob(name):
                try:
                    file.write_text(thawed)
                except OSError:
                    continue


def _remove_cgroups(site: Site) -> list[str]:
    left = []
    for root in _cgroup_roots():
        top = root / site.cgroup.lstrip("/")
        try:
            wait_for(str(top), partial(_remove_tree, top), 1, 0.02)
        except TimeoutError:
            left.append(str(top))
        try:
            top.parent.rmdir()  # goes when no other fleet is up
        except OSError:
            continue
    return left


def _remove_tree(top: Path) -> bool:
    """Remove the empty cgroups under a folder, deepest first; whether all are gone."""
    for place, _, _ in os.walk(top, topdown=False):
        try:
            Path(place).rmdir()
        except OSError:
            continue
    return not top.exists()
