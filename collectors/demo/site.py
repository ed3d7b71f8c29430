"""One simulated machine as it stands: its images, containers, networks and volumes, and the events it tells."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping

from ..errors import Rejected
from .agenda import Agenda
from .ring import Ring
from .things import Blueprint, CacheRecord, Container, Endpoint, Exec, Greed, Image, Network, Volume


class Site:
    """One engine and what runs on it. `address_name` is what fleettop calls it."""

    def __init__(
        self, name: str, *, group: str, release: tuple[str, str], agenda: Agenda, chance: random.Random, size: int
    ) -> None:
        self.name = name
        self.group = group
        self.version, self.api = release
        self.chance = chance
        self.agenda = agenda
        self.cpus = size
        self.memory = size * 4 * (1 << 30)
        self.id = str(chance.getrandbits(128))
        self.booted = agenda.now - chance.uniform(45, 190) * 86_400
        self.ring = Ring()
        self.containers: dict[str, Container] = {}
        self.names: dict[str, Container] = {}
        self.execs: dict[str, Exec] = {}
        self.images: dict[str, Image] = {}
        self.networks: dict[str, Network] = {}
        self.volumes: dict[str, Volume] = {}
        self.cache: dict[str, CacheRecord] = {}
        self.powered = True
        self.silent = False
        """The daemon takes connections and answers nothing."""
        self.greed: Greed | None = None
        self.full = False
        """Its disk has no room: the daemon starts and creates nothing."""
        self.on_end: Callable[[Container], None] | None = None
        """Told of every container of this machine that ended or vanished (the swarm listens)."""
        for number, (network, driver) in enumerate((("bridge", "bridge"), ("host", "host"), ("none", "null"))):
            self.add_network(network, driver, subnet=f"172.{17 + number}", created=self.booted)

    # -- finding

    def find(self, reference: str) -> Container:
        """The container with this name, id or start of an id. Raises Rejected (404, or 400 for several)."""
        exact = self.containers.get(reference) or self.names.get(reference.removeprefix("/"))
        if exact is not None:
            return exact
        found = [c for i, c in self.containers.items() if reference and i.startswith(reference)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Rejected(f"Multiple IDs found with provided prefix: {reference}", status=400)
        raise Rejected(f"No such container: {reference}", status=404)

    def find_image(self, reference: str) -> Image:
        """The image with this name:tag, digest or id. Raises Rejected (404)."""
        bare, _, digest = reference.partition("@")
        named = bare if ":" in bare.rpartition("/")[2] else f"{bare}:latest"
        for image in self.images.values():
            if image.id.removeprefix("sha256:").startswith(reference.removeprefix("sha256:")):
                return image
            if image.ref == named or (digest and image.digest == digest):
                return image
        raise Rejected(f"No such image: {reference}", status=404)

    def find_network(self, reference: str) -> Network:
        """The network with this name, id or start of an id. Raises Rejected (404)."""
        for network in self.networks.values():
            if reference == network.name or network.id.startswith(reference):
                return network
        raise Rejected(f"network {reference} not found", status=404)

    # -- events

    def tell(self, kind: str, action: str, actor: str, attributes: Mapping[str, str], *, scope: str = "local") -> None:
        """Say that something happened, as an event."""
        self.ring.add(self.agenda.now, kind, action, actor, attributes, scope)

    def tell_of(self, container: Container, action: str, **more: str) -> None:
        """Say that something happened to a container; its labels are among the event's attributes."""
        attributes = {**container.labels, **more, "image": container.plan.ref, "name": container.name}
        self.tell("container", action, container.id, attributes)

    # -- networks, volumes, images

    def add_network(
        self, name: str, driver: str, *, subnet: str, created: float, scope: str = "local", quiet: bool = True
    ) -> Network:
        """Make a network."""
        network = Network(self.new_id(), name, driver, created, subnet, scope)
        self.networks[name] = network
        if not quiet:
            self.tell("network", "create", network.id, {"name": name, "type": driver})
        return network

    def add_image(self, image: Image, *, pulled: bool = False) -> None:
        """Have an image; `pulled` says so in an event."""
        known = image.id in self.images
        self.images[image.id] = image
        if pulled and not known:
            self.tell("image", "pull", image.ref, {**image.labels, "name": image.repository})

    # -- containers

    def create(self, plan: Blueprint, *, created: float | None = None, quiet: bool = False) -> Container:
        """Make a container. Raises Rejected: 409 where its name is taken, 500 where there is no room for it."""
        if self.full:
            raise Rejected(f"mkdir /var/lib/docker/overlay2/{self.new_id()}-init: no space left on device", status=500)
        if (taken := self.names.get(plan.name)) is not None:
            raise Rejected(
                f'Conflict. The container name "/{plan.name}" is already in use by container "{taken.id}". '
                "You have to remove (or rename) that container to be able to reuse that name.",
                status=409,
            )
        now = self.agenda.now if created is None else created
        container = Container(
            id=self.new_id(),
            name=plan.name,
            plan=plan,
            created=now,
            labels={**plan.image.labels, **plan.labels},
            endpoints=[],
            policy=plan.policy,
            retries=plan.retries,
            memory=plan.memory,
            nano_cpus=plan.nano_cpus,
            fate=plan.fate,
        )
        for network in plan.networks:
            self._join(container, network)
        for mount in plan.mounts:
            if mount.kind == "volume" and mount.source not in self.volumes:
                self.volumes[mount.source] = Volume(mount.source, now, self.chance.randrange(1 << 20, 6 << 30))
                if not quiet:
                    self.tell("volume", "create", mount.source, {"driver": "local"})
        self.images.setdefault(plan.image.id, plan.image)
        self.containers[container.id] = container
        self.names[container.name] = container
        if not quiet:
            self.tell_of(container, "create")
        return container

    def _join(self, container: Container, name: str) -> Endpoint:
        network = self.networks.get(name)
        if network is None:
            subnet = f"172.{18 + len(self.networks) % 13}"
            network = self.add_network(name, "bridge", subnet=subnet, created=container.created)
        address = "" if network.driver in ("host", "null") else network.take_address()
        mac = "02:42:" + ":".join(f"{int(n):02x}" for n in address.split(".")) if address else ""
        endpoint = Endpoint(name, address, mac, self.new_id())
        container.endpoints.append(endpoint)
        return endpoint

    def connect(self, network: str, reference: str) -> None:
        """Put a container into a further network. Raises Rejected (404, 403)."""
        container, place = self.find(reference), self.find_network(network)
        if any(one.network == place.name for one in container.endpoints):
            raise Rejected(f"endpoint with name {container.name} already exists in network {place.name}", status=403)
        self._join(container, place.name)
        container.fixed_row = None
        if container.alive:
            self.tell_networks(container, "connect", only=place.name)

    def rename(self, container: Container, name: str) -> None:
        """`docker rename`. Raises Rejected (409) where the name is taken."""
        if name in self.names:
            raise Rejected(
                f'Conflict. The container name "/{name}" is already in use by another container.', status=409
            )
        old = container.name
        del self.names[old]
        self.names[name] = container
        container.name, container.fixed_row = name, None
        self.tell_of(container, "rename", oldName=f"/{old}")

    def tell_networks(self, container: Container, action: str, only: str = "") -> None:
        """Say that a container joined or left its networks, or `only` one of them."""
        for endpoint in container.endpoints:
            network = self.networks.get(endpoint.network)
            if network is not None and (not only or only == endpoint.network):
                attributes = {"container": container.id, "name": network.name, "type": network.driver}
                self.tell("network", action, network.id, attributes)

    def tell_volumes(self, container: Container, action: str) -> None:
        """Say that its volumes were mounted or unmounted."""
        for mount in container.plan.mounts:
            if mount.kind == "volume":
                attributes = {"container": container.id, "driver": "local"}
                if action == "mount":
                    flag = "true" if mount.read_write else "false"
                    attributes |= {"destination": mount.target, "propagation": "", "read/write": flag}
                self.tell("volume", action, mount.source, attributes)

    def running(self) -> Iterator[Container]:
        """Those whose processes run."""
        return (container for container in self.containers.values() if container.alive)

    def new_id(self) -> str:
        """A random id of 64 digits."""
        return f"{self.chance.getrandbits(256):064x}"
