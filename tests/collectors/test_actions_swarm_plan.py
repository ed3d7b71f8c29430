"""Plans for what only a swarm can do: what is said before, and what is in the way. No engine is asked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fleettop.collectors.actions import Deed, Plan, Verb, plan, plan_node
from fleettop.collectors.errors import ReadOnly
from fleettop.collectors.model import EngineStatus, ServiceDesign, SwarmTask

from tests.collectors.test_actions_plan import API, FakePicture, pay_api
from tests.collectors.test_whatif import WEB, swarm

DIGEST = f"sha256:{'a' * 64}"


def changed(picture: FakePicture, **service: Any) -> FakePicture:
    """The same with the swarm's service otherwise."""
    found = picture.swarms["c1"]
    one = msgspec.structs.replace(found.services[0], **service)
    picture.swarms["c1"] = msgspec.structs.replace(found, services=(one, *found.services[1:]))
    return picture


def with_tasks(picture: FakePicture, *nodes: str) -> FakePicture:
    tasks = tuple(
        SwarmTask(id=f"t{n}", service_id="s1", node_id=node, slot=n, state="running", desired="running")
        for n, node in enumerate(nodes)
    )
    picture.swarms["c1"] = msgspec.structs.replace(picture.swarms["c1"], tasks=tasks)
    return picture


# -- services ----------------------------------------------------------------------------------------------------------


def test_a_roll_back_says_what_would_be_what_it_was() -> None:
    """The difference between the two designs, and that a second one undoes it."""
    picture = changed(
        swarm(), before=ServiceDesign(image="a:1", replicas=2), design=ServiceDesign(image="a:2", replicas=2)
    )
    made = plan(Verb.ROLLBACK, (WEB,), picture)
    assert made.title == "Roll back web"
    assert made.sentences[0] == "Rolls web back to what it was before its last change: image 2 → 1."
    assert [(step.deed, step.engine) for step in made.steps] == [(Deed.ROLLBACK, "n1")]


def test_what_is_no_swarms_cannot_be_rolled_back_and_it_is_said_what_to_do() -> None:
    """An engine keeps no configuration before the present one."""
    made = plan(Verb.ROLLBACK, (API,), pay_api())
    assert not made.possible
    assert "deploy the version before with what deployed this one" in made.blockers[0]


@pytest.mark.parametrize("image", ["a", "a:2", "reg.example.org:5000/team/a:2", f"a:2@{DIGEST}", f"a@{DIGEST}"])
def test_an_image_is_a_name_with_a_tag_or_a_digest(image: str) -> None:
    """Without a digest it is said what that means."""
    made = plan(Verb.IMAGE, (WEB,), swarm(), image=image)
    assert made.steps[0].image == image
    assert any("has no digest" in warning for warning in made.warnings) is ("@" not in image)


@pytest.mark.parametrize("image", ["", "a b", "a:", "a@sha256:1", "-a", "a/../b:1 ", "ä:1", "https://a/b:1"])
def test_what_is_no_image_is_not_sent(image: str) -> None:
    """In words, before any engine is asked."""
    made = plan(Verb.IMAGE, (WEB,), swarm(), image=image)
    assert not made.possible
    assert "is no image" in made.blockers[0]


def test_only_an_update_that_is_under_way_can_be_paused_and_its_price_is_said() -> None:
    """No roll back leads to the image before any more."""
    assert plan(Verb.HOLD, (WEB,), swarm()).blockers == ("No update of web is under way.",)
    updating = changed(swarm(), update_state="updating", before=ServiceDesign(image="a:0"))
    made = plan(Verb.HOLD, (WEB,), updating)
    assert made.possible
    assert "its delay is set to a year" in made.warnings[0]
    assert "no roll back leads to a:0 any more" in made.warnings[0]


@pytest.mark.parametrize("verb", [Verb.ROLLBACK, Verb.IMAGE, Verb.HOLD, Verb.GO_ON])
def test_a_job_is_not_updated(verb: Verb) -> None:
    """It runs to its end."""
    made = plan(verb, (WEB,), changed(swarm(), mode="replicated-job"), image="a:2")
    assert made.blockers == ("The service web is a job of the swarm: it is not updated.",)


def test_more_tasks_say_which_nodes_may_take_them() -> None:
    """With how many each has; where none fits, that they wait."""
    picture = with_tasks(swarm(constraints=("node.role==worker",)), "id4", "id4")
    made = plan(Verb.SCALE, (WEB,), picture, to=3)
    assert "The swarm chooses among n4 (has 2), those with the fewest first." in made.sentences
    nowhere = plan(Verb.SCALE, (WEB,), swarm(constraints=("node.hostname==none",)), to=3)
    assert "No node takes tasks of web now: the new ones wait." in nowhere.warnings


def test_scaling_to_zero_is_warned_of() -> None:
    """It is down until it is scaled up again."""
    made = plan(Verb.SCALE, (WEB,), swarm(), to=0)
    assert "At 0 replicas web is down until it is scaled up again." in made.warnings


# -- nodes -------------------------------------------------------------------------------------------------------------


def drain(picture: FakePicture, node: str = "id2", **how: Any) -> Plan:
    return plan_node(picture, "c1", node, how.pop("availability", "drain"), **how)


def test_what_a_drain_moves_is_said_and_what_it_leaves_alone() -> None:
    """Its tasks by service, other containers, its place among the managers."""
    made = drain(with_tasks(swarm(), "id2", "id2", "id3"))
    assert made.title == "Drain the node n2"
    assert made.sentences == (
        "The swarm ends the 2 tasks on n2, about 15 s.",
        "It starts them on other nodes: 2 of web.",
        "Containers on n2 that are not the swarm's run on.",
        "It stays a manager.",
    )
    [step] = made.steps
    assert (step.kind, step.engine, step.availability, step.expected) == ("node", "n1", "drain", "active")


def test_what_a_drain_cannot_move_is_warned_of() -> None:
    """Bound to the node by a constraint: it is down then."""
    made = drain(with_tasks(swarm(constraints=("node.hostname==n2",)), "id2", "id2"))
    assert "2 of web can run on no other node: it is down then." in made.warnings


def test_the_last_node_that_takes_tasks_is_known_as_that() -> None:
    """Nothing could be started anywhere."""
    picture = swarm()
    found = picture.swarms["c1"]
    nodes = tuple(msgspec.structs.replace(n, availability="active" if n.id == "id2" else "drain") for n in found.nodes)
    picture.swarms["c1"] = msgspec.structs.replace(found, nodes=nodes)
    assert "No other node takes tasks: the swarm can start none anywhere then." in drain(picture).warnings


def test_what_is_so_already_gone_or_nonsense_blocks() -> None:
    """In words."""
    assert drain(swarm(), availability="active").blockers == ("The node n2 is active already.",)
    assert drain(swarm(), "none").blockers == ("The swarm knows no node none any more.",)
    assert "a node is active, pause, drain" in drain(swarm(), availability="away").blockers[0].lower()


def test_without_a_manager_no_node_can_be_changed() -> None:
    """Only a manager can."""
    picture = swarm()
    for name in list(picture.engines):
        picture.engine(name, up=False)
    assert "no manager of the swarm can be reached" in drain(picture).blockers[0].lower()


def test_draining_a_node_of_a_protected_group_wants_its_name_typed() -> None:
    """Activating it does not."""
    picture = swarm()
    before: EngineStatus = picture.engines["n2"]
    picture.engines["n2"] = msgspec.structs.replace(before, group="prod")
    assert drain(picture, protected=("prod",)).name_to_type == "n2"
    assert drain(picture, protected=("prod",), availability="pause").name_to_type == ""


def test_read_only_plans_nothing_for_a_node() -> None:
    """Refused before it is looked at."""
    with pytest.raises(ReadOnly):
        drain(swarm(), read_only=True)


def test_a_global_service_is_not_said_to_move() -> None:
    """One task on every node."""
    found = drain(with_tasks(swarm(mode="global"), "id2"))
    assert "1 of web is not started elsewhere: it is global, one task on every node." in found.sentences
