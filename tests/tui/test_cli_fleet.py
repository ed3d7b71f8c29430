"""The command line against real engines, reached in the three ways there are."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.fleet import Fleet

HEALTHY = {"Test": ["CMD-SHELL", "true"], "Interval": 1_000_000_000}


class Program:
    """fleettop with a config of the fleet, as a process."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet = fleet
        self.config = folder / "fleettop.toml"
        tls = fleet.tls_files()
        h2 = fleet.address("h2", "tls")
        self.config.write_text(
            f"""
            ssh_config = "{fleet.address("h3", "ssh").ssh_config}"
            [[engines]]
            name = "h1"
            address = "{fleet.address("h1").text}"
            [[engines]]
            name = "h2"
            address = "tcp://{h2.host}:2376"
            tls = {{ ca = "{tls.ca}", cert = "{tls.cert}", key = "{tls.key}" }}
            [[engines]]
            name = "h3"
            address = "ssh://h3"
            """
        )
        kept = {name: os.environ[name] for name in ("PATH", "HOME")}
        self.environ = {**kept, "TERM": "dumb", "PYTHONWARNINGS": "error"}
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin it."""
        process = subprocess.Popen(
            [sys.executable, "-m", "fleettop.tui", "--config", str(self.config), *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Run it to its end: exit code, standard output, standard error."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def records(self, *arguments: str) -> list[dict[str, object]]:
        """What it prints as JSON, when all goes well."""
        code, out, err = self(*arguments, "--json")
        assert (code, err) == (0, "")
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def fleettop(fleet: Fleet, tmp_path: Path) -> Iterator[Program]:
    program = Program(fleet, tmp_path)
    yield program
    for process in program.started:
        process.kill()
        process.communicate()


def test_a_service_on_three_hosts_is_one_line(fleet: Fleet, fleettop: Program):
    """One compose project over a local socket, TLS and SSH through a jump host; each container has its details."""
    for number, host in enumerate(("h1", "h2", "h3"), 1):
        fleet.run(host, "pay", "api", "web", number=number, Healthcheck=HEALTHY)
    fleet.run_plain("h1", "odd", "sh -c 'exit 3'")
    services = {str(record["service"]): record for record in fleettop.records("ls", "services")}
    assert services["pay/api"]["hosts"] == ["h1", "h2", "h3"]
    assert services["pay/api"]["wanted"] == 3
    containers = {str(record["name"]): record for record in fleettop.records("ls", "containers")}
    assert {name: record["engine"] for name, record in containers.items()} == {
        "pay-api-1": "h1",
        "pay-api-2": "h2",
        "pay-api-3": "h3",
        "odd": "h1",
    }
    assert containers["odd"]["exit_code"] == 3
    assert all(record["started_at"] for record in containers.values())
    _, out, _ = fleettop("ls", "containers", "--filter", "host:h3")
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["pay-api-3"]


def test_what_works_hard_is_found_by_its_cpu(fleet: Fleet, fleettop: Program):
    """Two samples of each container, over a local socket, TLS and SSH alike."""
    for host in ("h1", "h2", "h3"):
        fleet.run(host, "pay", "api", "web")
        fleet.run(host, "pay", "busy", "sh -c 'while :; do :; done'")
    found = fleettop.records("ls", "containers", "--filter", "cpu>5")
    assert sorted((str(record["engine"]), str(record["name"])) for record in found) == [
        (host, "pay-busy-1") for host in ("h1", "h2", "h3")
    ]
    services = {str(record["service"]): record for record in fleettop.records("ls", "services", "--usage")}
    assert services["pay/busy"]["cpu"] > services["pay/api"]["cpu"]
    assert services["pay/api"]["memory"] > 0


def test_images_are_listed_with_their_users(fleet: Fleet, fleettop: Program):
    """Those that no container is made from, too, by name and with the engines they lie on."""
    fleet.run("h1", "pay", "api", "web")
    fleet.docker("h3", "tag", "bb:1", "unused:7")
    images = {str(record["image"]): record for record in fleettop.records("ls", "images")}
    fleet.docker("h3", "rmi", "unused:7")
    assert (images["bb:1"]["containers"], images["bb:1"]["services"]) == (1, ["pay/api"])
    assert images["bb:1"]["engines"] == ["h1", "h2", "h3"]
    assert (images["unused:7"]["containers"], images["unused:7"]["engines"]) == (0, ["h3"])
    assert images["bb:1"]["size"] > 0


def test_the_nodes_of_a_swarm_and_the_routes_are_listed(fleettop: Program):
    """A swarm is read from its manager; each engine tells how it is reached."""
    nodes = fleettop.records("ls", "nodes")
    assert sorted((str(node["node"]), node["role"]) for node in nodes) == [
        ("h1", "manager"),
        ("h2", "worker"),
        ("h3", "worker"),
    ]
    engines = {str(record["engine"]): record for record in fleettop.records("ls", "engines")}
    assert {name: record["route"] for name, record in engines.items()} == {
        "h1": "local socket",
        "h2": "TLS",
        "h3": "ssh",
    }


def test_a_dead_host_is_exit_3_and_hides_none_of_the_others(fleet: Fleet, fleettop: Program):
    """What answers is printed; why the other does not, and what to do, is on standard error."""
    fleet.run("h1", "pay", "api", "web")
    fleet.fault("h2", "off")
    code, out, err = fleettop("ls", "--json")
    assert code == 3
    assert [json.loads(line)["service"] for line in out.splitlines()] == ["pay/api"]
    assert err.startswith("fleettop: h2 ")
    assert len(err.splitlines()) == 2
    code, out, _ = fleettop("engines", "test", "--json")
    assert code == 3
    assert {r["engine"]: r["ok"] for r in map(json.loads, out.splitlines())} == {"h1": True, "h2": False, "h3": True}


def test_a_restart_is_done_on_every_host_and_told(fleet: Fleet, fleettop: Program):
    """Each replica was started again, and the exit code is 0."""
    ids = {host: fleet.run(host, "pay", "api", "web", number=n) for n, host in enumerate(("h1", "h2"), 1)}
    before = {host: started(fleet, host, container) for host, container in ids.items()}
    code, out, err = fleettop("restart", "pay/api", "--yes", "--reason", "a test")
    assert (code, err) == (0, "")
    assert out.count("success") == 2
    assert all(started(fleet, host, container) > before[host] for host, container in ids.items())


def test_read_only_and_dry_run_send_no_change(fleet: Fleet, fleettop: Program):
    """The container was not started again, and the engine tells of no kill."""
    container = fleet.run("h1", "pay", "api", "web")
    before = started(fleet, "h1", container)
    assert fleettop("--read-only", "restart", "pay/api", "--yes")[0] == 5
    assert fleettop("restart", "pay/api", "--dry-run")[0] == 0
    assert started(fleet, "h1", container) == before
    events = fleettop.records("events", "h1", "--since", "1m")
    assert "kill" not in {event["action"] for event in events if event["id"] == container}


def test_an_action_that_fails_is_exit_4(fleet: Fleet, fleettop: Program):
    """A container whose program is gone at once does not come up again."""
    fleet.run("h1", "pay", "odd", "sh -c 'exit 3'")
    code, out, _ = fleettop("start", "pay/odd", "--yes")
    assert code == 4
    assert out.splitlines()[-1].startswith("failure ")


def test_a_log_that_cannot_be_read_is_one_sentence_and_exit_4(fleet: Fleet, fleettop: Program):
    """With the driver's name, and what to do; the logs beside it are printed."""
    fleet.run_plain("h1", "silent", "sh -c 'echo lost; sleep 1000'", HostConfig={"LogConfig": {"Type": "none"}})
    fleet.run_plain("h1", "loud", "sh -c 'echo kept; sleep 1000'")
    code, out, err = fleettop("logs", "--container", "silent", "--container", "loud", "--no-names")
    assert (code, out) == (4, "kept\n")
    assert err.splitlines() == [
        "fleettop: silent on h1: its log driver is none: nothing of what it writes is kept.",
        "  Its log can be read once it is made with json-file, local or journald.",
    ]


# -- what only a swarm does


SECOND = 1_000_000_000
QUICKLY = {"UpdateConfig": {"Parallelism": 1, "Monitor": SECOND // 10}, "RollbackConfig": {"Parallelism": 0}}
SLEEP = "sleep 1000"


def images(fleet: Fleet) -> list[str]:
    """What the tasks that run and are wanted are made from."""
    tasks = [t for t in fleet.get("h1", "/tasks") if (t["Status"]["State"], t["DesiredState"]) == ("running",) * 2]
    return [task["Spec"]["ContainerSpec"]["Image"] for task in tasks]


def test_an_image_is_set_with_its_difference_said_and_rolled_back(
    swarm_fleet: Fleet, fleettop: Program, eventually_sync: Callable[..., object]
):
    """A dry run says the same and sends nothing; both commands end when the swarm has done it."""
    for host in ("h1", "h2", "h3"):
        swarm_fleet.docker(host, "tag", "bb:1", "bb:2")
    swarm_fleet.run_service("web", SLEEP, 2, **QUICKLY)
    eventually_sync(lambda: images(swarm_fleet) == ["bb:1"] * 2, timeout=60)
    change = "  Image: bb:1 → bb:2; nothing else of it changes."
    code, out, _ = fleettop("set-image", "web", "--to", "bb:2", "--dry-run")
    assert code == 0
    assert change in out.splitlines()
    assert images(swarm_fleet) == ["bb:1"] * 2
    code, out, err = fleettop("set-image", "web", "--to", "bb:2", "--yes", "--json")
    assert (code, change.strip() in err) == (0, True)
    assert json.loads(out)["words"] == "the swarm replaced 2 tasks"
    assert images(swarm_fleet) == ["bb:2"] * 2
    code, out, _ = fleettop("rollback", "web", "--yes")
    assert code == 0
    assert "the swarm rolled it back" in out
    assert images(swarm_fleet) == ["bb:1"] * 2
    assert fleettop("--read-only", "set-image", "web", "--to", "bb:2", "--yes")[0] == 5


def test_an_update_waits_and_goes_on_by_command(
    swarm_fleet: Fleet, fleettop: Program, eventually_sync: Callable[..., object]
):
    """Where none is under way there is nothing to pause: exit 4, in one sentence."""
    for host in ("h1", "h2", "h3"):
        swarm_fleet.docker(host, "tag", "bb:1", "bb:2")
    slowly = {"UpdateConfig": {"Parallelism": 1, "Monitor": SECOND // 10, "Delay": 10 * SECOND}}
    swarm_fleet.run_service("web", SLEEP, 4, **slowly)
    eventually_sync(lambda: images(swarm_fleet) == ["bb:1"] * 4, timeout=60)
    code, _, err = fleettop("pause-update", "web", "--yes")
    assert code == 4
    assert "No update of web is under way." in err
    swarm_fleet.docker("h1", "service", "update", "-d", "--no-resolve-image", "--image", "bb:2", "web")
    eventually_sync(lambda: "bb:2" in images(swarm_fleet), timeout=30)
    code, out, err = fleettop("pause-update", "web", "--yes")
    assert (code, err) == (0, "")
    assert "the API cannot pause an update" in out.replace("The", "the")
    held = swarm_fleet.get("h1", "/services/web")["Spec"]["UpdateConfig"]["Delay"]
    assert held == (365 * 86_400 + 10) * SECOND
    process = fleettop.start("resume-update", "web", "--yes")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "the swarm completed the update" in out
    assert images(swarm_fleet) == ["bb:2"] * 4
    assert swarm_fleet.get("h1", "/services/web")["Spec"]["UpdateConfig"]["Delay"] == 10 * SECOND


def test_a_node_is_drained_and_activated_by_command(
    swarm_fleet: Fleet, fleettop: Program, eventually_sync: Callable[..., object]
):
    """By its name; what moves is said before, and it ends when nothing of the swarm's runs there any more."""
    swarm_fleet.run_service("web", SLEEP, 3)
    eventually_sync(lambda: len(images(swarm_fleet)) == 3, timeout=60)
    try:
        code, out, _ = fleettop("node", "h2", "--to", "drain", "--dry-run")
        assert (code, out.splitlines()[0]) == (0, "Drain the node h2")
        assert "  It starts them on other nodes: 1 of web." in out.splitlines()
        code, out, err = fleettop("node", "h2", "--to", "drain", "--yes", "--reason", "a test")
        assert (code, err) == (0, "")
        assert "drained: none of the swarm's tasks runs there" in out
        code, _, err = fleettop("node", "h2", "--to", "drain", "--yes")
        assert code == 4
        assert "The node h2 is drained already." in err
        assert fleettop("node", "h22", "--to", "active", "--yes")[2].endswith("Did you mean 'h2'?\n")
        assert fleettop("--read-only", "node", "h2", "--to", "active", "--yes")[0] == 5
    finally:
        assert fleettop("node", "h2", "--to", "active", "--yes")[0] == 0
    [kept] = [r for r in fleettop.records("ls", "nodes") if r["node"] == "h2"]
    assert kept["availability"] == "active"


def test_following_goes_on_through_a_daemon_that_dies(
    fleet: Fleet, fleettop: Program, eventually_sync: Callable[..., object]
):
    """Events of before and after come on the same stream; SIGTERM ends it cleanly."""
    process = fleettop.start("events", "--follow", "--json", "h1", "h3")
    numbers = itertools.count()
    out, err = Heard(process.stdout), Heard(process.stderr)

    def one_more(host: str) -> bool:
        """Starting containers on the host, until one is heard of: following begins when it begins."""
        fleet.run_plain(host, f"{host}-{next(numbers)}", "true")
        return f'"name":"{host}-' in out.after_reading()

    eventually_sync(lambda: one_more("h1"), timeout=20, every=0.5)
    fleet.fault("h1", "kill")
    eventually_sync(lambda: "h1 is gone" in err.after_reading(), timeout=20)
    eventually_sync(lambda: one_more("h3"), timeout=20, every=0.5)
    fleet.heal("h1")
    eventually_sync(lambda: "h1 is back" in err.after_reading(), timeout=40)
    out.text = ""
    eventually_sync(lambda: one_more("h1"), timeout=20, every=0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 143
    assert "Traceback" not in err.after_reading()


class Heard:
    """What came out of a process so far."""

    def __init__(self, stream: IO[str] | None) -> None:
        assert stream is not None
        os.set_blocking(stream.fileno(), False)
        self.descriptor = stream.fileno()
        self.text = ""

    def after_reading(self) -> str:
        """Everything so far."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.descriptor, 65536):
                self.text += piece.decode()
        return self.text


def started(fleet: Fleet, host: str, container: str) -> str:
    """When the container was last started, by its engine."""
    return str(fleet.get(host, f"/containers/{container}/json")["State"]["StartedAt"])
