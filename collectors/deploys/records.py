"""Deploys as records of the trail, and back. Pure.

The steps of a deploy are in the trail as events of their containers; this is the whole of them, as it ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..model import Record, RecordKind
from ..words import age
from .deploy import Deploy, Outcome, Version, from_to

ACTION = "deployed"
_BEFORE, _DIGEST, _REVISION = "before: ", "digest before: ", "revision before: "
_SOURCE, _VERSION, _OUTCOME, _COUNT = "source: ", "version: ", "outcome: ", "replicas: "
_BEHIND, _WHAT, _BACK = "behind: ", "changed: ", "goes back"


def deploy_record(deploy: Deploy, *, number: int, now: datetime) -> Record:
    """The record of how it stands."""
    return Record(
        id=number,
        key=deploy.key,
        time=deploy.began,
        seen=now,
        engine="",
        kind=RecordKind.NOTE,
        what=_words(deploy),
        object_type="service",
        object_name=deploy.name,
        service=deploy.service,
        service_name=deploy.name,
        action=ACTION,
        actor=deploy.actor,
        attribution=deploy.attribution,
        reason=deploy.reason,
        image=deploy.after.image,
        digest=deploy.after.digest,
        revision=deploy.after.revision,
        evidence=tuple(_evidence(deploy)),
        trouble=deploy.trouble or deploy.outcome is Outcome.ROLLED_BACK,
        until=deploy.ended,
    )


def _words(deploy: Deploy) -> str:
    begun = "rolled back: " if deploy.back else "deploy: "
    count = f", {deploy.made} of {deploy.wanted} replicas" if deploy.behind else ""
    took = f" after {age((deploy.ended - deploy.began).total_seconds())}" if deploy.ended is not None else ""
    return f"{begun}{from_to(deploy)}, {deploy.outcome}{count}{took}"


def _evidence(deploy: Deploy) -> Iterable[str]:
    facts = (
        (_BEFORE, deploy.before.image),
        (_DIGEST, deploy.before.digest),
        (_REVISION, deploy.before.revision),
        (_SOURCE, deploy.after.source),
        (_VERSION, deploy.after.version),
        (_OUTCOME, str(deploy.outcome)),
        (_COUNT, f"{deploy.made} of {deploy.wanted}"),
        (_WHAT, deploy.what),
    )
    yield from (f"{name}{value}" for name, value in facts if value)
    yield from (f"{_BEHIND}{name}" for name in deploy.behind[:32])
    if deploy.back:
        yield _BACK


def deploy_of(record: Record) -> Deploy | None:
    """And back, without its steps; None: it is a record of something else."""
    if record.kind is not RecordKind.NOTE or record.action != ACTION or record.service is None:
        return None

    def said(name: str) -> str:
        return next((text.removeprefix(name) for text in record.evidence if text.startswith(name)), "")

    made, _, wanted = said(_COUNT).partition(" of ")
    outcome = said(_OUTCOME)
    return Deploy(
        key=record.key,
        service=record.service,
        name=record.service_name,
        began=record.time,
        ended=record.until,
        before=Version(image=said(_BEFORE), digest=said(_DIGEST), revision=said(_REVISION)),
        after=Version(
            image=record.image,
            digest=record.digest,
            revision=record.revision,
            version=said(_VERSION),
            source=said(_SOURCE),
        ),
        what=said(_WHAT),
        back=_BACK in record.evidence,
        actor=record.actor,
        attribution=record.attribution,
        reason=record.reason,
        behind=tuple(text.removeprefix(_BEHIND) for text in record.evidence if text.startswith(_BEHIND)),
        made=int(made) if made.isdecimal() else 0,
        wanted=int(wanted) if wanted.isdecimal() else 0,
        outcome=Outcome(outcome) if outcome in set(Outcome) else Outcome.UNKNOWN,
    )
