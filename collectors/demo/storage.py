"""What gathers on the disks of simulated machines, and how it is removed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import Rejected
from .query import filters
from .things import CacheRecord, Image, Volume, dice

if TYPE_CHECKING:
    from .machine import Machine
    from .server import Answer, Call, Routes

BUILDERS = ("ops", "web-1")
"""Machines on which images are built, by the begin of their names."""


def litter(machine: Machine, day: float) -> None:
    """What people leave behind in months: dangling builds, volumes nobody mounts, a build cache.

    With chance of its own: the rest of the play is the same with it and without.
    """
    chance = dice(("litter", machine.name))
    now = machine.agenda.now
    for _ in range(chance.randrange(1, 5)):
        name = f"{chance.getrandbits(256):064x}"
        size, age = chance.randrange(40 << 20, 300 << 20), chance.uniform(8, 120)
        image = Image(f"sha256:{name}", "", "", f"sha256:{name[::-1]}", now - age * day, size)
        machine.images[image.id] = image
        volume = f"{chance.getrandbits(256):064x}"
        machine.volumes[volume] = Volume(volume, now - age * day, chance.randrange(1 << 20, 200 << 20))
    if machine.name.startswith(BUILDERS):
        for _ in range(chance.randrange(6, 14)):
            name = f"{chance.getrandbits(120):025x}"[:25]
            step = chance.choice(("RUN npm ci", "RUN pip install -r requirements.txt", "COPY . /app", "RUN make build"))
            machine.cache[name] = CacheRecord(
                name,
                f"mount / from exec /bin/sh -c {step}",
                chance.randrange(1 << 20, 90 << 20),
                now - chance.uniform(1, 40) * day,
            )
    machine.volumes["backup_old"] = Volume("backup_old", now - 90 * day, chance.randrange(100 << 20, 2 << 30))


def add_storage(routes: Routes) -> None:
    """Put the removals into the table of routes."""
    for method, path, route in (
        ("DELETE", "/images/{}", remove_image),
        ("GET", "/volumes/{}", inspect_volume),
        ("DELETE", "/volumes/{}", remove_volume),
        ("POST", "/build/prune", prune_cache),
    ):
        routes.add(method, path, route)


async def remove_image(call: Call) -> Answer:
    """`DELETE /images/{name}`: 409 where a container was made from it."""
    from .server import say

    machine = call.machine
    image = machine.find_image(call.target)
    for container in machine.containers.values():
        if container.plan.image.id == image.id:
            raise Rejected(
                f"conflict: unable to delete {image.id[7:19]} (must be forced) - image is being used by "
                f"{'running' if container.alive else 'stopped'} container {container.id[:12]}",
                status=409,
            )
    del machine.images[image.id]
    deleted = [{"Deleted": image.id}]
    if image.tag:
        machine.tell("image", "untag", image.id, {"name": image.ref})
        deleted.insert(0, {"Untagged": image.ref})
    machine.tell("image", "delete", image.id, {"name": image.id})
    return say(machine, deleted)


def _volume(call: Call) -> Volume:
    found = call.machine.volumes.get(call.target)
    if found is None:
        raise Rejected(f"get {call.target}: no such volume", status=404)
    return found


async def inspect_volume(call: Call) -> Answer:
    """`GET /volumes/{name}`."""
    from .about import volume
    from .server import say

    return say(call.machine, volume(_volume(call)))


async def remove_volume(call: Call) -> Answer:
    """`DELETE /volumes/{name}`: 409 where a container mounts it."""
    from .server import empty

    machine, volume = call.machine, _volume(call)
    for container in machine.containers.values():
        if any(mount.source == volume.name for mount in container.plan.mounts):
            raise Rejected(f"remove {volume.name}: volume is in use - [{container.id}]", status=409)
    del machine.volumes[volume.name]
    machine.tell("volume", "destroy", volume.name, {"driver": "local"})
    return empty(machine)


async def prune_cache(call: Call) -> Answer:
    """`POST /build/prune`: the records whose id fits the filter `id`, a pattern in quotes; without one all."""
    from .server import say

    machine = call.machine
    wanted = filters(call.query("filters")).get("id", [])
    pattern = re.compile(wanted[0].strip('"')) if wanted else None
    gone = [one for one in machine.cache.values() if not one.in_use and (not pattern or pattern.search(one.id))]
    for record in gone:
        del machine.cache[record.id]
    freed = sum(record.size for record in gone)
    machine.tell("builder", "prune", "", {"reclaimed": str(freed)})
    return say(machine, {"CachesDeleted": [record.id for record in gone] or None, "SpaceReclaimed": freed})
