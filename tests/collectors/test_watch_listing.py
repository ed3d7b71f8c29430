"""How the list of an engine's containers is kept true."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.errors import EngineError, Malformed, NotAnswering, Rejected
from fleettop.collectors.model import Change, Container, ContainersSeen, ContainerState, EngineInfo, Health, Listed
from fleettop.collectors.watch.listing import ContainerList, differences

from .watching import FakeClient, Told, container, detailed, event

SILENT = NotAnswering("web-1 did not answer within 5 s.")


def _list() -> tuple[ContainerList, Told, FakeClient]:
    told = Told()
    return ContainerList("web-1", told, ManualClock()), told, FakeClient()


async def test_a_listing_is_published_whole() -> None:
    """All rows of the engine, and the ids of those that made no sense."""
    listing, told, client = _list()
    client.rows, client.refused = [container("api"), container("db")], ("bad",)
    await listing.read_all(client)
    (change,) = told.of(Listed)
    assert isinstance(change, Listed)
    assert [c.name for c in change.containers] == ["api", "db"]
    assert change.refused == ("bad",)


async def test_details_survive_a_listing_that_says_nothing_new() -> None:
    """A listed row has no details: those known from an inspect are kept while state and health are the same."""
    listing, _, client = _list()
    api = container("api")
    client.rows, client.details = [api], {api.id: detailed(api, restart_count=3)}
    await listing.read_all(client)
    await listing.inspect(client, [api.id])
    await listing.read_all(client)
    detail = listing.known[api.id].detail
    assert detail is not None
    assert detail.restart_count == 3


async def test_details_of_another_state_are_not_kept() -> None:
    """What was inspected while it ran says nothing of a container that has ended since."""
    listing, _, client = _list()
    api = container("api")
    client.rows, client.details = [api], {api.id: detailed(api, exit_code=0)}
    await listing.read_all(client)
    await listing.inspect(client, [api.id])
    client.rows = [container("api", state=ContainerState.EXITED, status="Exited (1) 3 seconds ago")]
    await listing.read_all(client)
    assert listing.known[api.id].detail is None


async def test_a_container_that_vanishes_between_list_and_inspect_is_simply_gone() -> None:
    """F24: no error, the row goes."""
    listing, told, client = _list()
    api = container("api")
    client.rows = [api]
    await listing.read_all(client)
    await listing.inspect(client, [api.id])
    (change,) = told.of(ContainersSeen)
    assert isinstance(change, ContainersSeen)
    assert change.gone == (api.id,)
    assert api.id not in listing.known


async def test_a_refused_row_keeps_its_last_good_reading() -> None:
    """A row that made no sense this time is not taken for a container that is gone."""
    listing, _, client = _list()
    api = container("api")
    client.rows = [api]
    await listing.read_all(client)
    client.rows, client.refused = [], (api.id,)
    await listing.read_all(client)
    assert listing.known[api.id].name == "api"


async def test_many_events_of_one_container_are_one_inspect() -> None:
    """kill, die, stop and start within 50 ms are read together."""
    listing, told, client = _list()
    api = container("api")
    client.details = {api.id: detailed(api)}
    for _ in range(5):
        listing.changed(api.id)
    task = asyncio.ensure_future(listing.follow(client))
    while not told.changes:
        await asyncio.sleep(0)
    task.cancel()
    assert client.asked == ["inspect api"]


async def test_trouble_is_inspected_before_the_rest() -> None:
    """Exit codes and health logs of what is wrong come first, what runs well follows."""
    listing, _, client = _list()
    client.rows = [container("well"), container("sick", health=Health.UNHEALTHY), container("dead", state="exited")]
    client.rows[2] = msgspec.structs.replace(client.rows[2], state=ContainerState.EXITED)
    client.details = {row.id: detailed(row) for row in client.rows}
    await listing.read_all(client)
    await listing.fill_in(client)
    assert set(client.asked[1:3]) == {"inspect sick", "inspect dead"}
    assert client.asked[3] == "inspect well"


def test_differences_between_two_lists_are_told_in_words() -> None:
    """What a gap hid: gone, new, another state, another health."""
    before = [container("a"), container("b"), container("c", health=Health.HEALTHY)]
    after = [
        container("b", state=ContainerState.EXITED),
        container("c", health=Health.UNHEALTHY),
        container("d"),
    ]
    words = differences({c.id: c for c in before}, {c.id: c for c in after})
    assert words == ("a is gone", "d is new (running)", "b: running → exited", "c: healthy → unhealthy")


async def test_a_list_that_contradicts_the_engines_own_count_is_doubted() -> None:
    """The list can lie after a failed restart: `/info` counts the container as stopped."""
    listing, _, client = _list()
    client.rows = [container("api"), container("db")]
    await listing.read_all(client)
    info = EngineInfo(kind="docker", version="20.10", api="1.41", running=2, paused=0)
    assert not listing.contradicts(info)
    assert listing.contradicts(msgspec.structs.replace(info, running=1))


@pytest.mark.parametrize("error", [Malformed("nonsense"), Rejected("driver failed", status=500), SILENT])
async def test_a_container_that_cannot_be_inspected_hides_none_of_the_others(error: EngineError) -> None:
    """F10: it keeps its old reading and is not asked for again before the next list; the link does not break."""
    listing, told, client = _list()
    bad, good = container("bad"), container("good")
    client.rows, client.details, client.broken = [bad, good], {good.id: detailed(good)}, {bad.id: error}
    await listing.read_all(client)
    await listing.fill_in(client)
    assert client.asked.count("inspect bad") == 1
    assert listing.known[good.id].detail is not None
    assert listing.known[bad.id] == bad
    assert _refused(told.of(ContainersSeen)) == (bad.id,)
    client.broken, client.details[bad.id] = {}, detailed(bad)
    await listing.read_all(client)
    assert _refused(told.of(Listed)) == (bad.id,)
    await listing.fill_in(client)
    assert listing.known[bad.id].detail is not None
    await listing.read_all(client)
    assert _refused(told.of(Listed)) == ()


def _refused(changes: Sequence[Change]) -> tuple[str, ...]:
    last = changes[-1]
    assert isinstance(last, Listed | ContainersSeen)
    return last.refused


async def test_an_engine_that_answers_nothing_at_all_is_silent() -> None:
    """Where not even a ping is answered, it is not the one container that is busy: the watch ends with that."""
    listing, _, client = _list()
    api = container("api")
    client.rows, client.broken, client.silent = [api], {api.id: SILENT}, SILENT
    await listing.read_all(client)
    with pytest.raises(NotAnswering):
        await listing.inspect(client, [api.id])
    assert client.asked == ["list", "inspect api", "ping"]


async def test_a_container_known_well_is_inspected_again_after_an_inspect_that_made_no_sense() -> None:
    """F10: its old details stand meanwhile, so nothing else would make it be read again."""
    listing, _, client = _list()
    api = container("api")
    client.rows, client.details = [api], {api.id: detailed(api, restart_count=0)}
    await listing.read_all(client)
    await listing.fill_in(client)
    client.broken = {api.id: Malformed("nonsense")}
    await listing.inspect(client, [api.id])
    client.broken, client.details = {}, {api.id: detailed(api, restart_count=1)}
    await listing.read_all(client)
    await listing.fill_in(client)
    detail = listing.known[api.id].detail
    assert detail is not None
    assert detail.restart_count == 1


async def test_what_was_inspected_while_the_list_was_under_way_is_not_undone_by_it() -> None:
    """An event between: the list may be older than the inspect. A new one stays, a gone one stays gone."""
    listing, told, client = _list()
    old, new = container("old"), container("new")
    client.rows = [old]
    await listing.read_all(client)
    reading = asyncio.ensure_future(_gated(listing, client))
    client.details = {new.id: detailed(new)}
    while client.asked.count("list") < 2:
        await asyncio.sleep(0)
    listing.way._free.set()  # asked before the list was
    await listing.inspect(client, [old.id, new.id])
    assert client.listing is not None
    client.listing.set()
    await reading
    assert set(listing.known) == {new.id}
    last = told.of(Listed)[-1]
    assert isinstance(last, Listed)
    assert [c.name for c in last.containers] == ["new"]


async def _gated(listing: ContainerList, client: FakeClient) -> None:
    client.listing = asyncio.Event()
    await listing.read_all(client)


async def test_after_missed_events_details_are_read_again_though_the_list_shows_nothing_new() -> None:
    """A container restarted during a gap is running before and after: only an inspect tells."""
    listing, _, client = _list()
    api = container("api")
    client.rows, client.details = [api], {api.id: detailed(api, restart_count=0)}
    await listing.read_all(client)
    await listing.fill_in(client)
    client.details = {api.id: detailed(api, restart_count=1)}
    listing.doubt()
    await listing.read_all(client)
    await listing.fill_in(client)
    detail = listing.known[api.id].detail
    assert detail is not None
    assert detail.restart_count == 1


async def test_nothing_small_is_asked_while_a_list_comes_in() -> None:
    """F4: an inspect behind 90 kB at 2 kB/s would look like a frozen engine."""
    listing, _, client = _list()
    client.rows = [container("api")]
    reading = asyncio.ensure_future(_gated(listing, client))
    while "list" not in client.asked:
        await asyncio.sleep(0)
    asking = asyncio.ensure_future(listing.inspect(client, [client.rows[0].id]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert client.asked == ["list"]
    assert client.listing is not None
    client.listing.set()
    await reading
    await asking
    assert client.asked == ["list", "inspect api"]


@pytest.mark.parametrize(
    ("row", "trouble"),
    [
        (container("api"), False),
        (container("api", health=Health.UNHEALTHY), True),
        (container("api", state=ContainerState.RESTARTING), True),
        (container("api", state=ContainerState.DEAD), True),
        (detailed(container("api", state=ContainerState.EXITED), exit_code=0), False),
        (detailed(container("api", state=ContainerState.EXITED), exit_code=3), True),
        (container("api", state=ContainerState.EXITED), False),
        (container("api", state=ContainerState.PAUSED), False),
    ],
)
def test_an_engine_is_in_trouble_while_a_container_of_it_is(row: Container, trouble: bool) -> None:
    """As far as is known: such an engine is connected to before calm ones."""
    listing, _, _ = _list()
    listing.known = {"db": container("db"), row.id: row}
    assert listing.in_trouble is trouble


async def _inspected(**given: object) -> tuple[ContainerList, Told, FakeClient, Container]:
    listing, told, client = _list()
    api = container("api")
    client.rows, client.details = [api], {api.id: detailed(api, **given)}
    await listing.read_all(client)
    await listing.inspect(client, [api.id])
    told.changes.clear()
    return listing, told, client, api


async def test_a_pause_and_its_end_tell_themselves_what_changed() -> None:
    """No question is asked for it; the state is told at once, and nothing else of the container is another."""
    listing, told, _, api = await _inspected(restart_count=3)
    for action, state in (("pause", ContainerState.PAUSED), ("unpause", ContainerState.RUNNING)):
        listing.heard(event(1, action, "api", id=api.id))
        assert listing.known[api.id] == detailed(container("api", state=state, status=""), restart_count=3)
    assert [change.containers[0].state for change in told.of(ContainersSeen) if isinstance(change, ContainersSeen)] == [
        ContainerState.PAUSED,
        ContainerState.RUNNING,
    ]
    assert not listing.waits(api.id)


@pytest.mark.parametrize(
    ("actions", "given"),
    [
        (("start",), {}),
        (("unpause",), {}),
        (("pause", "pause"), {}),
        (("die", "pause"), {}),
        (("pause", "unpause"), {"health_check": ("CMD", "true")}),
    ],
)
async def test_what_an_event_does_not_tell_is_read_again(actions: tuple[str, ...], given: dict[str, object]) -> None:
    """What does not go with what was known, what comes while it is to be read, and how a health check stands."""
    listing, _, _, api = await _inspected(**given)
    for action in actions:
        listing.heard(event(1, action, "api", id=api.id))
    assert listing.waits(api.id)


async def test_a_pause_while_the_list_is_on_its_way_is_read_again() -> None:
    """Which of the two is older is not known, so the list does not undo it and an inspect decides."""
    listing, _, client, api = await _inspected()
    client.listing = asyncio.Event()
    reading = asyncio.ensure_future(listing.read_all(client))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    listing.heard(event(1, "pause", "api", id=api.id))
    client.listing.set()
    await reading
    assert listing.known[api.id].state is ContainerState.PAUSED
    assert listing.waits(api.id)


async def test_a_network_of_a_swarm_connects_what_is_no_container_of_ours() -> None:
    """Only a container that is known is read again after it."""
    listing, _, _, api = await _inspected()
    for identity in ("f" * 64, api.id):
        listing.heard(event(1, "connect", "api", type="network", id=identity))
        assert listing.waits(identity) == (identity == api.id)


async def test_a_list_in_which_only_time_has_passed_changes_nothing() -> None:
    """`Up 4 minutes` after `Up 3 minutes`: the very container of before is published, so that nothing is told anew."""
    listing, told, client = _list()
    api = container("api", status="Up 3 minutes")
    client.rows, client.details = [api], {api.id: detailed(api)}
    await listing.read_all(client)
    await listing.inspect(client, [api.id])
    before = listing.known[api.id]
    client.rows = [msgspec.structs.replace(api, status="Up 4 minutes")]
    await listing.read_all(client)
    *_, change = told.of(Listed)
    assert isinstance(change, Listed)
    assert change.containers[0] is before
    assert listing.known[api.id] is before


async def test_a_list_in_which_an_ended_container_ended_otherwise_is_news() -> None:
    """It ran again and failed between two lists: the words tell its exit code, and they are kept."""
    listing, told, client = _list()
    job = container("job", state=ContainerState.EXITED, status="Exited (0) 3 minutes ago")
    client.rows, client.details = [job], {job.id: detailed(job, exit_code=0)}
    await listing.read_all(client)
    await listing.inspect(client, [job.id])
    client.rows = [job]
    await listing.read_all(client)
    client.rows = [msgspec.structs.replace(job, status="Exited (1) 2 seconds ago")]
    await listing.read_all(client)
    *_, change = told.of(Listed)
    assert isinstance(change, Listed)
    assert change.containers[0].status == "Exited (1) 2 seconds ago"
