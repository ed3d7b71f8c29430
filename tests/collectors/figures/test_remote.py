"""Counters over SSH: what is sent, what is made of the answers, and what happens when the shell fails."""

from __future__ import annotations

import asyncio

import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.figures.remote import FIRST_PAUSE, IN_VAIN, LONGEST_PAUSE, RemoteFigures
from fleettop.collectors.figures.target import Target
from fleettop.collectors.links.lineshell import LineShell, ShellTrouble

API, WEB = Target("a" * 64, 7, True), Target("b" * 64, 8, False)


class FakeShell(LineShell):
    """Answers for the containers it is said to show."""

    def __init__(self, *shown: Target) -> None:
        self.shown = {target.id for target in shown}
        self.told: list[str] = []
        self.order: list[str] = []
        self.trouble = ""
        self.garbage = ""
        self.closed = False
        self.hangs = False

    def tell(self, line: str) -> None:
        """Kept; what is made known is remembered in its order."""
        self.told.append(line)
        sign, _, rest = line.partition(" ")
        if sign == "-":
            self.order.clear()
        self.order += [item.split(":")[0] for item in rest.split()]

    async def ask(self, line: str, *, end: str, most: int, deadline: float) -> list[str]:
        """As the command would."""
        self.told.append(line)
        if self.hangs:
            await asyncio.Event().wait()
        if self.trouble:
            raise ShellTrouble(self.trouble)
        number, *places = line.split()
        assert end == f"end {number}"
        rows = [
            f"{place} 5000 100 20 1 2" if self.order[int(place) - 1] in self.shown else f"{place} - - - - -"
            for place in places
        ]
        return [f"at {number} 50.25", *rows, *([self.garbage] if self.garbage else [])]

    def close(self) -> None:
        """Told."""
        self.closed = True


class Host:
    """A host, and the shells that were started on it."""

    def __init__(self, *shells: FakeShell) -> None:
        self.clock = ManualClock()
        self.shells = list(shells)
        self.started = 0
        self.refuses = ""
        self.figures = RemoteFigures(self._open, self.clock)

    async def _open(self) -> LineShell | None:
        self.started += 1
        if self.refuses:
            raise ShellTrouble(self.refuses)
        return self.shells.pop(0) if self.shells else None


async def test_containers_are_made_known_once_and_asked_for_by_their_place() -> None:
    """Little goes over the way, and nothing that a shell could take for a command."""
    shell = FakeShell(API, WEB)
    host = Host(shell)
    found = await host.figures.read([API, WEB])
    assert (found[API.id].cpu, found[API.id].memory, found[WEB.id].received) == (5000, 80, 1)
    await host.figures.read([WEB])
    await host.figures.read([WEB, API])
    assert shell.told == [f"+ {API.id}:7:n {WEB.id}:8:-", "1 1 2", "2 2", "3 2 1"]
    assert host.started == 1


async def test_a_container_with_another_process_is_made_known_anew() -> None:
    """It was restarted: its network is to be read elsewhere."""
    shell = FakeShell(API)
    host = Host(shell)
    await host.figures.read([API])
    await host.figures.read([API._replace(pid=9)])
    assert shell.told[-2:] == [f"+ {API.id}:9:n", "2 2"]


async def test_the_list_is_started_anew_when_most_of_it_is_gone() -> None:
    """However many containers come and go, what the shell keeps stays small."""
    shell = FakeShell()
    host = Host(shell)
    for number in range(600):
        target = Target(f"{number:064x}", 1, True)
        shell.shown.add(target.id)
        assert target.id in await host.figures.read([target])
        host.figures.forget(frozenset({target.id}))
    assert "-" in shell.told
    assert len(shell.order) < 250


async def test_a_container_that_is_not_there_is_left_to_the_engine() -> None:
    """Until more is known of it, or a minute has passed."""
    host = Host(FakeShell(API))
    assert host.figures.serves(WEB)
    assert WEB.id not in await host.figures.read([API, WEB])
    assert host.figures.serves(API)
    assert not host.figures.serves(WEB)
    assert host.figures.serves(WEB._replace(pid=99))


@pytest.mark.parametrize("garbage", ["9 1 1 1 1 1", "nonsense", "1 1 1 1 1 1"])
async def test_an_answer_that_makes_no_sense_ends_the_shell(garbage: str) -> None:
    """A place that was not asked for, words, a place twice: nothing of it is shown."""
    shell = FakeShell(API)
    shell.garbage = garbage
    host = Host(shell)
    assert await host.figures.read([API]) == {}
    assert shell.closed
    assert "makes no sense" in host.figures.words
    assert not host.figures.serves(API)


async def test_a_shell_that_fails_is_started_again_later_and_later() -> None:
    """A host that forbids commands is not asked for one every two seconds."""
    host = Host()
    host.refuses = "the host runs no commands"
    pause = FIRST_PAUSE
    for attempt in range(1, 9):
        assert await host.figures.read([API]) == {}
        assert await host.figures.read([API]) == {}
        assert host.started == attempt
        assert host.figures.words.endswith("the host runs no commands")
        host.clock.advance(pause - 0.1)
        assert not host.figures.serves(API)
        host.clock.advance(0.2)
        assert host.figures.serves(API)
        pause = min(LONGEST_PAUSE, 2 * pause)
    host.refuses, host.shells = "", [FakeShell(API)]
    assert API.id in await host.figures.read([API])
    assert host.figures.words == "read on the host over ssh"


async def test_a_shell_that_dies_is_replaced_and_told_of_everything_anew() -> None:
    """The new one knows of no container."""
    first, second = FakeShell(API, WEB), FakeShell(API, WEB)
    host = Host(first, second)
    await host.figures.read([API, WEB])
    first.trouble = "the host's shell has ended"
    assert await host.figures.read([WEB]) == {}
    host.clock.advance(FIRST_PAUSE + 1)
    assert WEB.id in await host.figures.read([WEB])
    assert second.told == [f"+ {WEB.id}:8:-", "3 1"]


async def test_a_host_that_shows_no_container_is_given_up() -> None:
    """A hidden /proc and groups at places nobody knows: then the shell is of no use."""
    shell = FakeShell()
    host = Host(shell)
    for number in range(IN_VAIN):
        assert await host.figures.read([API._replace(pid=number + 1)]) == {}
    assert shell.closed
    assert "no container's counters" in host.figures.words


async def test_an_answer_that_is_not_waited_for_ends_the_shell() -> None:
    """Its rest would be taken for the next one's beginning."""
    shell = FakeShell(API)
    shell.hangs = True
    host = Host(shell)
    task = asyncio.ensure_future(host.figures.read([API]))
    while not shell.told:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert shell.closed


async def test_without_a_connection_nothing_is_read() -> None:
    """It broke while the shell was to be started."""
    host = Host()
    assert await host.figures.read([API]) == {}
    assert "no connection" in host.figures.words
