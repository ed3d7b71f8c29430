"""A swarm service as its manager keeps it, raw: what is read of it, and the one field that is changed in it."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping

import msgspec

from ..errors import Malformed
from .paths import segment
from .steps import Reach

HELD = 365 * 86_400 * 1_000_000_000
"""Nanoseconds of delay from which on an update is a paused one: the API has no word for one (moby: api/swagger.yaml).
What is beyond them is the delay it had: that is kept through whatever else is changed meanwhile."""


class ServiceNow(msgspec.Struct, frozen=True, kw_only=True):
    """A service at one version. `spec` is raw and is only ever sent back."""

    version: int
    spec: Mapping[str, object]
    replicas: int | None
    """None: it is not replicated (global, a job)."""
    parallelism: int = 1
    """Of its update rule; 0: all tasks at once."""
    order: str = ""
    failure_action: str = ""
    update_state: str = ""
    update_message: str = ""
    update_started: str = ""
    previous: Mapping[str, object] | None = None
    """The spec before the last change, raw; None: there is none."""

    @property
    def mark(self) -> str:
        """Tells this spec, with the one before, from another. The swarm's own changes of its state do not change it."""
        both = msgspec.json.encode((self.spec, self.previous), order="deterministic")
        return hashlib.sha256(both).hexdigest()

    @property
    def image(self) -> str:
        """What its tasks run, with the digest."""
        return _image(self.spec)

    @property
    def previous_image(self) -> str:
        """What its tasks ran before the last change."""
        return _image(self.previous or {})

    @property
    def held(self) -> bool:
        """Whether its update waits so long between two tasks that it is paused."""
        return self.delay >= HELD

    @property
    def was_held(self) -> bool:
        """Whether the last change was to go on with a paused update."""
        return _delay(self.previous or {}) >= HELD

    @property
    def delay(self) -> int:
        """Nanoseconds between two rows of tasks of an update."""
        return _delay(self.spec)

    def makes(self, task: Mapping[str, object]) -> bool:
        """Whether a task, by its own spec, is what this service's tasks are to be."""
        wanted, found = _table(self.spec.get("TaskTemplate")), _table(task.get("Spec"))
        # Not all of it: a task has no Runtime, and a change of its placement need not replace it.
        return all((wanted.get(part) or None) == (found.get(part) or None) for part in ("ContainerSpec", "ForceUpdate"))

    def with_image(self, image: str) -> dict[str, object]:
        """The spec with another image and nothing else changed."""
        spec = copy.deepcopy(dict(self.spec))
        _child(_child(spec, "TaskTemplate"), "ContainerSpec")["Image"] = image
        return spec

    def with_update_held(self) -> dict[str, object]:
        """The spec with a delay of its update that nobody waits for."""
        spec = copy.deepcopy(dict(self.spec))
        if not self.held:
            _child(spec, "UpdateConfig")["Delay"] = HELD + self.delay
        return spec

    def with_update_going_on(self) -> dict[str, object]:
        """The spec with the delay it had before it was held; as it is where it is not held: that goes on, too."""
        spec = copy.deepcopy(dict(self.spec))
        if self.held:
            _child(spec, "UpdateConfig")["Delay"] = self.delay - HELD
        return spec

    def with_replicas(self, number: int) -> dict[str, object]:
        """The spec with another number of replicas and nothing else changed."""
        spec = copy.deepcopy(dict(self.spec))
        _child(_child(spec, "Mode"), "Replicated")["Replicas"] = number
        return spec

    def with_tasks_replaced(self) -> dict[str, object]:
        """The spec with its ForceUpdate counter one up and nothing else changed."""
        spec = copy.deepcopy(dict(self.spec))
        template = _child(spec, "TaskTemplate")
        now = template.get("ForceUpdate")
        template["ForceUpdate"] = (now if isinstance(now, int) else 0) + 1
        return spec


async def service_now(reach: Reach, engine: str, service: str) -> ServiceNow | None:
    """Read a service from a manager; None: it is gone. Raises EngineError."""
    raw = await reach.client.uncleaned(f"/services/{segment(service)}")
    if raw is None:
        return None
    table = _table(raw)
    version = _table(table.get("Version")).get("Index")
    spec = _table(table.get("Spec"))
    if not isinstance(version, int) or not spec:
        raise Malformed(f"{engine} tells of the service without its version or its spec.", where="a service")
    mode, rule, state = _table(spec.get("Mode")), _table(spec.get("UpdateConfig")), _table(table.get("UpdateStatus"))
    replicated = mode.get("Replicated")
    number = _table(replicated).get("Replicas", 1) if isinstance(replicated, dict) else None
    parallelism = rule.get("Parallelism", 1 if not rule else 0)
    return ServiceNow(
        version=version,
        spec=spec,
        replicas=number if isinstance(number, int) else None,
        parallelism=parallelism if isinstance(parallelism, int) else 1,
        order=str(rule.get("Order") or ""),
        failure_action=str(rule.get("FailureAction") or ""),
        update_state=str(state.get("State") or ""),
        update_message=str(state.get("Message") or ""),
        update_started=str(state.get("StartedAt") or ""),
        previous=_table(table.get("PreviousSpec")) or None,
    )


def _image(spec: Mapping[str, object]) -> str:
    return str(_table(_table(spec.get("TaskTemplate")).get("ContainerSpec")).get("Image") or "")


def _delay(spec: Mapping[str, object]) -> int:
    delay = _table(spec.get("UpdateConfig")).get("Delay")
    return delay if isinstance(delay, int) else 0


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _child(table: dict[str, object], key: str) -> dict[str, object]:
    found = table.get(key)
    if not isinstance(found, dict):
        found = table[key] = {}
    return found
