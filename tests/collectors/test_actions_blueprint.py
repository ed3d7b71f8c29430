"""How a clone is made from an inspected container: what is kept, dropped, made new, and what is in the way."""

from __future__ import annotations

import copy
import datetime
import string
from typing import Any

import pytest
from fleettop.collectors.actions.aftermath import judge
from fleettop.collectors.actions.blueprint import Blueprint, FixedPort, blueprint
from fleettop.collectors.actions.phrases import about, names
from fleettop.collectors.actions.steps import Deed, Mark, Outcome, Step
from fleettop.collectors.model import Container, ContainerDetail, ContainerState, Health
from hypothesis import given
from hypothesis import strategies as st

ID = "0123456789ab" + "c" * 52
NUMBER = "com.docker.compose.container-number"
ANONYMOUS = "d" * 64

RAW: dict[str, Any] = {
    "Id": ID,
    "Name": "/pay-api-1",
    "Image": "sha256:77ab",
    "Config": {
        "Hostname": ID[:12],
        "Image": "pay-api:2",
        "Env": ["SECRET=s3cret"],
        "Cmd": ["serve"],
        "Labels": {NUMBER: "1", "com.docker.compose.replace": "x", "com.docker.compose.project": "pay", "a": "b"},
        "Healthcheck": {"Test": ["CMD", "true"]},
    },
    "HostConfig": {
        "NetworkMode": "pay_default",
        "Memory": 5,
        "Binds": ["/srv/conf:/conf:ro", "pay_data:/data", f"{ANONYMOUS}:/cache:rw"],
        "Mounts": [{"Type": "volume", "Source": ANONYMOUS, "Target": "/tmp2"}],
        "PortBindings": {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
            "81/udp": [{"HostIp": "", "HostPort": "0"}],
            "82/tcp": [{"HostPort": "8000-8010"}],
            "83/tcp": None,
        },
    },
    "NetworkSettings": {
        "Networks": {
            "pay_default": {
                "Aliases": ["pay-api-1", "api", ID[:12]],
                "IPAMConfig": {"IPv4Address": "10.0.0.5"},
                "IPAddress": "10.0.0.5",
                "MacAddress": "02:42:ac:11:00:02",
                "EndpointID": "e",
                "NetworkID": "n",
            },
            "pay_back": {"Aliases": None, "IPAMConfig": None, "DriverOpts": {"x": "y"}},
        }
    },
}


def changed(**parts: dict[str, Any]) -> dict[str, Any]:
    """RAW with parts of its tables replaced."""
    raw = copy.deepcopy(RAW)
    for table, values in parts.items():
        raw[table] |= values
    return raw


def made(raw: object = RAW) -> Blueprint:
    return blueprint(raw, name="pay-api-2", number=2)


def host_of(found: Blueprint) -> Any:
    return found.config["HostConfig"]


def test_what_makes_it_the_same_program_is_kept() -> None:
    """Image, command, environment, health check, limits."""
    config = made().config
    for key in ("Image", "Env", "Cmd", "Healthcheck"):
        assert config[key] == RAW["Config"][key]
    assert host_of(made())["Memory"] == 5
    assert made().image_id == "sha256:77ab"


def test_labels_are_kept_but_for_the_number_and_what_speaks_of_that_one_container() -> None:
    """Compose adopts it as the second of its service."""
    assert made().config["Labels"] == {NUMBER: "2", "com.docker.compose.project": "pay", "a": "b"}


def test_a_host_name_that_is_the_short_id_is_left_to_the_engine_and_a_fixed_one_is_said() -> None:
    """Two with one name are worth a word."""
    assert "Hostname" not in made().config
    fixed = made(changed(Config={"Hostname": "ledger"}))
    assert fixed.config["Hostname"] == "ledger"
    assert "the fixed host name ledger is kept, so two have it" in fixed.dropped


def test_anonymous_volumes_become_new_ones() -> None:
    """Compose hands old ones on by their id: a clone must not take them."""
    found = made()
    assert found.config["Volumes"] == {"/cache": {}}
    assert host_of(found)["Binds"] == ["/srv/conf:/conf:ro", "pay_data:/data"]
    assert host_of(found)["Mounts"] == [{"Type": "volume", "Target": "/tmp2"}]
    assert ANONYMOUS not in str(found.config)


def test_named_volumes_and_folders_are_told() -> None:
    """For a person to decide on."""
    assert (made().volumes, made().binds) == (("pay_data",), ("/srv/conf",))


def test_networks_are_joined_by_alias_without_addresses() -> None:
    """The old container's id, name, addresses and MAC are its own."""
    found = made()
    assert found.config["NetworkingConfig"] == {"EndpointsConfig": {"pay_default": {"Aliases": ["pay-api-2", "api"]}}}
    assert found.networks == {"pay_back": {"DriverOpts": {"x": "y"}}}
    assert found.needs == ("pay_default", "pay_back")
    assert found.dropped == ("its fixed address 10.0.0.5 in pay_default is left out: it gets another",)


def test_a_fixed_mac_address_is_dropped_and_said() -> None:
    """Two on one network would not work."""
    found = made(changed(Config={"MacAddress": "02:42:ac:11:00:09"}))
    assert "MacAddress" not in found.config
    assert "the fixed MAC address is left out" in found.dropped


def test_only_ports_fixed_by_number_are_in_the_way() -> None:
    """0, nothing and a range leave the engine a choice."""
    assert made().ports == (FixedPort("127.0.0.1", 8080, "tcp"),)


@pytest.mark.parametrize(
    ("other", "collides"),
    [
        (FixedPort("127.0.0.1", 8080, "tcp"), True),
        (FixedPort("0.0.0.0", 8080, "tcp"), True),
        (FixedPort("", 8080, "tcp"), True),
        (FixedPort("::", 8080, "tcp"), True),
        (FixedPort("10.0.0.1", 8080, "tcp"), False),
        (FixedPort("127.0.0.1", 8080, "udp"), False),
        (FixedPort("127.0.0.1", 8081, "tcp"), False),
    ],
)
def test_ports_collide_by_address_number_and_protocol(other: FixedPort, collides: bool) -> None:
    """All addresses collide with each."""
    port = FixedPort("127.0.0.1", 8080, "tcp")
    assert port.collides(other) is other.collides(port) is collides


def test_living_in_another_containers_network_is_an_obstacle() -> None:
    """Two cannot have one port there."""
    assert made(changed(HostConfig={"NetworkMode": "container:abc"})).obstacles
    assert not made().obstacles


def test_the_source_is_not_changed() -> None:
    """A blueprint is a copy."""
    before = copy.deepcopy(RAW)
    made()
    assert before == RAW


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(string.printable, max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries(dict.fromkeys(RAW, _json)) | _json)
def test_any_answer_makes_some_blueprint(raw: object) -> None:
    """What an engine left out or wrote oddly raises nothing here: the engine refuses the clone, if anybody."""
    made(raw)


_tables = st.sampled_from(["Config", "HostConfig", "NetworkSettings"])
_fields = st.sampled_from(["Binds", "Mounts", "PortBindings", "Networks", "Labels", "Volumes", "Hostname"])


@given(st.dictionaries(_tables, st.dictionaries(_fields, _json)))
def test_odd_parts_make_some_blueprint_too(parts: dict[str, dict[str, Any]]) -> None:
    """Each known part, of any shape."""
    made(changed(**parts))


# -- what became of it -------------------------------------------------------------------------------------------------

NOW = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
EARLIER = NOW - datetime.timedelta(hours=3)
JUST = NOW - datetime.timedelta(seconds=3)


def seen(state: str, started: datetime.datetime = EARLIER) -> Container:
    return Container(
        engine="e", id=ID, name="c", image="a", image_id="b", state=ContainerState(state), health=Health.NONE,
        detail=ContainerDetail(started_at=started, finished_at=JUST),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("deed", "before", "found", "outcome"),
    [
        (Deed.RESTART, "running", seen("running", JUST), Outcome.SUCCESS),
        (Deed.RESTART, "running", seen("running"), Outcome.UNKNOWN),
        (Deed.RESTART, "running", seen("exited"), Outcome.UNKNOWN),
        (Deed.STOP, "running", seen("exited"), Outcome.SUCCESS),
        (Deed.STOP, "running", seen("running"), Outcome.UNKNOWN),
        (Deed.START, "exited", seen("running", JUST), Outcome.SUCCESS),
        (Deed.START, "exited", seen("exited"), Outcome.UNKNOWN),
        (Deed.PAUSE, "running", seen("paused"), Outcome.SUCCESS),
        (Deed.UNPAUSE, "paused", seen("running"), Outcome.SUCCESS),
        (Deed.UNPAUSE, "paused", seen("paused"), Outcome.UNKNOWN),
        (Deed.KILL, "running", seen("exited"), Outcome.SUCCESS),
        (Deed.KILL, "running", seen("running"), Outcome.UNKNOWN),
        (Deed.REMOVE, "running", None, Outcome.SUCCESS),
        (Deed.REMOVE, "running", seen("exited"), Outcome.UNKNOWN),
        (Deed.RESTART, "running", None, Outcome.UNKNOWN),
    ],
)
def test_an_outcome_is_known_only_where_what_is_found_proves_it(
    deed: Deed, before: str, found: Container | None, outcome: Outcome
) -> None:
    """A restart shows in another start; that it did not happen yet proves nothing."""
    step = Step(engine="e", deed=deed, object_id=ID, object_name="c", signal="SIGKILL")
    mark = Mark(state=ContainerState(before), started_at=EARLIER)
    got, words = judge(step, mark, found, NOW)
    assert got is outcome
    assert words.endswith(": done") is (outcome is Outcome.SUCCESS)


# -- words -------------------------------------------------------------------------------------------------------------


def test_lists_of_names_are_short_and_each_name_once() -> None:
    """Four at most, then how many more."""
    assert names(["a", "b", "a"]) == "a, b"
    assert names("abcd") == "a, b, c, d"
    assert names("abcdefg") == "a, b, c and 4 more"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "about 1 s"), (7.6, "about 8 s"), (39, "about 40 s"), (200, "about 3 min")]
)
def test_estimates_do_not_pretend(seconds: float, words: str) -> None:
    """Round numbers for guesses."""
    assert about(seconds) == words
