"""What engines answer becomes the model's data: exactly this."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.engine.decode import decode_info, decode_inspect, decode_listing, decode_version
from fleettop.collectors.engine.decode_events import decode_event
from fleettop.collectors.engine.decode_swarm import decode_nodes, decode_raw_service, decode_services, decode_tasks
from fleettop.collectors.engine.display import shown
from fleettop.collectors.engine.fields import moment
from fleettop.collectors.errors import Malformed
from fleettop.collectors.model import Container, ContainerState, Health, Mount, Port
from fleettop.collectors.text import HIDDEN

from .engine_samples import (
    EVENT,
    ID,
    IMAGE,
    INFO,
    INSPECT,
    NODE,
    NODE_ID,
    ROW,
    SERVICE,
    SERVICE_ID,
    TASK,
    TASK_ID,
    VERSION,
)

encode = msgspec.json.encode


def listed(podman: bool = False, **changes: Any) -> Container:
    return decode_listing(encode([{**ROW, **changes}]), engine="web-1", podman=podman).containers[0]


def inspected(state: dict[str, Any] | None = None, podman: bool = False, **changes: Any) -> Container:
    body = {**INSPECT, "State": {**INSPECT["State"], **(state or {})}, **changes}
    return decode_inspect(encode(body), engine="web-1", podman=podman)


def test_an_images_id_names_its_algorithm_also_where_podman_leaves_it_out() -> None:
    """One image has one id, whichever engine runs it."""
    assert listed(podman=True, ImageID=IMAGE.removeprefix("sha256:")).image_id == IMAGE
    assert inspected(podman=True, Image=IMAGE.removeprefix("sha256:")).image_id == IMAGE
    assert listed(ImageID="").image_id == ""


# -- the list ----------------------------------------------------------------------------------------------------------


def test_a_row_of_the_list_becomes_a_container() -> None:
    """Every field, clean, in one order, its secrets hidden."""
    assert listed() == Container(
        engine="web-1",
        id=ID,
        name="web",
        image="shop/web:41",
        image_id=IMAGE,
        state=ContainerState.RUNNING,
        health=Health.HEALTHY,
        status="Up 2 hours (healthy)",
        command=f"serve --password={HIDDEN} 'two words'",
        created=datetime(2026, 11, 23, 16, 4, 24, tzinfo=UTC),
        labels={"com.docker.compose.project": "shop", "com.example.password": HIDDEN},
        ports=(
            Port(private=53, protocol="udp"),
            Port(private=80, public=8080, ip="0.0.0.0"),
            Port(private=80, public=8080, ip="::"),
        ),
        networks=("edge", "shop"),
        mounts=(
            Mount(type="bind", source="/etc/shop", target="/cfg", read_write=False),
            Mount(type="volume", source="/var/lib/v", target="/data", name="data"),
        ),
    )


def test_a_row_with_nothing_but_an_id_is_a_container_of_which_little_is_known() -> None:
    """Every field is optional; null lists are empty ones."""
    nulls = dict.fromkeys(ROW) | {"Id": ID}
    for row in ({"Id": ID}, nulls):
        found = decode_listing(encode([row]), engine="e").containers[0]
        assert (found.name, found.state, found.created, found.ports) == (ID[:12], ContainerState.UNKNOWN, None, ())


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("Up 2 hours (healthy)", Health.HEALTHY),
        ("Up 2 hours (unhealthy)", Health.UNHEALTHY),
        ("Up 3 seconds (health: starting)", Health.STARTING),
        ("Up 2 hours", Health.NONE),
        (None, Health.NONE),
    ],
)
def test_health_is_read_from_the_words_of_the_status(status: str | None, health: Health) -> None:
    """Before API 1.52 the list has it nowhere else."""
    assert listed(Status=status).health is health


def test_health_is_read_from_its_own_object_where_there_is_one() -> None:
    """From API 1.52 on; a kind of health we do not know is unknown, not fine."""
    assert listed(Health={"Status": "unhealthy", "FailingStreak": 3}, Status="Up 2 hours").health is Health.UNHEALTHY
    assert listed(Health={"Status": "none"}, Status="Up 2 hours").health is Health.NONE
    assert listed(Health={"Status": "dubious"}).health is Health.UNKNOWN


def test_podman_does_not_tell_health_in_a_list() -> None:
    """So it is unknown there and not "no check"."""
    assert listed(podman=True, Status="Up 2 hours").health is Health.UNKNOWN
    assert listed(podman=True, Status="Up 2 hours (unhealthy)").health is Health.UNHEALTHY


@pytest.mark.parametrize(
    ("word", "state"),
    [
        *((state.value, state) for state in ContainerState),
        ("configured", ContainerState.CREATED),
        ("initialized", ContainerState.CREATED),
        ("stopped", ContainerState.EXITED),
        ("Running", ContainerState.RUNNING),
        ("levitating", ContainerState.UNKNOWN),
        (None, ContainerState.UNKNOWN),
    ],
)
def test_states_are_dockers_with_podmans_made_the_same(word: str | None, state: ContainerState) -> None:
    """A state we do not know is unknown."""
    assert listed(State=word).state is state


@pytest.mark.parametrize("bad", ["", "web", "../../swarm", "a" * 65, "1A5F07C87324", "abc", None])
def test_a_row_whose_id_is_no_id_is_refused(bad: str | None) -> None:
    """Ids become parts of paths: nothing but hexadecimal digits."""
    listing = decode_listing(encode([ROW, {**ROW, "Id": bad}]), engine="e")
    assert (len(listing.containers), listing.refused) == (1, ("",))


def test_a_label_of_a_megabyte_is_cut() -> None:
    """A label is a label; the rest of the row is as ever."""
    label = listed(Labels={"big": "x" * 1_000_000, "k" * 1_000_000: "v"}).labels
    assert len(label["big"]) == 1024
    assert all(len(name) <= 256 for name in label)


def test_a_big_list_is_decoded_row_by_row_and_the_same() -> None:
    """One call over all of it would hold the interpreter."""
    rows = [{**ROW, "Id": f"{number:064x}"} for number in range(3000)]
    body = encode(rows)
    assert len(body) > 1 << 20
    found = decode_listing(body, engine="web-1").containers
    assert [container.id for container in found] == [row["Id"] for row in rows]
    assert found[7] == listed(Id=rows[7]["Id"])


def test_repeated_texts_are_kept_once() -> None:
    """Ten thousand containers share their images and labels."""
    first, second = (
        decode_listing(encode([{**ROW, "Id": digit * 64}]), engine="e").containers[0] for digit in ("a", "b")
    )
    assert first.image is second.image
    assert next(iter(first.labels)) is next(iter(second.labels))


# -- an inspect --------------------------------------------------------------------------------------------------------


def test_an_inspect_agrees_with_the_list() -> None:
    """Two readings of the same container differ only in the words of its status, its health and its detail."""
    inspect, row = inspected(), listed()
    assert msgspec.structs.replace(inspect, detail=None, status=row.status, health=row.health) == row


def test_an_inspect_tells_the_detail() -> None:
    """Exit code, restarts, policy, health log, limits; of variables only the names."""
    container = inspected()
    detail = container.detail
    assert detail is not None
    assert container.health is Health.UNHEALTHY
    assert (detail.exit_code, detail.oom_killed, detail.pid, detail.restart_count) == (None, False, 313, 4)
    assert (detail.restart_policy, detail.restart_retries, detail.failing_streak) == ("on-failure", 5, 3)
    assert detail.started_at == datetime(2026, 11, 23, 16, 4, 24, 858974, tzinfo=UTC)
    assert detail.finished_at is None
    assert detail.environment == ("EMPTY", "PASSWORD", "PATH")
    assert (detail.memory_limit, detail.stop_timeout, detail.user, detail.tty) == (268435456, 30, "app", False)
    assert detail.health_check == ("CMD-SHELL", f"curl -u probe:{HIDDEN} http://localhost/health")
    probe = detail.health_log[0]
    assert probe.output == f"connection refused\npostgres://app:{HIDDEN}@db/pay"
    assert (probe.exit_code, probe.end) == (1, datetime(2026, 11, 23, 15, 4, 25, 913503, tzinfo=UTC))


def test_no_secret_of_an_inspect_is_left_in_the_model() -> None:
    """Environment, command, labels, health check and its output."""
    assert "hunter2" not in repr(inspected())


def test_an_exit_code_is_told_only_of_what_has_ended() -> None:
    """A running container's zero is no exit code."""

    def code(status: str) -> int | None:
        detail = inspected(state={"Status": status, "ExitCode": 137}).detail
        assert detail is not None
        return detail.exit_code

    assert {status: code(status) for status in ("running", "created", "paused", "exited", "restarting", "dead")} == {
        "running": None,
        "created": None,
        "paused": None,
        "exited": 137,
        "restarting": 137,
        "dead": 137,
    }


def test_health_is_told_only_of_what_runs() -> None:
    """The list tells none of a stopped container, and no check runs in it; its log stays."""
    container = inspected(state={"Status": "exited"})
    assert container.health is Health.NONE
    assert container.detail is not None
    assert container.detail.failing_streak == 3


def test_how_long_a_check_may_be_silent_is_told_by_its_settings() -> None:
    """Its start period and its retries, with the engine's defaults where it has none of its own."""

    def patience(**check: object) -> float | None:
        config = {**INSPECT["Config"], "Healthcheck": check}
        found = inspected(Config=config).detail
        assert found is not None
        return found.health_patience

    second = 1_000_000_000
    told = {"Interval": second, "Timeout": 2 * second, "Retries": 4, "StartPeriod": 10 * second}
    assert patience(Test=["CMD", "true"], **told) == 22
    assert patience(Test=["CMD", "true"], Interval=0) == 180
    assert patience(Test=["NONE"]) is None
    assert patience() is None


def test_podmans_empty_health_is_unknown_where_there_is_a_check_and_none_where_there_is_not() -> None:
    """Podman without systemd never runs its checks."""
    empty = {"Health": {"Status": "", "FailingStreak": 0, "Log": None}}
    assert inspected(state=empty, podman=True).health is Health.UNKNOWN
    config = {**INSPECT["Config"], "Healthcheck": None}
    assert inspected(state=empty, podman=True, Config=config).health is Health.NONE


def test_a_disabled_health_check_is_none() -> None:
    """`HEALTHCHECK NONE` comes as a test of one word."""
    container = inspected(Config={**INSPECT["Config"], "Healthcheck": {"Test": ["NONE"]}})
    assert container.detail is not None
    assert container.detail.health_check == ()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-23T16:04:24.123456789Z", datetime(2026, 11, 23, 16, 4, 24, 123456, tzinfo=UTC)),
        ("2026-11-23T16:04:24+02:00", datetime(2026, 11, 23, 14, 4, 24, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("9999-12-31T23:59:59-23:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_gos_zero_time_is_not_known(text: str | None, time: datetime | None) -> None:
    """Nanoseconds are cut to microseconds; a time that is none is not known."""
    assert moment(text) == time


# -- for display -------------------------------------------------------------------------------------------------------


def test_the_raw_inspect_shows_everything_but_secrets() -> None:
    """Names of variables stay; values of variables, labels and arguments that are secret go."""
    found: Any = shown(encode(INSPECT))
    assert "hunter2" not in repr(found)
    assert found["Config"]["Env"] == [f"PASSWORD={HIDDEN}", f"PATH={HIDDEN}", "EMPTY="]
    assert found["Config"]["Labels"]["com.docker.compose.project"] == "shop"
    assert found["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 5}
    assert found["State"]["Health"]["Log"][0]["Output"].startswith("connection refused\n")


def test_a_raw_inspect_nested_too_deep_is_refused() -> None:
    """Nobody reads that, and drawing it would break."""
    with pytest.raises(Malformed, match="nested"):
        shown(b'{"a":' * 100 + b"1" + b"}" * 100)


# -- the engine --------------------------------------------------------------------------------------------------------


def test_info_and_version_make_one_picture_of_the_engine() -> None:
    """With the skew of its clock, half the way there and back taken off."""
    version = decode_version(encode(VERSION))
    info = decode_info(encode(INFO), version, api="1.41", podman=False, asked=ManualClock().now(), took=0.1)
    assert (info.kind, info.version, info.api, info.hostname) == ("docker", "20.10.24+dfsg1", "1.41", "h1")
    assert (info.cpus, info.memory, info.running, info.stopped) == (2, 25276514304, 3, 1)
    assert info.rootless
    assert info.skew == 10.0
    assert info.swarm is not None
    assert (info.swarm.manager, info.swarm.node_id) == (True, NODE_ID)
    assert info.swarm.cluster_id == "rdnrtfqfkwexa7bmdd9xakde9"


def test_podman_is_told_by_its_components() -> None:
    """Also where its headers were lost on the way."""
    version = decode_version(encode({**VERSION, "Components": [{"Name": "Podman Engine"}]}))
    info = decode_info(encode(INFO), version, api="1.41", podman=False, asked=ManualClock().now(), took=0)
    assert info.kind == "podman"


# -- events ------------------------------------------------------------------------------------------------------------


def event(**changes: Any) -> Any:
    return decode_event(encode({**EVENT, **changes}), engine="web-1")


def test_an_event_is_split_into_action_and_argument() -> None:
    """What an exec runs is shown, without its secrets; the attributes likewise."""
    found = event()
    assert (found.type, found.action) == ("container", "exec_create")
    assert found.argument == f"/bin/sh -c psql --password={HIDDEN}"
    assert (found.id, found.name, found.time_nano) == (ID, "web", 1795449865859588751)
    assert found.time == datetime(2026, 11, 23, 16, 4, 25, 859589, tzinfo=UTC)
    assert "hunter2" not in repr(found)
    health = event(Action="health_status: unhealthy")
    assert (health.action, health.argument) == ("health_status", "unhealthy")
    assert (event(Action="die").action, event(Action="die").argument) == ("die", "")


@pytest.mark.parametrize(
    ("kind", "said", "meant"),
    [
        ("container", "died", "die"),
        ("container", "remove", "destroy"),
        ("container", "exec_died", "exec_die"),
        ("container", "exec", "exec_create"),
        ("image", "remove", "delete"),
        ("container", "init", "init"),
        ("container", "cleanup", "cleanup"),
        ("service", "remove", "remove"),
        ("node", "remove", "remove"),
    ],
)
def test_podmans_names_become_dockers_where_they_mean_the_same(kind: str, said: str, meant: str) -> None:
    """And a swarm's own `remove` stays what it is."""
    assert event(Type=kind, Action=said).action == meant


def test_a_prune_of_containers_is_of_no_container() -> None:
    """Every other event of a container names one."""
    assert event(Action="prune", Actor={"ID": "", "Attributes": {"reclaimed": "3"}}).attributes == {"reclaimed": "3"}
    with pytest.raises(Malformed):
        event(Action="die", Actor={"ID": ""})


def test_podmans_health_stands_beside_the_action() -> None:
    """It becomes the argument, as Docker's does."""
    actor = {"ID": ID, "Attributes": {"name": "web", "health_status": "unhealthy"}}
    assert event(Action="health_status", Actor=actor).argument == "unhealthy"


def test_a_swarm_event_has_the_service_as_its_object() -> None:
    """Its attributes carry what changed."""
    attributes = {"name": "shop_web", "replicas.old": "2", "replicas.new": "3"}
    found = event(Type="service", Action="update", Actor={"ID": SERVICE_ID, "Attributes": attributes})
    assert (found.id, found.name, found.attributes["replicas.new"]) == (SERVICE_ID, "shop_web", "3")


@pytest.mark.parametrize(
    "changes",
    [
        {"Type": None},
        {"Action": ""},
        {"Actor": {"ID": "../x"}},
        {"Actor": None},
        {"time": None, "timeNano": None},
        {"timeNano": -5},
        {"Actor": {"ID": ID, "Attributes": {"a": 1}}},
    ],
)
def test_an_event_without_a_kind_an_object_or_a_time_makes_no_sense(changes: dict[str, Any]) -> None:
    """It is refused and counted; the stream goes on."""
    with pytest.raises(Malformed):
        event(**changes)


def test_an_event_without_nanoseconds_has_its_seconds() -> None:
    """Old engines tell only those."""
    assert event(timeNano=None).time_nano == 1795449865_000000000


# -- swarm -------------------------------------------------------------------------------------------------------------


def test_a_swarm_is_decoded_into_nodes_services_and_tasks() -> None:
    """Image and digest apart, the counts as the manager makes them, the error of a failed task."""
    (node,), _ = decode_nodes(encode([NODE]))
    assert (node.id, node.hostname, node.role, node.leader, node.address) == (
        *(NODE_ID, "h1", "manager", True, "198.18.29.1"),
    )
    (task,), _ = decode_tasks(encode([TASK]))
    assert (task.id, task.service_id, task.slot, task.state, task.desired) == (
        *(TASK_ID, SERVICE_ID, 2, "failed", "shutdown"),
    )
    assert (task.error, task.container_id, task.exit_code) == ("task: non-zero exit (1)", ID, 1)
    (service,), _ = decode_services(encode([SERVICE]), ())
    assert (service.name, service.stack, service.mode) == ("shop_web", "shop", "replicated")
    assert (service.wanted, service.running, service.version) == (3, 2, 11)
    assert (service.image, service.digest) == ("shop/web:41", IMAGE)
    assert (service.update_state, service.ports) == ("paused", (Port(private=80, public=8080),))


def test_a_running_tasks_exit_code_is_not_known() -> None:
    """The wire says 0 for one that has not ended."""
    running = {**TASK, "Status": {**TASK["Status"], "State": "running"}}
    assert decode_tasks(encode([running]))[0][0].exit_code is None


def test_without_counts_from_the_manager_tasks_are_counted() -> None:
    """API 1.40 has no `?status=true`."""
    running = {**TASK, "DesiredState": "running", "Status": {"State": "running"}}
    pending = {**TASK, "DesiredState": "running", "Status": {"State": "pending"}}
    tasks, _ = decode_tasks(encode([running, running, pending, TASK]))
    (service,), _ = decode_services(encode([{**SERVICE, "ServiceStatus": None}]), tasks)
    assert (service.wanted, service.running) == (3, 2)
    everywhere = {**SERVICE["Spec"], "Mode": {"Global": {}}}
    (service,), _ = decode_services(encode([{**SERVICE, "ServiceStatus": None, "Spec": everywhere}]), tasks)
    assert (service.mode, service.wanted, service.running) == ("global", 3, 2)


def test_more_running_than_wanted_is_told_as_it_is() -> None:
    """While a dead node's tasks are replaced that is so: not clamped."""
    (service,), _ = decode_services(encode([{**SERVICE, "ServiceStatus": {"RunningTasks": 12, "DesiredTasks": 3}}]), ())
    assert (service.wanted, service.running) == (3, 12)


def test_a_raw_service_is_kept_to_the_byte_for_sending_back() -> None:
    """Neither cleaned nor redacted: it goes back to the engine."""
    found = decode_raw_service(encode(SERVICE))
    assert (found.id, found.version, found.spec) == (SERVICE_ID, 11, SERVICE["Spec"])
    with pytest.raises(Malformed):
        decode_raw_service(encode({**SERVICE, "Version": None}))
