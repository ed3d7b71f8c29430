"""What records know of deeds on real engines: what was changed, from which image, as whom, and who may have done it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from fleettop.collectors.model import Attribution, Cause, Record, RecordKind

from tests.fleet import Fleet
from tests.fleet.load import HEALTH

from .stage import Eventually, Stage, ran, watching

LONG = 60.0
MIB = 1 << 20


def told(stage: Stage, beginning: str, *, about: str = "") -> list[Record]:
    """Records of events whose words begin so."""
    return [
        record
        for record in stage.records(kind=RecordKind.EVENT)
        if record.what.startswith(beginning) and record.time >= stage.began
        if about in (record.object_name, record.object_id, "")
    ]


async def docker(fleet: Fleet, *arguments: object, host: str = "h1") -> str:
    """The docker command, beside the session."""
    return await asyncio.to_thread(fleet.docker, host, *arguments)


async def test_an_update_says_each_limit_before_and_after(fleet: Fleet, eventually: Eventually) -> None:
    """The engine's `update` event says nothing of what was changed; two inspects do."""
    async with watching(fleet.address("h1")) as stage:
        key = await ran(fleet, "h1", "ledger")
        await eventually(lambda: key in stage.session.fleet.containers and stage.container(key).detail, timeout=LONG)
        limits = ("--memory", "64m", "--memory-swap", "64m", "--cpus", "0.5", "--pids-limit", "50")
        await docker(fleet, "update", *limits, "--restart", "on-failure:3", key.id)
        (record,) = await eventually(lambda: told(stage, "changed by someone"), timeout=LONG)
        assert record.what == (
            "changed by someone: memory limit none → 64M, CPU limit none → 0.5, process limit none → 50, "
            "restart policy no → on-failure:3"
        )
        assert (record.attribution, record.image) == (Attribution.UNKNOWN, "bb:1")
        assert record.digest == stage.container(key).image_id
        assert "its inspects before and after compared" in record.evidence


async def test_a_replica_made_anew_says_what_it_is_other_than_the_one_before(
    fleet: Fleet, eventually: Eventually
) -> None:
    """Compose removes and creates: the two inspects are compared, names of variables are told and never a value."""
    labels = {"org.opencontainers.image.revision": "c0ffee", "com.acme.deployed-by": "alice"}
    async with watching(fleet.address("h1")) as stage:
        key = await ran(
            fleet, "h1", "ledger", Env=["LEDGER_URL=http://hunter2", "MODE=fast"], HostConfig={"Memory": 256 * MIB}
        )
        await eventually(lambda: key in stage.session.fleet.containers and stage.container(key).detail, timeout=LONG)
        await docker(fleet, "tag", "bb:1", "bb:2")
        await docker(fleet, "rm", "-f", key.id)
        await eventually(lambda: key not in stage.session.fleet.containers, timeout=LONG)
        made = await asyncio.to_thread(
            fleet.run, "h1", "shop", "ledger", "sleep 2000",
            Image="bb:2", Env=["MODE=hunter3"], HostConfig={"Memory": 512 * MIB}, Labels=labels,
        )  # fmt: skip
        (record,) = await eventually(lambda: told(stage, "started from bb:2, recreated", about=made), timeout=LONG)
        assert record.what == (
            "started from bb:2, recreated: image 1 → 2, environment: LEDGER_URL removed and MODE changed, "
            "command changed, memory limit 256M → 512M"
        )
        assert (record.actor, record.attribution) == ("alice", Attribution.DECLARED)
        assert record.evidence[0] == "label com.acme.deployed-by, can be forged"
        assert (record.image, record.revision) == ("bb:2", "c0ffee")
        await eventually(lambda: record_now(stage, record).digest.startswith("sha256:"), timeout=LONG)
        assert not [r for r in stage.records() if "hunter" in str(r)]


def record_now(stage: Stage, record: Record) -> Record:
    """A record as last written."""
    found = stage.session.fleet.trail.get(record.id)
    assert found is not None
    return found


async def test_a_change_of_a_swarms_service_is_told_by_its_two_specs(
    swarm_fleet: Fleet, eventually: Eventually
) -> None:
    """Events name image and replicas; the rest is read from PreviousSpec, a rollback and a force update by name."""
    fleet = swarm_fleet

    async def said(beginning: str, count: int = 1) -> Record:
        found = await eventually(lambda: (f := told(stage, beginning)) and len(f) >= count and f, timeout=LONG)
        return record_now(stage, found[-1])

    async def update(*arguments: object) -> None:
        await docker(fleet, "service", "update", "-d", "--no-resolve-image", *arguments, "pay")

    async with watching(fleet.address("h1")) as stage:
        await eventually(lambda: stage.session.fleet.swarms, timeout=LONG)
        await asyncio.to_thread(fleet.run_service, "pay", "sleep 1000", Labels={"deployed-by": "bob"})
        await eventually(lambda: told(stage, "service created by bob"), timeout=LONG)
        created = await said("service created by bob")
        assert (created.attribution, created.image) == (Attribution.DECLARED, "bb:1")

        await update("--env-add", "LEDGER=hunter2", "--limit-memory", "64M", "--constraint-add", "node.role==manager")
        changed = await said("service changed by bob: environment")
        assert changed.what == (
            "service changed by bob: environment: LEDGER added, memory limit none → 64M, "
            "placement: node.role==manager added"
        )
        assert changed.attribution is Attribution.DECLARED
        assert any(e.startswith("service version ") and e.endswith(", PreviousSpec") for e in changed.evidence)

        await update("--replicas", "2")
        await eventually(lambda: any("older than this change" in e for r in told(stage, "scaled") for e in r.evidence))
        scaled = await said("scaled 1 → 2 by someone")
        assert scaled.attribution is Attribution.UNKNOWN

        await update("--force")
        assert (await said("force update by someone: its tasks are made anew")).attribution is Attribution.UNKNOWN

        for host in ("h1", "h2", "h3"):
            await docker(fleet, "tag", "bb:1", "bb:2", host=host)
        await update("--image", "bb:2", "--env-rm", "LEDGER")
        deployed = await said("image bb:1 → bb:2 by bob, environment")
        assert (deployed.what, deployed.image) == ("image bb:1 → bb:2 by bob, environment: LEDGER removed", "bb:2")

        await docker(fleet, "service", "rollback", "-d", "pay")
        back = await said("rolled back by someone, image")
        assert back.what == "rolled back by someone, image 2 → 1, environment: LEDGER added"
        assert (back.attribution, back.image) == (Attribution.UNKNOWN, "bb:1")
        assert any("manually requested rollback" in e for e in back.evidence)
        assert not [r for r in stage.records() if "hunter" in str(r)]


async def test_a_swarm_that_rolls_back_by_itself_is_named_for_it(swarm_fleet: Fleet, eventually: Eventually) -> None:
    """A rollback by `--update-failure-action rollback` is the swarm's own, and the swarm says why."""
    fleet = swarm_fleet
    course = {"Parallelism": 1, "FailureAction": "rollback", "Monitor": 3_000_000_000, "MaxFailureRatio": 0.0}
    async with watching(fleet.address("h1")) as stage:
        await eventually(lambda: stage.session.fleet.swarms, timeout=LONG)
        await asyncio.to_thread(fleet.run_service, "pay", "sleep 1000", UpdateConfig=course)
        await eventually(lambda: any(s.running == 1 for s in _services(stage)), timeout=LONG)
        await docker(fleet, "service", "update", "-d", "--no-resolve-image", "--entrypoint", "false", "pay")
        (back,) = await eventually(lambda: told(stage, "rolled back by the swarm"), timeout=LONG)
        assert (back.attribution, back.cause) == (Attribution.DERIVED, Cause.SWARM)
        assert any("rolled back due to" in e or "no PreviousSpec is left" in e for e in back.evidence)


def _services(stage: Stage) -> list[object]:
    return [service for picture in stage.session.fleet.swarms.values() for service in picture.services]


async def test_an_exec_says_as_whom_it_ran_and_a_health_check_leaves_nothing(
    fleet: Fleet, eventually: Eventually
) -> None:
    """The engine's entry of the exec names the user; the command's secrets are hidden; health checks are not asked."""
    async with watching(fleet.address("h1")) as stage:
        key = await ran(fleet, "h1", "web", "web", Healthcheck=HEALTH)
        await eventually(lambda: key in stage.session.fleet.containers and stage.container(key).detail, timeout=LONG)
        await docker(fleet, "exec", "-u", "99", key.id, "sh", "-c", "true --token=hunter2")
        (record,) = await eventually(lambda: [r for r in told(stage, "exec") if r.evidence], timeout=LONG)
        assert record.what == "exec “sh -c true --token=***” as 99"
        assert record.evidence == ("ran as 99 (asked for), by the engine's entry of the exec",)
        await docker(fleet, "exec", key.id, "true")
        await eventually(lambda: told(stage, "exec “true” as root"), timeout=LONG)
        assert len(told(stage, "exec")) == 2


async def test_deeds_beside_a_containers_life_have_sentences_of_their_own(fleet: Fleet, eventually: Eventually) -> None:
    """Copies, commits, renames, networks by hand and prunes are told; what comes with starts and ends is not."""
    async with watching(fleet.address("h1")) as stage:
        key = await ran(fleet, "h1", "web")
        await eventually(lambda: key in stage.session.fleet.containers and stage.container(key).detail, timeout=LONG)
        await docker(fleet, "network", "create", "back")
        await docker(fleet, "network", "connect", "back", key.id)
        await docker(fleet, "restart", "-t", "0", key.id)
        await docker(fleet, "network", "disconnect", "back", key.id)
        await docker(fleet, "cp", "/etc/hostname", f"{key.id}:/tmp/x")
        await docker(fleet, "commit", key.id, "img:1")
        await docker(fleet, "rename", key.id, "other")
        await docker(fleet, "rmi", "img:1")
        await docker(fleet, "volume", "create", "data")
        await docker(fleet, "volume", "rm", "data")
        await docker(fleet, "rm", "-f", key.id)
        await asyncio.to_thread(fleet.run_plain, "h1", "done", "true")
        await eventually(lambda: told(stage, "exited 0 by itself", about="done"), timeout=LONG)
        await docker(fleet, "container", "prune", "-f")
        await docker(fleet, "network", "prune", "-f")
        await eventually(lambda: told(stage, "unused networks were pruned"), timeout=LONG)
        words = [record.what for record in told(stage, "")]
        for expected in (
            "connected to network back by someone",
            "disconnected from network back by someone",
            "files copied into it by someone",
            "made into an image img:1 by someone",
            "renamed from shop-web-1 by someone",
            "untagged by someone",
            "unused networks were pruned",
        ):
            assert words.count(expected) == 1, (expected, words)
        for beginning, name in (("stopped containers were pruned", "done"), ("unused networks were pruned", "back")):
            (pruned,) = told(stage, beginning)
            assert pruned.evidence[0].startswith("removed just before it: ")
            assert pruned.evidence[0].endswith(name)
        assert not [w for w in words if "network bridge" in w], words


async def test_deeds_on_a_swarm_have_sentences_of_their_own(swarm_fleet: Fleet, eventually: Eventually) -> None:
    """A node drained, a secret rotated: each says what it was and the cluster it is of."""
    fleet = swarm_fleet
    async with watching(fleet.address("h1")) as stage:
        await eventually(lambda: stage.session.fleet.swarms, timeout=LONG)
        (cluster,) = stage.session.fleet.swarms
        await docker(fleet, "node", "update", "--availability", "drain", "h2")
        (drained,) = await eventually(lambda: told(stage, "node set to drain by someone (was active)"), timeout=LONG)
        assert (drained.object_name, drained.swarm) == ("h2", cluster)
        for name in ("key_1", "key_2"):
            status, _ = await asyncio.to_thread(
                fleet.api, "h1", "POST", "/secrets/create", {"Name": name, "Data": "eA=="}
            )
            assert status in (200, 201)
        await asyncio.to_thread(fleet.run_service, "pay", "sleep 1000")
        await docker(fleet, "service", "update", "-d", "--no-resolve-image", "--secret-add", "key_1", "pay")
        await eventually(lambda: told(stage, "service changed by someone: secrets: key_1 added"), timeout=LONG)
        change = ("--secret-rm", "key_1", "--secret-add", "key_2")
        await docker(fleet, "service", "update", "-d", "--no-resolve-image", *change, "pay")
        await eventually(
            lambda: told(stage, "service changed by someone: secrets: key_1 removed and key_2 added"), timeout=LONG
        )


async def test_podman_names_no_command_of_an_exec_and_the_record_says_so(fleet: Fleet, eventually: Eventually) -> None:
    """Podman's event tells that a command was run in a container, and not which."""
    async with watching(fleet.address("pod1")) as stage:
        key = await ran(fleet, "pod1", "web")
        await eventually(lambda: key in stage.session.fleet.containers and stage.container(key).detail, timeout=LONG)
        await docker(fleet, "exec", key.id, "true", host="pod1")
        await eventually(lambda: told(stage, "exec of a command that its engine does not tell"), timeout=LONG)


@contextmanager
def logged_in(fleet: Fleet, user: str) -> Iterator[None]:
    """Somebody has a terminal open on h1."""
    config = fleet.folder / "ssh/config"
    words = ["ssh", "-tt", "-F", str(config), "-l", user, "h1", "echo in; exec sleep 1000"]
    session = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert session.stdout is not None
        assert b"in" in session.stdout.readline()
        yield
    finally:
        session.kill()
        session.communicate()


async def test_who_was_logged_in_is_evidence_and_never_the_actor(fleet: Fleet, eventually: Eventually) -> None:
    """One login then: correlated, and the actor stays unknown. Several: unknown, and the evidence lists them."""
    await asyncio.to_thread(fleet.on, "h1", "touch", "/run/utmp")
    address = msgspec.structs.replace(fleet.address("h1", "ssh"), correlate=True)
    async with watching(address) as stage:
        one, two = await ran(fleet, "h1", "one"), await ran(fleet, "h1", "two")
        await eventually(lambda: stage.session.fleet.containers.keys() >= {one, two}, timeout=LONG)

        async def stopped(key: object, container: str) -> Record:
            await docker(fleet, "stop", "-t", "0", container)
            seen = lambda: [r for r in told(stage, "stopped by someone", about=container) if r.evidence]  # noqa: E731
            (record,) = await eventually(seen, timeout=LONG)
            return record

        with logged_in(fleet, "guest"):
            alone = await stopped(one, one.id)
            assert (alone.attribution, alone.actor) == (Attribution.CORRELATED, "unknown")
            assert alone.evidence[0].startswith("logged in then: guest from ")
            assert " since " in alone.evidence[0]
            with logged_in(fleet, "root"):
                crowd = await stopped(two, two.id)
                assert (crowd.attribution, crowd.actor) == (Attribution.UNKNOWN, "")
                assert "guest from " in crowd.evidence[0]
                assert "root from " in crowd.evidence[0]


async def test_without_being_asked_to_fleettop_looks_at_no_logins(fleet: Fleet, eventually: Eventually) -> None:
    """`correlate` is off unless the config says so for that engine."""
    async with watching(fleet.address("h1", "ssh")) as stage:
        key = await ran(fleet, "h1", "one")
        await eventually(lambda: key in stage.session.fleet.containers, timeout=LONG)
        await docker(fleet, "stop", "-t", "0", key.id)
        await eventually(lambda: told(stage, "stopped by someone"), timeout=LONG)
        assert stage.session.fleet.wanted_logins == ()
        assert not [r for r in stage.records() if any("logged in" in e for e in r.evidence)]


async def test_the_digest_of_a_record_is_the_images_own_where_the_engine_knows_it(
    fleet: Fleet, eventually: Eventually
) -> None:
    """Podman gives each image a digest; an image loaded into Docker has none, and its id stands for it."""
    (known,) = [i["RepoDigests"] for i in fleet.get("pod1", "/images/json") if i["RepoTags"] == ["localhost/bb:1"]]
    expected = {text.partition("@")[2] for text in known}
    async with watching(fleet.address("pod1"), fleet.address("h1")) as stage:
        podman, plain = await ran(fleet, "pod1", "web"), await ran(fleet, "h1", "web")

        def digest(container: str) -> str:
            records = told(stage, "started from", about=container)
            return records[0].digest if records else ""

        await eventually(lambda: digest(podman.id) in expected, timeout=LONG)
        image = fleet.get("h1", f"/containers/{plain.id}/json")["Image"]
        await eventually(lambda: digest(plain.id) == image, timeout=LONG)
