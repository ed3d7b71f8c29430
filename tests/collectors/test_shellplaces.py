"""Which container a shell is meant for, and what is said before it opens."""

from __future__ import annotations

import pytest
from fleettop.collectors.actions import Deed, Verb, plan, shell_places
from fleettop.collectors.model import ContainerState, Health, Replica

from .test_actions_plan import API, FakePicture, swarm_picture


def names(picture: FakePicture, target: object) -> list[str]:
    return [c.name for c in shell_places(target, picture).containers]  # type: ignore[arg-type]


def test_of_a_services_replicas_the_newest_that_serves_comes_first() -> None:
    """Then those that run and are not well; what does not run is no place for a shell."""
    picture = FakePicture()
    picture.container("web-1", "pay-api-1", API, age=9, health=Health.HEALTHY)
    picture.container("web-2", "pay-api-2", API, age=5, health=Health.HEALTHY)
    picture.container("web-2", "pay-api-3", API, age=1, health=Health.UNHEALTHY)
    picture.container("web-2", "pay-api-4", API, state=ContainerState.EXITED)
    assert names(picture, API) == ["pay-api-2", "pay-api-1", "pay-api-3"]


def test_made_in_the_same_second_the_one_with_the_higher_number_is_the_newer() -> None:
    """Engines tell when a container was made in whole seconds."""
    picture = FakePicture()
    for number in (2, 10, 9):
        picture.container("web-1", f"pay-api-{number}", API)
    assert names(picture, API) == ["pay-api-10", "pay-api-9", "pay-api-2"]


def test_a_container_that_was_pointed_at_is_the_one() -> None:
    """Whatever else its service has, and however it is."""
    picture = FakePicture()
    sick = picture.container("web-1", "pay-api-1", API, health=Health.UNHEALTHY)
    picture.container("web-1", "pay-api-2", API)
    assert names(picture, sick) == ["pay-api-1"]


def test_of_a_swarms_service_it_is_the_task_on_a_node_with_a_link() -> None:
    """Tasks elsewhere are named as left out."""
    picture, key = swarm_picture()
    [member] = picture.members(key)
    replicas = (
        Replica(
            container=member.key,
            host="w1",
            name=member.name,
            task_id="t1",
            state=member.state,
            health=member.health,
            serving=True,
        ),
        Replica(
            container=None,
            host="w9",
            name="shop_web.2",
            task_id="t2",
            state=member.state,
            health=member.health,
            serving=True,
        ),
    )
    picture.service(key, name="web", stack="shop", replicas=replicas)
    places = shell_places(key, picture)
    assert [c.engine for c in places.containers] == ["w1"]
    assert places.notes == ("1 task of shop/web on w9: fleettop has no link to there.",)


@pytest.mark.parametrize("up", [True, False])
def test_where_there_is_no_place_it_says_why(up: bool) -> None:
    """Nothing runs, or its host cannot be reached."""
    picture = FakePicture()
    picture.container("web-1", "pay-api-1", API, state=ContainerState.EXITED if up else ContainerState.RUNNING)
    picture.engine("web-1", up=up)
    places = shell_places(API, picture)
    assert places.containers == ()
    assert ("nothing of pay/api runs" if up else "web-1 cannot be reached") in places.notes[0].lower()


def test_the_plan_names_the_container_and_what_is_kept_of_it() -> None:
    """One step, on one container; no time is promised, since a person ends it."""
    picture = FakePicture()
    key = picture.container("web-1", "pay-api-1", API)
    made = plan(Verb.EXEC, [key], picture)
    assert made.title == "Run a shell in pay-api-1 on web-1"
    assert made.sentences == (
        "Runs a shell at this terminal, in pay-api-1 on web-1.",
        "The trail keeps that it was run, why, and how it ended; nothing of what is typed or shown.",
    )
    [step] = made.steps
    assert (step.deed, step.object_id, step.command, step.record_verb) == (Deed.EXEC, key.id, (), "exec")


def test_a_command_with_a_secret_in_it_is_shown_and_kept_without() -> None:
    """By shape, as everywhere; what is run has it."""
    picture = FakePicture()
    key = picture.container("web-1", "db", None)
    made = plan(Verb.EXEC, [key], picture, command=("mysql", "--password", "hunter2", "\x1b[31mx"))
    [step] = made.steps
    assert step.command[2] == "hunter2"
    for text in (made.title, step.about, step.words, *made.sentences):
        assert "hunter2" not in text
        assert "\x1b" not in text


def test_what_does_not_run_cannot_be_entered() -> None:
    """Said before anything is asked of an engine; a paused one answers nothing."""
    picture = FakePicture()
    for state in (ContainerState.EXITED, ContainerState.PAUSED):
        key = picture.container("web-1", "db", None, state=state)
        made = plan(Verb.EXEC, [key], picture)
        assert not made.possible
        assert made.blockers == ("Nothing of db runs, so nothing can be run in it.",)
