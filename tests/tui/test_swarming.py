"""The menu of a swarm's services and nodes, on a simulated swarm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fleettop.collectors.config import Config
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.fleet import Changed
from fleettop.tui.app import FleetApp
from fleettop.tui.keymap import Keys
from fleettop.tui.navigation import Place
from fleettop.tui.screens.confirm import ConfirmScreen
from fleettop.tui.screens.page import PageScreen
from fleettop.tui.screens.progress import ProgressScreen
from fleettop.tui.screens.prompt import ChoicePrompt, TextPrompt
from fleettop.tui.views.swarm import NodeKey
from textual.pilot import Pilot

from tests.tui.stage import text_of

Eventually = Callable[..., Any]


@asynccontextmanager
async def swarm_dashboard(containers: int = 60) -> AsyncIterator[tuple[FleetApp, Pilot[int]]]:
    """The app on a simulated fleet with a swarm of three nodes."""
    async with DemoFleet(engines=12, containers=containers, seed=3) as demo:
        app = FleetApp(demo.addresses, Config())
        async with app.run_test(size=(120, 40)) as pilot:
            await app.session.settled(20)
            await pilot.pause()
            yield app, pilot


async def test_a_node_is_drained_by_key_with_what_moves_said_before(eventually: Eventually) -> None:
    """U or D on it in the swarm's view, the choice, the question; then it is drained, and the reason is on record."""
    async with swarm_dashboard() as (app, pilot):
        await eventually(lambda: app.fleet.swarms, timeout=30)
        await pilot.press("8")
        [picture] = app.fleet.swarms.values()
        node = picture.nodes[-1]
        key = NodeKey(picture.cluster_id, node.id)
        await eventually(lambda: app.dashboard.table.move_to(key) or app.dashboard.table.cursor_key == key)
        await pilot.press("w")
        await eventually(lambda: isinstance(app.screen, PageScreen))
        await eventually(lambda: "managers left: quorum holds" in text_of(app.screen.query_one("#page")))
        await pilot.press("escape", "U")
        await eventually(lambda: isinstance(app.screen, ChoicePrompt))
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        assert f"Drain the node {node.hostname}" == app.screen.question.title
        await eventually(lambda: "The swarm ends the" in app.screen.question.sentences[0])
        await pilot.press(*"disk", "f9")
        await eventually(lambda: isinstance(app.screen, ProgressScreen))

        def drained() -> bool:
            nodes = [n for p in app.fleet.swarms.values() for n in p.nodes]
            return any(n.id == node.id and n.availability == "drain" for n in nodes)

        await eventually(drained, timeout=30)
        await eventually(lambda: any(r.reason == "disk" for r in app.fleet.records()))


async def test_the_image_of_a_swarms_service_is_asked_for_with_the_present_one_at_hand(eventually: Eventually) -> None:
    """U, set image: the difference stands in the question before anything is sent."""
    async with swarm_dashboard(300) as (app, pilot):
        # Until the swarm was asked, its services are known by their containers alone and by a key without its id.
        await eventually(lambda: any(k.source == "swarm" and k.scope for k in app.fleet.services), timeout=60)
        key = next(k for k in app.fleet.services if k.source == "swarm" and k.scope)
        await eventually(lambda: app.dashboard.table.move_to(key) or app.dashboard.table.cursor_key == key)
        await pilot.press("U")
        await eventually(lambda: isinstance(app.screen, ChoicePrompt))
        await pilot.press("down", "down", "enter")
        await eventually(lambda: isinstance(app.screen, TextPrompt) and app.screen.query("Input"))
        field = app.screen.query_one("Input")
        field.value = field.value.partition("@")[0] + "-next"
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        assert app.screen.question.title.startswith("Set the image of ")
        said = app.screen.question.sentences
        assert any("-next; nothing else of it changes." in sentence for sentence in said)
        await pilot.press("escape")


def test_the_menus_are_absent_in_read_only_mode() -> None:
    """From keys, palette and help alike, which all come from the one table; looking at what would happen stays."""
    keys = Keys(read_only=True)
    assert [keys.get(name) for name in ("service.menu", "node.menu", "changes.show", "service.restart")] == [None] * 4
    assert keys.get("look.what-if") is not None


async def test_a_service_that_was_gone_into_before_its_cluster_was_known_is_found_again(eventually: Eventually) -> None:
    """Its containers' labels name the service alone: its key is another one when a manager was read."""
    async with swarm_dashboard(300) as (app, _):
        await eventually(lambda: any(k.source == "swarm" and k.scope for k in app.fleet.services), timeout=60)
        key = next(k for k, s in app.fleet.services.items() if k.source == "swarm" and k.scope and s.running)
        app.dashboard.go(Place(view="containers", scope=key._replace(scope="")))
        app.dashboard.fleet_changed(Changed(services=frozenset((key,))))
        assert app.dashboard.place.scope == key
        await eventually(lambda: app.dashboard.table.order)
        app.dashboard.step(back=True)
        assert app.dashboard.place.scope is None
