"""Which services, or which container, are meant by the names on the command line."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fleettop.collectors.actions.picture import canonical
from fleettop.collectors.actions.shellplaces import shell_places
from fleettop.collectors.config.tomlfile import nearest
from fleettop.collectors.errors import ConfigError
from fleettop.collectors.model import Container, ContainerKey, Service, ServiceKey

if TYPE_CHECKING:
    from fleettop.collectors.fleet import Fleet

_ID_DIGITS = 4


def find_services(names: Sequence[str], services: Mapping[ServiceKey, Service]) -> tuple[ServiceKey, ...]:
    """The services meant by `names` (`api`, `pay/api`, `pay/*`), each once, in their order.

    Raises ConfigError for a name that fits no service (naming the nearest), or fits several without being a pattern.
    """
    found: dict[ServiceKey, None] = {}
    for name in names:
        found.update(dict.fromkeys(_find(name, services)))
    return tuple(found)


def find_container(name: str, fleet: Fleet) -> ContainerKey:
    """The container meant by its name, the first digits of its id, or its service's name (its newest healthy replica).

    Raises ConfigError for a name that fits none (naming the nearest), or containers on several engines.
    """
    found = _containers_named(name, fleet)
    if found is not None:
        return found
    try:
        [service] = find_services([name], fleet.services)
    except (ConfigError, ValueError) as error:
        near = nearest(name, (*(c.name for c in _containers(fleet)), *(s.name for s in fleet.services.values())))
        raise ConfigError(
            f"There is no container or service {name!r}.",
            hint=f"Did you mean {near!r}?" if near else "`fleettop ls containers` lists them.",
        ) from error
    places = shell_places(service, fleet)
    if not places.containers:
        raise ConfigError(" ".join(places.notes))
    return places.containers[0].key


def means_something(name: str, fleet: Fleet) -> bool:
    """Whether a container or a service of that name is known by now."""
    try:
        return _containers_named(name, fleet) is not None or bool(_find(name, fleet.services))
    except ConfigError:
        return False


def container_named(name: str, fleet: Fleet) -> ContainerKey:
    """The container meant by `pay-api-1`, `pay-api-1@web-1`, or the first digits of its id. Raises ConfigError."""
    found = _containers_named(name, fleet)
    if found is None:
        near = nearest(name, [c.name for c in _containers(fleet)])
        raise ConfigError(
            f"There is no container {name!r}.",
            hint=f"Did you mean {near!r}?" if near else "`fleettop ls containers` lists them.",
        )
    return found


def _containers(fleet: Fleet) -> list[Container]:
    return [c for key, c in fleet.containers.items() if canonical(fleet, key) == key]


def _containers_named(name: str, fleet: Fleet) -> ContainerKey | None:
    containers = _containers(fleet)
    alone, _, engine = name.rpartition("@")
    if alone and engine in fleet.engines:
        containers, name = [c for c in containers if c.engine == engine], alone
    found = [c for c in containers if c.name == name]
    if not found and len(name) >= _ID_DIGITS and set(name) <= set("0123456789abcdef"):
        found = [c for c in containers if c.id.startswith(name)]
    if len(found) > 1:
        where = ", ".join(sorted(c.engine for c in found))
        raise ConfigError(
            f"There are {len(found)} containers called {name!r}, on {where}.",
            hint=f"Write which: {name}@{found[0].engine}.",
        )
    return found[0].key if found else None


def _find(name: str, services: Mapping[ServiceKey, Service]) -> list[ServiceKey]:
    titles = {key: service.title for key, service in services.items()}
    exact = [key for key, title in titles.items() if title == name]
    exact = exact or [key for key, service in services.items() if service.name == name]
    if len(exact) > 1:
        raise _ambiguous(name, exact, titles)
    if exact:
        return exact
    if set(name) & set("*?["):
        fits = [
            key
            for key, title in sorted(titles.items(), key=lambda item: item[1])
            if fnmatch.fnmatchcase(title, name) or fnmatch.fnmatchcase(services[key].name, name)
        ]
        if fits:
            return fits
    near = nearest(name, (*titles.values(), *(service.name for service in services.values())))
    raise ConfigError(
        f"There is no service {name!r}.",
        hint=f"Did you mean {near!r}?" if near else "`fleettop ls services` lists them.",
    )


def _ambiguous(name: str, keys: Sequence[ServiceKey], titles: Mapping[ServiceKey, str]) -> ConfigError:
    which = sorted({titles[key] for key in keys})
    if len(which) > 1:
        return ConfigError(f"{name!r} could be {' or '.join(which)}.", hint="Write which, with its stack.")
    where = sorted(key.scope for key in keys)
    return ConfigError(
        f"There are {len(keys)} services called {name!r}, in {', '.join(where)}.",
        hint="Choose the engine with --engine, or act on it in the dashboard.",
    )
