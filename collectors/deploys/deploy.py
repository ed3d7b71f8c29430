"""One deploy, as far as it went."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from ..digest import digest
from ..model import Attribution, ContainerKey, ServiceKey
from ..words import familiar_image, image_parts, short_id, short_image


class Outcome(StrEnum):
    """How far a deploy came; worst first."""

    FAILED = "failed"
    """It is everywhere, and not all of it serves."""
    HALFWAY = "half-way"
    """Some replicas are still what they were before, and nothing goes on."""
    ROLLED_BACK = "rolled back"
    GOING = "going on"
    UNKNOWN = "unknown"
    """What became of it was not seen."""
    DONE = "done"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What a replica is made from."""

    image: str = ""
    """name:tag."""
    digest: str = ""
    """In its registry; where that is not known its id on the host."""
    revision: str = ""
    """`org.opencontainers.image.revision`, `.version` and `.source`."""
    version: str = ""
    source: str = ""
    config: str = ""
    """The print of its configuration, where a deployer leaves one."""

    @property
    def words(self) -> str:
        """Its name and tag, in short; its id where it has no name."""
        return short_image(self.image) if image_parts(self.image)[0] else short_id(self.digest) or "?"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One replica of it."""

    name: str
    host: str
    container: ContainerKey | None
    at: datetime
    """When it was made."""
    serves: bool | None = None
    """None: it is gone, or its host does not answer."""
    since: datetime | None = None
    """Since when it serves."""
    note: str = ""


class Deploy(msgspec.Struct, frozen=True, kw_only=True):
    """A change of image or configuration of a service."""

    key: str
    service: ServiceKey
    name: str
    """What the service is called."""
    began: datetime
    ended: datetime | None = None
    """When the last of its replicas served; None: not yet."""
    before: Version
    after: Version
    what: str = ""
    """What was changed beside the image, where that is known."""
    back: bool = False
    """It goes back to what was before another one."""
    actor: str = ""
    attribution: Attribution = Attribution.UNKNOWN
    reason: str = ""
    steps: tuple[Step, ...] = ()
    behind: tuple[str, ...] = ()
    """Replicas that are still what they were, as `host name`."""
    made: int = 0
    """Replicas that are what it wants, also where its steps were not seen."""
    wanted: int = 0
    """Replicas altogether."""
    moved: datetime | None = None
    """When something last happened to it, as seen; None: it was only read."""
    outcome: Outcome = Outcome.GOING
    note: str = ""
    """Why it does not go on, in the words of who does it."""

    @property
    def trouble(self) -> bool:
        """Whether a person should look."""
        return self.outcome in (Outcome.FAILED, Outcome.HALFWAY)


def key_of(service: ServiceKey, first: str) -> str:
    """The same for whoever sees it; `first`: the container or the event that began it."""
    return digest("\0".join(("deploy", *service, first)).encode())[:32]


def from_to(deploy: Deploy, *, short: bool = False) -> str:
    """`pay-api:2.8.0 → 2.8.1`, `web:1 built anew (1a2b… → 3c4d…)`, `web:1 with another configuration`.

    `short`: without the name of the image, where that stays the same.
    """
    before, after = deploy.before, deploy.after
    (old_name, old_tag), (new_name, new_tag) = (image_parts(familiar_image(v.image)) for v in (before, after))
    if not before.image:
        return f"→ {after.words}"
    if (old_name, old_tag) != (new_name, new_tag):
        same = bool(old_tag and new_tag) and old_name == new_name
        return f"{old_tag if same and short else before.words} → {new_tag if same else after.words}"
    kept = new_tag if short and new_tag else after.words
    if before.digest and after.digest and before.digest != after.digest:
        return f"{kept} built anew ({short_id(before.digest)} → {short_id(after.digest)})"
    return f"{kept}: {deploy.what}" if deploy.what else f"{kept} with another configuration"
