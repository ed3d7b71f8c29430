"""What is known of a fleet, as frozen data. `None` means not known, never 0. Times are aware UTC; ages are monotonic.

Every text in here has been cleaned (`text.plain`) where it was decoded: it can be put on a terminal as it is.
"""

from .changes import (
    Change,
    Confirmed,
    ContainersSeen,
    EngineSeen,
    EventsSeen,
    FirstWatched,
    GapSeen,
    LinkChanged,
    Listed,
    SwarmSeen,
    UsageSeen,
    WordsSeen,
)
from .containers import (
    Container,
    ContainerDetail,
    ContainerKey,
    ContainerState,
    Freshness,
    Health,
    HealthProbe,
    Mount,
    Port,
    Usage,
)
from .engines import EngineInfo, EngineStatus, LinkPhase, LinkStatus, SwarmMembership
from .images import Image
from .records import Attribution, Cause, EngineEvent, Record, RecordKind, Told
from .services import Replica, Service, ServiceChange, ServiceKey, ServiceState, titled
from .swarms import SwarmNode, SwarmPicture, SwarmService, SwarmTask

__all__ = [
    "Attribution",
    "Cause",
    "Change",
    "Confirmed",
    "Container",
    "ContainerDetail",
    "ContainerKey",
    "ContainerState",
    "ContainersSeen",
    "EngineEvent",
    "EngineInfo",
    "EngineSeen",
    "EngineStatus",
    "EventsSeen",
    "FirstWatched",
    "Freshness",
    "GapSeen",
    "Health",
    "HealthProbe",
    "Image",
    "LinkChanged",
    "LinkPhase",
    "LinkStatus",
    "Listed",
    "Mount",
    "Port",
    "Record",
    "RecordKind",
    "Replica",
    "Service",
    "ServiceChange",
    "ServiceKey",
    "ServiceState",
    "SwarmMembership",
    "SwarmNode",
    "SwarmPicture",
    "SwarmSeen",
    "SwarmService",
    "SwarmTask",
    "Told",
    "Usage",
    "UsageSeen",
    "WordsSeen",
    "titled",
]
