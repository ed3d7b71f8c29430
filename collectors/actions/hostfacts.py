"""What a host has that a clone needs, and what of it is taken: read from the engine itself just before it matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from ..errors import FleetError
from . import phrases
from .blueprint import Blueprint, FixedPort
from .naming import name_stem, next_number
from .paths import image_path
from .steps import CloneOrder, Reach


class HostFacts(msgspec.Struct, kw_only=True):
    """One host, as a clone meets it. Changes as clones are given to it."""

    engine: str
    image: str = ""
    """What to call the image there so that it is the source's own; empty: it is not there."""
    networks: frozenset[str] = frozenset()
    names: set[str]
    ports: dict[FixedPort, str]
    """Taken ports and who has them."""
    trouble: str = ""
    """Why nothing is known of it."""

    def against(self, wanted: Blueprint) -> str:
        """Why it cannot take the clone, in words; empty: it can."""
        if self.trouble:
            return self.trouble
        if not self.image:
            return (
                f"{self.engine} does not have the image {wanted.image or wanted.image_id[:19]}, and nothing is pulled"
            )
        missing = [network for network in wanted.needs if network not in self.networks]
        if missing:
            return f"{self.engine} has no network {phrases.names(missing)}"
        for port in wanted.ports:
            owner = next((owner for taken, owner in self.ports.items() if port.collides(taken)), "")
            if owner:
                return (
                    f"port {port.port}/{port.protocol} of {self.engine}, which it publishes fixed, is taken by {owner}"
                )
        return ""

    def take(self, wanted: Blueprint, name: str) -> None:
        """Count a clone as being there."""
        self.names.add(name)
        self.ports.update(dict.fromkeys(wanted.ports, name))


class Allotment(NamedTuple):
    """Where a clone goes, and what it is called."""

    host: str
    number: int
    name: str


async def host_facts(engine: str, reach: Reach | None, wanted: Blueprint) -> HostFacts:
    """Ask a host. Never raises for an engine's trouble: it is in the facts."""
    facts = HostFacts(engine=engine, names=set(), ports={})
    if reach is None:
        facts.trouble = f"{engine} cannot be reached"
        return facts
    try:
        facts.image = await _image(reach, wanted)
        if wanted.needs:
            facts.networks = await _networks(reach)
        await _containers(reach, facts)
    except FleetError as error:
        facts.trouble = str(error).rstrip(".")
    return facts


def allot(order: CloneOrder, counts: Mapping[str, int], facts: Mapping[str, HostFacts], wanted: Blueprint) -> str:
    """The host with the fewest replicas that can take the clone; empty: none can."""
    fit = [host for host in counts if host in facts and not facts[host].against(wanted)]
    return min(fit, key=lambda host: (counts[host], host != order.source.engine, host), default="")


def number_on(order: CloneOrder, numbers: Mapping[str, list[int]], facts: HostFacts) -> Allotment:
    """The number and name of the next clone on a host."""
    stem = name_stem(order.source_name, order.labels) or f"{order.source_name}-"
    number = next_number(numbers, facts.engine, stem=stem, taken=facts.names)
    return Allotment(facts.engine, number, f"{stem}{number}")


async def _image(reach: Reach, wanted: Blueprint) -> str:
    """By its name where that means the same image there, else by its id."""
    for name in (wanted.image, wanted.image_id):
        if not name:
            continue
        found = await reach.client.uncleaned(image_path(name))
        if isinstance(found, dict) and found.get("Id") == wanted.image_id:
            return name
    return ""


async def _networks(reach: Reach) -> frozenset[str]:
    found = await reach.client.uncleaned("/networks")
    rows = found if isinstance(found, list) else []
    return frozenset(str(row.get("Name")) for row in rows if isinstance(row, dict))


async def _containers(reach: Reach, facts: HostFacts) -> None:
    found = await reach.client.uncleaned("/containers/json", "all=1")
    for row in found if isinstance(found, list) else []:
        if not isinstance(row, dict):
            continue
        names = [str(name).lstrip("/") for name in row.get("Names") or []]
        facts.names.update(names)
        for port in row.get("Ports") or []:
            if isinstance(port, dict) and isinstance(port.get("PublicPort"), int):
                taken = FixedPort(str(port.get("IP") or ""), port["PublicPort"], str(port.get("Type") or "tcp"))
                facts.ports[taken] = names[0] if names else "another container"
