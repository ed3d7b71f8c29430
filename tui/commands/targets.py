"""Which services are meant by the names on the command line."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence

from fleettop.collectors.actions.picture import service_title
from fleettop.collectors.config.tomlfile import nearest
from fleettop.collectors.errors import ConfigError
from fleettop.collectors.model import Service, ServiceKey


def find_services(names: Sequence[str], services: Mapping[ServiceKey, Service]) -> tuple[ServiceKey, ...]:
    """The services meant by `names` (`api`, `pay/api`, `pay/*`), each once, in their order.

    Raises ConfigError for a name that fits no service (naming the nearest), or fits several without being a pattern.
    """
    found: dict[ServiceKey, None] = {}
    for name in names:
        found.update(dict.fromkeys(_find(name, services)))
    return tuple(found)


def _find(name: str, services: Mapping[ServiceKey, Service]) -> list[ServiceKey]:
    titles = {key: service_title(service) for key, service in services.items()}
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
