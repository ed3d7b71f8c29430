"""From the body of `POST /containers/create` to what a simulated container is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import Rejected
from .machine import Machine
from .things import Blueprint, Check, MountPoint, Nature, PortMap
from .world import World

_OWN_HOST_FIELDS = frozenset(("Binds", "Mounts", "PortBindings", "RestartPolicy", "Memory", "NanoCpus", "NetworkMode",
                              "AutoRemove", "MemorySwap"))  # fmt: skip
_OWN_FIELDS = frozenset(("Labels", "Healthcheck", "HostConfig", "NetworkingConfig", "Image", "Cmd", "Entrypoint", "Env",
                         "User", "Tty", "ExposedPorts"))  # fmt: skip


def plan_from(world: World, machine: Machine, name: str, body: Mapping[str, Any]) -> Blueprint:
    """The blueprint of what a client asks for. It behaves as other containers of its image do.

    Raises Rejected: 400 for a body that makes no sense, 404 for an image that is not there.
    """
    ref = body.get("Image")
    if not isinstance(ref, str) or not ref:
        raise Rejected("config cannot be empty in order to create a container", status=400)
    image = machine.find_image(ref)
    part = world.shelf.parts.get(image.repository)
    host = _map(body.get("HostConfig"))
    networks = _map(_map(body.get("NetworkingConfig")).get("EndpointsConfig"))
    mode = str(host.get("NetworkMode") or "default")
    names = tuple(networks) or (("bridge",) if mode in ("default", "") else (mode,))
    policy = _map(host.get("RestartPolicy"))
    aliases = [alias for one in networks.values() for alias in _map(one).get("Aliases") or ()]
    return Blueprint(
        name=name,
        image=image,
        ref=ref,
        labels=_texts(_map(body.get("Labels"))),
        nature=part.nature if part is not None else Nature(),
        entrypoint=_words(body.get("Entrypoint"), image.entrypoint),
        cmd=_words(body.get("Cmd"), image.cmd),
        env=_words(body.get("Env"), ()),
        policy=str(policy.get("Name") or "no"),
        retries=int(policy.get("MaximumRetryCount") or 0),
        ports=_ports(machine, _map(body.get("ExposedPorts")), _map(host.get("PortBindings"))),
        mounts=_mounts(host),
        networks=names,
        aliases=tuple(dict.fromkeys(aliases)),
        check=_check(body.get("Healthcheck"), part.check if part is not None else None),
        memory=int(host.get("Memory") or 0),
        nano_cpus=int(host.get("NanoCpus") or 0),
        user=str(body.get("User") or ""),
        tty=bool(body.get("Tty")),
        auto_remove=bool(host.get("AutoRemove")),
        fate=world.fates.get(image.ref),
        config={k: v for k, v in body.items() if k not in _OWN_FIELDS},
        host_config={k: v for k, v in host.items() if k not in _OWN_HOST_FIELDS},
    )


def _map(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Rejected("invalid JSON: an object is expected", status=400)
    return value


def _texts(value: Mapping[str, Any]) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()}


def _words(value: object, default: Sequence[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(one) for one in value) if isinstance(value, list) else tuple(default)


def _ports(machine: Machine, exposed: Mapping[str, Any], bindings: Mapping[str, Any]) -> tuple[PortMap, ...]:
    found: dict[str, PortMap] = {}
    for name in (*exposed, *bindings):
        number, _, protocol = name.partition("/")
        found[name] = PortMap(int(number), None, protocol or "tcp")
    for name, bound in bindings.items():
        for one in bound or ():
            wanted = str(_map(one).get("HostPort") or "0")
            public = int(wanted) if wanted.isdigit() and wanted != "0" else machine.chance.randrange(32_768, 60_999)
            found[name] = replace(found[name], public=public)
    return tuple(found.values())


def _mounts(host: Mapping[str, Any]) -> tuple[MountPoint, ...]:
    found: list[MountPoint] = []
    for bind in host.get("Binds") or ():
        source, _, rest = str(bind).partition(":")
        target, _, mode = rest.partition(":")
        found.append(MountPoint(source, target, "bind" if source.startswith("/") else "volume", "ro" not in mode))
    for one in host.get("Mounts") or ():
        mount = _map(one)
        kind = str(mount.get("Type") or "volume")
        found.append(
            MountPoint(str(mount.get("Source") or ""), str(mount.get("Target") or ""), kind, not mount.get("ReadOnly"))
        )
    return tuple(found)


def _check(value: object, default: Check | None) -> Check | None:
    asked = _map(value)
    test = tuple(str(word) for word in asked.get("Test") or ())
    if not test:
        return default if value is None else None
    if test[0] == "NONE":
        return None
    known = default or Check(test)
    return replace(
        known,
        test=test,
        interval=(asked.get("Interval") or 30e9) / 1e9,
        timeout=(asked.get("Timeout") or 30e9) / 1e9,
        retries=int(asked.get("Retries") or 3),
        start_period=(asked.get("StartPeriod") or 0) / 1e9,
    )
