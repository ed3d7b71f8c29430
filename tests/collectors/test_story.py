"""The story of a service: one sentence of facts, each part of which rests on something."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fleettop.collectors.model import (
    Container,
    ContainerState,
    Health,
    SwarmNode,
    SwarmPicture,
    SwarmSeen,
    SwarmService,
    SwarmTask,
    WordsSeen,
)
from fleettop.collectors.story.reasons import gist
from fleettop.collectors.words import (
    age,
    clock_time,
    count,
    familiar_image,
    image_parts,
    long_age,
    ordinal,
    short_age,
    signal_name,
)

from .watched import NOON, Watched, compose, container, probe

EXITED, RESTARTING = ContainerState.EXITED, ContainerState.RESTARTING


def api(number: int = 1, engine: str = "h1", *, image: str = "pay-api:2.8.0", **more: object) -> Container:
    """A replica of pay/api."""
    labels, identifier = compose("pay", "api", number), f"{engine}-{number}-{image}"
    return container(engine, f"pay-api-{number}", labels=labels, image=image, identifier=identifier, **more)  # type: ignore[arg-type]


def _deployed_and_crashing() -> Watched:
    """Three replicas on three hosts, deployed anew by us, and crashing 41 s later."""
    hosts = ("web-1", "web-2", "web-3")
    watched = Watched(*hosts)
    for number, host in enumerate(hosts, start=1):
        watched.list(host, api(number, host))
    watched.clock.advance(3600)
    deployed = watched.clock.now()
    for number, host in enumerate(hosts, start=1):
        old, new = api(number, host), api(number, host, image="pay-api:2.8.1", created=deployed)
        watched.fleet.record_intent(
            "scale", engine=host, object_name=new.name, actor="ops1", reason="rollout of FT-212"
        )
        watched.play("create", new, pause=0)
        watched.play("kill(15) die(143) stop destroy", old, pause=0)
        watched.see(gone=(old.id,), engine=host)
        watched.play("start", new, pause=0)
        watched.see(new)
    watched.clock.advance(39)
    for attempt in (1, 2, 3):
        started = watched.clock.now()
        watched.clock.advance(2)
        for number, host in enumerate(hosts, start=1):
            new = api(number, host, image="pay-api:2.8.1", created=deployed)
            watched.play("die(1)", new, pause=0)
            watched.see(
                api(
                    number,
                    host,
                    image="pay-api:2.8.1",
                    created=deployed,
                    state=RESTARTING,
                    exit_code=1,
                    restart_count=attempt,
                    started_at=started,
                    finished_at=watched.clock.now(),
                )
            )
            if attempt < 3:
                watched.play("start", new, pause=0)
    return watched


def test_the_story_tells_what_since_when_and_what_came_just_before() -> None:
    """The sentence of the sketch, from records alone."""
    watched = _deployed_and_crashing()
    story = watched.story()
    assert watched.service().state == "down"
    assert story.sentence == (
        "All 3 replicas exit with code 1 about 2 s after they start (9 times since 13:00:41), 41s after ops1 deployed "
        "2.8.1 (was 2.8.0): “rollout of FT-212”."
    )
    assert story.short == "api: 3 replicas exit 1 after 2 s, 9× since 13:00:41; ops1 deployed 2.8.1"


def test_trouble_from_the_first_moment_on_is_told_with_the_creation() -> None:
    """Nobody deployed what was there for the first time, and nobody is said to have made it."""
    watched = Watched("h1", "pod1")
    hosts = (("h1", "bb:1"), ("pod1", "localhost/bb:1"))
    for host, image in hosts:
        one = api(1, host, image=image, created=NOON)
        watched.play("create start die(3)", one, pause=0)
        watched.see(api(1, host, image=image, created=NOON, state=RESTARTING, exit_code=3, finished_at=NOON))
    story = watched.story()
    assert story.sentence == (
        "Both replicas exited with code 3 by themselves from 12:00:00 on, waiting to be restarted, right after the "
        "service was created."
    )
    assert story.short == "api: 2 replicas exited 3 since 12:00:00; right after its creation"


def test_each_part_of_a_story_can_be_opened() -> None:
    """What it says happened rests on a record or a container."""
    watched = _deployed_and_crashing()
    story = watched.story()
    assert "".join(part.text for part in story.parts) + "." == story.sentence
    records = {record.id: record for record in watched.records()}
    what, before = story.parts[0], story.parts[-1]
    assert what.record is not None
    assert records[what.record].what.startswith("exited 1 by itself")
    assert before.record is not None
    assert records[before.record].reason == "rollout of FT-212"
    assert before.container in watched.fleet.containers


def test_last_words_are_those_of_the_newest_dead_replica() -> None:
    """Behind the sentence stands what the program itself said."""
    watched = _deployed_and_crashing()
    watched.service()
    (speaker,) = watched.fleet.wanted_words
    watched.fleet.apply(WordsSeen(engine=speaker.engine, id=speaker.id, lines=("KeyError: 'LEDGER_URL'",)))
    story = watched.story()
    assert (story.last_words, story.words_of) == (("KeyError: 'LEDGER_URL'",), speaker)
    assert story.said == "“KeyError: 'LEDGER_URL'”"


@pytest.mark.parametrize(
    ("text", "brief"),
    [
        ("KeyError: 'LEDGER_URL'", "KeyError: 'LEDGER_URL'"),
        (f"mkdir /run/{'x' * 90}: no space left on device", "no space left on device"),
        ("no colon " * 20, f"{('no colon ' * 20)[:71]}…"),
    ],
)
def test_of_a_long_message_the_end_is_told_since_the_cause_stands_there(text: str, brief: str) -> None:
    """Programs put what they were doing before a colon, and what went wrong behind it."""
    assert gist(text) == brief


def test_a_change_long_ago_is_not_told_as_what_came_before() -> None:
    """A deploy of last week says nothing about tonight."""
    watched = Watched()
    watched.list("h1", api())
    watched.play("die(2)", api(), pause=0)
    watched.see(api(state=EXITED, restart_policy="no", exit_code=2, finished_at=NOON))
    assert watched.story().sentence == "Its only replica exited with code 2 by itself at 12:00:00."


def test_a_healthy_service_is_told_in_one_line() -> None:
    """Calm is quiet: how many, how long, and the last change."""
    watched = Watched()
    watched.list("h1", *(api(number) for number in range(1, 7)))
    assert watched.story().sentence == "6 of 6 healthy for 3 days; created 3d ago."


def test_a_healthy_service_counts_from_its_recovery() -> None:
    """It was not healthy before that."""
    watched = Watched()
    one = api(health=Health.HEALTHY)
    watched.list("h1", one)
    watched.event("health_status", one, argument="unhealthy")
    watched.clock.advance(60)
    watched.event("health_status", one, argument="healthy")
    watched.clock.advance(120)
    assert watched.story().sentence.startswith("1 of 1 healthy for 2 minutes;")


def _killed(watched: Watched) -> None:
    watched.play("kill(9) die(137)", api(), pause=0)
    watched.see(api(state=EXITED, exit_code=137, finished_at=watched.clock.now()))


def _stopped(watched: Watched) -> None:
    watched.play("kill(15) die(143) stop", api(), pause=0)
    watched.see(api(state=EXITED, exit_code=143, finished_at=watched.clock.now()))


def _out_of_memory(watched: Watched) -> None:
    watched.play("oom die(137)", api(), pause=0)
    watched.see(api(state=RESTARTING, exit_code=137, oom_killed=True, finished_at=watched.clock.now()))


def _given_up(watched: Watched) -> None:
    watched.play("oom die(7)", api(), pause=0)
    watched.see(api(state=EXITED, exit_code=7, oom_killed=True, finished_at=watched.clock.now()))


def _gone_on(watched: Watched) -> None:
    watched.see(api(state=EXITED, exit_code=0, oom_killed=True, restart_policy="no", finished_at=watched.clock.now()))


def _unhealthy(watched: Watched) -> None:
    watched.event("health_status", api(), argument="unhealthy")
    log = [probe(watched.clock.now(), 1, "connection\nrefused")]
    watched.see(api(health=Health.UNHEALTHY, failing_streak=1, health_log=log))


def _paused(watched: Watched) -> None:
    watched.play("pause", api(), pause=0)
    watched.see(api(state=ContainerState.PAUSED))


def _restarted(watched: Watched) -> None:
    watched.play("kill(15) die(143) stop start restart", api(), pause=0)
    now = watched.clock.now()
    watched.see(api(health=Health.STARTING, started_at=now, finished_at=now))


def _no_space(watched: Watched) -> None:
    watched.see(api(state=EXITED, exit_code=128, error="no space left on device", finished_at=watched.clock.now()))


@pytest.mark.parametrize(
    ("happens", "sentence", "short"),
    [
        (_killed, "Its only replica was killed by someone at 12:00:00.", "1 replica killed by someone since 12:00:00"),
        (
            _out_of_memory,
            "Its only replica was killed for memory at 12:00:00, waiting to be restarted.",
            "1 replica killed for memory since 12:00:00",
        ),
        (
            _given_up,
            "Its only replica ran out of memory and exited with code 7 at 12:00:00.",
            "1 replica out of memory, exited 7 since 12:00:00",
        ),
        (_gone_on, "Its only replica finished 1m 30s ago.", "finished 1m 30s ago"),
        (
            _unhealthy,
            "Its only replica runs but its health check fails since 12:00:00: “connection refused”.",
            "1 replica unhealthy since 12:00:00",
        ),
        (_paused, "Its only replica was paused by someone at 12:00:00.", "1 replica paused since 12:00:00"),
        (
            _restarted,
            "Its only replica is starting, not serving since 12:00:00, when someone restarted it.",
            "1 replica starting since 12:00:00; someone restarted it",
        ),
        (
            _no_space,
            "Its only replica exited with code 128 at 12:00:00 (no space left on device).",
            "1 replica exited 128 since 12:00:00",
        ),
        (_stopped, "Its only replica was stopped by someone 1m 30s ago.", "stopped by someone 1m 30s ago"),
    ],
)
def test_each_trouble_has_its_own_words(happens: object, sentence: str, short: str) -> None:
    """What is known is said, and nothing more."""
    watched = Watched()
    watched.list("h1", api())
    assert callable(happens)
    happens(watched)
    watched.pass_time(90)
    story = watched.story()
    assert story.sentence == sentence
    assert story.short == f"api: {short}"


def test_what_ran_to_its_end_is_told_as_finished() -> None:
    """A job that is done is no trouble."""
    watched = Watched()
    watched.list("h1", *(api(n, state=EXITED, restart_policy="no", finished_at=NOON) for n in (1, 2)))
    watched.pass_time(90)
    assert watched.story().sentence == "Both replicas finished 1m 30s ago."


def test_our_own_stop_is_told_with_who_and_why() -> None:
    """Only what we did ourselves has a name and a reason."""
    watched = Watched()
    watched.list("h1", api())
    watched.fleet.record_intent("stop", engine="h1", object_id=api().id, actor="ops1", reason="night shift")
    _stopped(watched)
    assert watched.story().sentence == "Its only replica was stopped by ops1 0s ago: “night shift”."


def test_what_somebody_did_after_it_began_is_told_too() -> None:
    """The next on call sees that somebody is at it already."""
    watched = Watched()
    watched.list("h1", api(), api(2))
    watched.play("die(1)", api(2), pause=0)
    watched.see(api(2, state=EXITED, restart_policy="no", exit_code=1, finished_at=NOON))
    watched.pass_time(60)
    watched.fleet.record_intent("restart", engine="h1", object_id=api().id, actor="ops1", reason="try")
    watched.play("kill(15) die(143) stop start restart", api(), pause=0)
    watched.pass_time(20)
    assert watched.story().sentence == (
        "1 of 2 replicas exited with code 1 by itself at 12:00:00; ops1 restarted it 20s ago: “try”."
    )


def test_different_troubles_are_told_one_after_the_other() -> None:
    """The one that concerns most replicas first."""
    watched = Watched()
    dead = {"state": EXITED, "restart_policy": "no", "finished_at": NOON}
    watched.list("h1", api(1, exit_code=1, **dead), api(2, exit_code=1, **dead), api(3, exit_code=2, **dead), api(4))
    assert watched.story().sentence == (
        "2 of 4 replicas exited with code 1 from 12:00:00 on; 1 of 4 replicas exited with code 2 at 12:00:00."
    )


def test_a_lost_host_is_told_with_what_it_carries_and_for_how_long() -> None:
    """And that part opens the host."""
    watched = Watched("h1", "h2")
    watched.list("h1", api())
    watched.list("h2", api(2, "h2"))
    watched.down("h2")
    watched.pass_time(90)
    story = watched.story()
    assert story.sentence == "h2, with 1 replica, cannot be reached for 1m 30s (not answering)."
    assert story.parts[0].engine == "h2"
    assert watched.service().down_since == NOON


def test_a_service_that_is_not_known_says_why_and_what_was_seen_last() -> None:
    """Unknown is a word, not a gap."""
    watched = Watched()
    watched.list("h1", api())
    watched.down("h1")
    watched.pass_time(90)
    assert watched.story().sentence == (
        "Not known: h1, with 1 replica, cannot be reached for 1m 30s (not answering); 1 of 1 served when last seen."
    )


def test_the_short_story_fits_into_eighty_columns() -> None:
    """Whole pieces as long as they fit, never a wrapped line."""
    watched = Watched()
    long = container(name="a" * 60, state=EXITED, restart_policy="no", exit_code=1, finished_at=NOON)
    watched.list("h1", long)
    assert len(watched.story().short) <= 78


def test_nobody_and_nothing_has_no_story() -> None:
    """A service that is gone cannot be told of."""
    watched = Watched()
    watched.list("h1", api())
    key = watched.service().key
    watched.list("h1")
    watched.fleet.take_changes()
    assert watched.fleet.story(key) is None


# -- a swarm's services ------------------------------------------------------------------------------------------------


def _task(identifier: str, slot: int, *, node: str = "n2", state: str = "running", **more: object) -> SwarmTask:
    fields = {"desired": "running", "at": NOON - timedelta(minutes=5)} | more
    return SwarmTask(id=identifier, service_id="s1", node_id=node, slot=slot, state=state, **fields)  # type: ignore[arg-type]


def _swarm(*tasks: SwarmTask, wanted: int = 3, node_state: str = "ready", **more: object) -> SwarmSeen:
    fields = {"stack": "shop", "mode": "replicated", "running": wanted, "image": "web:1", "updated": None} | more
    service = SwarmService(id="s1", name="shop_web", wanted=wanted, **fields)  # type: ignore[arg-type]
    nodes = (
        SwarmNode(id="n1", hostname="m1", role="manager", availability="active", state="ready"),
        SwarmNode(id="n2", hostname="w2", role="worker", availability="active", state=node_state),
    )
    picture = SwarmPicture(cluster_id="c1", manager="m1", nodes=nodes, services=(service,), tasks=tasks)
    return SwarmSeen(engine="m1", picture=picture)


def _manager(*changes: SwarmSeen) -> Watched:
    watched = Watched("m1", "w2", empty=False)
    watched.up("m1", node="n1", cluster="c1")
    watched.list("m1")
    for change in changes:
        watched.fleet.apply(change)
    return watched


def test_a_pending_task_is_told_in_the_swarms_own_words() -> None:
    """Why it is not there is what the manager says."""
    watched = _manager(_swarm(_task("a", 1), _task("b", 2), _task("c", 3, node="", state="pending", error="no room")))
    assert watched.service().state == "degraded"
    assert watched.story().sentence.startswith("1 of 3 replicas is pending: no room")


def test_a_task_that_fails_again_and_again_is_told_as_a_loop() -> None:
    """Each attempt is another task and another container; it is one replica all the same."""
    attempts = [
        _task(f"x{n}", 3, state="failed", desired="shutdown", exit_code=1, at=NOON - timedelta(seconds=20 * n))
        for n in range(4)
    ]
    watched = _manager(_swarm(_task("a", 1), _task("b", 2), *attempts, _task("y", 3, state="ready", desired="ready")))
    assert watched.story().sentence == "1 of 3 replicas exits with code 1 again and again (4 times since 11:59:00)."
    assert watched.service().restarts == 4


def test_tasks_on_a_node_that_is_down_say_so() -> None:
    """The manager knows more than we can reach."""
    watched = _manager(_swarm(*(_task(str(n), n) for n in (1, 2, 3)), node_state="down"))
    assert watched.story().sentence.startswith("All 3 replicas are on node w2, which is down")


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "two", "one", "spoken"),
    [
        (-5, "0s", "0s", "0 seconds"),
        (12.9, "12s", "12s", "12 seconds"),
        (252, "4m 12s", "4m", "4 minutes"),
        (60, "1m", "1m", "1 minute"),
        (11_100, "3h 5m", "3h", "3 hours"),
        (100_800, "1d 4h", "1d", "1 day"),
        (1_040_000, "12d", "12d", "12 days"),
    ],
)
def test_ages_have_two_parts_at_most(seconds: float, two: str, one: str, spoken: str) -> None:
    """Short enough for a column, exact enough to act on."""
    assert (age(seconds), short_age(seconds), long_age(seconds)) == (two, one, spoken)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 3, 1, 2, 36, 55, tzinfo=UTC), "02:36:55"),
        (datetime(2026, 2, 28, 23, 59, 0, tzinfo=UTC), "28 Feb 23:59"),
        (datetime(2024, 2, 28, 23, 59, 0, tzinfo=UTC), "2024-02-28"),
    ],
)
def test_a_moment_is_told_with_its_day_only_where_it_is_not_today(moment: datetime, words: str) -> None:
    """At night nobody wants to read dates."""
    assert clock_time(moment, NOON, UTC) == words


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("bb", "bb:latest"),
        ("localhost/bb:1", "bb:1"),
        ("docker.io/library/redis:7", "redis:7"),
        ("docker.io/grafana/grafana", "grafana/grafana:latest"),
        ("registry.example.org:5000/bb:1", "registry.example.org:5000/bb:1"),
        ("redis@sha256:" + "a" * 64, "redis@sha256:" + "a" * 64),
        ("sha256:" + "a" * 64, "sha256:" + "a" * 64),
    ],
)
def test_one_image_has_one_familiar_name(image: str, words: str) -> None:
    """However the engine writes it; another registry is another image."""
    assert familiar_image(image) == words


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("redis", ("redis", "")),
        ("redis:7", ("redis", "7")),
        ("registry.example.org:5000/pay/api:2@sha256:" + "a" * 64, ("pay/api", "2")),
        ("localhost/bb:1", ("bb", "1")),
        ("docker.io/library/redis:7", ("redis", "7")),
        ("sha256:" + "a" * 64, ("", "")),
        ("a" * 64, ("", "")),
        ("host:5000/name", ("name", "")),
    ],
)
def test_an_image_has_a_name_and_a_tag(image: str, parts: tuple[str, str]) -> None:
    """Without registry and without digest."""
    assert image_parts(image) == parts


@pytest.mark.parametrize(
    ("text", "name"), [("9", "SIGKILL"), ("SIGTERM", "SIGTERM"), ("hup", "SIGHUP"), ("99", "signal 99"), ("", "")]
)
def test_signals_have_names(text: str, name: str) -> None:
    """The engine says numbers, a person says names."""
    assert signal_name(text) == name


def test_counts_and_ordinals_are_english() -> None:
    """One replica, two replicas; 11th, not 11st."""
    assert [count(1, "replica"), count(2, "replica"), count(2, "copy", "copies")] == [
        "1 replica",
        "2 replicas",
        "2 copies",
    ]
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 111)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "111th")
    ]
