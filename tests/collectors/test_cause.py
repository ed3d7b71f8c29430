"""Events become records. The sequences are those seen on dockerd 20.10.24, and on 26.1.5 where `stop` comes first."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from fleettop.collectors.cause import told
from fleettop.collectors.cause.endings import is_health_check
from fleettop.collectors.model import (
    Attribution,
    Cause,
    Container,
    ContainersSeen,
    ContainerState,
    EngineEvent,
    EventsSeen,
    GapSeen,
    Health,
    RecordKind,
)

from .watched import NOON, Watched, container


@pytest.mark.parametrize(
    ("script", "what", "cause"),
    [
        ("kill(15) die(143) stop", "stopped by someone (exit 143)", Cause.STOPPED),
        ("kill(15) kill(9) die(137) stop", "stopped by someone (exit 137)", Cause.STOPPED),
        ("kill(15) die(0) stop start restart", "restarted by someone (exit 0)", Cause.RESTARTED),
        ("kill(15) stop die(143)", "stopped by someone (exit 143)", Cause.STOPPED),
        ("kill(15) kill(9) stop die(137)", "stopped by someone (exit 137)", Cause.STOPPED),
        ("kill(15) stop die(0) start restart", "restarted by someone (exit 0)", Cause.RESTARTED),
        ("kill(15) stop die(143) destroy", "stopped and removed by someone (exit 143)", Cause.REMOVED),
        ("kill(9) die(137)", "killed by someone (SIGKILL, exit 137)", Cause.KILLED),
        ("kill(15) die(143)", "ended by someone (SIGTERM, exit 143)", Cause.KILLED),
        ("kill(9) die(137) destroy", "removed by force by someone (exit 137)", Cause.REMOVED),
        ("kill(15) die(143) stop destroy", "stopped and removed by someone (exit 143)", Cause.REMOVED),
        ("die(1)", "exited 1 by itself", Cause.EXITED),
        ("die(3) start", "exited 3 by itself, started again by its restart policy", Cause.EXITED),
        ("die(0) destroy", "exited 0 by itself, then removed", Cause.EXITED),
        ("oom die(137)", "killed for memory (exit 137)", Cause.OUT_OF_MEMORY),
        ("die(137) oom", "killed for memory (exit 137)", Cause.OUT_OF_MEMORY),
        ("oom die(1)", "ran out of memory and exited 1", Cause.OUT_OF_MEMORY),
        ("oom", "a process in it was killed for memory", Cause.OUT_OF_MEMORY),
        ("kill(1)", "SIGHUP sent by someone", Cause.NONE),
        ("create start", "started from web:1", Cause.NONE),
        ("create", "created from web:1", Cause.NONE),
        ("start", "started by someone", Cause.NONE),
        ("destroy", "removed by someone", Cause.REMOVED),
        ("pause", "paused by someone", Cause.NONE),
        ("stop", "stopped by someone", Cause.STOPPED),
    ],
)
def test_a_sequence_of_events_is_one_record_of_its_cause(script: str, what: str, cause: Cause) -> None:
    """Each of these sequences leaves exactly one record, which says what happened and by whose doing."""
    watched = Watched()
    one = container(auto_remove=script.startswith("die(0) destroy"))
    watched.list("h1", one)
    watched.play(script, one)
    (record,) = watched.records()
    assert (record.what, record.cause) == (what, cause)


def test_a_record_appears_with_the_first_event_and_is_amended_by_the_next() -> None:
    """Nothing waits for the end of a sequence: the same record says more as more becomes known."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    seen = []
    for step in ("kill(15)", "die(143)", "stop", "start", "restart"):
        watched.play(step, one)
        (record,) = watched.fleet.take_changes().records
        seen.append((record.id, record.what))
    assert len({number for number, _ in seen}) == 1
    assert [what for _, what in seen] == [
        "SIGTERM sent by someone",
        "ended by someone (SIGTERM, exit 143)",
        "stopped by someone (exit 143)",
        "stopped (exit 143) and started again by someone",
        "restarted by someone (exit 143)",
    ]


def test_a_crash_loop_is_one_record_with_its_count_and_its_first_time() -> None:
    """What repeats itself is told once, with how often and since when."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    for _ in range(9):
        watched.play("die(1) start", one, pause=2)
    (record,) = watched.records()
    assert (record.count, record.first) == (9, NOON)
    assert told(record, watched.clock.now(), UTC) == (
        "exited 1 by itself (9th since 12:00:00), started again by its restart policy"
    )


@pytest.mark.parametrize("policy", ["always", "unless-stopped", "on-failure"])
def test_podmans_crash_loop_is_one_record_and_one_restart_a_round(policy: str) -> None:
    """Podman says `restart` (and `init`) of what its restart policy does, between the die and the start."""
    watched = Watched()
    one = container(restart_policy=policy)
    watched.list("h1", one)
    for _ in range(200):
        watched.play("die(3) restart init start", one, pause=0.25)
    (record,) = watched.records()
    assert (record.count, record.first, record.cause) == (200, NOON, Cause.EXITED)
    assert record.what == "exited 3 by itself, started again by its restart policy"
    watched.see(container(restart_policy=policy, started_at=watched.clock.now()))
    service = watched.service()
    assert (service.restarts, service.down_since, service.last_change and service.last_change.what) == (
        200,
        NOON,
        "created",
    )


def test_somebodys_restart_with_podman_is_one_record_too() -> None:
    """There the engine says `restart` first; the die that follows is nobody's crash."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("restart die(143) init start", one)
    (record,) = watched.records()
    assert (record.what, record.cause, record.trouble) == (
        "restarted by someone (exit 143)",
        Cause.RESTARTED,
        False,
    )
    watched.clock.advance(5)
    watched.play("die(1) restart init start", one)
    assert watched.told()[1:] == ["exited 1 by itself, started again by its restart policy"]
    assert watched.service().restarts == 1


def test_a_restart_with_podman_of_what_has_no_policy_is_somebodys() -> None:
    """What has no policy does not come back by itself."""
    watched = Watched()
    one = container(restart_policy="no")
    watched.list("h1", one)
    watched.play("die(1) restart init start", one)
    assert watched.told() == ["exited 1 by itself", "restarted by someone (exit 1)"]


def test_a_restart_after_a_kill_with_podman_is_somebodys() -> None:
    """A kill before the die was somebody's, so what follows is, too."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("kill(9) die(137) restart init start", one)
    assert watched.told() == ["restarted by someone (exit 137)"]


@pytest.mark.parametrize(
    ("policy", "code"), [("always", 0), ("always", 137), ("unless-stopped", 143), ("on-failure", 1)]
)
def test_a_stop_with_podman_is_told_by_its_policy_not_bringing_it_back(policy: str, code: int) -> None:
    """It says the same of a stop as of an exit, `die` and `cleanup`; but `restart` where the policy steps in."""
    watched = Watched()
    one = container(restart_policy=policy)
    watched.list("h1", one)
    watched.play(f"die({code}) cleanup cleanup", one)
    (record,) = watched.records()
    assert (record.what, record.cause) == (f"stopped by someone (exit {code})", Cause.STOPPED)
    assert (record.attribution, record.trouble, record.action) == (Attribution.UNKNOWN, False, "stop")
    watched.see(container(restart_policy=policy, state=ContainerState.EXITED, exit_code=code, finished_at=NOON))
    assert (watched.service().state, watched.service().restarts) == ("stopped", 0)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"restart_policy": "no"}, 0),
        ({"restart_policy": "no"}, 143),
        ({"restart_policy": "on-failure"}, 0),
        ({"restart_policy": "on-failure", "restart_retries": 3}, 1),
        ({"inspected": False}, 137),
    ],
)
def test_where_no_policy_brings_it_back_podman_does_not_tell_a_stop_from_an_exit(
    more: dict[str, object], code: int
) -> None:
    """Then neither is claimed."""
    watched = Watched()
    one = container(**more)  # type: ignore[arg-type]
    watched.list("h1", one)
    watched.play(f"die({code}) cleanup", one)
    (record,) = watched.records()
    assert (record.what, record.cause) == (f"exited {code}, by itself or stopped by someone", Cause.UNKNOWN)
    assert (record.actor, record.attribution) == ("", Attribution.UNKNOWN)


def test_a_stop_of_ours_with_podman_is_ours_whatever_its_policy() -> None:
    """We said so before."""
    watched = Watched()
    one = container(restart_policy="no")
    watched.list("h1", one)
    intent = watched.fleet.record_intent("stop", engine="h1", object_id=one.id, actor="ops1@bastion", reason="FT-1")
    watched.play("die(143) cleanup cleanup", one)
    watched.fleet.record_outcome(intent, "success")
    (record,) = [record for record in watched.records() if record.kind is RecordKind.EVENT]
    assert (record.what, record.attribution) == ("stopped by ops1@bastion (exit 143)", Attribution.OWN)


def test_a_stop_that_ends_podmans_crash_loop_is_no_crash_of_it() -> None:
    """The ends before stay one record, with their number."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    for _ in range(3):
        watched.play("die(1) restart init start", one, pause=0.25)
    watched.play("die(1) cleanup", one)
    crashes, stop = watched.records()
    assert (crashes.what, crashes.count) == ("exited 1 by itself, started again by its restart policy", 3)
    assert stop.what == "stopped by someone (exit 1)"


def test_a_kill_with_podman_stays_a_kill() -> None:
    """What was sent before is known, and its cleanup says nothing new."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("kill(9) die(137) cleanup", one)
    (record,) = watched.records()
    assert record.cause is Cause.KILLED


def test_another_exit_code_is_another_record() -> None:
    """Only what is alike is folded together."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("die(1) start die(2) start", one)
    assert [record.exit_code for record in watched.records()] == [1, 2]


def test_stopping_a_container_that_waits_for_its_restart_ends_the_loop() -> None:
    """The engine says only `stop` then, after the die: somebody stopped it, whatever the die was."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("die(3) start die(3) start die(3) stop", one)
    assert watched.told()[-1] == "stopped by someone (exit 3)"
    watched.see(container(state=ContainerState.EXITED, exit_code=3))
    assert watched.service().state == "stopped"


def test_a_signal_that_does_not_end_it_stays_a_record_of_its_own() -> None:
    """A later kill is not the same deed as a reload by SIGHUP."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("kill(1) kill(9) die(137)", one)
    assert watched.told() == ["SIGHUP sent by someone", "killed by someone (SIGKILL, exit 137)"]


def test_a_start_long_after_a_crash_is_somebodys() -> None:
    """No restart policy waits longer than a minute."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("die(1)", one)
    watched.clock.advance(600)
    watched.play("start", one)
    assert watched.told() == ["exited 1 by itself", "started by someone"]


def test_a_start_after_a_crash_without_a_restart_policy_is_somebodys() -> None:
    """What has no policy does not come back by itself."""
    watched = Watched()
    one = container(restart_policy="no")
    watched.list("h1", one)
    watched.play("die(1) start", one)
    assert watched.told() == ["exited 1 by itself", "started by someone"]


def test_health_is_recorded_only_where_it_changes() -> None:
    """Podman tells the health with every probe; one record a change is enough."""
    watched = Watched()
    one = container(health=Health.HEALTHY)
    watched.list("h1", one)
    for status in ("healthy", "healthy", "unhealthy", "unhealthy", "healthy"):
        watched.event("health_status", one, argument=status)
    assert watched.told() == ["health: healthy", "health: unhealthy", "health: healthy again"]
    assert [record.trouble for record in watched.records()] == [False, True, False]


def test_health_check_execs_are_noise_and_other_execs_are_not() -> None:
    """A person's exec among a thousand probes is seen; the probes are not."""
    watched = Watched()
    one = container(health=Health.HEALTHY, health_check=("CMD-SHELL", "test -f /ok"))
    watched.list("h1", one)
    for _ in range(5):
        watched.event("exec_create", one, argument="/bin/sh -c test -f /ok")
        watched.event("exec_start", one, argument="/bin/sh -c test -f /ok")
        watched.event("exec_die", one)
    watched.event("exec_create", one, argument="psql -c select")
    assert watched.told() == ["exec “psql -c select”"]


def test_execs_of_a_container_not_inspected_yet_wait_for_its_health_check_to_be_known() -> None:
    """An exec is told to be a person's only once it is known not to be the health check."""
    watched = Watched()
    watched.list("h1", container(health=Health.UNKNOWN, inspected=False))
    one = container(health=Health.HEALTHY, health_check=("CMD", "curl", "-f", "http://localhost/"))
    watched.event("exec_create", one, argument="curl -f http://localhost/")
    watched.event("exec_create", one, argument="sh")
    assert watched.told() == []
    watched.see(one)
    assert watched.told() == ["exec “sh”"]


def test_an_exec_repeated_by_a_script_is_one_record_with_its_count() -> None:
    """A cron job's exec every minute does not fill the trail."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    for _ in range(7):
        watched.event("exec_create", one, argument="backup")
        watched.clock.advance(60)
    (record,) = watched.records()
    assert (record.what, record.count) == ("exec “backup”", 7)


def test_an_exec_that_holds_a_password_is_recorded_without_it() -> None:
    """Secrets never reach the trail."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.event("exec_create", one, argument="mysql --password=hunter2 shop")
    (record,) = watched.records()
    assert "hunter2" not in record.what
    assert record.what.startswith("exec “mysql")


@pytest.mark.parametrize(
    ("command", "check", "is_it"),
    [
        ("/bin/sh -c test -f /ok", ("CMD-SHELL", "test -f /ok"), True),
        ("/bin/bash -o pipefail -c test -f /ok", ("CMD-SHELL", "test -f /ok"), True),
        ("curl -f x", ("CMD", "curl", "-f", "x"), True),
        ("rm /ok", ("CMD-SHELL", "test -f /ok"), False),
        ("curl -f y", ("CMD", "curl", "-f", "x"), False),
        ("sh", (), False),
        ("sh", ("NONE",), False),
    ],
)
def test_an_exec_is_the_health_check_if_it_runs_the_same_words(
    command: str, check: tuple[str, ...], is_it: bool
) -> None:
    """The engine joins an exec's words by spaces; the shell in front is the image's."""
    assert is_health_check(command, check) is is_it


def test_the_exit_code_of_an_inspect_is_believed_over_that_of_the_event() -> None:
    """A label named `exitCode` forges the event's (seen on 20.10); an inspect cannot be forged."""
    watched = Watched()
    one = container(restart_policy="no", labels={"exitCode": "0"})
    watched.list("h1", one)
    watched.event("start", one)
    watched.clock.advance(60)
    watched.event("die", one)
    assert watched.records()[-1].what == "exited by itself"
    ended = watched.clock.now()
    watched.see(container(restart_policy="no", state=ContainerState.EXITED, exit_code=7, finished_at=ended))
    record = watched.records()[-1]
    assert (record.what, record.exit_code, record.trouble) == ("exited 7 by itself", 7, True)


def test_an_inspect_amends_the_exit_code_of_a_stop() -> None:
    """Also inside the words of a deed."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("kill(15) die(0) stop", one)
    watched.see(container(state=ContainerState.EXITED, exit_code=143, finished_at=watched.clock.now()))
    assert watched.told() == ["stopped by someone (exit 143)"]


def test_an_inspect_tells_of_a_kill_for_memory_where_no_event_did() -> None:
    """`oom` events get lost; the container's own state keeps it."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("die(137)", one)
    ended = watched.clock.now()
    watched.see(container(state=ContainerState.EXITED, exit_code=137, oom_killed=True, finished_at=ended))
    assert watched.told() == ["killed for memory (exit 137)"]


def test_a_process_killed_for_memory_long_ago_is_no_cause_of_an_end_that_was_asked_for() -> None:
    """The container's own state says `OOMKilled` for as long as it runs on, and after that."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("die(0)", one)
    ended = watched.clock.now()
    watched.see(container(state=ContainerState.EXITED, exit_code=0, oom_killed=True, finished_at=ended))
    assert watched.told() == ["exited 0 by itself"]


def test_our_own_restart_is_ours_with_its_reason() -> None:
    """The engine's events inside the window of our call are known to be ours."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    intent = watched.fleet.record_intent(
        "restart", engine="h1", object_id=one.id, object_name=one.name, actor="ops1@bastion", reason="FT-212"
    )
    watched.play("kill(15) die(143) stop start restart", one)
    watched.fleet.record_outcome(intent, "success")
    about, event, outcome = watched.records()
    assert (about.kind, outcome.kind) == (RecordKind.INTENT, RecordKind.OUTCOME)
    assert (event.what, event.actor, event.reason, event.attribution) == (
        "restarted by ops1@bastion (exit 143)",
        "ops1@bastion",
        "FT-212",
        Attribution.OWN,
    )


def test_what_happens_after_our_window_is_not_ours() -> None:
    """Nobody's deed is guessed, not even ours."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    intent = watched.fleet.record_intent("stop", engine="h1", object_id=one.id, actor="ops1")
    watched.fleet.record_outcome(intent, "refused", "read-only proxy")
    watched.clock.advance(30)
    watched.play("kill(15) die(143) stop", one)
    assert watched.records()[-1].what == "stopped by someone (exit 143)"
    assert watched.records()[-1].attribution is Attribution.UNKNOWN


def test_one_request_of_ours_to_a_swarm_explains_one_change_of_it() -> None:
    """Somebody else's change a moment later is not ours, though the window is still open."""
    watched = Watched()
    watched.up("h1", node="n1", cluster="c1")
    watched.fleet.record_intent("scale", engine="h1", object_type="service", object_id="s1", actor="ops1", reason="x")
    changes = ({"replicas.old": "2", "replicas.new": "3"}, {"replicas.old": "3", "replicas.new": "9"})
    for number, attributes in enumerate(changes):
        watched.fleet.apply(EventsSeen(engine="h1", events=(_service_event("h1", number, **attributes),)))
    assert watched.told() == ["scaled 2 → 3 by ops1", "scaled 3 → 9 by someone"]


def test_a_crash_during_our_window_is_not_our_doing() -> None:
    """It ended by itself, even if we were just about to stop it."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.fleet.record_intent("stop", engine="h1", object_id=one.id, actor="ops1")
    watched.play("die(1)", one)
    assert watched.records()[-1].actor == "the program"


def test_a_container_made_by_us_is_known_by_its_name() -> None:
    """A clone's id is not known before it is made."""
    watched = Watched()
    watched.fleet.record_intent("scale", engine="h1", object_name="web", actor="ops1", reason="load")
    watched.play("create start", container())
    record = watched.records()[-1]
    assert (record.attribution, record.reason) == (Attribution.OWN, "load")


def test_the_same_event_heard_twice_is_one_record() -> None:
    """Resuming with an overlap repeats events."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    event = watched.event("die", one, exitCode="1")
    watched.fleet.apply(EventsSeen(engine="h1", events=(event, event)))
    (record,) = watched.records()
    assert record.count == 1


def _service_event(engine: str, nano: int, **attributes: str) -> EngineEvent:
    return EngineEvent(
        engine=engine,
        time=NOON,
        time_nano=nano,
        type="service",
        action="update",
        id="s1",
        name="web",
        attributes={"name": "web", **attributes},
    )


def test_every_manager_tells_of_a_service_and_it_is_recorded_once() -> None:
    """Events of swarm scope are repeated by every manager."""
    watched = Watched("m1", "m2", empty=False)
    for name in ("m1", "m2"):
        watched.up(name, node=name, cluster="c1")
        event = _service_event(name, 7, **{"replicas.old": "2", "replicas.new": "3"})
        watched.fleet.apply(EventsSeen(engine=name, events=(event,)))
    assert watched.told() == ["scaled 2 → 3 by someone"]


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"replicas.old": "2", "replicas.new": "3"}, "scaled 2 → 3 by someone"),
        ({"image.old": "web:1@sha256:a", "image.new": "web:2@sha256:b"}, "image web:1 → web:2 by someone"),
        ({"updatestate.new": "completed", "updatestate.old": "updating"}, "update completed"),
        ({"updatestate.new": "rollback_started"}, "rolled back by someone or the swarm"),
        ({}, "service changed by someone"),
    ],
)
def test_a_service_update_says_what_was_changed(attributes: dict[str, str], what: str) -> None:
    """A swarm's events tell old and new."""
    watched = Watched()
    watched.up("h1", node="n1", cluster="c1")
    watched.fleet.apply(EventsSeen(engine="h1", events=(_service_event("h1", 1, **attributes),)))
    assert watched.told() == [what]


TASK = {
    "com.docker.swarm.task.id": "t1",
    "com.docker.swarm.task.name": "web.1.t1",
    "com.docker.swarm.service.id": "s1",
    "com.docker.swarm.service.name": "web",
    "com.docker.swarm.node.id": "n1",
}


def test_a_task_stopped_after_its_service_was_changed_was_stopped_by_the_swarm() -> None:
    """Scaling down is one person's deed on a service, and the swarm's on each task."""
    watched = Watched()
    watched.up("h1", node="n1", cluster="c1")
    one = container(labels=TASK)
    watched.list("h1", one)
    event = _service_event("h1", 1, **{"replicas.old": "3", "replicas.new": "1"})
    watched.fleet.apply(EventsSeen(engine="h1", events=(event,)))
    watched.play("kill(15) die(0) stop destroy", one)
    record = watched.records()[-1]
    assert (record.what, record.cause) == ("stopped and removed by the swarm (exit 0)", Cause.SWARM)


def test_a_task_stopped_out_of_the_blue_may_be_anyones() -> None:
    """A person's `docker stop` of a task and the swarm's look the same."""
    watched = Watched()
    one = container(labels=TASK)
    watched.list("h1", one)
    watched.play("kill(15) die(0) stop", one)
    assert watched.told() == ["stopped by someone or the swarm (exit 0)"]


def test_a_swarm_that_replaces_failing_tasks_again_and_again_fills_no_page() -> None:
    """Each attempt is another container; what the swarm does to a service is told once, with how often."""
    watched = Watched()
    watched.up("h1", node="n1", cluster="c1")
    for number in range(20):
        one = container(name=f"web.1.t{number}", labels=TASK | {"com.docker.swarm.task.id": f"t{number}"})
        watched.play("create start die(1) destroy", one, pause=2)
    told_of = {(record.what, record.count) for record in watched.records()}
    assert told_of == {
        ("started from web:1 by the swarm", 20),
        ("exited 1 by itself", 20),
        ("its old containers were removed by the swarm", 20),
    }


def _unreachable(watched: Watched, script: str, one: Container, **more: object) -> None:
    """What happens while the engine cannot be reached is told by its memory afterwards."""
    begin = watched.clock.now()
    watched.fleet.apply(GapSeen(engine="h1", begin=begin, end=None, cause="link lost", certain=True))
    watched.down("h1")
    watched.clock.advance(30)
    watched.up("h1")
    watched.list("h1", one)
    watched.play(script, one, replayed=True)
    end = begin if more.pop("complete", False) else watched.clock.now()
    gap = GapSeen(engine="h1", begin=begin, end=end, cause="link lost", certain=True, **more)  # type: ignore[arg-type]
    watched.fleet.apply(gap)


@pytest.mark.parametrize(
    ("policy", "more", "what", "state"),
    [
        ("unless-stopped", {}, "stopped by someone or its engine (exit 0)", "down"),
        ("unless-stopped", {"restarted": True}, "stopped by someone or its engine (exit 0)", "down"),
        ("unless-stopped", {"restarted": False}, "stopped by someone (exit 0)", "stopped"),
        ("unless-stopped", {"complete": True}, "stopped by someone (exit 0)", "stopped"),
        ("always", {"restarted": True}, "stopped by someone or its engine (exit 0)", "stopped"),
    ],
)
def test_a_stop_while_the_engine_could_not_be_reached_may_be_the_engines_own(
    policy: str, more: dict[str, bool], what: str, state: str
) -> None:
    """A daemon that starts anew stops what it finds, with a person's events (seen on 20.10); it brings back `always`.

    Only where the daemon is known to have stayed it was somebody.
    """
    watched = Watched()
    watched.list("h1", container(restart_policy=policy))
    ended = container(restart_policy=policy, state=ContainerState.EXITED, exit_code=0)
    _unreachable(watched, "kill(15) die(0) stop", ended, **more)
    assert watched.told() == [what]
    assert watched.service().state == state


def test_an_update_says_what_it_changed_once_it_is_inspected() -> None:
    """The event does not tell; the difference of two inspects does."""
    watched = Watched()
    one = container(memory_limit=None)
    watched.list("h1", one)
    watched.event("update", one)
    watched.see(container(memory_limit=64 << 20, restart_policy="on-failure", restart_retries=3))
    assert watched.told() == ["changed by someone: memory limit none → 64M, restart policy always → on-failure:3"]


def test_a_gap_is_a_record_and_its_end_amends_it() -> None:
    """What may have been missed is never hidden, and told in one bar."""
    watched = Watched()
    watched.fleet.apply(GapSeen(engine="h1", begin=NOON, end=None, cause="link lost", certain=True))
    (open_gap,) = watched.records()
    assert (open_gap.kind, open_gap.what) == (RecordKind.GAP, "nothing known from here on: link lost")
    end = NOON + timedelta(seconds=90)
    differences = ("web: running → exited",)
    watched.fleet.apply(
        GapSeen(engine="h1", begin=NOON, end=end, cause="link lost", certain=True, differences=differences)
    )
    (closed,) = watched.records()
    assert (closed.id, closed.what) == (open_gap.id, "nothing known for 1m 30s: link lost")
    assert closed.reason == "web: running → exited"


def test_a_gap_in_which_nothing_was_missed_says_so() -> None:
    """The engine remembered everything: no alarm."""
    watched = Watched()
    watched.fleet.apply(GapSeen(engine="h1", begin=NOON, end=None, cause="link lost", certain=True))
    watched.fleet.apply(GapSeen(engine="h1", begin=NOON, end=NOON, cause="link lost", certain=False))
    (record,) = watched.records()
    assert record.what == "nothing missed: link lost"
    assert not record.trouble


def test_a_link_that_breaks_and_comes_back_is_told_once_each() -> None:
    """Every retry is not a record."""
    watched = Watched()
    watched.down("h1")
    watched.down("h1")
    watched.clock.advance(125)
    watched.up("h1")
    assert [r.what for r in watched.records()] == ["link lost: not answering", "reached again after 2m 5s"]


def test_a_stop_in_the_moment_the_engine_goes_is_not_claimed_to_be_a_persons() -> None:
    """A daemon that shuts down stops its containers with the same events as a person."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.play("kill(15) die(143) stop", one)
    watched.clock.advance(2)
    watched.down("h1")
    assert watched.told()[-1] == "stopped (exit 143) just before the way to its engine was lost"


def test_a_container_of_a_service_is_known_before_it_is_listed() -> None:
    """Its labels come with the event."""
    watched = Watched()
    one = container(labels={"com.docker.compose.project": "pay", "com.docker.compose.service": "api"})
    watched.play("create start die(1)", one)
    assert {record.service_name for record in watched.records()} == {"pay/api"}


def test_events_of_other_objects_are_told_in_words() -> None:
    """Images, volumes, networks and nodes."""
    watched = Watched()
    for number, (kind, action, attributes) in enumerate(
        [
            ("image", "pull", {}),
            ("volume", "destroy", {}),
            ("network", "connect", {}),
            ("node", "update", {"state.old": "ready", "state.new": "down"}),
            ("daemon", "reload", {}),
        ]
    ):
        event = EngineEvent(
            engine="h1", time=NOON, time_nano=number, type=kind, action=action, id="x", name="x", attributes=attributes
        )
        watched.fleet.apply(EventsSeen(engine="h1", events=(event,)))
    assert watched.told() == [
        "pulled by someone",
        "removed by someone",
        "node is down (was ready)",
        "configuration of the engine reloaded",
    ]


def test_a_name_with_braces_in_it_breaks_nothing() -> None:
    """Foreign text is never a format string."""
    watched = Watched()
    one = container(image="web:{who}{0}")
    watched.play("create", one)
    watched.fleet.apply(ContainersSeen(engine="h1", containers=(one,), at=0.0))
    assert watched.told()[0].startswith("created from web:")
