"""The state of a service, from how its replicas stand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fleettop.collectors.model import Container, ContainerState, Health

from .watched import NOON, Watched, compose, container, probe

EXITED, RUNNING, RESTARTING = ContainerState.EXITED, ContainerState.RUNNING, ContainerState.RESTARTING


def replica(number: int, engine: str = "h1", **more: object) -> Container:
    """A replica of pay/api."""
    labels = compose("pay", "api", number)
    return container(engine, f"pay-api-{number}", labels=labels, **more)  # type: ignore[arg-type]


def test_all_replicas_serving_is_healthy() -> None:
    """Wanted are as many as there are containers."""
    watched = Watched()
    watched.list("h1", *(replica(n) for n in (1, 2, 3)))
    service = watched.service()
    assert (service.state, service.serving, service.wanted, service.running) == ("healthy", 3, 3, 3)
    assert service.down_since is None


def test_one_of_three_dead_is_degraded_since_it_died() -> None:
    """Degraded counts from the first replica lost."""
    watched = Watched()
    died = NOON - timedelta(minutes=4)
    watched.list(
        "h1", replica(1), replica(2), replica(3, state=EXITED, exit_code=1, restart_policy="no", finished_at=died)
    )
    service = watched.service()
    assert (service.state, service.serving, service.wanted) == ("degraded", 2, 3)
    assert (service.down_since, service.down_since_certain) == (died, True)


def test_none_serving_is_down_since_the_last_one_died() -> None:
    """Down counts from the last moment it served."""
    watched = Watched()
    ends = [NOON - timedelta(minutes=minutes) for minutes in (9, 4)]
    watched.list(
        "h1",
        *(
            replica(n, state=EXITED, exit_code=1, restart_policy="no", finished_at=end)
            for n, end in enumerate(ends, start=1)
        ),
    )
    service = watched.service()
    assert (service.state, service.serving, service.down_since) == ("down", 0, max(ends))


@pytest.mark.parametrize(
    ("policy", "code", "state"),
    [
        ("always", 143, "stopped"),
        ("unless-stopped", 1, "stopped"),
        ("no", 0, "stopped"),
        ("on-failure", 0, "stopped"),
        ("no", 1, "down"),
        ("on-failure", 1, "down"),
        ("", 2, "down"),
    ],
)
def test_without_events_the_restart_policy_tells_a_stop_from_a_failure(policy: str, code: int, state: str) -> None:
    """What the engine would have brought back and did not was stopped; code 0 had finished; the rest failed."""
    watched = Watched()
    watched.list("h1", replica(1, state=EXITED, exit_code=code, restart_policy=policy, finished_at=NOON))
    assert watched.service().state == state


def test_a_container_that_could_not_be_started_again_was_not_stopped() -> None:
    """The engine's own error says so (seen on a full disk)."""
    watched = Watched()
    watched.list("h1", replica(1, state=EXITED, exit_code=128, error="no space left on device", finished_at=NOON))
    assert watched.service().state == "down"


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("kill(15) die(1) stop", "stopped"),
        ("kill(9) die(137)", "down"),
        ("die(0)", "stopped"),
        ("die(1)", "down"),
        ("oom die(137)", "down"),
    ],
)
def test_with_events_the_sequence_tells(script: str, state: str) -> None:
    """A stop is deliberate; a kill, a crash and a kill for memory are not."""
    watched = Watched()
    one = replica(1, restart_policy="no")
    watched.list("h1", one)
    watched.play(script, one)
    code = 0 if script == "die(0)" else 1
    watched.see(replica(1, restart_policy="no", state=EXITED, exit_code=code, finished_at=watched.clock.now()))
    assert watched.service().state == state


def test_one_of_two_deliberately_stopped_is_degraded() -> None:
    """Only when all were stopped is nothing wanted."""
    watched = Watched()
    watched.list("h1", replica(1), replica(2, state=EXITED, exit_code=143))
    service = watched.service()
    assert (service.state, service.wanted, service.note) == ("degraded", 2, "1 stopped")


def test_all_stopped_wants_nothing() -> None:
    """Wanted 0 is not an outage."""
    watched = Watched()
    watched.list("h1", replica(1, state=EXITED, exit_code=143), replica(2, state=EXITED, exit_code=143))
    service = watched.service()
    assert (service.state, service.wanted, service.down_since) == ("stopped", 0, None)


def test_never_started_is_stopped_but_just_created_is_starting() -> None:
    """Compose makes its containers a moment before it starts them."""
    watched = Watched()
    watched.list("h1", replica(1, state=ContainerState.CREATED, created=NOON - timedelta(seconds=1)))
    assert watched.service().state == "starting"
    watched.pass_time(61)
    assert watched.service().state == "stopped"


def test_starting_while_its_health_check_has_not_spoken() -> None:
    """None serves yet, and none failed."""
    watched = Watched()
    watched.list("h1", replica(1, health=Health.STARTING), replica(2, health=Health.STARTING))
    assert watched.service().state == "starting"


def test_starting_beside_a_dead_one_is_down() -> None:
    """One on its way does not hide one that failed."""
    watched = Watched()
    dead = replica(2, state=EXITED, exit_code=1, restart_policy="no", finished_at=NOON)
    watched.list("h1", replica(1, health=Health.STARTING), dead)
    assert watched.service().state == "down"


def test_unhealthy_is_not_serving() -> None:
    """It runs, and its own check says that it does not work."""
    watched = Watched()
    watched.list("h1", replica(1, health=Health.UNHEALTHY), replica(2, health=Health.HEALTHY))
    service = watched.service()
    assert (service.state, service.running, service.serving) == ("degraded", 2, 1)


def test_paused_is_not_serving() -> None:
    """A paused container answers nobody, and somebody wants it."""
    watched = Watched()
    watched.list("h1", replica(1, state=ContainerState.PAUSED))
    service = watched.service()
    assert (service.state, service.note) == ("down", "1 paused")


def test_unhealthy_counts_from_the_first_failing_probe() -> None:
    """The health log knows when the streak began, which is before the state changed."""
    watched = Watched()
    begin = NOON - timedelta(seconds=90)
    log = [probe(begin - timedelta(seconds=30), 0), *(probe(begin + timedelta(seconds=30 * n), 1) for n in range(3))]
    watched.list("h1", replica(1, health=Health.UNHEALTHY, failing_streak=3, health_log=log))
    service = watched.service()
    assert (service.state, service.down_since, service.down_since_certain) == ("down", begin, True)


def test_a_streak_longer_than_the_log_is_remembered_from_when_it_could_be_read() -> None:
    """The engine keeps five probes; we keep the beginning."""
    watched = Watched()
    begin = NOON - timedelta(seconds=90)
    watched.list("h1", replica(1, health=Health.UNHEALTHY, failing_streak=1, health_log=[probe(begin, 1)]))
    late = [probe(NOON + timedelta(seconds=n), 1) for n in range(5)]
    watched.see(replica(1, health=Health.UNHEALTHY, failing_streak=40, health_log=late))
    assert watched.service().down_since == begin


def test_a_streak_whose_beginning_was_never_read_is_not_certain() -> None:
    """At least that long: the oldest probe that is kept."""
    watched = Watched()
    log = [probe(NOON - timedelta(seconds=50 - 10 * n), 1) for n in range(5)]
    watched.list("h1", replica(1, health=Health.UNHEALTHY, failing_streak=40, health_log=log))
    service = watched.service()
    assert (service.down_since, service.down_since_certain) == (NOON - timedelta(seconds=50), False)


def test_times_of_an_engine_are_put_on_our_clock() -> None:
    """An engine an hour ahead did not go down in the future."""
    watched = Watched("h1", empty=False)
    watched.up("h1", skew=3600.0)
    died = NOON + timedelta(minutes=56)
    watched.list("h1", replica(1, state=EXITED, exit_code=1, restart_policy="no", finished_at=died))
    assert watched.service().down_since == NOON - timedelta(minutes=4)


# -- crash loops -------------------------------------------------------------------------------------------------------


def _crash(watched: Watched, one: Container, times: int, pause: float = 2.0) -> None:
    for _ in range(times):
        watched.play("die(1) start", one, pause=pause)


def test_the_only_replica_in_a_crash_loop_is_flapping() -> None:
    """Restarting again and again, also in the moments in which it runs."""
    watched = Watched()
    one = replica(1)
    watched.list("h1", one)
    _crash(watched, one, 3)
    watched.see(replica(1, started_at=watched.clock.now(), restart_count=3))
    service = watched.service()
    assert (service.state, service.serving, service.down_since) == ("flapping", 0, NOON)


def test_two_crashes_are_not_yet_a_loop() -> None:
    """Three within ten minutes are."""
    watched = Watched()
    one = replica(1)
    watched.list("h1", one)
    _crash(watched, one, 2)
    watched.see(replica(1, started_at=watched.clock.now(), restart_count=2))
    assert watched.service().state == "healthy"


def test_waiting_for_its_restart_is_flapping() -> None:
    """The engine's state `restarting` is its backoff between two attempts."""
    watched = Watched()
    watched.list("h1", replica(1, state=RESTARTING, restart_count=1, finished_at=NOON))
    assert watched.service().state == "flapping"


def test_all_of_several_replicas_in_a_crash_loop_are_down() -> None:
    """None of them ever gets to serve, though at any moment some may run."""
    watched = Watched()
    ones = [replica(n) for n in (1, 2, 3)]
    watched.list("h1", *ones)
    for one in ones:
        _crash(watched, one, 3)
    watched.see(
        replica(1, state=RESTARTING, restart_count=3),
        replica(2, state=RESTARTING, restart_count=3),
        replica(3, started_at=watched.clock.now(), restart_count=3),
    )
    service = watched.service()
    assert (service.state, service.serving, service.restarts) == ("down", 0, 9)


def test_one_of_several_in_a_crash_loop_is_degraded() -> None:
    """The others serve."""
    watched = Watched()
    ones = [replica(n) for n in (1, 2)]
    watched.list("h1", *ones)
    _crash(watched, ones[0], 3)
    watched.see(replica(1, state=RESTARTING, restart_count=3))
    assert watched.service().state == "degraded"


def test_a_loop_that_settles_serves_after_a_minute_and_is_over_after_ten() -> None:
    """Time alone heals: first it counts as serving, then as healthy."""
    watched = Watched()
    one = replica(1)
    watched.list("h1", one)
    _crash(watched, one, 3)
    watched.see(replica(1, started_at=watched.clock.now(), restart_count=3))
    assert watched.service().serving == 0
    watched.pass_time(61)
    assert (watched.service().state, watched.service().serving) == ("flapping", 1)
    watched.pass_time(600)
    assert (watched.service().state, watched.service().down_since) == ("healthy", None)


def test_a_loop_is_known_without_events_by_its_counter() -> None:
    """A dashboard opened in the middle of a crash loop sees it at once."""
    watched = Watched()
    young = NOON - timedelta(seconds=3)
    watched.list("h1", replica(1, restart_count=17, started_at=young, finished_at=young))
    assert watched.service().state == "flapping"


def test_restarts_by_a_person_are_not_flapping() -> None:
    """Somebody at work is not a crash loop."""
    watched = Watched()
    one = replica(1)
    watched.list("h1", one)
    for _ in range(5):
        watched.play("kill(15) die(143) stop start restart", one)
    watched.see(replica(1, started_at=watched.clock.now()))
    assert watched.service().state == "healthy"


def test_an_outage_lasts_from_its_first_crash_through_all_attempts() -> None:
    """Each attempt moves the container's own end on; the outage began with the first."""
    watched = Watched()
    one = replica(1)
    watched.list("h1", one)
    for attempt in range(1, 6):
        watched.play("die(1)", one, pause=0)
        watched.see(replica(1, state=RESTARTING, restart_count=attempt, finished_at=watched.clock.now()))
        watched.service()
        watched.clock.advance(30)
        watched.play("start", one, pause=0)
        watched.see(replica(1, started_at=watched.clock.now(), restart_count=attempt))
        watched.service()
        watched.clock.advance(1)
    assert watched.service().down_since == NOON


def test_an_outage_does_not_jump_while_no_replica_serves() -> None:
    """However a host comes and goes, and whatever a replica seems to be for a moment."""
    watched = Watched("h1", "h2")
    ones = [replica(1), replica(1, "h2")]
    for one in ones:
        watched.list(one.engine, one)
    began = set()
    for round_number in range(1, 30):
        for one in ones:
            watched.play("die(3) restart init", one, pause=0)
            ended = watched.clock.now()
            watched.see(replica(1, one.engine, state=EXITED, exit_code=3, finished_at=ended))
            began.add(watched.service().down_since)
            watched.play("start", one, pause=1)
            started = {"started_at": ended, "finished_at": ended, "restart_count": round_number}
            watched.see(replica(1, one.engine, **started))
            began.add(watched.service().down_since)
        if round_number == 10:
            watched.down("h2")
            began.add(watched.service().down_since)
        if round_number == 12:
            watched.up("h2")
            watched.list("h2", replica(1, "h2", **started))
    late = NOON + timedelta(seconds=1)  # the second replica fell a second after the first
    assert {moment for moment in began if moment is not None} <= {NOON, late}
    assert watched.service().down_since == late


def test_a_loop_that_fills_all_its_time_began_with_its_container() -> None:
    """Opened after forty minutes: the events reach back a minute, the counter to the beginning."""
    watched = Watched("h1", "pod1")
    watched.up("pod1", kind="podman")
    created = NOON - timedelta(minutes=40)
    young = {"created": created, "started_at": NOON, "finished_at": NOON - timedelta(seconds=1)}
    # Docker pauses up to a minute before a restart, Podman does not.
    watched.list("h1", replica(1, restart_count=45, **young))
    watched.list("pod1", replica(1, "pod1", restart_count=2000, **young))
    one = replica(1, "pod1")
    watched.play("start die(3) restart init start die(3) restart init start", one, pause=1, replayed=True)
    service = watched.service()
    assert (service.state, service.down_since, service.down_since_certain) == ("down", created, False)
    assert service.last_change is not None
    assert service.last_change.what == "created"  # the first start was nobody's that is known


def test_a_loop_that_does_not_fill_its_time_began_later() -> None:
    """It may have served before that."""
    watched = Watched()
    young = {"started_at": NOON, "finished_at": NOON - timedelta(seconds=1)}
    watched.list("h1", replica(1, restart_count=45, created=NOON - timedelta(hours=3), **young))
    assert watched.service().down_since == NOON - timedelta(seconds=1)
    assert not watched.service().down_since_certain


def test_an_outage_begins_anew_after_a_run_that_settled() -> None:
    """A minute is serving, also in the middle of a crash loop; the loop goes on, the outage does not."""
    watched = Watched()
    one = replica(1)
    watched.list("h1", one)
    _crash(watched, one, 4)
    watched.see(replica(1, started_at=watched.clock.now(), restart_count=4))
    watched.pass_time(90)
    assert watched.service().serving == 1
    again = watched.clock.now()
    _crash(watched, one, 2)
    watched.see(replica(1, started_at=watched.clock.now(), restart_count=6))
    service = watched.service()
    assert (service.state, service.serving, service.down_since) == ("flapping", 0, again)
    assert "6 times since 12:00:00" in watched.story().sentence


# -- health that is never checked --------------------------------------------------------------------------------------

NEVER = "health never checked (Podman without systemd runs none)"


def test_podmans_check_that_never_runs_is_waited_for_and_then_said_to_be_none() -> None:
    """Podman leaves it to systemd; without it the health is `starting` for ever."""
    watched = Watched("pod1")
    watched.up("pod1", kind="podman")
    one = replica(1, "pod1", health=Health.STARTING, created=NOON, started_at=NOON, health_patience=4.0)
    watched.list("pod1", one)
    service = watched.service()
    assert (service.state, service.down_since) == ("starting", NOON)
    watched.pass_time(20)
    assert (watched.service().state, watched.service().down_since) == ("starting", NOON)
    watched.pass_time(15)
    service = watched.service()
    assert (service.state, service.serving, service.down_since, service.note) == ("healthy", 1, None, NEVER)
    assert (service.replicas[0].health, service.replicas[0].note) == (Health.UNKNOWN, NEVER)


def test_of_several_it_is_said_how_many_are_never_checked() -> None:
    """The others have engines that do it."""
    watched = Watched("h1", "pod1")
    watched.up("pod1", kind="podman")
    watched.list("h1", replica(1, health=Health.HEALTHY))
    watched.list("pod1", replica(1, "pod1", health=Health.STARTING))
    assert watched.service().note == NEVER.replace("health", "health of 1", 1)


@pytest.mark.parametrize(("kind", "probes"), [("docker", 0), ("podman", 1)])
def test_a_check_that_may_run_is_waited_for(kind: str, probes: int) -> None:
    """Docker runs its checks itself, and where Podman ran one there is a timer for it."""
    watched = Watched("h1")
    watched.up("h1", kind=kind)
    log = [probe(NOON, 1)] * probes
    watched.list("h1", replica(1, health=Health.STARTING, health_patience=4.0, health_log=log))
    assert watched.service().state == "starting"


# -- hosts that cannot be reached --------------------------------------------------------------------------------------


def test_a_service_whose_hosts_are_all_lost_is_unknown() -> None:
    """Not known is not healthy, and not down either; what was seen last is kept, and is old."""
    watched = Watched()
    watched.list("h1", replica(1))
    watched.down("h1")
    service = watched.service()
    assert (service.state, service.serving, service.wanted, service.stale) == ("unknown", None, 1, True)
    assert service.replicas[0].state is RUNNING


def test_a_service_with_one_host_lost_is_degraded_as_far_as_is_known() -> None:
    """Only what answers counts as serving."""
    watched = Watched("h1", "h2")
    watched.list("h1", replica(1))
    watched.list("h2", replica(2, "h2"))
    watched.down("h2")
    service = watched.service()
    assert (service.state, service.serving, service.wanted, service.stale) == ("degraded", 1, 2, True)
    assert service.note == "1 on hosts that cannot be reached"


def test_a_host_that_answers_again_brings_its_service_back() -> None:
    """But only after it has been read: a link that is up says nothing about the containers."""
    watched = Watched()
    watched.list("h1", replica(1))
    watched.down("h1")
    watched.clock.advance(60)
    watched.up("h1")
    assert watched.service().state == "unknown"
    watched.list("h1", replica(1))
    assert watched.service().state == "healthy"


def test_dead_here_and_dead_when_last_seen_there_is_down() -> None:
    """Only what served when last seen may serve now."""
    watched = Watched("h1", "h2")
    dead = {"state": EXITED, "exit_code": 1, "restart_policy": "no"}
    watched.list("h1", *(replica(n, finished_at=NOON - timedelta(minutes=n), **dead) for n in (1, 2, 3)))
    watched.list("h2", replica(4, "h2", finished_at=NOON - timedelta(minutes=4), **dead))
    watched.down("h2")
    service = watched.service()
    assert (service.state, service.serving, service.wanted, service.stale) == ("down", 0, 4, True)
    assert (service.down_since, service.down_since_certain) == (NOON - timedelta(minutes=1), False)
    assert service.note == "1 on hosts that cannot be reached"


def test_all_stopped_here_and_dead_when_last_seen_there_is_down() -> None:
    """What is wanted is what was not stopped on purpose, and nothing of it serves."""
    watched = Watched("h1", "h2")
    watched.list("h1", replica(1, state=EXITED, exit_code=143))
    watched.list("h2", replica(2, "h2", state=EXITED, exit_code=1, restart_policy="no", finished_at=NOON))
    watched.down("h2")
    assert watched.service().state == "down"


def test_dead_here_and_unknown_there_is_degraded() -> None:
    """That some do not serve is certain; that none does is not."""
    watched = Watched("h1", "h2")
    watched.list("h1", replica(1, state=EXITED, exit_code=1, restart_policy="no", finished_at=NOON))
    watched.list("h2", replica(2, "h2"))
    watched.down("h2")
    assert (watched.service().state, watched.service().serving) == ("degraded", 0)


def test_a_late_reading_is_stale_and_still_counts() -> None:
    """An engine that has not answered for 15 s is not known to be gone."""
    watched = Watched()
    watched.list("h1", replica(1))
    assert not watched.service().stale
    watched.pass_time(16, answering=False)
    assert (watched.service().state, watched.service().stale) == ("healthy", True)


def test_one_that_ended_while_nobody_could_look_was_not_stopped_on_purpose() -> None:
    """A daemon killed and started again leaves `unless-stopped` containers down (seen on 20.10)."""
    from fleettop.collectors.model import GapSeen

    watched = Watched()
    watched.list("h1", replica(1, restart_policy="unless-stopped"))
    watched.fleet.apply(GapSeen(engine="h1", begin=NOON, end=None, cause="link lost", certain=True))
    watched.down("h1")
    watched.up("h1")
    watched.list("h1", replica(1, restart_policy="unless-stopped", state=EXITED, exit_code=137, finished_at=NOON))
    assert watched.service().state == "down"


# -- columns -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([("pay-api:2", "a"), ("pay-api:2", "a")], "pay-api:2"),
        ([("pay-api:2", "a"), ("pay-api:3", "b")], "pay-api: 2 tags"),
        ([("redis:7", "a"), ("redis:7", "b")], "redis: 2 digests"),
        ([("redis:7", "a"), ("sha256:" + "b" * 64, "b")], "redis: 2 digests"),
        ([("redis:7", "a"), ("valkey:7", "b")], "2 images"),
        ([("registry.example.org:5000/pay/api:2", "a")], "pay/api:2"),
        ([("redis", "a")], "redis"),
        ([("sha256:" + "b" * 64, "b")], "b" * 12),
    ],
)
def test_differing_images_are_said_in_the_column(images: list[tuple[str, str]], words: str) -> None:
    """A half-applied deploy and a tag that moved are seen without looking for them."""
    watched = Watched()
    watched.list("h1", *(replica(n, image=image, image_id=i) for n, (image, i) in enumerate(images, start=1)))
    assert watched.service().image == words


def test_differing_config_hashes_are_told() -> None:
    """More than one is a half-applied deploy."""
    watched = Watched()
    one = container(name="a", labels=compose("pay", "api", 1, config_hash="x"))
    two = container(name="b", labels=compose("pay", "api", 2, config_hash="y"))
    watched.list("h1", one, two)
    assert watched.service().config_hashes == ("x", "y")


def test_a_container_that_replaces_another_is_the_same_replica() -> None:
    """While compose makes a replica anew there are two containers with its number, and still one is wanted."""
    watched = Watched()
    old = container(name="pay-api-1", labels=compose("pay", "api", 1))
    new = container(name="ab12_pay-api-1", labels=compose("pay", "api", 1), state=ContainerState.CREATED, created=NOON)
    watched.list("h1", old, new)
    service = watched.service()
    assert (service.wanted, service.state, service.replicas[0].name) == (1, "healthy", "pay-api-1")


def test_what_an_orchestrator_left_lying_about_is_no_replica() -> None:
    """Kubernetes keeps finished containers for a while."""

    def pod(name: str, uid: str, **more: object) -> Container:
        labels = {
            "io.kubernetes.pod.namespace": "pay",
            "io.kubernetes.pod.name": name,
            "io.kubernetes.pod.uid": uid,
            "io.kubernetes.container.name": "api",
        }
        return container(name=f"k8s_{name}", labels=labels, restart_policy="no", **more)  # type: ignore[arg-type]

    watched = Watched()
    watched.list("h1", pod("api-7c5ddbdf54-x2xkb", "u1", state=EXITED), pod("api-7c5ddbdf54-bbbbb", "u2"))
    service = watched.service()
    assert (service.wanted, service.state) == (1, "healthy")
    assert service.note == "kubernetes starts again what you stop"


@pytest.mark.parametrize(
    ("count", "started", "restarts"), [(0, 3, 0), (5, 2, 0), (5, 0.01, None)], ids=["never", "long ago", "not known"]
)
def test_restarts_in_the_last_hour_by_the_counter(count: int, started: float, restarts: int | None) -> None:
    """The counter alone tells only sometimes; where it does not, the answer is not 0 but not known."""
    watched = Watched()
    watched.list("h1", replica(1, restart_count=count, started_at=NOON - timedelta(hours=started)))
    assert watched.service().restarts == restarts


def test_restarts_are_counted_however_many_there_are() -> None:
    """A loop of one round in two seconds comes back 1800 times in an hour; the hour goes with the clock."""
    watched = Watched()
    one = replica(1)
    watched.list("h1", one)
    for _ in range(3000):
        watched.play("die(1) start", one, pause=1)
    watched.see(replica(1, started_at=watched.clock.now()))
    assert watched.service().restarts == pytest.approx(1800, abs=16)


def test_restarts_are_forgotten_after_an_hour() -> None:
    """The column is of the last hour."""
    watched = Watched()
    one = replica(1)
    watched.list("h1", one)
    _crash(watched, one, 2)
    watched.see(replica(1, started_at=watched.clock.now(), restart_count=2))
    assert watched.service().restarts == 2
    watched.pass_time(3700)
    assert watched.service().restarts == 0
