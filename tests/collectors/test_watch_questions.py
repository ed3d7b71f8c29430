"""Questions to an engine about execs and images: each once, few of them, and none for health checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fleettop.collectors.clock import ManualClock
from fleettop.collectors.engine.decode_evidence import ExecEntry
from fleettop.collectors.errors import NotAnswering, Permission
from fleettop.collectors.model import Container, ContainersSeen, ExecSeen, Health, ImageSeen, Listed
from fleettop.collectors.watch import questions as module
from fleettop.collectors.watch.pace import Way
from fleettop.collectors.watch.questions import EXECS, SPAN, Questions

from .watching import FakeClient, Told, container, detailed, event

Eventually = Callable[..., Any]


class Asked(FakeClient):
    """An engine's client that counts these questions."""

    def __init__(self) -> None:
        super().__init__()
        self.entry: ExecEntry | None = ExecEntry(user="99")
        self.fault: Exception | None = None

    async def exec_entry(self, id: str) -> ExecEntry | None:  # noqa: A002
        """What the test gave."""
        self.asked.append(f"exec {id}")
        if self.fault is not None:
            raise self.fault
        return self.entry

    async def image_digests(self, id: str) -> tuple[str, ...] | None:  # noqa: A002
        """One, named for the image."""
        self.asked.append(f"image {id}")
        if self.fault is not None:
            raise self.fault
        return (f"web@{id}",)


class Scene:
    """Questions, what they know and what they told."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.told = Told()
        self.client = Asked()
        self.known: dict[str, Container] = {}
        self.questions = Questions("web-1", self.known.get, self.told, self.clock)

    def exec(self, exec_id: str, command: str = "id", name: str = "api") -> None:
        """Somebody runs a command in a container."""
        one = event(1, "exec_create", name, argument=command, attributes={"execID": exec_id})
        self.questions.exec_begun(one)

    @property
    def execs(self) -> list[ExecSeen]:
        """What was told of execs."""
        return [change for change in self.told.changes if isinstance(change, ExecSeen)]


@pytest.fixture
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for pause in ("LOOK", "IMAGES_APART"):
        monkeypatch.setattr(module, pause, 0.001)


@asynccontextmanager
async def asking() -> AsyncIterator[Scene]:
    """They are being asked."""
    scene = Scene()
    task = asyncio.create_task(scene.questions.ask(scene.client, Way(scene.clock)))
    try:
        yield scene
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


pytestmark = pytest.mark.usefixtures("_quickly")


async def test_each_exec_is_asked_for_once(eventually: Eventually) -> None:
    """At once, since the engine forgets it."""
    async with asking() as scene:
        one = detailed(container("api"))
        scene.known[one.id] = one
        scene.exec("e1")
        await eventually(lambda: scene.execs)
        assert scene.client.asked == ["exec e1"]
        (seen,) = scene.execs
        assert (seen.id, seen.container, seen.user) == ("e1", one.id, "99")


async def test_a_health_check_is_never_asked_for(eventually: Eventually) -> None:
    """Also where it begins before its container was inspected."""
    async with asking() as scene:
        one = detailed(container("api"), health_check=("CMD", "check"))
        scene.known[one.id] = container("api", health=Health.STARTING)
        scene.exec("e1", "check")
        scene.exec("e2", "id")
        scene.known[one.id] = one
        scene.exec("e3", "check")
        await eventually(lambda: scene.execs)
        assert scene.client.asked == ["exec e2"]


async def test_a_storm_of_execs_is_no_storm_of_requests(eventually: Eventually) -> None:
    """What is not asked for says so; after a while others are asked for again."""
    async with asking() as scene:
        one = detailed(container("api"))
        scene.known[one.id] = one
        for number in range(3 * EXECS):
            scene.exec(f"e{number}")
        await eventually(lambda: len(scene.execs) == 3 * EXECS)
        assert len(scene.client.asked) == EXECS
        assert scene.execs[-1].user is None
        assert "not each was asked for" in scene.execs[-1].why
        scene.clock.advance(SPAN + 1)
        scene.exec("later")
        await eventually(lambda: scene.execs[-1].id == "later")
        assert scene.client.asked[-1] == "exec later"


@pytest.mark.parametrize("fault", [None, NotAnswering("it is silent"), Permission("the proxy forbids it")])
async def test_an_exec_that_cannot_be_read_says_why(fault: Exception | None, eventually: Eventually) -> None:
    """Gone, unreachable or forbidden: the user is not known, and nothing else is held up."""
    async with asking() as scene:
        scene.known[container("api").id] = detailed(container("api"))
        scene.client.entry, scene.client.fault = None, fault
        scene.exec("e1")
        await eventually(lambda: scene.execs)
        assert scene.execs[0].user is None
        assert scene.execs[0].why == (
            fault.word if isinstance(fault, (NotAnswering, Permission)) else "the exec was gone"
        )


async def test_each_image_is_asked_for_once(eventually: Eventually) -> None:
    """However many containers are made from it, and however often they are read."""
    async with asking() as scene:
        publish = scene.questions.passing(scene.told)
        rows = tuple(container(f"api{number}") for number in range(50))
        for _ in range(3):
            publish(Listed(engine="web-1", containers=rows))
        other = container("web", image_id="sha256:" + "2" * 64)
        publish(ContainersSeen(engine="web-1", containers=(other,)))
        await eventually(lambda: len(scene.told.of(ImageSeen)) == 2)
        assert scene.client.asked == ["image sha256:" + "1" * 64, "image sha256:" + "2" * 64]


async def test_an_image_that_may_not_be_read_stands_for_itself(eventually: Eventually) -> None:
    """A proxy that forbids it is not asked again and again."""
    async with asking() as scene:
        scene.client.fault = Permission("the proxy forbids it")
        publish = scene.questions.passing(scene.told)
        publish(Listed(engine="web-1", containers=(container("api"),)))
        await eventually(lambda: scene.told.of(ImageSeen))
        publish(Listed(engine="web-1", containers=(container("api"),)))
        assert scene.told.of(ImageSeen) == [ImageSeen(engine="web-1", id="sha256:" + "1" * 64)]
        assert len(scene.client.asked) == 1
