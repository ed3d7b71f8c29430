"""The menu of what only a swarm can do: with a service, or with one of its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from fleettop.collectors.actions import Plan, Rolling, Verb, plan_node
from fleettop.collectors.model import Service, ServiceKey, SwarmNode, SwarmService

from .acting import Act, ask, ask_for, scale_of
from .changes import Wish
from .screens.prompt import Choice, ChoicePrompt, TextPrompt
from .views.swarm import NodeKey, TaskKey, service_of_task

if TYPE_CHECKING:
    from .app import FleetApp
    from .screens.dashboard import DashboardScreen

_UPDATING = ("updating", "rollback_started")


async def service_menu(screen: DashboardScreen) -> None:
    """`U`: of a swarm's service; of a node what `D` has."""
    app, key = screen.app, screen.table.cursor_key
    if isinstance(key, NodeKey):
        await node_menu(screen)
        return
    service_key = service_of_task(app.fleet, key) if isinstance(key, TaskKey) else key
    service = app.fleet.services.get(service_key) if isinstance(service_key, ServiceKey) else None
    if service is None or service.key.source != "swarm":
        app.notify("Only a swarm's services have this menu: R restarts, + - = scale the others.", markup=False)
        return
    found = next(
        (s for picture in app.fleet.swarms.values() for s in picture.services if s.id == service.swarm_service_id), None
    )
    choices = _service_choices(service, found)
    title = f"The swarm's service {service.title}"
    chosen = await app.push_screen_wait(ChoicePrompt(title, choices, glyphs=app.glyphs))
    wish = Wish(verb=Verb.RESTART, targets=(service.key,), rolling=Rolling(by_group=app.allowances))
    if chosen == "image":
        now = f"{found.image}{'@' + found.digest if found.digest else ''}" if found is not None else ""
        image = await app.push_screen_wait(
            TextPrompt(f"Image of {service.title}", (f"Now {now}.",), value=now, glyphs=app.glyphs)
        )
        if image:
            await ask(screen, msgspec.structs.replace(wish, verb=Verb.IMAGE, image=image))
    elif chosen == "scale":
        await scale_of(screen, (service.key,))
    elif chosen is not None:
        await ask(screen, msgspec.structs.replace(wish, verb=Verb(chosen)))


def _service_choices(service: Service, found: SwarmService | None) -> list[Choice]:
    updating = found is not None and found.update_state in _UPDATING
    stuck = found is not None and found.update_state in ("paused", "rollback_paused")
    choices = [
        Choice(Verb.RESTART.value, "force update", "replace all tasks by its own update rule"),
        Choice(Verb.ROLLBACK.value, "roll back", "to what it was before its last change"),
        Choice("image", "set image", "by tag or digest; the difference is shown first"),
    ]
    if found is None or found.mode == "replicated":
        choices.append(Choice("scale", "replicas", f"now {service.wanted}; running tasks are not replaced"))
    if updating:
        choices.append(Choice(Verb.HOLD.value, "pause the update", "as far as the API can"))
    if updating or stuck:
        choices.append(Choice(Verb.GO_ON.value, "go on with the update", "from where it is"))
    return choices


async def node_menu(screen: DashboardScreen) -> None:
    """`D`: drain, pause or activate the node under the cursor."""
    app, key = screen.app, screen.table.cursor_key
    picture = app.fleet.swarms.get(key.cluster) if isinstance(key, NodeKey) else None
    node = next((n for n in picture.nodes if isinstance(key, NodeKey) and n.id == key.node), None) if picture else None
    if not isinstance(key, NodeKey) or node is None:
        app.notify("Ask this of a node of a swarm.", markup=False)
        return
    prompt = ChoicePrompt(
        f"The node {node.hostname}", _node_choices(node), (f"It is {node.availability}.",), glyphs=app.glyphs
    )
    chosen = await app.push_screen_wait(prompt)
    if chosen is not None:
        await ask_for(screen, lambda: _plan(app, key, chosen), Wish(verb=Verb.AVAILABILITY, targets=()))


def _plan(app: FleetApp, key: NodeKey, availability: str) -> Plan:
    return plan_node(
        app.fleet,
        key.cluster,
        key.node,
        availability,
        read_only=app.session.read_only,
        protected=app.protected_groups,
    )


def _node_choices(node: SwarmNode) -> list[Choice]:
    every = (
        Choice("drain", "drain", "end its tasks and start them elsewhere"),
        Choice("pause", "pause", "no new tasks; those there run on"),
        Choice("active", "activate", "take new tasks again"),
    )
    return [choice for choice in every if choice.id != node.availability]


MENUS: Mapping[str, Act] = {"service.menu": service_menu, "node.menu": node_menu}
"""By the ids of the command table."""
