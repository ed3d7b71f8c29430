"""What would happen if a host died: told from the picture of the fleet, trouble first, and no surer than it is."""

from __future__ import annotations

from typing import Any

import pytest
from fleettop.collectors.actions import what_if_host, what_if_node, what_if_service
from fleettop.collectors.actions.placing import fits
from fleettop.collectors.model import (
    ContainerState,
    EngineInfo,
    Health,
    Mount,
    Port,
    Replica,
    ServiceDesign,
    ServiceKey,
    SwarmMembership,
    SwarmNode,
    SwarmPicture,
    SwarmService,
)

from tests.collectors.test_actions_plan import API, FakePicture, pay_api

WEB = ServiceKey("swarm", "c1", "web")


def test_a_service_whose_only_replica_is_there_goes_down_and_the_others_are_degraded() -> None:
    """n of m left; what does not serve anyway is not lost."""
    picture = pay_api("rrx")
    picture.container("web-1", "shop-db-1", ServiceKey("compose", "shop", "db"))
    found = what_if_host(picture, "web-1")
    assert found.short == "1 service down, 1 degraded"
    assert found.sentences[:2] == (
        "Down: shop/db, since its only serving replica is there.",
        "Degraded: pay/api, 1 of 3 left.",
    )
    assert what_if_host(picture, "web-3").short == "nothing would be lost"


def test_replicas_on_hosts_that_do_not_answer_are_no_certain_rest() -> None:
    """They may serve: then it is not known whether the service goes on."""
    picture = pay_api("rr", ("web-1", "web-2"))
    picture.engine("web-2", up=False)
    found = what_if_host(picture, "web-1")
    assert (found.down, [loss.maybe for loss in found.unknown]) == ((), [1])
    assert found.sentences[0] == "Not known: whether pay/api goes on, with 1 replica on hosts that do not answer."
    seen_last = what_if_host(picture, "web-2")
    assert seen_last.sentences[0] == (
        "Web-2 cannot be reached (connection lost): what is said of it here is as it was last seen."
    )


def test_ports_and_data_that_are_the_hosts_own_are_named() -> None:
    """Named volumes and written folders; not the clock's settings, anonymous volumes, or ports of the loopback."""
    picture = FakePicture()
    key = picture.container("web-1", "pay-api-1", API)
    mounts = (
        Mount(type="volume", source="/var/lib/docker/volumes/pay_data/_data", target="/data", name="pay_data"),
        Mount(type="volume", source="x", target="/x", name="a" * 64),
        Mount(type="bind", source="/srv/uploads", target="/up"),
        Mount(type="bind", source="/srv/conf", target="/c", read_write=False),
        Mount(type="bind", source="/etc/localtime", target="/etc/localtime"),
    )
    ports = (Port(private=80, public=8080), Port(private=81, public=81, ip="127.0.0.1"), Port(private=82))
    container = picture.containers[key]
    picture.containers[key] = type(container)(
        **{name: getattr(container, name) for name in container.__struct_fields__ if name not in ("mounts", "ports")},
        mounts=mounts,
        ports=ports,
    )
    found = what_if_host(picture, "web-1")
    assert found.data == ("pay_data (pay/api)", "/srv/uploads (pay/api)")
    assert found.ports == ("8080/tcp (pay/api)",)


def test_each_host_of_a_service_is_told_of_and_who_needs_it() -> None:
    """Trouble first."""
    picture = pay_api("rr", ("web-1", "web-1"))
    picture.container(
        "web-2", "pay-shop-1", ServiceKey("compose", "pay", "shop"), labels={"com.docker.compose.depends_on": "api:x:y"}
    )
    assert what_if_service(picture, API) == (
        "If web-1 dies, pay/api is down.",
        "By their depends_on, pay/shop needs pay/api.",
    )


# -- a swarm -----------------------------------------------------------------------------------------------------------


def swarm(managers: int = 3, *, spread: str = "n1 n2", **design: Any) -> FakePicture:
    """Nodes n1 to n4, the first of them managers; web has a task on each of `spread`."""
    picture = FakePicture()
    nodes = []
    for number in range(1, 5):
        name, manager = f"n{number}", number <= managers
        info = EngineInfo(
            kind="docker",
            version="27",
            api="1.44",
            swarm=SwarmMembership(state="active", node_id=f"id{number}", manager=manager, cluster_id="c1"),
        )
        picture.engine(name, info=info)
        nodes.append(
            SwarmNode(
                id=f"id{number}",
                hostname=name,
                role="manager" if manager else "worker",
                availability="active",
                state="ready",
                reachability="reachable" if manager else "",
            )
        )
    mode = design.pop("mode", "replicated")
    service = SwarmService(
        id="s1", name="web", stack="", mode=mode, wanted=2, running=2, image="a:1", design=ServiceDesign(**design)
    )
    picture.swarms["c1"] = SwarmPicture(cluster_id="c1", manager="n1", nodes=tuple(nodes), services=(service,))
    replicas = tuple(
        Replica(
            container=None, host=host, name="web", state=ContainerState.RUNNING, health=Health.NONE, serving=True,
            task_id=host,
        )
        for host in spread.split()
    )  # fmt: skip
    hosts = tuple(dict.fromkeys(spread.split()))
    picture.service(WEB, replicas=replicas, hosts=hosts, wanted=len(replicas), swarm_service_id="s1")
    return picture


@pytest.mark.parametrize(
    ("managers", "words"),
    [
        (3, "2 of 3 managers left: quorum holds (2 needed), and no further manager may be lost."),
        (1, "0 of 1 manager left: quorum lost (1 needed). What runs runs on, nothing is changed or started again."),
        (2, "1 of 2 managers left: quorum lost (2 needed). What runs runs on, nothing is changed or started again."),
    ],
)
def test_the_quorum_without_it_is_told(managers: int, words: str) -> None:
    """A majority of all managers, those that are gone included."""
    assert words in what_if_host(swarm(managers), "n1").sentences


def test_a_worker_takes_no_quorum_away() -> None:
    """Nothing is said of it."""
    assert what_if_host(swarm(), "n4").quorum is None


def test_what_the_swarm_starts_elsewhere_is_said_and_what_its_data_would_lack() -> None:
    """The volume there is another one, or empty."""
    found = what_if_host(swarm(spread="n2", mounts=("data:/var/lib",)), "n2")
    assert found.sentences[0] == (
        "Down: web, since its only serving replica is there; the swarm starts another elsewhere (without the data of "
        "this node)."
    )


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ({"mode": "global"}, "the swarm starts none elsewhere (it is global: one task on every node)."),
        (
            {"constraints": ("node.hostname==n2",)},
            "the swarm starts none elsewhere (no other node fits node.hostname==n2).",
        ),
        (
            {"constraints": ("node.labels.ssd==yes",)},
            "the swarm may start another elsewhere (whether another node has the labels it wants is not known here).",
        ),
    ],
)
def test_what_it_cannot_start_elsewhere_is_said_with_the_reason(design: dict[str, Any], words: str) -> None:
    """Global services, constraints that fit no other node, labels that are not known."""
    assert what_if_host(swarm(spread="n1 n2", **design), "n2").sentences[0] == f"Degraded: web, 1 of 2 left; {words}"


def test_without_a_quorum_nothing_is_started_elsewhere() -> None:
    """Even where other nodes would fit."""
    found = what_if_host(swarm(1, spread="n1 n2"), "n1")
    assert "nothing is changed or started again" in found.sentences[0]
    assert "(without a quorum the swarm starts nothing)" in found.sentences[1]


def test_a_node_without_a_link_is_told_of_as_well() -> None:
    """By what the manager says of its tasks."""
    picture = swarm(spread="n1 n4")
    del picture.engines["n4"]
    found = what_if_node(picture, "c1", "id4")
    assert found is not None
    assert found.sentences[0].startswith("Degraded: web, 1 of 2 left; the swarm starts another elsewhere")
    assert what_if_node(picture, "c1", "none") is None


def test_constraints_are_taken_as_swarmkit_takes_them() -> None:
    """Equal and not equal, upper and lower case alike; what is not known is neither."""
    node = SwarmNode(id="i", hostname="Web-1", role="worker", availability="active", state="ready")
    told = {
        "node.hostname == web-1": True,
        "node.hostname!=web-1": False,
        "node.role==manager": False,
        "node.platform.os==linux": None,
        "nonsense": None,
    }
    assert {text: fits(ServiceDesign(constraints=(text,)), node) for text in told} == told
