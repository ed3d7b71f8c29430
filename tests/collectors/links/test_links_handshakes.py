"""The places at a jump host: so many at a time, and who gets the next one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fleettop.collectors.address import EngineAddress
from fleettop.collectors.links import HandshakeGate, Turn
from fleettop.collectors.links.sshoptions import Hop, find_route

SILENT, CALM, TROUBLED = Turn(silent=True), Turn(), Turn(calm=False)


def bastion(folder: Path) -> Hop:
    """A host that many others stand behind."""
    (folder / "config").write_text("")
    address = EngineAddress(name="bastion", scheme="ssh", host="bastion", ssh_config=folder / "config")
    return find_route(address)[-1]


async def _let_others_go() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_trouble_goes_first_and_silence_last(tmp_path: Path) -> None:
    """A bastion with a place for one: hosts that never answer do not keep away those that somebody waits for."""
    gate, hop, order = HandshakeGate(limit=1), bastion(tmp_path), list[str]()
    go_on = asyncio.Event()

    async def pass_by(name: str, turn: Turn) -> None:
        async with gate.slot(hop, turn):
            order.append(name)
            await go_on.wait()

    waiting = [("first", CALM), ("dead", SILENT), ("calm", CALM), ("dead too", SILENT), ("bad", TROUBLED)]
    waiting += [("calm too", CALM), ("bad too", TROUBLED)]
    async with asyncio.TaskGroup() as group:
        for name, turn in waiting:
            group.create_task(pass_by(name, turn))
            await _let_others_go()
        assert order == ["first"]
        go_on.set()
    assert order == ["first", "bad", "bad too", "calm", "calm too", "dead", "dead too"]
    assert not gate.busy


async def test_who_gives_up_waiting_keeps_nobody_from_their_place(tmp_path: Path) -> None:
    """Also where the place was given to it in the same moment."""
    gate, hop = HandshakeGate(limit=1), bastion(tmp_path)
    held, go_on = asyncio.Event(), asyncio.Event()
    passed: list[int] = []

    async def hold() -> None:
        async with gate.slot(hop):
            held.set()
            await go_on.wait()
        waiting[0].cancel()  # its place was given to it just now, and it has not run since

    async def pass_by(number: int) -> None:
        async with gate.slot(hop):
            passed.append(number)

    holder = asyncio.create_task(hold())
    await held.wait()
    waiting = [asyncio.create_task(pass_by(number)) for number in range(4)]
    await _let_others_go()
    waiting[1].cancel()
    go_on.set()
    await holder
    await asyncio.gather(*waiting, return_exceptions=True)
    assert passed == [2, 3]
    assert not gate.busy
    async with asyncio.timeout(30), gate.slot(hop):
        pass


async def test_no_more_than_the_limit_are_let_in(tmp_path: Path) -> None:
    """However many wait."""
    gate, hop, inside, most = HandshakeGate(limit=3), bastion(tmp_path), 0, 0

    async def pass_by(number: int) -> None:
        nonlocal inside, most
        async with gate.slot(hop, Turn(silent=number % 3 == 0, calm=number % 2 == 0)):
            inside += 1
            most = max(most, inside)
            await _let_others_go()
            inside -= 1

    await asyncio.gather(*(pass_by(number) for number in range(30)))
    assert (inside, most) == (0, 3)
    assert not gate.busy
