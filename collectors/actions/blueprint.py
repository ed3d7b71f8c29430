"""How a clone is made from an inspected container: what is kept, what is left out, and what is in its way. Pure.

Works on the raw answer of `GET /containers/{id}/json`, since the environment's values, which a clone needs, never get
past the decoder. A blueprint is therefore secret: it is sent to the engine and kept nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from .naming import NUMBER

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, never bound to
_BUILT_IN = frozenset({"default", "bridge", "host", "none", "nat", "podman", ""})
_NOT_OURS = ("com.docker.compose.replace", "com.docker.compose.slug")
"""Labels that speak of that one container: what it replaced, compose v1's random name."""
_ENDPOINT = ("IPAMConfig", "Links", "DriverOpts", "GwPriority")


class FixedPort(NamedTuple):
    """A port of the host that a container claims by number; `ip` is empty for all addresses."""

    ip: str
    port: int
    protocol: str

    def collides(self, other: FixedPort) -> bool:
        """Both cannot be had on one host."""
        same = self.ip == other.ip or self.ip in _EVERYWHERE or other.ip in _EVERYWHERE
        return same and self.port == other.port and self.protocol == other.protocol


class Blueprint(msgspec.Struct, frozen=True, kw_only=True):
    """Everything needed to make the clone."""

    name: str
    config: Mapping[str, object]
    """The body of `POST /containers/create`."""
    networks: Mapping[str, Mapping[str, object]]
    """Further networks to connect it to before it starts: engines before API 1.44 take one at creation."""
    needs: tuple[str, ...]
    """Networks that have to exist on its host."""
    image: str
    """As it was asked for."""
    image_id: str
    ports: tuple[FixedPort, ...]
    volumes: tuple[str, ...]
    """Named volumes it would share with its source, or, on another host, get there."""
    binds: tuple[str, ...]
    """Folders of the host it uses."""
    dropped: tuple[str, ...]
    """What the source has and the clone cannot, in words."""
    obstacles: tuple[str, ...]
    """Why it cannot be cloned, in words."""

    def with_image(self, image: str) -> Blueprint:
        """The same with the image called as its host knows it."""
        return msgspec.structs.replace(self, config={**self.config, "Image": image})


def blueprint(raw: object, *, name: str, number: int) -> Blueprint:
    """The clone called `name`, with `number` in compose's label, of the container that was inspected as `raw`."""
    source = _table(raw)
    config, host = dict(_table(source.get("Config"))), dict(_table(source.get("HostConfig")))
    own_name, own_id = str(source.get("Name", "")).lstrip("/"), str(source.get("Id", ""))
    dropped: list[str] = []
    obstacles: list[str] = []
    if config.get("Hostname") in (own_id[:12], ""):
        config.pop("Hostname", None)
    elif config.get("Hostname"):
        dropped.append(f"the fixed host name {config['Hostname']} is kept, so two have it")
    if config.pop("MacAddress", None):
        dropped.append("the fixed MAC address is left out")
    config["Labels"] = _labels(_table(config.get("Labels")), number)
    host.pop("ContainerIDFile", None)
    if "Ulimits" in host:
        host["Ulimits"] = [_limit(_table(item)) for item in _rows(host["Ulimits"])]
    if str(host.get("NetworkMode", "")).startswith("container:"):
        obstacles.append(
            f"the container {own_name} lives in another container's network, where two cannot listen on one port"
        )
    volumes, binds = _storage(config, host)
    networks = _networks(source, own_name, own_id, name, dropped)
    mode = str(host.get("NetworkMode", "default"))
    first = _first_network(mode, networks)
    config["HostConfig"] = host
    if first in networks:
        config["NetworkingConfig"] = {"EndpointsConfig": {first: networks[first]}}
    return Blueprint(
        name=name,
        config=config,
        networks={other: value for other, value in networks.items() if other != first},
        needs=tuple(other for other in networks if other not in _BUILT_IN),
        image=str(config.get("Image", "")),
        image_id=str(source.get("Image", "")),
        ports=_fixed_ports(host),
        volumes=volumes,
        binds=binds,
        dropped=tuple(dropped),
        obstacles=tuple(obstacles),
    )


def _labels(labels: Mapping[str, object], number: int) -> dict[str, object]:
    kept = {key: value for key, value in labels.items() if key not in _NOT_OURS}
    if NUMBER in kept:
        kept[NUMBER] = str(number)
    return kept


def _limit(limit: Mapping[str, object]) -> dict[str, object]:
    """As its create takes it: Podman 4.3 tells of RLIMIT_NOFILE what it only takes as nofile."""
    name = str(limit.get("Name", ""))
    return {**limit, "Name": name.removeprefix("RLIMIT_").lower() if name.startswith("RLIMIT_") else name}


def _storage(config: dict[str, object], host: dict[str, object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Named volumes and folders in use; anonymous volumes become new ones (compose hands old ones on by their id)."""
    fresh = dict(_table(config.get("Volumes")))
    volumes: list[str] = []
    binds: list[str] = []
    kept_binds = []
    for bind in _rows(host.get("Binds")):
        origin, _, rest = str(bind).partition(":")
        target = rest.partition(":")[0]
        if _ANONYMOUS.fullmatch(origin):
            fresh[target] = {}
            continue
        (binds if origin.startswith("/") else volumes).append(origin)
        kept_binds.append(bind)
    mounts = []
    for item in _rows(host.get("Mounts")):
        mount = dict(_table(item))
        origin, kind = str(mount.get("Source") or ""), mount.get("Type")
        if kind == "volume" and _ANONYMOUS.fullmatch(origin):
            mount.pop("Source", None)
        elif kind == "volume" and origin:
            volumes.append(origin)
        elif kind == "bind":
            binds.append(origin)
        mounts.append(mount)
    if "Binds" in host:
        host["Binds"] = kept_binds
    if mounts:
        host["Mounts"] = mounts
    if fresh:
        config["Volumes"] = fresh
    return tuple(dict.fromkeys(volumes)), tuple(dict.fromkeys(binds))


def _networks(
    source: Mapping[str, object], own_name: str, own_id: str, name: str, dropped: list[str]
) -> dict[str, Mapping[str, object]]:
    """Its networks as a new container joins them: by alias, without the addresses that are the source's own."""
    result: dict[str, Mapping[str, object]] = {}
    for network, value in _table(_table(source.get("NetworkSettings")).get("Networks")).items():
        given = _table(value)
        endpoint = {key: given[key] for key in _ENDPOINT if given.get(key)}
        addresses = dict(_table(endpoint.pop("IPAMConfig", None)))
        fixed = [str(v) for key, v in addresses.items() if v and key in ("IPv4Address", "IPv6Address")]
        if fixed:
            dropped.append(f"its fixed address {' and '.join(fixed)} in {network} is left out: it gets another")
        aliases = [str(a) for a in _rows(given.get("Aliases")) if a not in (own_id[:12], own_name)]
        if own_name in _rows(given.get("Aliases")):
            aliases.insert(0, name)
        if aliases and network not in _BUILT_IN:
            endpoint["Aliases"] = aliases
        result[network] = endpoint
    return result


def _first_network(mode: str, networks: Mapping[str, object]) -> str:
    if mode in networks:
        return mode
    if mode == "default" and "bridge" in networks:
        return "bridge"
    return next(iter(networks), "")


def _fixed_ports(host: Mapping[str, object]) -> tuple[FixedPort, ...]:
    """Those bound to one port of the host; an empty port, 0 or a range leaves the engine a choice."""
    found = []
    for private, bindings in _table(host.get("PortBindings")).items():
        protocol = private.partition("/")[2] or "tcp"
        for item in _rows(bindings):
            binding = _table(item)
            port = str(binding.get("HostPort") or "")
            if port.isascii() and port.isdigit() and 0 < int(port) < 65536:
                found.append(FixedPort(str(binding.get("HostIp") or ""), int(port), protocol))
    return tuple(found)


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _rows(value: object) -> list[object]:
    return value if isinstance(value, list) else []
