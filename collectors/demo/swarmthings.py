"""What a simulated swarm is made of: nodes, services and tasks. Plain state; `swarm` changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .machine import Machine
from .things import Container

Json = dict[str, Any]
OVER = frozenset(("complete", "shutdown", "failed", "rejected", "orphaned", "remove"))
"""States of tasks that have ended."""


@dataclass(eq=False, slots=True)
class Node:
    """A machine in the swarm."""

    id: str
    machine: Machine
    role: str
    address: str
    version: int
    created: float
    updated: float
    availability: str = "active"
    state: str = "ready"
    message: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Task:
    """An attempt at one replica. `slot` is 0 for a global service."""

    id: str
    service: Service
    slot: int
    made_from: Json
    """The task template of its service when it was made."""
    image: str
    created: float
    updated: float
    version: int
    node: Node | None = None
    state: str = "new"
    desired: str = "running"
    message: str = "created"
    error: str = ""
    container: Container | None = None
    exit_code: int | None = None
    memory: int = 0
    stopping: bool = False


@dataclass(eq=False, slots=True)
class Service:
    """A service; `spec` is JSON as clients send it."""

    id: str
    spec: Json
    version: int
    created: float
    updated: float
    previous: Json | None = None
    update: Json | None = None
    tasks: list[Task] = field(default_factory=list)
    poked: bool = False
    removed: bool = False
    retry: float = 1.5
    """Seconds until an ended task is replaced."""

    @property
    def name(self) -> str:
        """Its name, with its stack's in front."""
        return str(self.spec.get("Name", ""))

    @property
    def stack(self) -> str:
        """The stack it belongs to; empty: none."""
        return str((self.spec.get("Labels") or {}).get("com.docker.stack.namespace", ""))

    @property
    def template(self) -> Json:
        """What its tasks are made from."""
        return self.spec.get("TaskTemplate") or {}

    @property
    def image(self) -> str:
        """name:tag@digest."""
        return str(_in(self.spec, "TaskTemplate", "ContainerSpec", "Image") or "")

    @property
    def reserved(self) -> int:
        """Bytes of memory that each task reserves."""
        return int(_in(self.spec, "TaskTemplate", "Resources", "Reservations", "MemoryBytes") or 0)

    @property
    def wanted(self) -> int | None:
        """Replicas; None: one on every node."""
        replicated = _in(self.spec, "Mode", "Replicated")
        return int(replicated.get("Replicas") or 0) if isinstance(replicated, dict) else None


def _in(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
