"""However the fleet came to know something, it is the same picture."""

from __future__ import annotations

from fleettop.collectors.model import (
    Change,
    Confirmed,
    Container,
    ContainersSeen,
    ContainerState,
    EngineEvent,
    EventsSeen,
    GapSeen,
    Health,
    LinkChanged,
    LinkPhase,
    LinkStatus,
    Listed,
    ServiceKey,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from .watched import NOON, Watched, compose, container

ENGINES = ("h1", "h2")
_ACTIONS = (
    *("create", "start", "kill", "die", "stop", "restart", "oom", "destroy", "pause", "unpause"),
    *("rename", "update", "health_status", "exec_create", "nonsense"),
)


def _container(engine: str, number: int, service: int, state: ContainerState, health: Health, lone: bool) -> Container:
    labels = {} if lone else compose("p", f"s{service}", number)
    return container(engine, f"c{number}", labels=labels, state=state, health=health, restart_count=number)


_CONTAINERS = st.builds(
    _container,
    st.sampled_from(ENGINES),
    st.integers(0, 3),
    st.integers(0, 1),
    st.sampled_from(ContainerState),
    st.sampled_from(Health),
    st.booleans(),
)


def _of(engine: str, rows: list[Container]) -> tuple[Container, ...]:
    return tuple({row.id: row for row in rows if row.engine == engine}.values())


_CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(
        lambda engine, rows, refused: Listed(engine=engine, containers=_of(engine, rows), refused=refused, at=1000.0),
        st.sampled_from(ENGINES),
        st.lists(_CONTAINERS, max_size=4),
        st.sampled_from([(), ("h1-c0",), ("gone",)]),
    ),
    st.builds(lambda row: ContainersSeen(engine=row.engine, containers=(row,), at=1000.0), _CONTAINERS),
    st.builds(
        lambda engine, number: ContainersSeen(engine=engine, gone=(f"{engine}-c{number}",), at=1000.0),
        st.sampled_from(ENGINES),
        st.integers(0, 3),
    ),
    st.builds(
        lambda row, action, argument, nano, code: EventsSeen(
            engine=row.engine,
            events=(
                EngineEvent(
                    engine=row.engine,
                    time=NOON,
                    time_nano=nano,
                    type="container",
                    action=action,
                    argument=argument,
                    id=row.id,
                    name=row.name,
                    attributes={**row.labels, "exitCode": code, "signal": code},
                ),
            ),
        ),
        _CONTAINERS,
        st.sampled_from(_ACTIONS),
        st.sampled_from(["", "healthy", "unhealthy", "sh -c x"]),
        st.integers(1, 1 << 40),
        st.sampled_from(["0", "1", "9", "15", "137", "", "x"]),
    ),
    st.builds(
        lambda engine, phase: LinkChanged(engine=engine, link=LinkStatus(phase=phase, since=1000.0)),
        st.sampled_from(ENGINES),
        st.sampled_from(LinkPhase),
    ),
    st.builds(
        lambda engine, end: GapSeen(engine=engine, begin=NOON, end=end, cause="x", certain=True),
        st.sampled_from(ENGINES),
        st.sampled_from([None, NOON]),
    ),
    st.builds(lambda engine: Confirmed(engine=engine, at=1000.0), st.sampled_from(ENGINES)),
)


def _picture(watched: Watched) -> dict[ServiceKey, set[str]]:
    """Which containers each service has as replicas, as far as it has any."""
    watched.fleet.take_changes()
    fleet = watched.fleet
    return {key: {member.id for member in fleet.members(key)} for key in fleet.services}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_CHANGES, st.booleans()), max_size=25))
def test_a_fleet_built_up_step_by_step_is_the_one_that_is_told_all_at_once(steps: list[tuple[Change, bool]]) -> None:
    """Indexes never drift from what is there, in whatever order it was told; every service has a story."""
    watched = Watched(*ENGINES)
    for change, take in steps:
        watched.fleet.apply(change)
        if take:
            watched.fleet.take_changes()
    found = _picture(watched)
    fresh = Watched(*ENGINES)
    for engine in ENGINES:
        fresh.list(engine, *(row for key, row in watched.fleet.containers.items() if key.engine == engine))
    assert found == _picture(fresh)
    for key, service in watched.fleet.services.items():
        story = watched.fleet.story(key)
        assert story is not None
        assert "".join(part.text for part in story.parts) + "." == story.sentence
        assert len(story.short) <= 78
        assert service.wanted is None or service.serving is None or service.serving <= service.wanted
        assert {r.container for r in service.replicas} <= set(watched.fleet.containers)
    ids = [record.id for record in watched.records()]
    assert ids == sorted(set(ids))
