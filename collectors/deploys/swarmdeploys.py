"""Deploys of a swarm's services: begun by a record of somebody's change, gone on with as the swarm says. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from ..cause.provenance import revision
from ..model import Record, ServiceDesign, SwarmService
from .deploy import Deploy, Outcome, Version

SAME = timedelta(seconds=1)
"""A service's reading is of a change if it is no older than that."""


def begun_in_swarm(deeds: Iterable[Record]) -> list[Record]:
    """The changes of image or configuration among them, oldest first."""
    return [record for record in deeds if record.action in ("deploy", "rollback") or _configures(record)]


def _configures(record: Record) -> bool:
    if record.action != "update":
        return False
    return not record.what.startswith("force update") or ", " in record.what


def version_of(design: ServiceDesign | None, image: str, digest: str) -> Version:
    """What a spec says its tasks are made from."""
    labels = design.labels if design is not None else {}
    return Version(
        image=design.image if design is not None else image,
        digest=design.digest if design is not None else digest,
        revision=revision(labels),
        version=labels.get("org.opencontainers.image.version", ""),
        source=labels.get("org.opencontainers.image.source", ""),
    )


def before_of(
    record: Record, swarm: SwarmService | None, previous: Deploy | None, known: Deploy | None
) -> tuple[Version, Version]:
    """From what to what: by the spec and the one before, else by the deploys before it."""
    after = Version(image=record.image, digest=record.digest, revision=record.revision)
    if swarm is not None and _is_of(swarm, record) and swarm.design is not None:
        after = version_of(swarm.design, swarm.image, swarm.digest)
        if swarm.before is not None:
            return version_of(swarm.before, "", ""), after
    if record.action == "rollback" and previous is not None:
        return previous.after, previous.before if previous.before.image else after
    if known is not None and known.before.image:
        return known.before, known.after
    return (previous.after if previous is not None else Version(image=_old_image(record))), after


def as_its_image_says(version: Version, made: Iterable[Version]) -> Version:
    """With revision, version and source by its image, where the spec has none: containers carry its image's labels.

    `made`: what containers were made from, and what was known before of what is forgotten by now.
    """
    if _says(version):
        return version
    for other in made:
        if (other.image, other.digest) == (version.image, version.digest) and _says(other):
            fields = {"revision": other.revision, "version": other.version, "source": other.source}
            return msgspec.structs.replace(version, **fields)
    return version


def _says(version: Version) -> bool:
    return bool(version.revision or version.version or version.source)


def _old_image(record: Record) -> str:
    """`web:1` of `image web:1 → web:2 by someone`."""
    head = record.what.removeprefix("image ").partition(" → ")
    return head[0] if head[1] and record.what.startswith("image ") else ""


def _is_of(swarm: SwarmService, record: Record) -> bool:
    return swarm.updated is not None and swarm.updated >= record.time - SAME


def outcome_in_swarm(deploy: Deploy, outcome: Outcome, swarm: SwarmService | None) -> tuple[Outcome, str]:
    """The swarm's own word on how it goes, where it has one; else what its replicas tell."""
    state = swarm.update_state if swarm is not None else ""
    if swarm is None or swarm.updated is None or swarm.updated < deploy.began - SAME:
        return (Outcome.GOING if outcome is Outcome.HALFWAY else outcome), ""
    if state in ("updating", "rollback_started"):
        return (Outcome.GOING if outcome in (Outcome.HALFWAY, Outcome.DONE) else outcome), ""
    if state in ("paused", "rollback_paused"):
        return (Outcome.HALFWAY if deploy.behind else Outcome.FAILED), swarm.update_message or "the swarm paused it"
    return outcome, ""
