"""The checks on real engines: what is set up badly is found, what is set up well beside it passes."""

from __future__ import annotations

import shlex
import signal
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.checks import releases, upkeep
from fleettop.collectors.checks.catalogue import CHECKS
from fleettop.collectors.checks.finding import Finding, Report, Severity, report
from fleettop.collectors.checks.gathering import Sources, gather
from fleettop.collectors.checks.inspection import Inspection
from fleettop.collectors.config.waivers import Waiver
from fleettop.collectors.engine.client import EngineClient
from fleettop.collectors.links.base import UnixEndpoint
from fleettop.collectors.model import ContainerState
from msgspec.structs import replace

from tests.collectors.actions_stage import off_loop
from tests.collectors.checks_stage import (
    CAREFUL,
    CARELESS,
    FOUND_IN_THE_CARELESS,
    SLEEP,
    at,
    looked,
    sources,
    watching,
)
from tests.fleet import Fleet
from tests.fleet.engine_api import ask
from tests.fleet.waiting import wait_for

HOSTS = ("h1", "h2", "h3")


# -- containers


async def test_a_careless_container_is_found_and_a_careful_one_passes(fleet: Fleet, eventually: Any) -> None:
    """Every check of what a container may do and is limited to, on one engine."""
    image = fleet.get("h1", "/images/bb:1/json")["Id"]
    fleet.docker("h1", "tag", "bb:1", "shop-web:latest")
    fleet.docker("h1", "network", "create", "shop")
    fleet.run_plain("h1", "careless", SLEEP, Image="shop-web", **CARELESS)
    fleet.run_plain("h1", "careful", SLEEP, Image=image, **CAREFUL)
    async with watching([fleet.address("h1")]) as session:
        await eventually(lambda: len(session.fleet.containers) == 2)
        found = await looked(session)
    careless, careful = at(found, "careless"), at(found, "careful")
    assert {check: one.severity for check, one in careless.items() if check != "C23"} == FOUND_IN_THE_CARELESS
    assert set(careful) <= {"C23"}, careful
    assert "correct-horse" not in repr(found)
    assert "DB_PASSWORD" in careless["C17"].evidence
    [logs] = [finding for finding in found.findings if finding.check == "E03"]
    assert "1 of 2 containers" in logs.sentence


SAID_BY_DOCKER_BENCH = {
    "4.1": ("C08", "", {"careless", "api", "web"}),
    "5.4": ("C05", "", set()),
    "5.6": ("C03", "", {"careless"}),
    "5.8": ("C13", "below 1024", {"careless"}),
    "5.10": ("C04", "NetworkMode", {"web"}),
    "5.11": ("C09", "", {"careless", "api", "web"}),
    "5.12": ("C10", "", {"careless", "api", "web"}),
    "5.13": ("C12", "", {"careless", "api", "web"}),
    "5.14": ("C13", "every address", {"careless"}),
    "5.15": ("C14", "more than", {"web"}),
    "5.16": ("C04", "PidMode", {"careless"}),
    "5.17": ("C04", "IpcMode", {"careless"}),
    "5.18": ("C19", "Devices", {"careless"}),
    "5.20": ("C19", "Propagation", set()),
    "5.21": ("C04", "UTSMode", {"web"}),
    "5.22": ("C06", "seccomp", {"careless"}),
    "5.25": ("C19", "CgroupParent", set()),
    "5.26": ("C07", "", {"careless", "api", "web"}),
    "5.27": ("C15", "", {"careless", "api", "web"}),
    "5.29": ("C11", "", {"careless", "api", "web"}),
    "5.30": ("C20", "", {"careless", "api"}),
    "5.31": ("C04", "UsernsMode", set()),
    "5.32": ("C02", "", {"careless"}),
}
"""By its number: our check, words of ours, and the containers that docker-bench-security 1.6.0 named (ff26d67, run on
the same four containers on Docker 20.10.24)."""


async def test_docker_bench_security_says_the_same(fleet: Fleet, eventually: Any) -> None:
    """Where both look at the same thing, the same containers are found; the README has where they differ."""
    image = fleet.get("h1", "/images/bb:1/json")["Id"]
    fleet.docker("h1", "tag", "bb:1", "shop-web:latest")
    fleet.docker("h1", "network", "create", "shop")
    fleet.run_plain("h1", "careless", SLEEP, Image="shop-web", **CARELESS)
    fleet.run_plain("h1", "careful", SLEEP, Image=image, **CAREFUL)
    fleet.run_plain("h1", "api", "web")
    retries = {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 9}}
    fleet.run_plain("h1", "web", "web", HostConfig={"NetworkMode": "host", "UTSMode": "host", **retries})
    async with watching([fleet.address("h1")]) as session:
        await eventually(lambda: len(session.fleet.containers) == 4)
        found = await looked(session)
    for number, (check, words, names) in SAID_BY_DOCKER_BENCH.items():
        mine = {
            one.object
            for one in found.findings
            if one.check == check and one.kind == "container" and words in f"{one.sentence} {one.evidence}"
        }
        assert mine == names, number


async def test_a_privileged_container_is_found(fleet: Fleet, eventually: Any) -> None:
    """By the engine's own answer of one that was made; where tests run, none may be started: it is taken to run."""
    for name, host in (("mighty", {"Privileged": True, "CapAdd": ["SYS_ADMIN"]}), ("modest", {"CapDrop": ["ALL"]})):
        body = {"Image": "bb:1", "Cmd": ["true"], "HostConfig": host}
        assert fleet.api("h1", "POST", f"/containers/create?name={name}", body)[0] == 201
    async with watching([fleet.address("h1")]) as session:
        await eventually(lambda: len(session.fleet.containers) == 2)
        facts = await gather(sources(session), lambda _read, _of: None)
    [engine] = facts.engines
    running = tuple(replace(container, state=ContainerState.RUNNING) for container in engine.containers)
    found = report(CHECKS.values(), replace(facts, engines=(replace(engine, containers=running),)))
    assert {"C01", "C05"} <= set(at(found, "mighty"))
    assert not {"C01", "C05"} & set(at(found, "modest"))
    assert not {"C01", "C05"} & set(at(report(CHECKS.values(), facts), "mighty"))


async def test_how_containers_behave_is_found(fleet: Fleet, eventually: Any) -> None:
    """A crash loop, one killed for memory, one that ignores SIGTERM, an exec as root, a tag that moved."""
    always = {"RestartPolicy": {"Name": "always"}}
    fleet.run("h1", "pay", "loop", "crash", Env=["AFTER=0"], HostConfig=always)
    fleet.run("h1", "pay", "hungry", "oom", HostConfig={"Memory": 16 << 20, "MemorySwap": 16 << 20})
    fleet.run_plain("h1", "deaf", "slowstop")
    fleet.run_plain("h1", "polite", SLEEP)
    fleet.run_plain("h1", "handled", SLEEP, User="99")
    fleet.docker("h1", "tag", "bb:1", "moved:1")
    fleet.run_plain("h1", "old", SLEEP, Image="moved:1")
    fleet.docker("h1", "commit", "polite", "moved:1")
    await off_loop(fleet.docker, "h1", "stop", "-t", "1", "deaf", "polite")
    fleet.docker("h1", "exec", "-d", "--user", "root", "handled", "sleep", "60")
    fleet.docker("h1", "exec", "-d", "old", "sleep", "60")
    ended = ContainerState.EXITED
    async with watching([fleet.address("h1")]) as session:

        def state(name: str) -> Any:
            return next((c.state for c in session.fleet.containers.values() if c.name == name), None)

        await eventually(lambda: state("pay-hungry-1") is ended and state("deaf") is ended, timeout=30)

        async def looping() -> Report | None:
            found = await looked(session)
            return found if "C18" in at(found, "pay-loop-1") else None

        found = await eventually(looping, timeout=60)
    assert "C18" in at(found, "pay-hungry-1")
    assert "memory" in at(found, "pay-hungry-1")["C18"].sentence
    assert "C22" in at(found, "deaf")
    assert "sleep 60" in at(found, "handled")["C21"].evidence
    assert "as root runs now" in at(found, "handled")["C21"].evidence
    assert "another image now" in " ".join(f.sentence for f in found.findings if f.object == "old")
    for name in ("polite", "old", "handled"):
        assert not {"C18", "C22"} & set(at(found, name)), name
    assert "C21" not in at(found, "old")


async def test_a_command_that_was_watched_is_found_after_it_has_ended(fleet: Fleet, eventually: Any) -> None:
    """The engine forgets it; what fleettop saw while it ran stays on record."""
    fleet.run_plain("h1", "handled", SLEEP, User="99")
    async with watching([fleet.address("h1")]) as session:
        await eventually(lambda: any(c.detail is not None for c in session.fleet.containers.values()), timeout=30)
        await off_loop(fleet.docker, "h1", "exec", "--user", "0", "handled", "sleep", "1")

        async def seen() -> Finding | None:
            found = await looked(session)
            return at(found, "handled").get("C21")

        found = await eventually(seen, timeout=30)
    assert "sleep 1" in found.evidence
    assert "runs now" not in found.evidence


async def test_what_is_on_one_host_alone_is_down_with_it(fleet: Fleet, eventually: Any) -> None:
    """The database is, the web on three hosts is not; the same host's row in Hosts counts the same."""
    fleet.run("h1", "pay", "db", SLEEP)
    for number, host in enumerate(HOSTS, 1):
        fleet.run(host, "pay", "web", SLEEP, number)
    async with watching([fleet.address(host) for host in HOSTS]) as session:
        await eventually(lambda: len(session.fleet.containers) == 4)
        found = await looked(session)
    losses = [(f.engine, f.object) for f in found.findings if f.check == "C23"]
    assert losses == [("h1", "pay/db")]
    assert found.passed["C23"] == 2


# -- engines


@contextmanager
def daemon(fleet: Fleet, *options: str, bridge: bool = False) -> Iterator[Path]:
    """One more Docker engine, on the jump host, which has none, with these options. Yields its socket."""
    socket = fleet.site.home("jump") / "checks.sock"
    if bridge:
        fleet.on("jump", "ip", "link", "add", "br9", "type", "bridge")
        fleet.on("jump", "ip", "addr", "add", "172.29.0.1/24", "dev", "br9")
    where = ("--bridge", "br9") if bridge else ("--bridge", "none", "--iptables=false")
    fleet.hosts.spawn("jump", "checks", "dockerd", "-H", f"unix://{socket}", *where, *options)

    def answers() -> bool:
        try:
            return ask(socket, "GET", "/_ping", timeout=2)[0] == 200
        except OSError:
            return False

    try:
        wait_for(f"an engine with {shlex.join(options)}", answers, 30)
        yield socket
    finally:
        fleet.hosts.signal("jump", "dockerd", signal.SIGTERM)
        wait_for("it ends", lambda: not fleet.hosts.processes("jump", "dockerd"), 30)
        socket.unlink(missing_ok=True)
        if bridge:
            fleet.on("jump", "ip", "link", "del", "br9")


async def look_at_daemon(socket: Path) -> Report:
    """One look at an engine by its socket."""
    async with watching([EngineAddress(name="extra", scheme="unix", socket=str(socket))]) as session:
        return await looked(session)


async def test_a_careless_engine_is_found(fleet: Fleet) -> None:
    """Open on TCP, in debug mode, with an insecure registry and yesterday's storage driver; stopped containers."""
    options = ("-H", "tcp://127.0.0.1:2399", "--tls=false", "--debug", "--experimental")
    more = ("--insecure-registry", "reg.example.org:5000", "--storage-driver", "vfs")
    with daemon(fleet, *options, *more) as socket:
        found = at(await look_at_daemon(socket), "extra")
    assert {"E01", "E02", "E04", "E05", "E06", "E07", "E11", "E12"} <= set(found)
    assert found["E01"].severity is Severity.CRITICAL
    assert "127.0.0.1:2399" in found["E01"].sentence
    assert "reg.example.org:5000" in found["E06"].evidence
    assert "past its life" in found["E02"].sentence


async def test_a_careful_engine_passes(fleet: Fleet) -> None:
    """What daemon.json can set right is set right; what is built into the machine stays."""
    options = ("--live-restore", "--icc=false", "--no-new-privileges", "--log-driver", "local")
    with daemon(fleet, *options, bridge=True) as socket:
        found = await look_at_daemon(socket)
    bad = at(found, "extra")
    assert not {"E01", "E03", "E04", "E05", "E06", "E10", "E12", "E14", "E15", "E16", "E17"} & set(bad), bad
    assert {one.check for one in found.unchecked} == {"E09", "E18", "E19"}


class Permitting(BaseHTTPRequestHandler):
    """An authorization plugin that allows everything."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = b'{"Implements": ["authz"]}' if self.path == "/Plugin.Activate" else b'{"Allow": true}'
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.docker.plugins.v1.1+json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class PluginServer(socketserver.ThreadingUnixStreamServer):
    """Its connections stay open: the engine's end with the engine."""

    daemon_threads = True
    block_on_close = False


@contextmanager
def permitting(fleet: Fleet) -> Iterator[str]:
    """That plugin, where the jump host's engine finds it. Yields its name."""
    socket = fleet.site.home("jump") / "permitting.sock"
    told = fleet.site.home("jump") / "disk/etc/docker/plugins/permitting.spec"
    told.parent.mkdir(parents=True, exist_ok=True)
    told.write_text(f"unix://{socket}")
    with PluginServer(str(socket), Permitting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield "permitting"
        finally:
            server.shutdown()
            thread.join()
            told.unlink()
            socket.unlink()


async def test_an_engine_with_an_authorization_plugin_and_users_of_its_own_passes(fleet: Fleet) -> None:
    """E07 and E11 pass there, E10 and the seccomp of E08 are found; on the fleet's own it is the other way round."""
    numbers = fleet.site.home("jump") / "subids"
    numbers.write_text("ops:100000:65536\n")
    profile = fleet.site.home("jump") / "seccomp.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    for file in ("/etc/subuid", "/etc/subgid"):
        fleet.on("jump", "mount", "--bind", numbers, file)
    try:
        with permitting(fleet) as plugin:
            options = ("--authorization-plugin", plugin, "--userns-remap", "ops", "--seccomp-profile", str(profile))
            with daemon(fleet, *options, bridge=True) as socket:
                there = await look_at_daemon(socket)
    finally:
        for file in ("/etc/subuid", "/etc/subgid"):
            fleet.on("jump", "umount", file)
    async with watching([fleet.address("h1")]) as session:
        here = await looked(session)
    assert not {"E07", "E11"} & set(at(there, "extra"))
    assert {"E07", "E10", "E11"} <= set(at(here, "h1"))
    seccomp = {report: [f for f in found.findings if f.check == "E08" and "seccomp" in f.sentence]
               for report, found in (("there", there), ("here", here))}  # fmt: skip
    assert [finding.severity for finding in seccomp["there"]] == [Severity.LOW]
    assert seccomp["here"] == []


async def test_clock_and_stopped_containers_of_an_engine_are_found(fleet: Fleet, eventually: Any) -> None:
    """A clock that is a minute off, and more stopped containers than anybody needs; another host passes both."""
    for number in range(26):
        fleet.api("h1", "POST", f"/containers/create?name=left-{number}", {"Image": "bb:1", "Cmd": ["true"]})
    await off_loop(fleet.fault, "h1", "clock", 90)
    async with watching([fleet.address("h1"), fleet.address("h2")]) as session:
        await eventually(lambda: session.fleet.containers_on("h1"))
        found = await looked(session)
    bad, good = at(found, "h1"), at(found, "h2")
    assert {"E14", "E16"} <= set(bad)
    assert "90 s ahead of" in bad["E14"].sentence or "89 s ahead of" in bad["E14"].sentence
    assert not {"E14", "E16"} & set(good)


async def test_the_certificates_of_a_link_are_looked_at(fleet: Fleet) -> None:
    """Over TLS both are good for a year, and are found where there are a few days left; a socket shows none."""
    async with watching([fleet.address("h1", "tls"), fleet.address("h2")]) as session:
        facts = await gather(sources(session), lambda _read, _of: None)
    by_name = {engine.name: engine for engine in facts.engines}
    ends = by_name["h1"].certificate_ends
    assert ends is not None
    assert ends - datetime.now(UTC) > timedelta(days=300)
    assert by_name["h1"].own_certificate_ends is not None
    found = report([CHECKS["E18"]], facts)
    assert (found.passed, [one.engine for one in found.unchecked]) == ({"E18": 1}, ["h2"])


async def test_bounds_are_held_against_what_real_engines_tell(
    fleet: Fleet, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Space, certificates and kernels here are well; with narrower bounds each of them is found."""
    fleet.run_plain("h2", "user", SLEEP)
    async with watching([fleet.address("h1", "tls"), fleet.address("h2", "tls")]) as session:
        await eventually(lambda: session.fleet.containers)
        facts = await gather(sources(session), lambda _read, _of: None)
    checks = [CHECKS[check] for check in ("E02", "E15", "E17", "E18")]
    assert report(checks, facts).passed == {"E15": 2, "E17": 2, "E18": 2}
    version = fleet.get("h1", "/version")["Version"].partition("+")[0]
    monkeypatch.setattr(releases, "RELEASES", (releases.Release(version.rpartition(".")[0], version, None),))
    assert report(checks, facts).passed == {"E02": 2, "E15": 2, "E17": 2, "E18": 2}
    monkeypatch.setattr(upkeep, "MUCH_SPACE", 1 << 20)
    monkeypatch.setattr(upkeep, "SOON", timedelta(days=400))
    monkeypatch.setattr(upkeep, "OLDEST_KERNEL", (99, 0))
    found = report(checks, facts)
    assert found.passed == {"E02": 2, "E15": 1}
    assert {(one.check, one.engine) for one in found.findings} == {
        *(("E15", "h1"), ("E17", "h1"), ("E17", "h2"), ("E18", "h1"), ("E18", "h2"))
    }


async def test_what_an_engine_does_not_allow_is_not_checkable(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request refused: what rests on it cannot be told, and all else is."""
    from fleettop.collectors.errors import Permission

    real = EngineClient.read

    async def refusing(self: EngineClient, path: str, *arguments: Any) -> Any:
        if path in ("/networks", "/system/df"):
            raise Permission(f"{self.engine} does not allow that.")
        return await real(self, path, *arguments)

    monkeypatch.setattr(EngineClient, "read", refusing)
    async with watching([fleet.address("h1")]) as session:
        found = await looked(session)
    untold = {one.check: one.why for one in found.unchecked}
    assert "no permission" in untold["E10"]
    assert "no permission" in untold["E15"]
    assert "no permission" in untold["S04"]
    assert found.engines == ("h1",)


async def test_podman_is_checked_as_far_as_it_tells(fleet: Fleet, eventually: Any) -> None:
    """Its containers as any other; of what a daemon is set to it says that there is none."""
    fleet.run_plain("pod1", "bad", SLEEP, HostConfig={"PidMode": "host"})
    async with watching([fleet.address("pod1")]) as session:
        await eventually(lambda: session.fleet.containers)
        found = await looked(session)
    assert {"C04", "C09"} <= set(at(found, "bad"))
    assert {"E02", "E09", "E11"} <= {one.check for one in found.unchecked}
    assert not {"E02", "E04", "E05", "E09", "E12"} & {finding.check for finding in found.findings}


# -- swarms


async def test_a_swarm_is_looked_at_from_its_manager(swarm_fleet: Fleet, eventually: Any) -> None:
    """One manager that works too, unlocked; then locked, its certificates long, drained: what changes is seen."""
    fleet = swarm_fleet
    node = fleet.get("h1", "/info")["Swarm"]["NodeID"]
    fleet.docker("h1", "network", "create", "-d", "overlay", "--opt", "encrypted", "sealed")
    fleet.docker("h1", "network", "create", "-d", "overlay", "open")
    async with watching([fleet.address("h1"), fleet.address("h2")]) as session:
        before = await looked(session)
        try:
            fleet.docker("h1", "swarm", "update", "--autolock=true", "--cert-expiry", "8760h")
            fleet.docker("h1", "node", "update", "--availability", "drain", node)
            after = await looked(session)
        finally:
            fleet.docker("h1", "swarm", "update", "--autolock=false", "--cert-expiry", "2160h")
            fleet.docker("h1", "node", "update", "--availability", "active", node)
    checks = {f.check for f in before.findings}
    assert {"S01", "S02", "S04", "S05"} <= checks
    assert "S03" not in checks
    assert {f.object for f in before.findings if f.check == "S04"} == {"ingress", "open"}
    checks = {f.check for f in after.findings}
    assert "S03" in checks
    assert not {"S02", "S05"} & checks


async def test_a_swarm_of_three_managers_passes_what_a_swarm_of_one_does_not(
    swarm_fleet: Fleet, eventually: Any
) -> None:
    """S01: one more than half of them has to be there, which two of three are."""
    fleet = swarm_fleet
    others = ("h2", "h3")
    try:
        fleet.docker("h1", "node", "promote", *others)

        async def passes() -> Report | None:
            async with watching([fleet.address("h1")]) as session:
                found = await looked(session)
            return found if found.passed.get("S01") else None

        found = await eventually(passes, timeout=60)
        assert "S01" not in {finding.check for finding in found.findings}
    finally:
        await off_loop(wait_for, "the managers step back", lambda: stepped_back(fleet, others), 60)


def stepped_back(fleet: Fleet, nodes: Sequence[str]) -> bool:
    """Whether they are workers again; a swarm refuses that while it has no leader."""
    fleet.docker("h1", "node", "demote", *nodes, check=False)
    return [node["Spec"]["Role"] for node in fleet.get("h1", "/nodes")].count("manager") == 1


async def test_services_of_a_swarm_are_found_by_how_they_bear_failure(swarm_fleet: Fleet, eventually: Any) -> None:
    """One replica without limits or rollback is found; two with all of it pass."""
    fleet = swarm_fleet
    fleet.run_service("careless", SLEEP, 1, EndpointSpec={"Ports": [{"TargetPort": 80, "PublishedPort": 8090}]})
    spec = {"Image": "bb:1", "Command": shlex.split(SLEEP)}
    amounts = {"MemoryBytes": 32 << 20, "NanoCPUs": 100_000_000}
    fleet.run_service(
        "careful",
        SLEEP,
        2,
        UpdateConfig={"FailureAction": "rollback", "Parallelism": 1},
        TaskTemplate={
            "ContainerSpec": spec,
            "Resources": {"Limits": amounts, "Reservations": amounts},
            "Placement": {"MaxReplicas": 1},
        },
    )
    async with watching([fleet.address(host) for host in HOSTS]) as session:

        async def settled() -> Report | None:
            found = await looked(session)
            return None if "fewer" in " ".join(f.sentence for f in found.findings) else found

        found = await eventually(settled, timeout=60)
    careless, careful = at(found, "careless"), at(found, "careful")
    assert {"S06", "S07", "C13"} <= set(careless)
    assert careless["S06"].severity is Severity.HIGH
    assert not {"S06", "S07"} & set(careful), careful


# -- all of it


async def test_an_inspection_judges_what_it_finds(fleet: Fleet, eventually: Any) -> None:
    """A waiver takes a finding out of the count; a host that is off is said to be lost, and is looked at when back."""
    fleet.run_plain("h1", "helper", SLEEP, HostConfig={"PidMode": "host"})
    await off_loop(fleet.fault, "h3", "off")
    waiver = Waiver(check="C04", object="helper", reason="reads processes", until=date(2999, 1, 1))
    heard: list[tuple[int, int] | None] = []
    async with watching([fleet.address("h1"), fleet.address("h3")]) as session:
        await eventually(lambda: session.fleet.containers)
        inspection = Inspection(sources(session), clock=session.clock, waivers=[waiver])
        inspection.on_change = lambda: heard.append(inspection.looking)
        verdict = await inspection.look()
        waived = [one.finding for group in verdict.groups for one in group.findings if not one.counts]
        assert [(finding.check, finding.object) for finding in waived] == [("C04", "helper")]
        assert list(verdict.report.lost) == ["h3"]
        assert not inspection.stale
        assert heard[-2:] == [(2, 2), None]
        await off_loop(fleet.heal, "h3")
        session.retry()
        await eventually(lambda: inspection.stale, timeout=60)
        assert (await inspection.look()).report.lost == {}


async def test_a_look_costs_an_engine_a_request_for_each_container(fleet: Fleet, eventually: Any) -> None:
    """A handful of the engine itself, one a container, none that changes anything: nothing is asked twice."""
    for number in range(5):
        fleet.run_plain("h1", f"c{number}", SLEEP)
    async with watching([fleet.address("h1")]) as session:
        await eventually(lambda: len(session.fleet.containers) == 5)
        client = EngineClient(UnixEndpoint(str(fleet.site.socket("h1"))), engine="h1", read_only=True)
        asked: list[str] = []
        real = client._requests.body

        async def counting(path: str, *arguments: Any, **more: Any) -> bytes | None:
            asked.append(path)
            return await real(path, *arguments, **more)

        client._requests.body = counting  # type: ignore[method-assign]
        try:
            await client.negotiate()
            asked.clear()
            await gather(Sources(session.fleet, lambda _: client, session.certificates), lambda _read, _of: None)
        finally:
            await client.close()
    inspects = [path for path in asked if path.endswith("/json") and path.startswith("/containers/")]
    assert len(inspects) == len(set(inspects)) == 5
    assert sorted(set(asked) - set(inspects)) == [
        "/images/json",
        "/info",
        "/networks",
        "/nodes",
        "/services",
        "/system/df",
        "/version",
    ]
