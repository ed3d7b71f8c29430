"""What records know beside what happened: what was changed, from which image, who declares it, what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec
import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.cause.comparison import design_words, recreate_words, update_words
from fleettop.collectors.cause.declared import Declaring
from fleettop.collectors.cause.inside import FOLD
from fleettop.collectors.cause.noise import NOISE
from fleettop.collectors.cause.provenance import digest
from fleettop.collectors.cause.sequences import HANDLERS
from fleettop.collectors.engine.decode_evidence import decode_digests, decode_exec
from fleettop.collectors.engine.decode_swarm import decode_services
from fleettop.collectors.engine.fingerprint import environment, fingerprint
from fleettop.collectors.fleet import Fleet
from fleettop.collectors.model import (
    Attribution,
    Cause,
    Container,
    EngineEvent,
    EventsSeen,
    ExecSeen,
    Health,
    HostCommand,
    HostLogin,
    ImageSeen,
    LoginsSeen,
    Port,
    Record,
    ServiceDesign,
    SwarmService,
)
from fleettop.collectors.watch.events import FILTERS

from .test_fleet_swarm import picture
from .watched import NOON, Watched, compose, container

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
NETWORK = "e" * 64


def detailed(one: Container, **detail: object) -> Container:
    """The same container with more of its detail known."""
    assert one.detail is not None
    return msgspec.structs.replace(one, detail=msgspec.structs.replace(one.detail, **detail))


def variables(*entries: str) -> dict[str, object]:
    """An environment as the decoder gives it."""
    names, prints = environment(entries)
    return {"environment": names, "environment_prints": prints}


# -- comparing ---------------------------------------------------------------------------------------------------------


def test_a_value_is_compared_by_its_print_and_never_kept() -> None:
    """The same value under the same name has the same print, another value another; the value is nowhere."""
    names, prints = environment(["TOKEN=hunter2", "MODE=fast"])
    assert names == ("MODE", "TOKEN")
    assert (len(prints), b"hunter2" in prints) == (16, False)
    assert environment(["MODE=fast", "TOKEN=hunter2"]) == (names, prints)
    assert environment(["MODE=fast", "TOKEN=hunter3"])[1] != prints
    assert environment(["A=x", "B=x"])[1][:8] != environment(["A=x", "B=x"])[1][8:]
    assert fingerprint("ab", "c") != fingerprint("a", "bc")


def test_what_a_replaced_container_is_other_than_the_one_before_is_told_in_one_sentence() -> None:
    """Image, names of variables, command, ports, limits and restart policy; nothing where nothing differs."""
    old = detailed(container(image="ledger:2.8.0"), memory_limit=256 << 20, **variables("LEDGER_URL=x", "MODE=a"))
    new = detailed(container(image="ledger:2.8.1"), memory_limit=512 << 20, **variables("MODE=a"))
    assert recreate_words(old, new) == (
        "image 2.8.0 → 2.8.1, environment: LEDGER_URL removed, memory limit 256M → 512M"
    )
    assert recreate_words(old, old) == ""
    moved = msgspec.structs.replace(
        detailed(old, command_print=b"x", restart_policy="no", user="99"), ports=(Port(private=80, public=8080),)
    )
    assert recreate_words(old, moved) == (
        "command changed, user default → 99, ports: 8080→80/tcp added, restart policy always → no"
    )


def test_the_same_tag_with_another_image_was_built_anew() -> None:
    """A tag moves; the ids tell."""
    old, new = container(image="web:1", image_id=A), container(image="web:1", image_id=B)
    assert recreate_words(old, new) == "image web:1 built anew (aaaaaaaaaaaa → bbbbbbbbbbbb)"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"memory_limit": 1 << 30}, {"memory_limit": None}, "memory limit 1G → none"),
        ({"memory_limit": 5, "memory_swap": 10}, {"memory_limit": 6, "memory_swap": 12}, "memory limit 5 → 6"),
        ({"memory_swap": None}, {"memory_swap": -1}, "memory and swap none → unlimited"),
        ({"cpu_limit": None}, {"cpu_limit": 1.5}, "CPU limit none → 1.5"),
        ({"cpu_set": ""}, {"cpu_set": "0-1"}, "CPU set any → 0-1"),
        ({"pids_limit": 10}, {"pids_limit": 20}, "process limit 10 → 20"),
        ({"restart_policy": "no"}, {"restart_policy": "on-failure", "restart_retries": 3},
         "restart policy no → on-failure:3"),
    ],
)  # fmt: skip
def test_each_limit_an_update_changes_is_told(
    before: Mapping[str, object], after: Mapping[str, object], words: str
) -> None:
    """From two inspects, since the event says nothing of it."""
    assert update_words(detailed(container(), **before), detailed(container(), **after)) == words


SPEC = {"Name": "pay", "Mode": {"Replicated": {"Replicas": 2}}, "TaskTemplate": {"ContainerSpec": {"Image": "pay:1"}}}
WRITTEN_OUT = {
    **SPEC,
    "TaskTemplate": {
        **SPEC["TaskTemplate"],  # type: ignore[dict-item]
        "RestartPolicy": {"Condition": "any", "Delay": 5_000_000_000, "MaxAttempts": 0},
    },
    "UpdateConfig": {
        "Parallelism": 1, "FailureAction": "pause", "Monitor": 5_000_000_000, "MaxFailureRatio": 0,
        "Order": "stop-first",
    },
}  # fmt: skip


def designs(before: object, after: object) -> tuple[ServiceDesign, ServiceDesign]:
    """Two specs as the decoder gives them."""
    row = {"ID": "s" * 25, "Version": {"Index": 7}, "Spec": after, "PreviousSpec": before}
    (service,), refused = decode_services(msgspec.json.encode([row]), ())
    assert not refused
    assert service.before is not None
    assert service.design is not None
    return service.before, service.design


def test_defaults_that_are_written_out_are_no_change() -> None:
    """`Spec` comes with the swarm's defaults, `PreviousSpec` without (seen on 20.10)."""
    assert design_words(*designs(SPEC, WRITTEN_OUT)) == ""


def test_each_part_of_a_service_that_changes_is_told() -> None:
    """Replicas, variables by name, secrets, limits, restart policy, placement and the course of an update."""
    after = {
        "Name": "pay",
        "Labels": {"tier": "gold"},
        "Mode": {"Replicated": {"Replicas": 5}},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "pay:2@" + A,
                "Env": ["LEDGER=hunter2"],
                "Args": ["serve", "--token=hunter2"],
                "Secrets": [{"SecretName": "key_2"}],
            },
            "Resources": {"Limits": {"MemoryBytes": 64 << 20, "NanoCPUs": 500_000_000}},
            "RestartPolicy": {"Condition": "on-failure", "Delay": 1_000_000_000, "MaxAttempts": 3},
            "Placement": {"Constraints": ["node.role == manager"]},
        },
        "UpdateConfig": {"Parallelism": 0, "FailureAction": "rollback", "Order": "start-first"},
    }
    before, now = designs(SPEC, after)
    assert design_words(before, now) == (
        "image 1 → 2, replicas 2 → 5, environment: LEDGER added, command changed, secrets: key_2 added, "
        "memory limit none → 64M, CPU limit none → 0.5, "
        "restart policy any after 5s → on-failure after 1s at most 3 times, placement: node.role==manager added, "
        "update 1 at a time stop-first on failure pause → all at once start-first on failure rollback, "
        "labels: tier=gold added"
    )
    assert now.digest == A
    assert "hunter2" not in repr(now)


# -- where it comes from -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "digests", "found"),
    [
        ("registry.example.org/pay:1", (f"other.example.org/pay@{B}", f"registry.example.org/pay@{A}"), A),
        ("nginx", (f"docker.io/library/nginx@{A}",), A),
        ("pay:1", (), "sha256:id"),
        (f"pay:1@{B}", (f"pay@{A}",), B),
    ],
)
def test_an_images_digest_is_that_of_its_registry_else_its_id(image: str, digests: tuple[str, ...], found: str) -> None:
    """One image may lie in several registries; one built here lies in none."""
    assert digest(image, "sha256:id", digests) == found


def test_a_containers_records_name_image_digest_and_revision() -> None:
    """The image's own labels are the container's too; the digest comes when the image was asked for."""
    watched = Watched()
    one = container(image_id=A, labels={"org.opencontainers.image.version": "2.8", "tier": "x"})
    watched.list("h1", one)
    watched.play("die(1)", one)
    (record,) = watched.records()
    assert (record.image, record.digest, record.revision) == ("web:1", A, "2.8")
    watched.fleet.apply(ImageSeen(engine="h1", id=A, digests=(f"web@{B}",)))
    watched.pass_time(3600)
    watched.play("kill(9) die(137)", one)
    assert watched.records()[-1].digest == B


def test_a_container_made_just_now_gets_its_digest_when_it_was_read() -> None:
    """Its record is written with the event, which names neither the image's id nor its digest."""
    watched = Watched()
    one = container(image_id=A)
    watched.play("create start", one)
    assert watched.records()[0].digest == ""
    watched.see(one)
    assert watched.records()[0].digest == A
    watched.fleet.apply(ImageSeen(engine="h1", id=A, digests=(f"web@{B}",)))
    (record,) = watched.records()
    assert (record.digest, record.what) == (B, "started from web:1")


def test_small_answers_are_decoded_clean() -> None:
    """Digests that are none are left out; a null is a default."""
    body = msgspec.json.encode({"RepoDigests": [f"web@{A}", "web@sha256:short", "\x1b[31m"]})
    assert decode_digests(body) == (f"web@{A}",)
    assert decode_digests(b'{"RepoDigests": null}') == ()
    entry = decode_exec(b'{"ProcessConfig": {"user": "99\\u001b[1m", "privileged": true, "arguments": ["-c"]}}')
    assert (entry.user, entry.privileged) == ("99", True)
    assert decode_exec(b"{}").user == ""


# -- recreated ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["remove", "inspect", "list", "create"])
def test_a_replica_is_compared_with_the_one_it_replaces_whichever_went_first(first: str) -> None:
    """Older compose removes first; newer ones make the new one first, under another name.

    An inspect may find it gone before the event of its removal is heard, and a list the new one before its making is.
    """
    watched = Watched()
    old = detailed(container(name="shop-web-1", labels=compose("shop", "web")), memory_limit=1 << 20)
    new = detailed(
        container(name="0123_shop-web-1", identifier="new", labels=compose("shop", "web"), created=NOON),
        memory_limit=2 << 20,
    )
    watched.list("h1", old)
    if first == "remove":
        watched.play("kill(15) die(0) stop destroy", old)
        watched.see(gone=(old.id,))
    if first == "inspect":
        watched.play("kill(15) die(0) stop", old)
        watched.see(gone=(old.id,))
        watched.play("destroy", old)
    if first == "list":
        watched.list("h1", new)
    watched.play("create", new)
    watched.see(new)
    if first == "create":
        watched.play("kill(15) die(0) stop destroy", old)
    watched.play("rename", msgspec.structs.replace(new, name="shop-web-1"))
    watched.play("start", msgspec.structs.replace(new, name="shop-web-1"))
    (record,) = [r for r in watched.records() if r.object_id == "new"]
    assert record.what == "started from web:1, recreated: memory limit 1M → 2M"
    assert record.object_name == "shop-web-1"
    assert record.evidence == ("compared with the inspect of h1-shop-web-, which it replaces",)


def test_another_replica_is_compared_with_none() -> None:
    """Scaling up replaces nothing."""
    watched = Watched()
    watched.list("h1", container(name="shop-web-1", labels=compose("shop", "web")))
    new = container(name="shop-web-2", labels=compose("shop", "web", 2), created=NOON)
    watched.play("create start", new)
    watched.see(new)
    assert watched.told() == ["started from web:1"]


# -- declared ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "label"),
    [
        ({"deployed-by": "alice"}, "deployed-by"),
        ({"com.example.deployed-by": "alice"}, "com.example.deployed-by"),
        ({"com.example.deploy.user": "alice"}, "com.example.deploy.user"),
        ({"com.acme.who": "alice"}, "com.acme.who"),
        ({"org.opencontainers.image.authors": "alice"}, ""),
        ({"not-deployed-by": "alice"}, ""),
        ({"deployed-by": " "}, ""),
    ],
)
def test_who_deployed_is_read_from_few_labels_and_those_of_the_config(labels: dict[str, str], label: str) -> None:
    """Who wrote the image is another matter."""
    assert Declaring(["com.acme.who"]).label(labels) == label


def test_a_deployers_label_is_a_declared_name_and_says_that_it_can_be_forged() -> None:
    """Only of the making: a label does not say who stopped it."""
    watched = Watched()
    one = container(labels={"com.example.deployed-by": "alice"})
    watched.play("create start", one)
    (record,) = watched.records()
    assert (record.actor, record.attribution) == ("alice", Attribution.DECLARED)
    assert record.evidence == ("label com.example.deployed-by, can be forged",)
    watched.see(one)
    watched.pass_time(60)
    watched.play("kill(15) die(0) stop", one)
    assert watched.records()[-1].attribution is Attribution.UNKNOWN


def test_our_own_deed_is_ours_whatever_a_label_declares() -> None:
    """What we know goes before what somebody wrote."""
    watched = Watched()
    one = container(labels={"deployed-by": "mallory"})
    watched.fleet.record_intent("scale", engine="h1", object_name="web", actor="ops1@bastion", reason="FT-1")
    watched.play("create start", one)
    record = watched.records()[-1]
    assert (record.actor, record.attribution) == ("ops1@bastion", Attribution.OWN)
    assert record.evidence[0].startswith("the intent to scale was recorded before")


# -- execs -------------------------------------------------------------------------------------------------------------


def exec_of(watched: Watched, one: Container, exec_id: str, command: str = "sh -c id") -> None:
    """Somebody runs a command in it."""
    watched.event("exec_create", one, argument=command, execID=exec_id)


@pytest.mark.parametrize(
    ("seen", "own", "what", "evidence"),
    [
        ({"user": "99"}, "", "exec “sh -c id” as 99", "ran as 99 (asked for), by the engine's entry of the exec"),
        ({"user": ""}, "app", "exec “sh -c id” as app",
         "ran as app (the container's own user), by the engine's entry of the exec"),
        ({"user": "", "privileged": True}, "", "exec “sh -c id” as root, privileged",
         "ran as root (the container's own user), with all privileges, by the engine's entry of the exec"),
        ({"user": None, "why": "the exec was gone"}, "", "exec “sh -c id”", "user not known: the exec was gone"),
    ],
)  # fmt: skip
def test_an_exec_says_as_whom_it_ran(seen: dict[str, object], own: str, what: str, evidence: str) -> None:
    """Or that this is not known, and why."""
    watched = Watched()
    one = container(user=own)
    watched.list("h1", one)
    exec_of(watched, one, "e1")
    watched.fleet.apply(ExecSeen(engine="h1", id="e1", container=one.id, **seen))  # type: ignore[arg-type]
    (record,) = watched.records()
    assert (record.what, record.evidence) == (what, (evidence,))


def test_an_exec_from_before_we_looked_says_that_its_user_is_not_known() -> None:
    """The engine forgets as whom it ran, and is not asked."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    moment = NOON - timedelta(minutes=5)
    event = EngineEvent(
        engine="h1", time=moment, time_nano=int(moment.timestamp() * 1e9), type="container", action="exec_create",
        argument="sh", id=one.id, name="web", attributes={"execID": "e1"},
    )  # fmt: skip
    watched.fleet.apply(EventsSeen(engine="h1", events=(event,), replayed=True))
    (record,) = watched.records()
    assert record.evidence == ("user not known: it ran before fleettop looked",)


def test_an_exec_that_waits_for_the_inspect_keeps_what_was_learnt_of_it() -> None:
    """Whether it is the health check is not known before; as whom it ran may be asked meanwhile."""
    watched = Watched()
    one = container(inspected=False, health=Health.HEALTHY)
    watched.list("h1", one)
    exec_of(watched, one, "e1")
    watched.fleet.apply(ExecSeen(engine="h1", id="e1", container=one.id, user="99"))
    assert watched.told() == []
    watched.see(container(health=Health.HEALTHY, health_check=("CMD", "true")))
    assert watched.told() == ["exec “sh -c id” as 99"]


# -- logins ------------------------------------------------------------------------------------------------------------


def correlating(
    *logins: HostLogin, commands: tuple[HostCommand, ...] = (), answered: bool = True, log_read: bool = True
) -> Record:
    """A container was stopped by nobody known, and this is who was logged in; then its sequence goes on."""
    watched = Watched()
    address = EngineAddress(name="h1", scheme="ssh", host="h1", correlate=True)
    watched.fleet = Fleet([address], clock=watched.clock)
    watched.up()
    one = container()
    watched.list("h1", one)
    watched.play("kill(15)", one)
    assert watched.fleet.wanted_logins == ("h1",)
    records = watched.fleet.take_wanted_logins("h1")
    seen = LoginsSeen(
        engine="h1", records=records, logins=logins, commands=commands, answered=answered, log_read=log_read
    )
    watched.fleet.apply(seen)
    watched.play("die(143) stop", one)
    assert watched.fleet.wanted_logins == ()
    (record,) = watched.records()
    assert record.what == "stopped by someone (exit 143)"
    return record


DBA = HostLogin(user="dba1", origin="10.0.0.5", since="02:11")


def test_one_login_is_correlated_and_the_actor_stays_unknown() -> None:
    """Evidence, never a claim."""
    record = correlating(DBA)
    assert (record.attribution, record.actor) == (Attribution.CORRELATED, "unknown")
    assert record.evidence == ("logged in then: dba1 from 10.0.0.5 since 02:11",)


def test_several_logins_leave_it_unknown_and_are_listed() -> None:
    """It may have been any of them, or none."""
    record = correlating(DBA, HostLogin(user="ops2"))
    assert (record.attribution, record.actor) == (Attribution.UNKNOWN, "")
    assert record.evidence == ("logged in then: dba1 from 10.0.0.5 since 02:11; ops2 at the host itself",)


def test_no_login_and_no_answer_are_told_apart() -> None:
    """That nobody was seen is something else than that nothing could be read."""
    assert correlating().evidence == ("logged in then: nobody that could be seen",)
    assert correlating(answered=False).evidence == ("who was logged in then could not be read on the host",)
    assert correlating(log_read=False).evidence[1].startswith("sshd's log could not be read")


def test_a_login_that_had_ended_or_not_begun_is_no_evidence() -> None:
    """sshd's log also tells of sessions that were over, and of ones since."""
    over = HostLogin(user="a", origin="x", ended=NOON - timedelta(minutes=1))
    later = HostLogin(user="b", origin="y", began=NOON + timedelta(minutes=1))
    just = HostLogin(user="c", origin="z", since="11:59", ended=NOON - timedelta(seconds=1))
    assert correlating(over, later, just).evidence == ("logged in then: c from z since 11:59",)


def test_what_let_somebody_in_stands_beside_the_login() -> None:
    """The key's fingerprint tells persons apart who share an account."""
    one = msgspec.structs.replace(DBA, proof="with key ED25519 SHA256:abc")
    assert correlating(one).evidence == ("logged in then: dba1 from 10.0.0.5 since 02:11 with key ED25519 SHA256:abc",)


def test_a_login_whose_end_no_log_tells_is_no_correlation() -> None:
    """It is told for an hour and says so; the sessions of before a power cycle are not told for ever."""
    lost = msgspec.structs.replace(DBA, lost=True, began=NOON - timedelta(minutes=5))
    record = correlating(lost, msgspec.structs.replace(lost, user="old", began=NOON - timedelta(hours=2)))
    assert record.attribution is Attribution.UNKNOWN
    assert record.evidence == (
        "logged in then: dba1 from 10.0.0.5 since 02:11 (no longer, and the log does not tell since when)",
    )


def test_a_command_that_auditd_saw_is_evidence_for_the_deeds_it_may_have_asked_for() -> None:
    """One caller among several logins: correlated, and still nobody's claim."""
    command = HostCommand(user="dba1", at=NOON - timedelta(seconds=10), words="docker stop web")
    long_ago = msgspec.structs.replace(command, at=NOON - timedelta(minutes=1), words="docker ps")
    record = correlating(DBA, HostLogin(user="ops2"), commands=(long_ago, command))
    assert (record.attribution, record.actor) == (Attribution.CORRELATED, "unknown")
    assert record.evidence[1:] == ("auditd saw dba1 run “docker stop web” at 11:59:50 UTC",)
    two = correlating(DBA, commands=(command, msgspec.structs.replace(command, user="ops2")))
    assert two.attribution is Attribution.UNKNOWN


def test_nobody_looks_for_the_sake_of_what_is_known_or_long_ago() -> None:
    """A crash is nobody's deed, our own deed is ours, and who is there now was not there an hour ago."""
    watched = Watched()
    watched.fleet = Fleet([EngineAddress(name="h1", scheme="ssh", host="h1", correlate=True)], clock=watched.clock)
    watched.up()
    one = container()
    watched.list("h1", one)
    watched.play("die(1) start", one)
    watched.fleet.record_intent("stop", engine="h1", object_id=one.id, actor="me")
    watched.play("kill(15) die(0) stop", one)
    event = EngineEvent(
        engine="h1", time=NOON - timedelta(hours=1), time_nano=1, type="volume", action="destroy", id="v"
    )
    watched.fleet.apply(EventsSeen(engine="h1", events=(event,), replayed=True))
    assert len(watched.records()) >= 3
    assert watched.fleet.wanted_logins == ()


# -- every kind of event -----------------------------------------------------------------------------------------------


def thing(watched: Watched, kind: str, action: str, **attributes: str) -> None:
    """The engine says that this happened to something that is no container."""
    event = EngineEvent(
        engine="h1",
        time=watched.clock.now(),
        time_nano=int(watched.clock.now().timestamp() * 1e9) + len(watched.records()),
        type=kind,
        action=action,
        id=attributes.pop("id", f"{kind}-1"),
        name=attributes.get("name", ""),
        attributes=attributes,
    )
    watched.fleet.apply(EventsSeen(engine="h1", events=(event,)))


@pytest.mark.parametrize("kind", [kind for kind in FILTERS["type"] if kind != "container"])
@pytest.mark.parametrize("action", FILTERS["event"])
def test_each_event_the_engine_is_asked_for_is_told_or_is_documented_noise(kind: str, action: str) -> None:
    """Nothing is dropped in silence; what is left out stands in one list, with the reason."""
    watched = Watched()
    watched.up("h1", node="n1", cluster="c1")
    thing(watched, kind, action)
    noise = (kind, action) in NOISE and action != "update"
    service = kind == "service" and action not in ("create", "update", "remove")
    assert len(watched.told()) == (0 if noise or service else 1), watched.told()


@pytest.mark.parametrize("action", FILTERS["event"])
def test_each_event_of_a_container_is_told_or_is_documented_noise(action: str) -> None:
    """The same of containers; `health_status` with nothing new is on the list."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    watched.event(action, one, argument="sh" if action == "exec_create" else "")
    assert len(watched.told()) == (0 if action == "health_status" else 1), watched.told()
    assert action in HANDLERS or watched.told()


def test_noise_is_said_why() -> None:
    """The list is also what the documentation cites."""
    assert all(reason and kind and action for (kind, action), reason in NOISE.items())


RUNNING = container(identifier="c" * 64, started_at=NOON - timedelta(hours=1))


@pytest.mark.parametrize("action", ["connect", "disconnect"])
def test_a_running_container_joined_to_a_network_is_somebodys_deed_told_once(action: str) -> None:
    """The engine tells of a disconnect by hand twice (seen on 20.10)."""
    watched = Watched()
    watched.list("h1", msgspec.structs.replace(RUNNING, networks=("back",)))
    for _ in range(2):
        thing(watched, "network", action, id=NETWORK, name="back", container=RUNNING.id)
        watched.clock.advance(0.001)
    assert len(watched.told()) == (action == "connect")
    watched.see(RUNNING)  # it runs on
    word = "connected to" if action == "connect" else "disconnected from"
    (record,) = watched.records()
    assert (record.what, record.object_type, record.object_name) == (
        f"{word} network back by someone",
        "container",
        "web",
    )


def test_networks_that_come_with_a_restart_are_noise() -> None:
    """`die`, `disconnect`, `stop`; then `connect`, `start` (seen on 20.10)."""
    watched = Watched()
    watched.list("h1", RUNNING)
    watched.play("kill(15) die(0)", RUNNING)
    thing(watched, "network", "disconnect", id=NETWORK, name="back", container=RUNNING.id)
    watched.play("stop", RUNNING)
    thing(watched, "network", "connect", id=NETWORK, name="back", container=RUNNING.id)
    watched.play("start restart", RUNNING)
    assert watched.told() == ["restarted by someone (exit 0)"]


def test_files_copied_again_and_again_are_one_record() -> None:
    """With how often; after a while another one."""
    watched = Watched()
    one = container()
    watched.list("h1", one)
    for _ in range(5):
        watched.event("extract-to-dir", one)
        watched.clock.advance(1)
    (record,) = watched.records()
    assert (record.what, record.count) == ("files copied into it by someone", 5)
    watched.pass_time(FOLD.total_seconds() + 10)
    watched.event("extract-to-dir", one)
    assert len(watched.records()) == 2


def test_a_prune_says_what_went_just_before_it_as_evidence() -> None:
    """It is told last and names nothing; what a person removed earlier is not taken for its doing."""
    watched = Watched()
    thing(watched, "volume", "destroy", id="mine", name="mine")
    watched.clock.advance(30)
    for name in ("a", "b"):
        thing(watched, "volume", "destroy", id=name, name=name)
        watched.clock.advance(0.1)
    thing(watched, "volume", "prune", id="", reclaimed="2048")
    record = watched.records()[-1]
    assert record.what == "unused volumes were pruned (2,048 bytes freed)"
    assert record.evidence == ("removed just before it: a, b",)


# -- swarm services ----------------------------------------------------------------------------------------------------


def changed(watched: Watched, after: float, **attributes: str) -> None:
    """The swarm says that shop_web was updated, so many seconds after noon."""
    moment = NOON + timedelta(seconds=after)
    event = EngineEvent(
        engine="m1", time=moment, time_nano=int(moment.timestamp() * 1e9), type="service", action="update",
        id="s1", name="shop_web", attributes=attributes,
    )  # fmt: skip
    watched.fleet.apply(EventsSeen(engine="m1", events=(event,)))


def read(watched: Watched, version: int, after: float, before: ServiceDesign | None, **more: object) -> None:
    """The swarm is read, as it was changed so many seconds after noon."""
    design = more.pop("design", ServiceDesign(image="web:1"))
    service = SwarmService(
        id="s1", name="shop_web", stack="shop", mode="replicated", wanted=1, running=1, image="web:1",
        version=version, updated=NOON + timedelta(seconds=after), before=before, design=design, **more,
    )  # type: ignore[arg-type]  # fmt: skip
    watched.fleet.apply(picture(of=service))


def managed() -> Watched:
    """A manager that was read once."""
    watched = Watched("m1", empty=False)
    watched.up("m1", node="n1", cluster="c1")
    watched.list("m1")
    read(watched, 41, -3600, None)
    return watched


ONE = ServiceDesign(image="web:1", **variables("A=1"))  # type: ignore[arg-type]
TWO = ServiceDesign(image="web:1", **variables("A=2"))  # type: ignore[arg-type]


def test_a_reading_from_before_the_change_tells_nothing_of_it() -> None:
    """A reading under way when it happened has the old spec, and an older PreviousSpec."""
    watched = managed()
    changed(watched, 0)
    read(watched, 41, -3600, TWO, design=ONE)
    assert watched.told() == ["service changed by someone"]
    read(watched, 42, 0, ONE, design=TWO)
    (record,) = watched.records()
    assert record.what == "service changed by someone: environment: A changed"
    assert record.evidence == ("service version 41 → 42, PreviousSpec",)
    assert (record.swarm, record.image) == ("c1", "web:1")


def test_two_changes_between_two_readings_are_each_told() -> None:
    """The newer by PreviousSpec, the older by what that differs by from the reading before."""
    watched = managed()
    read(watched, 41, -1800, None, design=ServiceDesign(image="web:1", replicas=1))
    changed(watched, 0, **{"replicas.old": "1", "replicas.new": "3"})
    changed(watched, 5)
    middle = ServiceDesign(image="web:1", replicas=3)
    read(watched, 50, 5, middle, design=msgspec.structs.replace(middle, memory_limit=64 << 20))
    assert watched.told() == ["scaled 1 → 3 by someone", "service changed by someone: memory limit none → 64M"]


@pytest.mark.parametrize(
    ("message", "before", "what", "cause"),
    [
        ("update rolled back due to failure of task t1", None,
         "rolled back by the swarm, environment: A changed", Cause.SWARM),
        ("rollback completed", None, "rolled back by the swarm, environment: A changed", Cause.SWARM),
        ("manually requested rollback", TWO, "rolled back by someone, environment: A changed", Cause.NONE),
        ("rollback completed", TWO, "rolled back by someone or the swarm, environment: A changed", Cause.NONE),
    ],
)  # fmt: skip
def test_a_rollback_is_the_swarms_or_somebodys_as_far_as_the_swarm_tells(
    message: str, before: ServiceDesign | None, what: str, cause: Cause
) -> None:
    """One event for both; the status of the update tells, and whether a PreviousSpec is left."""
    watched = managed()
    read(watched, 42, -1800, ONE, design=TWO)
    changed(watched, 0, **{"updatestate.new": "rollback_started"})
    read(watched, 43, 0, before, design=ONE, update_message=message)
    (record,) = watched.records()
    assert (record.what, record.cause) == (what, cause)


def test_a_label_older_than_a_scaling_names_nobody() -> None:
    """It names who deployed; who scaled since is not known."""
    watched = managed()
    labels = {"deployed-by": "bob"}
    old = ServiceDesign(image="web:1", replicas=1, labels=labels)
    changed(watched, 0, **{"replicas.old": "1", "replicas.new": "3"})
    read(watched, 42, 0, old, design=msgspec.structs.replace(old, replicas=3))
    scaled = watched.records()[-1]
    assert (scaled.what, scaled.attribution) == ("scaled 1 → 3 by someone", Attribution.UNKNOWN)
    assert "label deployed-by names bob, but is older than this change" in scaled.evidence
    changed(watched, 9, **{"image.old": "web:1", "image.new": "web:2"})
    new = msgspec.structs.replace(old, replicas=3, image="web:2")
    read(watched, 50, 9, msgspec.structs.replace(old, replicas=3), design=new)
    deployed = watched.records()[-1]
    assert (deployed.what, deployed.actor) == ("image web:1 → web:2 by bob", "bob")
    assert (deployed.attribution, deployed.image) == (Attribution.DECLARED, "web:2")


def test_a_force_update_is_called_by_its_name() -> None:
    """Nothing of the service changes, and all its tasks are made anew."""
    watched = managed()
    changed(watched, 0)
    read(watched, 42, 0, ONE, design=msgspec.structs.replace(ONE, forced=1))
    assert watched.told() == ["force update by someone: its tasks are made anew"]
