"""View 7 and pruning from it and from the command line, on a simulated fleet."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fleettop.collectors.config import Config
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.model import Attribution
from fleettop.collectors.words import bytes_words
from fleettop.tui.app import FleetApp
from fleettop.tui.cli import main
from fleettop.tui.screens.confirm import ConfirmScreen
from fleettop.tui.screens.progress import ProgressScreen
from fleettop.tui.screens.prompt import ChoicePrompt
from fleettop.tui.views.storage import ALL, DiskKey
from textual.pilot import Pilot

from tests.tui.stage import text_of

Eventually = Callable[..., Any]


@asynccontextmanager
async def storage(*, read_only: bool = False) -> AsyncIterator[tuple[DemoFleet, FleetApp, Pilot[int]]]:
    """The app at its view of storage, on three simulated hosts."""
    async with DemoFleet(engines=3, containers=30, seed=3, moving=False) as demo:
        app = FleetApp(demo.addresses, Config(), read_only=read_only)
        async with app.run_test(size=(160, 45)) as pilot:
            await app.session.settled(20)
            await pilot.press("7")
            yield demo, app, pilot


async def test_the_view_sums_the_fleet_and_says_what_may_go_by_name(eventually: Eventually) -> None:
    """The sum first, then the host on which most may go; beside them every object with its reason."""
    async with storage() as (_, app, _pilot):
        await eventually(lambda: len(app.storing.disks().sorted) == 3)
        await eventually(lambda: "3 of 3 hosts" in text_of(app.dashboard.table))
        kept = app.storing.disks().sorted
        order = sorted(kept, key=lambda name: -kept[name].most)
        assert app.dashboard._rows.order == (ALL, *map(DiskKey, order))
        app.dashboard.table.move_to(DiskKey(order[0]))
        await eventually(lambda: "dangling, made" in text_of(app.dashboard.detail))


async def test_log_sizes_are_shown_where_they_can_be_read_and_are_unknown_elsewhere(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dash is not 0; a sum that lacks some says so; the largest have names."""
    async with storage() as (_, app, pilot):
        await eventually(lambda: len(app.storing.disks().sorted) == 3)
        table = app.dashboard.table
        await eventually(lambda: cells(app, ALL)["logs"] == "–")
        kept = app.storing.disks().sorted
        one, two, _three = kept
        sizes = {one: {c.id: 1 << 20 for c in kept[one].use.containers}, two: {kept[two].use.containers[0].id: 7 << 20}}

        async def told(engine: str, _ids: object) -> dict[str, int]:
            return sizes.get(engine, {})

        monkeypatch.setattr(app.session, "log_sizes", told)
        await pilot.press("r")
        whole = len(sizes[one])
        await eventually(lambda: cells(app, DiskKey(one))["logs"] == bytes_words(whole << 20))
        await eventually(lambda: cells(app, DiskKey(two))["logs"] == f">{bytes_words(7 << 20)}")
        await eventually(lambda: cells(app, ALL)["logs"] == f">{bytes_words((7 + whole) << 20)}")
        table.move_to(DiskKey(two))
        largest = kept[two].use.containers[0].name
        await eventually(lambda: "the others' are not readable" in " ".join(text_of(app.dashboard.detail).split()))
        assert largest in text_of(app.dashboard.detail)


def cells(app: FleetApp, key: DiskKey) -> dict[str, str]:
    """A row by its columns."""
    view = app.dashboard.view
    row = view.row(app.fleet, key, app.moment())
    return {column.id: cell.text for column, cell in zip(view.columns, row.cells, strict=True)} if row else {}


async def test_disks_are_asked_for_only_when_somebody_looks(eventually: Eventually) -> None:
    """Adding up files costs an engine much: nothing asks before the view is opened, and `r` asks again."""
    async with DemoFleet(engines=1, containers=3, moving=False) as demo:
        app = FleetApp(demo.addresses, Config())
        async with app.run_test(size=(120, 30)) as pilot:
            await app.session.settled(20)
            await pilot.pause()
            assert not app.storing.disks().sorted
            await pilot.press("7")
            [first] = [await eventually(lambda: list(app.storing.disks().sorted.values()))]
            await pilot.press("r")
            await eventually(lambda: next(iter(app.storing.disks().sorted.values())).use.at > first[0].use.at)


async def test_a_prune_by_key_names_everything_asks_and_says_what_was_freed(eventually: Eventually) -> None:
    """P, the choice, the question with every object; then they are gone and the engines' own sums have fallen."""
    async with storage() as (demo, app, pilot):
        await eventually(lambda: len(app.storing.disks().sorted) == 3)
        before = dict(app.storing.disks().sorted)
        await pilot.press("g", "P")
        await eventually(lambda: isinstance(app.screen, ChoicePrompt))
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        said = "\n".join(app.screen.question.sentences)
        for disk in before.values():
            assert all(one.name in said for one in disk.going)
        await pilot.press(*"full", "f9")
        await eventually(lambda: isinstance(app.screen, ProgressScreen) and app.screen.done, timeout=60)
        await eventually(lambda: all(disk.most == 0 for disk in app.storing.disks().sorted.values()), timeout=60)
        after = app.storing.disks().sorted
        freed = sum(disk.use.total for disk in before.values()) - sum(disk.use.total for disk in after.values())
        assert freed == sum(disk.most for disk in before.values()) > 0
        assert all("backup_old" in machine.volumes for machine in demo.world.machines)
        reasons = {record.reason for record in app.fleet.trail.newest(500) if record.action == "prune"}
        assert "full" in reasons

        def cache_is_ours() -> bool:
            told = [record for record in app.fleet.trail.newest(500) if record.object_type == "builder"]
            return bool(told) and all(record.attribution is Attribution.OWN for record in told)

        await eventually(cache_is_ours)


async def test_in_read_only_mode_storage_is_shown_and_nothing_prunes_it(eventually: Eventually) -> None:
    """Looking is a read; the key is not there."""
    async with storage(read_only=True) as (_, app, pilot):
        await eventually(lambda: len(app.storing.disks().sorted) == 3)
        await pilot.press("P")
        await pilot.pause()
        assert app.screen is app.dashboard
        assert app.keys.get("storage.prune") is None


def test_the_command_line_says_what_would_go_and_what_was_freed(capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run changes nothing; with --yes each object has its line, and each host what was freed."""
    assert main(["prune", "--demo", "--dry-run", "--json"]) == 0
    [plan] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert plan["steps"]
    assert main(["prune", "--demo", "--yes", "--json", "--reason", "full"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    done, hosts = [line for line in lines if "action" in line], [line for line in lines if "freed" in line]
    assert {line["outcome"] for line in done} == {"success"}
    assert len(done) == len(plan["steps"])
    assert hosts
    assert all(line["expected_least"] <= line["freed"] <= line["expected_most"] for line in hosts)


def test_pruning_is_refused_in_read_only_mode_and_a_span_that_is_none_is_a_mistake(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """5 and 2, each in one sentence."""
    assert main(["prune", "--demo", "--read-only", "--yes"]) == 5
    assert main(["prune", "--demo", "--keep-images", "soon"]) == 2
    assert "--keep-images" in capsys.readouterr().err
