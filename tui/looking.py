"""The commands that only look: each is a function from the dashboard to somewhere else on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from fleettop.collectors.errors import ConnectionLost, EngineError
from fleettop.collectors.logs import Wanted
from fleettop.collectors.model import ContainerKey, ServiceKey

from .inspecting import FindingPage, copy_remedy, look_again
from .navigation import Place
from .rows import Cell, Line
from .screens.folding import JsonPage
from .screens.inspect import InspectScreen, json_lines
from .screens.logs import LogScreen
from .screens.page import PageScreen
from .screens.prompt import Jump, MomentPrompt
from .views.checks import ChecksView
from .views.container_detail import Fact, container_detail, health_lines
from .views.what_if import what_if_lines

if TYPE_CHECKING:
    from fleettop.collectors.engine.client import EngineClient

    from .app import FleetApp
    from .screens.dashboard import DashboardScreen

Look = Callable[["DashboardScreen"], None]


def back(screen: DashboardScreen) -> None:
    """Esc: the filter first, then the marks, then back to the present, then one place back."""
    if screen.place.filter or screen.place.only_wrong or screen.place.only_changes:
        screen.look_differently(filter="", only_wrong=False, only_changes=False)
    elif screen.table.marked:
        screen.table.clear_marks()
    elif screen.place.as_of is not None:
        screen.go_in_time(None)
    elif screen.place.scope is not None:
        screen.step(back=True)


def back_or_quit(screen: DashboardScreen) -> None:
    """`q`: out of where one went in; at the top, out of the program."""
    if screen.place.scope is not None and screen.step(back=True):
        return
    screen.app.leave()


def step_back(screen: DashboardScreen) -> None:
    """`[`."""
    screen.step(back=True)


def step_forward(screen: DashboardScreen) -> None:
    """`]`."""
    screen.step(back=False)


def next_pane(screen: DashboardScreen) -> None:
    """Between the table and the details, where they are shown."""
    detail = screen.detail
    if detail.display and not detail.has_focus:
        detail.focus()
    else:
        screen.table.focus()


def only_wrong(screen: DashboardScreen) -> None:
    """`z`: only what needs a person, or everything again."""
    screen.look_differently(only_wrong=not screen.place.only_wrong)


def only_changes(screen: DashboardScreen) -> None:
    """`d`: only what somebody did, or everything again."""
    screen.look_differently(only_changes=not screen.place.only_changes)


def go_to_time(screen: DashboardScreen) -> None:
    """`t`: asks when."""
    app = screen.app

    def answered(jump: Jump | None) -> None:
        if jump is not None:
            screen.go_in_time(jump.to)

    app.push_screen(MomentPrompt(app.clock.now, glyphs=app.glyphs), answered)


def sort_next(screen: DashboardScreen) -> None:
    """`o`: worst first, then each column in turn."""
    columns = ["", *(column.id for column in screen.view.columns if column.sortable and column.title)]
    at = columns.index(screen.place.sort) if screen.place.sort in columns else 0
    screen.sort_by(columns[(at + 1) % len(columns)])


def sort_reverse(screen: DashboardScreen) -> None:
    """`O`: the other way round."""
    screen.look_differently(reverse=not screen.place.reverse)


def open_filter(screen: DashboardScreen) -> None:
    """`/`."""
    screen.open_filter()


def inspect(screen: DashboardScreen) -> None:
    """`i`: all that is known of the row."""
    key = screen.table.cursor_key
    if key is not None:
        show_detail(screen, key)


def show_detail(screen: DashboardScreen, key: Hashable) -> None:
    """The row's details on a page of their own, read anew from the engine or out of the trail."""
    view, app = screen.view, screen.app
    if view.id == "trail":
        page = screen.reading.page(key)
        if page is not None:
            app.push_screen(page)
        return
    if isinstance(view, ChecksView):
        if view.toggle(key):
            screen.table.forget_rows([key])
            screen.look_differently()
            return
        lines, remedy = partial(view.detail, app.fleet, key), view.remedy(key)
        app.push_screen(FindingPage(lambda: lines(app.moment()), remedy, app.glyphs))
        return
    for container in view.containers(app.fleet, key):
        app.session.refresh(container)
    if isinstance(key, ContainerKey):
        app.push_screen(_inspect_page(app, key))
        return
    app.push_screen(PageScreen(lambda: view.detail(app.fleet, key, app.moment()), app.glyphs))


def _inspect_page(app: FleetApp, key: ContainerKey) -> InspectScreen:
    def facts(more: Sequence[Fact]) -> tuple[Line, ...]:
        container = app.fleet.containers.get(key)
        if container is None:
            return ((Cell("It is gone.", "warning"),),)
        return container_detail(app.fleet, container, app.moment(), more)

    async def read() -> tuple[list[Fact], object]:
        client = _client(app, key.engine)
        found = await client.raw_inspect(key.id)
        container = app.fleet.containers.get(key)
        image = container.image_id if container is not None else ""
        digests = await client.image_digests(image) if image else None
        return [*(("digest", digest) for digest in digests or ()), *_started_by(found)], found

    async def values() -> tuple[tuple[str, str], ...]:
        return await _client(app, key.engine).variables_of(key.id) or ()

    return InspectScreen(facts, read, values=None if app.session.read_only else values, glyphs=app.glyphs)


def _client(app: FleetApp, engine: str) -> EngineClient:
    client = app.session.client(engine)
    if app.replaying is not None:
        raise EngineError("What else the engine would say is not in a recording.")
    if client is None:
        raise ConnectionLost(f"{engine} cannot be reached now.")
    return client


def _started_by(found: object) -> list[Fact]:
    """Entrypoint and command apart, as JSON: which words are one is seen there."""
    config = found.get("Config") if isinstance(found, dict) else None
    if not isinstance(config, dict):
        return []
    names = (("entry", "Entrypoint"), ("cmd", "Cmd"), ("workdir", "WorkingDir"))
    return [(name, json.dumps(config[field], ensure_ascii=False)) for name, field in names if config.get(field)]


def health(screen: DashboardScreen) -> None:
    """`h`: the newest results of the health checks behind the row."""
    key, app = screen.table.cursor_key, screen.app
    if key is None:
        return
    keys = screen.view.containers(app.fleet, key)
    for container in keys:
        app.session.refresh(container)
    app.push_screen(PageScreen(lambda: _health_page(screen, keys), app.glyphs))


def _health_page(screen: DashboardScreen, keys: tuple[ContainerKey, ...]) -> tuple[Line, ...]:
    app, lines = screen.app, list[Line]()
    for key in keys:
        container = app.fleet.containers.get(key)
        if container is None:
            continue
        checks = health_lines(container, app.moment())
        lines.append((Cell(container.name, "title"), Cell(f"  on {container.engine}", "dim")))
        lines += checks or [(Cell("  has no health check", "dim"),)]
        lines.append(())
    return tuple(lines) or ((Cell("No container here.", "dim"),),)


def logs(screen: DashboardScreen) -> None:
    """`l`: what the marked rows, or the row under the cursor, write."""
    app, selected = screen.app, screen.selected()
    services: list[ServiceKey] = []
    containers: list[tuple[str, str]] = []
    for key in selected:
        if isinstance(key, ServiceKey):
            services.append(key)
            continue
        found = [app.fleet.containers.get(one) for one in screen.view.containers(app.fleet, key)]
        containers += [(container.engine, container.name) for container in found if container is not None]
    if not services and not containers:
        if selected:
            app.notify("There is no container behind this row.", severity="warning", markup=False)
        return
    names = [screen.view.name_of(app.fleet, key) for key in selected]
    app.push_screen(LogScreen(app.keys, Wanted(tuple(services), tuple(containers)), ", ".join(names)))


def events(screen: DashboardScreen) -> None:
    """`e`: what happened to the row."""
    key = screen.table.cursor_key
    if key is None:
        return
    scope = screen.view.history_scope(screen.app.fleet, key)
    if scope is not None and scope != screen.place.scope:
        screen.go(Place(view="trail", scope=scope, as_of=screen.place.as_of))


def raw_json(screen: DashboardScreen) -> None:
    """`y`: what the engine says of the row, as JSON, secrets hidden; of a record, its line as it is kept."""
    key, app = screen.table.cursor_key, screen.app
    if key is None:
        return
    if screen.place.view == "trail":
        page = screen.reading.page(key)
        if page is not None:
            app.push_screen(page.as_json())
        return
    keys = screen.view.containers(app.fleet, key)
    app.run_worker(_show_json(screen, keys), group="json", exclusive=True)


async def _show_json(screen: DashboardScreen, keys: tuple[ContainerKey, ...]) -> None:
    app = screen.app
    if not keys:
        app.notify("No container behind this row to ask an engine about.", severity="warning", markup=False)
        return
    lines: list[Line] = []
    for key in keys:
        client = app.session.client(key.engine)
        lines.append((Cell(f"{key.engine}  {key.id[:12]}", "title"),))
        if client is None:
            lines.append((Cell(f"{key.engine} cannot be reached now.", "warning"),))
            continue
        try:
            found = await client.raw_inspect(key.id)
        except EngineError as error:
            lines.append((Cell(str(error), "warning"),))
            continue
        lines += json_lines(found)
        lines.append(())
    await app.push_screen(JsonPage(lines, app.glyphs))


def copy(screen: DashboardScreen) -> None:
    """`c`: the name of the row, to the terminal's clipboard."""
    key, app = screen.table.cursor_key, screen.app
    if key is None:
        return
    text = screen.view.name_of(app.fleet, key)
    app.copy_to_clipboard(text)
    app.notify(f"Copied {text}", markup=False)


def retry(screen: DashboardScreen) -> None:
    """`r`: try unreachable hosts now; in Storage read the disks again."""
    key, app = screen.table.cursor_key, screen.app
    if screen.place.view == "checks":
        look_again(screen)
        return
    if screen.place.view == "storage":
        app.storing.begin(app.storing.engines())
        return
    if screen.place.view == "hosts" and isinstance(key, str):
        app.session.retry([key])
        app.notify(f"Trying {key} now.", markup=False)
    else:
        app.session.retry()
        app.notify("Trying all unreachable hosts now.", markup=False)


def _to(view: str) -> Look:
    return lambda screen: screen.go(Place(view=view))


def what_if(screen: DashboardScreen) -> None:
    """`w`: what would happen if the host, node or service of the row died."""
    key, app = screen.table.cursor_key, screen.app
    if key is None:
        return
    if not what_if_lines(app.fleet, key, app.moment()):
        app.notify("Ask this of a host, a node or a service.", markup=False)
        return
    app.push_screen(PageScreen(lambda: what_if_lines(app.fleet, key, app.moment()), app.glyphs))


LOOKS: Mapping[str, Look] = {
    "look.what-if": what_if,
    "go.back": back,
    "history.back": step_back,
    "history.forward": step_forward,
    "pane.next": next_pane,
    "view.services": _to("services"),
    "view.containers": _to("containers"),
    "view.hosts": _to("hosts"),
    "view.trail": _to("trail"),
    "view.deploys": _to("deploys"),
    "view.checks": _to("checks"),
    "view.storage": _to("storage"),
    "view.swarm": _to("swarm"),
    "filter.open": open_filter,
    "filter.wrong": only_wrong,
    "trail.changes": only_changes,
    "trail.time": go_to_time,
    "sort.next": sort_next,
    "sort.reverse": sort_reverse,
    "look.logs": logs,
    "look.inspect": inspect,
    "look.health": health,
    "look.events": events,
    "look.json": raw_json,
    "look.copy": copy,
    "checks.remedy": copy_remedy,
    "link.retry": retry,
    "app.back": back_or_quit,
}
"""By the ids of the command table."""
