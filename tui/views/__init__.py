"""The views. Each is loaded when somebody comes to it, or behind the first screen, which shows one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, cast

from .base import Moment, View

__all__ = ["TITLES", "Moment", "View", "Views"]

TITLES = {
    "services": "Services",
    "containers": "Containers",
    "hosts": "Hosts",
    "trail": "Trail",
    "deploys": "Deploys",
    "checks": "Checks",
    "storage": "Storage",
    "swarm": "Swarm",
}
"""What each is called while nobody has come to it, in the order of the number keys. One called `hosts` is the
`HostsView` of the module `hosts`."""


class Views(Mapping[str, View]):
    """The views by their ids, in the order of the number keys."""

    def __init__(self, sources: Mapping[str, Callable[..., Any]]) -> None:
        """`sources`: where a view has from what is not of the fleet, by its id."""
        self._sources = sources
        self._made: dict[str, View] = {}

    def __getitem__(self, name: str) -> View:
        """The view, made when it is first asked for."""
        view = self._made.get(name)
        if view is None:
            kind = getattr(import_module(f".{name}", __name__), f"{name.title()}View")
            source = self._sources.get(name)
            view = self._made[name] = cast(View, kind() if source is None else kind(source))
        return view

    def title(self, name: str) -> str:
        """What stands on its tab."""
        return self._made[name].title if name in self._made else TITLES[name]

    def __iter__(self) -> Iterator[str]:
        return iter(TITLES)

    def __len__(self) -> int:
        return len(TITLES)
