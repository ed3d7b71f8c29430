"""Counters of containers on this very machine, read where the kernel shows them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock

import msgspec

from ..clock import Clock
from ..engine.stats import StatsSample
from .answer import Counters, sample_of
from .target import Target

AGAIN = 30.0
"""Seconds after which what was not found is looked for again."""
SEARCH = 5.0
"""Seconds between two looks through all groups: some milliseconds each."""
MOST_FOLDERS = 4096
"""Of the groups that are looked through for those of containers."""
AT_ONCE = 64
"""Containers read in one go: some 0.1 ms each."""
LARGEST = 16384
"""Bytes read of one file."""
MOST_OPEN = 384
"""Files kept open: three for each container."""


class Home(msgspec.Struct, frozen=True):
    """Where the kernel keeps the counters of one container."""

    cpu: str
    memory: str
    """The same folder with cgroup v2."""
    unified: bool
    network: str
    """The file of its interfaces; empty where they are its host's, or not known."""


class _Groups:
    """The folders of all containers on this machine, as last searched for: the same for each engine here."""

    def __init__(self) -> None:
        self.searched = float("-inf")
        self.folders: dict[str, dict[str, str]] = {}
        self.lock = Lock()


_GROUPS: dict[str, _Groups] = {}
"""By where they are mounted."""


class LocalFigures:
    """For an engine behind a socket of this machine. That its containers run here is proven by their ids."""

    def __init__(
        self, clock: Clock, *, groups: str = "/sys/fs/cgroup", processes: str = "/proc", most_open: int = MOST_OPEN
    ) -> None:
        self._clock = clock
        self._groups = groups
        self._processes = processes
        self._homes: dict[str, tuple[tuple[int, bool], Home]] = {}
        self._lost: dict[str, tuple[tuple[int, bool], float]] = {}
        self._all = _GROUPS.setdefault(groups, _Groups())
        self._files = OpenFiles(most_open)

    @property
    def words(self) -> str:
        """How figures are read: a socket here may lead to an engine elsewhere, whose containers are not found."""
        if self._lost and not self._homes:
            return "asked of the engine, since its containers are not found on this machine"
        return "read on this machine"

    def serves(self, target: Target) -> bool:
        """Yes, unless it was looked for in vain as it is known now."""
        lost = self._lost.get(target.id)
        return lost is None or lost[0] != target.way or self._clock.monotonic() - lost[1] >= AGAIN

    async def read(self, targets: Sequence[Target]) -> dict[str, StatsSample]:
        """The counters now, by id."""
        missing = [target for target in targets if self.serves(target) and not self._at_home(target)]
        if missing:
            await asyncio.to_thread(self._find, missing)
        found: dict[str, StatsSample] = {}
        for number, target in enumerate(targets):
            if number and number % AT_ONCE == 0:
                await asyncio.sleep(0)
            sample = self._sample(target)
            if sample is not None:
                found[target.id] = sample
        return found

    def forget(self, known: frozenset[str]) -> None:
        """Only these containers exist."""
        for gone in self._homes.keys() - known:
            self._leave(gone)
        for gone in self._lost.keys() - known:
            del self._lost[gone]

    def close(self) -> None:
        """Close what is kept open."""
        self._files.close()

    def _at_home(self, target: Target) -> bool:
        known = self._homes.get(target.id)
        return known is not None and known[0] == target.way

    def _sample(self, target: Target) -> StatsSample | None:
        if not self._at_home(target):
            return None
        at = self._clock.monotonic()
        counters = read_counters(self._homes[target.id][1], self._files.read)
        if counters.cpu is None:
            self._leave(target.id)
            self._lost[target.id] = (target.way, at)
            return None
        return sample_of(counters, at=at, since_boot=at, limit=target.limit)

    def _leave(self, container_id: str) -> None:
        home = self._homes.pop(container_id)[1]
        self._files.leave(home.cpu)
        self._files.leave(home.memory)

    # -- finding

    def _find(self, targets: Sequence[Target]) -> None:
        """By the container's first process; else by its id among all groups, as where engines count processes anew."""
        now = self._clock.monotonic()
        strays: list[Target] = []
        for target in targets:
            home = self._told(target)
            if home is None:
                strays.append(target)
            else:
                self._keep(target, home)
        if not strays:
            return
        with self._all.lock:  # who comes meanwhile waits for what is found
            if any(target.id not in self._all.folders for target in strays) and now - self._all.searched >= SEARCH:
                self._all.folders = self._search()
        for target in strays:
            home = self._home_among(self._all.folders.get(target.id, {}), target)
            if home is None:
                self._lost[target.id] = (target.way, now)
            else:
                self._keep(target, home)

    def _keep(self, target: Target, home: Home) -> None:
        self._homes[target.id] = (target.way, home)
        self._lost.pop(target.id, None)

    def _told(self, target: Target) -> Home | None:
        """What /proc/PID/cgroup says; None where that process is not this container's."""
        if not target.pid:
            return None
        paths: dict[str, str] = {}
        for line in read(f"{self._processes}/{target.pid}/cgroup").splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            at = path.find(target.id)
            if at >= 0 and ".." not in path:
                end = path.find("/", at)
                for controller in controllers.split(","):
                    paths[controller] = path if end < 0 else path[:end]
        network = f"{self._processes}/{target.pid}/net/dev" if target.own_network else ""
        if "cpuacct" in paths and "memory" in paths:
            return Home(
                f"{self._groups}/cpuacct{paths['cpuacct']}", f"{self._groups}/memory{paths['memory']}", False, network
            )
        if "" in paths:
            folder = f"{self._groups}{paths['']}"
            return Home(folder, folder, True, network)
        return None

    def _search(self) -> dict[str, dict[str, str]]:
        """The folders named after a container, by its id and the hierarchy: `cpuacct`, `memory`; empty with v2."""
        self._all.searched = self._clock.monotonic()
        found: dict[str, dict[str, str]] = {}
        v1 = [root for root in ("cpuacct", "memory") if Path(self._groups, root).is_dir()]
        for root in v1 or [""]:
            for path, container_id in walk(f"{self._groups}/{root}" if root else self._groups):
                found.setdefault(container_id, {})[root] = path
        return found

    def _home_among(self, folders: Mapping[str, str], target: Target) -> Home | None:
        unified = "" in folders
        cpu = folders.get("" if unified else "cpuacct")
        memory = folders.get("" if unified else "memory")
        if cpu is None or memory is None:
            return None
        first = read(f"{cpu}/cgroup.procs").partition("\n")[0]  # numbered as we see processes
        network = f"{self._processes}/{first}/net/dev" if first.isdigit() and target.own_network else ""
        return Home(cpu, memory, unified, network)


def walk(root: str) -> Iterator[tuple[str, str]]:
    """The folders below whose name holds the id of a container, and that id; not what lies below those."""
    waiting, seen = [root], 0
    while waiting and seen < MOST_FOLDERS:
        folder = waiting.pop()
        seen += 1
        try:
            with os.scandir(folder) as entries:
                below = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        for entry in below:
            container_id = named_id(entry.name)
            if container_id:
                yield entry.path, container_id
            else:
                waiting.append(entry.path)


def named_id(name: str) -> str:
    """The id in `ID`, `docker-ID.scope`, `libpod-ID`; empty where there is none. Podman's monitor is no container."""
    bare = name.removesuffix(".scope")
    front, dash, back = bare.rpartition("-")
    if front.endswith("conmon"):
        return ""
    found = back if dash else bare
    return found if len(found) == 64 and not found.strip("0123456789abcdef") else ""


# -- reading


def read(path: str) -> str:
    """The text of a small file of the kernel's; empty where it cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(file, LARGEST).decode("ascii", errors="replace")
    except OSError:
        return ""
    finally:
        os.close(file)


class OpenFiles:
    """Files of control groups, kept open between two readings: to open one costs five times what reading it does.

    They do not keep a group alive: it can be removed under them, and reading fails from then on. What lies below
    `/proc/PID/net` would, and is not for here.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[str, dict[str, int]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def read(self, folder: str, name: str) -> str:
        """The text now; empty where it cannot be read."""
        kept = self._open.get(folder)
        file = kept.get(name) if kept is not None else None
        if file is None:
            if self._count >= self._most:
                return read(f"{folder}/{name}")
            try:
                file = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return ""
            self._open.setdefault(folder, {})[name] = file
            self._count += 1
        try:
            return os.pread(file, LARGEST, 0).decode("ascii", errors="replace")
        except OSError:  # removed; there may be another of its name by now
            self.leave(folder)
            return read(f"{folder}/{name}")

    def leave(self, folder: str) -> None:
        """Close what is open of a folder."""
        for file in self._open.pop(folder, {}).values():
            os.close(file)
            self._count -= 1

    def close(self) -> None:
        """Close all of it."""
        for folder in tuple(self._open):
            self.leave(folder)


def read_counters(home: Home, read_group: Callable[[str, str], str]) -> Counters:
    """What the kernel counts at that place; the same as the command for hosts reads there."""
    received, sent = traffic(read(home.network)) if home.network else (None, None)
    if home.unified:
        microseconds = field(read_group(home.cpu, "cpu.stat"), "usage_usec ")
        return Counters(
            cpu=None if microseconds is None else microseconds * 1000,
            memory=number(read_group(home.memory, "memory.current")),
            inactive_file=field(read_group(home.memory, "memory.stat"), "inactive_file "),
            received=received,
            sent=sent,
        )
    return Counters(
        cpu=number(read_group(home.cpu, "cpuacct.usage")),
        memory=number(read_group(home.memory, "memory.usage_in_bytes")),
        inactive_file=field(read_group(home.memory, "memory.stat"), "total_inactive_file "),
        received=received,
        sent=sent,
    )


def number(text: str) -> int | None:
    """A file that is one number."""
    first = text.partition("\n")[0]
    return int(first) if first.isascii() and first.isdigit() else None


def field(text: str, key: str) -> int | None:
    """The number behind a word that the file holds once."""
    at = text.find(key)
    return None if at < 0 else number(text[at + len(key) : at + len(key) + 24])


def traffic(text: str) -> tuple[int | None, int | None]:
    """Bytes received and sent, as the engine counts: of eth0 and so on; else of whatever has counted something."""
    own: list[tuple[int, int]] = []
    other: list[tuple[int, int]] = []
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        words = rest.split()
        name = name.strip()
        if not colon or name == "lo" or len(words) < 9 or not (words[0].isdigit() and words[8].isdigit()):
            continue
        (own if name.startswith("eth") else other).append((int(words[0]), int(words[8])))
    counted = own or other
    received, sent = sum(pair[0] for pair in counted), sum(pair[1] for pair in counted)
    return (received, sent) if own or received + sent else (None, None)
