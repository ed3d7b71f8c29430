"""Execs of containers that nobody could inspect in time: told, since nobody can say that they were health checks."""

from __future__ import annotations

from .watched import Watched, container


def test_execs_of_a_container_that_is_gone_before_it_was_inspected_are_told() -> None:
    """Whether it was its health check nobody can say any more; what somebody may have done is never left out."""
    watched = Watched()
    one = container()
    watched.event("create", one)
    watched.event("start", one)
    watched.event("exec_create", one, argument="sh")
    watched.event("destroy", one)
    assert "exec “sh”" in watched.told()


def test_execs_that_find_no_room_to_wait_are_told() -> None:
    """A container that cannot be inspected is no place to hide in."""
    watched = Watched()
    one = container()
    watched.event("create", one)
    for number in range(40):
        watched.event("exec_create", one, argument=f"step {number}")
    assert [what for what in watched.told() if what.startswith("exec")] == [f"exec “step {n}”" for n in range(32, 40)]


def test_a_command_run_again_and_again_before_the_inspect_is_one_record_with_its_number() -> None:
    """Nothing is told while it may be the health check, however often it runs; if it is none, all of it counts."""
    watched = Watched()
    one = container(inspected=False)
    watched.event("create", one)
    for _ in range(100):
        watched.event("exec_create", one, argument="backup.sh")
    assert not [what for what in watched.told() if what.startswith("exec")]
    watched.event("destroy", one)
    (record,) = [record for record in watched.records() if record.what.startswith("exec")]
    assert record.count == 100
