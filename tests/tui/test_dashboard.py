"""The dashboard as a person drives it, on a simulated fleet."""

from __future__ import annotations

import random
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from fleettop.collectors.actions import shell_places
from fleettop.collectors.config import Config
from fleettop.collectors.demo import DemoFleet
from fleettop.collectors.engine import allowlist
from fleettop.collectors.fleet import Changed
from fleettop.collectors.model import Container, ServiceKey, ServiceState
from fleettop.tui.app import FleetApp
from fleettop.tui.keymap import Keys
from fleettop.tui.keynames import character_key
from fleettop.tui.later import deeds
from fleettop.tui.looking import LOOKS
from fleettop.tui.screens.confirm import ConfirmScreen
from fleettop.tui.screens.page import PageScreen
from fleettop.tui.screens.progress import ProgressScreen, ProgressStep
from fleettop.tui.screens.prompt import ChoicePrompt
from fleettop.tui.screens.toosmall import TooSmallScreen
from fleettop.tui.views.container_detail import last_words
from textual.pilot import Pilot

from .recording import Recorder

Eventually = Callable[..., object]


@asynccontextmanager
async def dashboard(
    *, size: tuple[int, int] = (120, 40), read_only: bool = False, recorder: Recorder | None = None
) -> AsyncIterator[tuple[FleetApp, Pilot[int]]]:
    """The app on a small simulated fleet, with every engine listed."""
    async with AsyncExitStack() as stack:
        demo = await stack.enter_async_context(DemoFleet(engines=3, containers=30, seed=3))
        addresses = demo.addresses
        if recorder is not None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ft-")))
            addresses = tuple(
                [
                    msgspec.structs.replace(
                        address,
                        socket=await stack.enter_async_context(
                            recorder.before(address.socket, folder / f"{number}.sock")
                        ),
                    )
                    for number, address in enumerate(addresses)
                ]
            )
        app = FleetApp(addresses, Config(), read_only=read_only)
        async with app.run_test(size=size) as pilot:
            await app.session.settled(10)
            await pilot.pause()
            yield app, pilot


def test_every_command_of_the_key_table_can_be_done() -> None:
    """A key that is shown does something: each id is a look, an act, or one of the program's own."""
    own = {"app.quit", "app.suspend", "app.redraw", "app.help", "app.palette"}
    for command in Keys().commands:
        own_screens = command.table or command.screen
        assert own_screens or command.id in {*LOOKS, *deeds(), *own}, command.id
        assert command.changes == (command.id in deeds()), command.id


async def test_services_of_all_hosts_are_on_the_first_screen(eventually: Eventually) -> None:
    """The first view is Services, worst first, with every service the fleet has."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: app.dashboard.table.row_count == len(app.fleet.services) > 0)
        await pilot.pause()
        ranks = [app.fleet.services[key].state.rank for key in app.dashboard._rows.order if isinstance(key, ServiceKey)]
        assert ranks == sorted(ranks)


async def test_the_first_frame_stands_before_any_engine_has_answered() -> None:
    """Nothing is awaited before the screen is drawn: hosts that do not answer do not delay it."""
    from fleettop.collectors.address import parse_address

    app = FleetApp([parse_address("unix:///nowhere/docker.sock")], Config())
    async with app.run_test(size=(80, 24)):
        assert app.dashboard.header.facts.engines == 1
        assert app.dashboard.table.row_count == 0


async def test_enter_goes_into_a_service_and_escape_comes_back(eventually: Eventually) -> None:
    """Drilling in narrows the containers to the service's; back, the cursor is where it was."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: app.dashboard.table.row_count > 3)
        await pilot.press("down", "down")
        key = app.dashboard.table.cursor_key
        assert isinstance(key, ServiceKey)
        await pilot.press("enter")
        assert app.dashboard.place.view == "containers"
        assert app.dashboard.table.row_count == len(app.fleet.members(key))
        await pilot.press("escape")
        assert app.dashboard.place.view == "services"
        assert app.dashboard.table.cursor_key == key


async def test_inside_a_service_the_details_have_the_lines_its_rows_leave(eventually: Eventually) -> None:
    """At 80x24 three replicas take four lines with their heading; outside, the table has all of them."""
    async with dashboard(size=(80, 24)) as (app, pilot):
        table, detail = app.dashboard.table, app.dashboard.detail
        await eventually(lambda: any(service.name == "api" for service in app.fleet.services.values()))
        await pilot.press("g")
        key = table.cursor_key
        assert isinstance(key, ServiceKey)
        await pilot.press("enter")

        def fits() -> bool:  # replicas come and go meanwhile
            return table.size.height == max(3, len(app.fleet.members(key))) + 1

        await eventually(fits)
        assert detail.size.height > table.size.height
        await pilot.press("/", *"zzz")
        await pilot.pause()
        assert table.row_count == 0
        await eventually(fits)
        await pilot.press("escape", "escape")
        await eventually(lambda: table.size.height > 15)


async def test_a_row_that_is_left_out_counts_once_however_often_it_changes(eventually: Eventually) -> None:
    """`3 of 6` tells of six things, also while figures of the three that are hidden come in."""
    async with dashboard() as (app, pilot):
        await pilot.press("2")
        await eventually(lambda: len(app.dashboard._rows.order) > 10)
        await pilot.press("/", *"zzz")
        await eventually(lambda: not app.dashboard._rows.order)
        for _ in range(3):
            app.dashboard.fleet_changed(Changed(containers=frozenset(app.fleet.containers)))
            assert app.dashboard._rows.hidden == len(app.fleet.containers)


async def test_what_an_unhealthy_container_failed_at_comes_before_what_it_said(eventually: Eventually) -> None:
    """Its failing check is why it is in trouble; its words are only what it happened to say."""
    async with dashboard() as (app, pilot):
        await pilot.press("2")
        await eventually(lambda: app.fleet.containers and any(c.health == "unhealthy" for c in _shown(app)))

        def heads() -> list[str]:
            return [line[0].text for line in app.dashboard.detail.shown if line and line[0].style == "head"]

        await pilot.press("g")
        await eventually(lambda: {"health check", "last words"} <= set(heads()))
        assert heads().index("health check") < heads().index("last words")


def _shown(app: FleetApp) -> list[Container]:
    return [app.fleet.containers[key] for key in app.dashboard.table.visible_keys() if key in app.fleet.containers]


def test_the_last_of_the_last_words_comes_first() -> None:
    """A small pane shows little, and the last line of a traceback is the one that names the error."""
    words = ("Traceback (most recent call last):", '  File "x.py", line 1', "KeyError: 'LEDGER_URL'")
    lines = ["".join(cell.text for cell in line) for line in last_words(words, "  pay-api-3 on web-3")]
    assert lines == [
        "",
        "last words  pay-api-3 on web-3",
        "  KeyError: 'LEDGER_URL'",
        "before that",
        "  Traceback (most recent call last):",
        '    File "x.py", line 1',
    ]
    assert len(last_words(("alone",))) == 3


async def test_the_number_keys_change_the_view_and_brackets_walk_the_history(eventually: Eventually) -> None:
    """1 2 3 4 8, then [ and ] as in a browser."""
    async with dashboard() as (app, pilot):
        for key, view in (("2", "containers"), ("3", "hosts"), ("4", "trail"), ("8", "swarm"), ("1", "services")):
            await pilot.press(key)
            assert app.dashboard.place.view == view
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert app.dashboard.place.view == "trail"
        await pilot.press("right_square_bracket")
        assert app.dashboard.place.view == "swarm"


async def test_a_filter_narrows_the_rows_while_it_is_typed(eventually: Eventually) -> None:
    """Each key counts at once; Esc brings all rows back."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: app.dashboard.table.row_count > 3)
        everything = app.dashboard.table.row_count
        await pilot.press("slash", *"state:unheard-of")
        await pilot.pause()
        assert app.dashboard.table.row_count == 0
        await pilot.press("escape")
        await pilot.pause()
        assert app.dashboard.table.row_count == everything


async def test_z_leaves_only_what_needs_a_person(eventually: Eventually) -> None:
    """Healthy services go, and one key brings them back."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: app.dashboard.table.row_count > 3)
        await pilot.press("z")
        for key in app.dashboard._rows.order:
            assert app.dashboard.view.wrong(app.fleet, key)
        await pilot.press("z")
        assert app.dashboard.table.row_count == len(app.fleet.services)


async def test_what_is_on_screen_is_sampled_and_nothing_else(eventually: Eventually) -> None:
    """Figures cost the engine: only containers behind visible rows are asked for."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: app.dashboard.table.row_count > 3)
        await pilot.press("4")
        await pilot.pause()
        assert all(not app.session.interest.of(name) for name in app.fleet.engines)
        await pilot.press("2")
        await pilot.pause()
        visible = set(app.dashboard.table.visible_keys())
        looked_at = {(name, i) for name in app.fleet.engines for i in app.session.interest.of(name)}
        assert looked_at == visible


async def test_restarting_by_key_asks_first_and_then_does_it(eventually: Eventually) -> None:
    """R, a reason, the button: the containers behind the row are started anew and the trail says by whom and why."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: any(s.state is ServiceState.HEALTHY for s in app.fleet.services.values()))
        key = next(
            s.key for s in app.fleet.services.values() if s.state is ServiceState.HEALTHY and len(s.replicas) == 1
        )
        app.dashboard.table.move_to(key)
        before = app.fleet.members(key)[0].detail
        await pilot.press("R")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*"because", "tab", "tab", "enter")

        def restarted() -> bool:
            now = app.fleet.members(key)[0].detail
            return bool(before and now and now.started_at and before.started_at and now.started_at > before.started_at)

        await eventually(restarted, timeout=30)
        await eventually(lambda: any(r.reason == "because" for r in app.fleet.records(service=key)))


async def test_saying_no_to_a_change_sends_nothing() -> None:
    """Esc on the question: no request that changes anything left."""
    recorder = Recorder()
    async with dashboard(recorder=recorder) as (_, pilot):
        for key in ("R", "S", "P", "plus", "minus", "X"):
            await pilot.press(key)
            await pilot.pause()
            await pilot.press("escape", "escape")
        assert {method for method, _ in recorder.requests} <= {"GET", "HEAD"}


async def test_a_shell_of_a_service_asks_in_which_replica(eventually: Eventually) -> None:
    """The newest healthy one is the first choice; then the question names it; without a terminal there is none."""
    recorder = Recorder()
    async with dashboard(recorder=recorder) as (app, pilot):
        many = next(key for key, service in app.fleet.services.items() if service.serving and service.serving > 1)
        await eventually(lambda: app.dashboard.table.row_count == len(app.fleet.services))
        app.dashboard.table.move_to(many)
        await pilot.press("X")
        await eventually(lambda: isinstance(app.screen, ChoicePrompt))
        await pilot.press("enter")
        await eventually(lambda: isinstance(app.screen, ConfirmScreen))
        first = shell_places(many, app.fleet).containers[0]
        assert isinstance(app.screen, ConfirmScreen)
        assert app.screen.question.title == f"Run a shell in {first.name} on {first.engine}"
        await pilot.press("f9")
        await eventually(lambda: app.screen is app.dashboard)
        assert {method for method, _ in recorder.requests} <= {"GET", "HEAD"}


async def test_no_key_in_read_only_mode_sends_anything_but_allowed_reads() -> None:
    """Every key that a terminal can send, in every view, and a few hundred at random: only allowed reads arrive."""
    recorder = Recorder()
    keys = [character_key(chr(code)) for code in range(0x21, 0x7F) if chr(code) not in "qQ"]
    keys += ["enter", "escape", "tab", "space", "up", "down", "f5", "delete", "ctrl+d", "ctrl+r", "ctrl+s", "backspace"]
    rng = random.Random(7)
    async with dashboard(read_only=True, recorder=recorder) as (app, pilot):
        assert not any(command.changes for command in app.keys.commands)
        for view in ("1", "2", "3", "4", "8"):
            await pilot.press(view)
            for key in [*keys, *rng.choices(keys, k=20)]:
                app.simulate_key(key)
            await pilot.press("escape", "escape", "escape", "escape")
            while len(app.screen_stack) > 1:
                app.pop_screen()
            await pilot.pause()
        assert len(recorder.requests) > 10
        for method, path in recorder.requests:
            allowlist.check(method, path, read_only=True)
            assert method in ("GET", "HEAD"), path


async def test_random_keys_change_nothing() -> None:
    """A cat on the keyboard for a few hundred keys, without read-only: nothing is changed without ctrl+enter or F9."""
    recorder = Recorder()
    keys = [character_key(chr(code)) for code in range(0x21, 0x7F) if chr(code) != "q"]
    keys += ["enter", "escape", "down", "up", "space"]
    rng = random.Random(11)
    async with dashboard(recorder=recorder) as (app, pilot):
        for _ in range(40):
            for key in rng.choices(keys, k=10):
                app.simulate_key(key)
            await pilot.pause()
        assert {method for method, _ in recorder.requests} <= {"GET", "HEAD"}


async def test_a_small_terminal_says_so_and_comes_back() -> None:
    """Below 40x10 there is one line; larger again, the dashboard stands as before."""
    async with dashboard() as (app, pilot):
        await pilot.resize_terminal(30, 8)
        await pilot.pause()
        assert isinstance(app.screen, TooSmallScreen)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert app.screen is app.dashboard


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 36), (200, 50), (300, 100)])
async def test_every_view_is_drawn_at_every_size(size: tuple[int, int], eventually: Eventually) -> None:
    """From 40x10 to 300x100 each view and each page draws without a fault."""
    async with dashboard(size=size) as (app, pilot):
        await eventually(lambda: app.dashboard.table.row_count > 0)
        for key in ("1", "2", "3", "4", "8"):
            await pilot.press(key)
            await pilot.pause()
        await pilot.press("2", "i")
        await eventually(lambda: isinstance(app.screen, PageScreen))
        await pilot.press("escape", "h")
        await eventually(lambda: isinstance(app.screen, PageScreen))
        await pilot.press("escape", "question_mark")
        await pilot.pause()


async def test_foreign_names_are_drawn_as_text() -> None:
    """`[/x]` and `[@click=app.quit]` in a filter are characters, not markup."""
    async with dashboard() as (app, pilot):
        await pilot.press("slash", *"[/x][@click=app.quit]boo")
        await pilot.press("enter")
        await pilot.pause()
        assert app.is_running
        assert app.dashboard.place.filter == "[/x][@click=app.quit]boo"


async def test_the_first_ctrl_c_during_a_change_only_stops_what_has_not_begun() -> None:
    """Quitting in the middle of a rolling restart takes saying it twice."""
    stopped: list[bool] = []
    async with dashboard() as (app, pilot):
        steps = [ProgressStep(0, "web-1", "api")]
        await app.push_screen(ProgressScreen("Restart", steps, on_stop=lambda: stopped.append(True)))
        await pilot.press("ctrl+c")
        assert stopped == [True]
        assert app.is_running
        assert isinstance(app.screen, ProgressScreen)
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app.return_value == 0


async def test_the_filter_says_how_many_rows_it_leaves(eventually: Eventually) -> None:
    """Opened with rows on screen it counts them, also while the fleet changes under it."""
    async with dashboard() as (app, pilot):
        await eventually(lambda: app.dashboard.table.row_count > 3)
        await pilot.press("slash")
        await pilot.pause()
        count = len(app.fleet.services)
        await eventually(lambda: app.dashboard.filter_bar._counts == (count, count))
