"""The views, in the order of their number keys."""

from __future__ import annotations

from .base import Moment, View
from .checks import ChecksView
from .containers import ContainersView
from .deploys import DeploysView
from .hosts import HostsView
from .services import ServicesView
from .storage import StorageView
from .swarm import SwarmView
from .trail import TrailView

__all__ = ["VIEWS", "Moment", "View"]

VIEWS: tuple[View, ...] = (
    ServicesView(),
    ContainersView(),
    HostsView(),
    TrailView(),
    DeploysView(),
    ChecksView(),
    StorageView(),
    SwarmView(),
)
