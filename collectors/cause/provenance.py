"""What a container or a service is made from: image, digest and revision, as fields of its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model import Container, SwarmService
from ..words import familiar_image

REVISION = ("org.opencontainers.image.revision", "org.opencontainers.image.version")
"""Labels of the image, which are the container's too unless it has its own; the first that is there counts."""


def revision(labels: Mapping[str, str]) -> str:
    """The source revision these labels name, else the version."""
    return next((labels[name] for name in REVISION if labels.get(name)), "")


def digest(image: str, image_id: str, digests: Sequence[str]) -> str:
    """The digest it was asked for by, else the one of its own registry among `digests`, else its id on the host."""
    named, _, asked = image.partition("@")
    if asked.startswith("sha256:"):
        return asked
    wanted = _repository(named)
    found = [text.partition("@") for text in digests]
    own = [value for name, _, value in found if _repository(name) == wanted]
    return own[0] if own else found[0][2] if found else image_id


def of_container(image: str, labels: Mapping[str, str], container: Container | None, digests: Sequence[str]) -> Any:
    """Of a container whose event names `image` and has these `labels`, as far as it was read."""
    if container is not None and not image:
        image = container.image
    image_id = container.image_id if container is not None else ""
    named = image.partition("@")[0]
    return {"image": named, "digest": digest(image, image_id, digests), "revision": revision(labels)}


def of_service(service: SwarmService | None) -> dict[str, Any]:
    """Of a swarm's service as last read."""
    if service is None:
        return {}
    labels = service.design.labels if service.design is not None else service.labels
    return {"image": service.image, "digest": service.digest, "revision": revision(labels)}


def _repository(image: str) -> str:
    """An image's name without its tag, in the same words for the same repository."""
    name, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        name = image
    return familiar_image(name).rpartition(":")[0]
