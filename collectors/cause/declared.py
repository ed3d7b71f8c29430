"""Who deployed something by the word of a label. Anybody who may create a container may write any name there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model import Attribution

DECLARED_BY = ("deployed-by", "deploy.user")
"""Labels by which deployers name who ran them, alone or behind a prefix of their own (`com.example.deployed-by`).

More of them are named in the config (`[trail] declared_by`). `org.opencontainers.image.authors` is none: it names who
wrote the image.
"""


class Declaring:
    """Which labels are taken for the name of who deployed."""

    def __init__(self, more: Sequence[str] = ()) -> None:
        self._more = tuple(more)

    def label(self, labels: Mapping[str, str]) -> str:
        """The label that names somebody; empty: none does. Those of the config come first."""
        for name in self._more:
            if labels.get(name, "").strip():
                return name
        for name, value in labels.items():
            if value.strip() and any(name == known or name.endswith(f".{known}") for known in DECLARED_BY):
                return name
        return ""

    def fields(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """Who deployed it and how that is known, as fields of a record; nothing where no label tells."""
        name = self.label(labels)
        if not name:
            return {}
        return {
            "actor": labels[name].strip(),
            "attribution": Attribution.DECLARED,
            "evidence": (f"label {name}, can be forged",),
        }
