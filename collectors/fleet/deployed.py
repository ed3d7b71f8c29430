"""What the deploys of a service are told from, out of the fleet's books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from ..cause.provenance import digest, revision
from ..deploys.book import Known
from ..deploys.deploy import Version
from ..model import Record, RecordKind, ServiceKey, SwarmService
from ..services.changes import Birth
from .recordbook import SHELF, RecordBook
from .roster import Roster

MAKING = 60
"""Records looked through for who made the newest containers."""
_DEEDS = ("deploy", "update", "rollback")


def known_of(
    key: ServiceKey,
    now: datetime,
    roster: Roster,
    book: RecordBook,
    swarm: SwarmService | None,
    *,
    digests: Mapping[tuple[str, str], tuple[str, ...]],
    ours: Callable[[str, datetime], datetime],
) -> Known:
    """All of it; nothing is copied that is not asked for."""

    def version(birth: Birth) -> Version:
        labels = birth.labels
        return Version(
            image=birth.image.partition("@")[0],
            digest=digest(birth.image, birth.image_id, digests.get((birth.key.engine, birth.image_id), ())),
            revision=revision(labels),
            version=labels.get("org.opencontainers.image.version", ""),
            source=labels.get("org.opencontainers.image.source", ""),
            config=birth.config_hash,
        )

    return Known(
        births=roster.births(key),
        version=version,
        swarm=swarm,
        deeds=_deeds(book, key, ours) if key.source == "swarm" else (),
        ours=ours,
        records=lambda: book.of_service(key, MAKING),
        now=now,
    )


def _deeds(book: RecordBook, key: ServiceKey, ours: Callable[[str, datetime], datetime]) -> tuple[Record, ...]:
    found = [
        msgspec.structs.replace(record, time=ours(record.engine, record.time))
        for record in book.of_service(key, SHELF)
        if record.kind is RecordKind.EVENT and record.object_type == "service" and record.action in _DEEDS
    ]
    return tuple(reversed(found))
