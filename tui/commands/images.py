"""The images of the fleet: those that lie on its engines, and how its containers use them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
from fleettop.collectors.errors import EngineError
from fleettop.collectors.model import Container, ContainerState, Image
from fleettop.collectors.words import familiar_image, image_parts

from .records import Json
from .request import lost_engines

if TYPE_CHECKING:
    from fleettop.collectors.fleet import Fleet
    from fleettop.collectors.session import Session


class ImageUse(msgspec.Struct, frozen=True, kw_only=True):
    """An image by its name, as it lies on the engines and as the containers of the fleet use it."""

    image: str
    """Its name; the id of one that has none."""
    ids: tuple[str, ...]
    """What containers of that name were made from; where there are none, what the engines have under that name."""
    engines: tuple[str, ...]
    services: tuple[str, ...] = ()
    containers: int = 0
    running: int = 0
    size: int | None = None
    """Of the largest of that name; None: no engine told."""


async def read_images(session: Session, *, deadline: float) -> tuple[tuple[Image, ...], tuple[str, ...]]:
    """The images of every engine that can be reached, and a sentence for each engine that did not tell them in time."""
    lost = {engine.name for engine in lost_engines(session)}
    names = [name for name, engine in session.fleet.engines.items() if name not in lost and not engine.same_as]
    found: list[Image] = []
    said: dict[str, str] = {}

    async def one(name: str) -> None:
        client = session.client(name)
        try:
            async with asyncio.timeout(deadline):
                found.extend(await client.images() if client is not None else ())
        except TimeoutError:
            said[name] = f"no answer within {deadline:g} s"
        except EngineError as error:
            said[name] = error.word

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(one(name))
    sentences = [
        f"{name} did not list its images ({said[name]}): only those in use are known." for name in sorted(said)
    ]
    return tuple(found), tuple(sentences)


def image_uses(fleet: Fleet, images: Iterable[Image]) -> list[ImageUse]:
    """Every image by name: those that containers were made from, and of `images` those that none uses, too."""
    users: dict[str, list[Container]] = {}
    for container in fleet.containers.values():
        users.setdefault(_name(container), []).append(container)
    lying: dict[str, list[Image]] = {}
    for image in images:
        for name in image.names or (image.id,):
            lying.setdefault(familiar_image(name), []).append(image)
    return [_use(fleet, name, users.get(name, []), lying.get(name, [])) for name in sorted({*users, *lying})]


def image_record(use: ImageUse) -> Json:
    """An image."""
    return {
        "image": use.image,
        "ids": list(use.ids),
        "engines": list(use.engines),
        "services": list(use.services),
        "containers": use.containers,
        "running": use.running,
        "size": use.size,
    }


def _name(container: Container) -> str:
    """The image's name, the same for every way to write it; its id where the container knows no name of it any more."""
    named = image_parts(container.image)[0]
    return familiar_image(container.image) if named else container.image_id or container.image


def _use(fleet: Fleet, name: str, users: list[Container], lying: list[Image]) -> ImageUse:
    services: Mapping[str, None] = dict.fromkeys(
        fleet.services[key].title
        for container in users
        if (key := fleet.service_of(container.key)) is not None and key in fleet.services
    )
    ids = {container.image_id for container in users} or {image.id for image in lying}
    return ImageUse(
        image=name,
        ids=tuple(sorted(ids)),
        engines=tuple(sorted({container.engine for container in users} | {image.engine for image in lying})),
        services=tuple(sorted(services)),
        containers=len(users),
        running=sum(container.state is ContainerState.RUNNING for container in users),
        size=max((image.size for image in lying if image.size is not None), default=None),
    )
