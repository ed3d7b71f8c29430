"""Which service a container is of. Pure: a container, the rules of the config and the known swarms in, its place out.

Every container has exactly one place, which depends on nothing but itself, the rules and the swarm its node is in. The
first source that matches wins, in the order of `_SOURCES`. Label names are those that each orchestrator writes.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import msgspec

from ..model import Container, ContainerState, EngineEvent, Health, ServiceKey

SWARM_TASK = "com.docker.swarm.task.id"
SWARM_SERVICE = "com.docker.swarm.service.name"
SWARM_SERVICE_ID = "com.docker.swarm.service.id"
SWARM_NODE = "com.docker.swarm.node.id"
STACK = "com.docker.stack.namespace"
COMPOSE = "com.docker.compose."
CONFIG_HASH = "com.docker.compose.config-hash"

ClusterOf = Callable[[str], str]
"""From a swarm node's id to its cluster's id; empty where not known yet."""


class ServiceRule(msgspec.Struct, frozen=True, kw_only=True):
    """A person's own word on what a service is. All that is given must match.

    `label`: it must be there, and equal `value` unless that is None. `name_pattern`: the container's name, with `*`,
    `?` and `[…]`. `template`: the service's name, where `{some.label}` stands for a label of the container and
    `{name}` for its name; a template that comes out empty, or names a label that is missing, does not match.
    """

    label: str = ""
    value: str | None = None
    name_pattern: str = ""
    template: str = "{name}"

    def name_of(self, container: Container) -> str:
        """The service's name by this rule; empty where the rule does not match."""
        if not self.label and not self.name_pattern:
            return ""
        if self.label:
            found = container.labels.get(self.label)
            if found is None or (self.value is not None and found != self.value):
                return ""
        if self.name_pattern and not fnmatch.fnmatchcase(container.name, self.name_pattern):
            return ""
        return _fill(self.template, container)


class PlaceKind(StrEnum):
    """What a container is to its service."""

    REPLICA = "replica"
    ONE_OFF = "one-off"
    """Started by hand for a single job (`docker compose run`), or a hook: no replica."""
    SANDBOX = "sandbox"
    """Holds a pod's namespaces and does nothing else: hidden."""


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a container belongs. `key` is that of its service, also for one-offs; a sandbox has none."""

    key: ServiceKey | None
    kind: PlaceKind = PlaceKind.REPLICA
    name: str = ""
    """The service's name as shown, without its stack."""
    stack: str = ""
    number: str = ""
    """Which replica it is, where its orchestrator numbers them."""
    slot: str = ""
    """Containers of one service with the same slot are attempts at the same replica; empty: each is its own."""

    @property
    def service(self) -> ServiceKey | None:
        """The service it is a replica of."""
        return self.key if self.kind is PlaceKind.REPLICA else None


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    key: ServiceKey
    name: str
    stack: str = ""
    number: str = ""
    slot: str = ""


def as_container(event: EngineEvent) -> Container:
    """As much of a container as its event tells: its labels come with it, also of one that is no more."""
    return Container(
        engine=event.engine,
        id=event.id,
        name=event.name,
        image=event.attributes.get("image", ""),
        image_id="",
        state=ContainerState.UNKNOWN,
        health=Health.UNKNOWN,
        labels=event.attributes,
    )


def place_of(container: Container, rules: Sequence[ServiceRule] = (), cluster_of: ClusterOf | None = None) -> Place:
    """Where this container belongs. Total and deterministic."""
    kind = _kind(container)
    if kind is PlaceKind.SANDBOX:
        return Place(key=None, kind=kind, name=container.name)
    found = _by_rule(container, rules) or _by_label(container, cluster_of) or _by_itself(container)
    return Place(key=found.key, kind=kind, name=found.name, stack=found.stack, number=found.number, slot=found.slot)


# -- what it is to its service -----------------------------------------------------------------------------------------


def _kind(container: Container) -> PlaceKind:
    labels = container.labels
    if (
        labels.get("io.kubernetes.docker.type") == "podsandbox"
        or labels.get("com.amazonaws.ecs.container-name") == "~internal~ecs~pause"
        or ("podman-pause" in container.image and container.name.endswith("-infra"))
    ):
        return PlaceKind.SANDBOX
    for label in ("com.docker.compose.oneoff", "com.docker.compose.hook", "io.podman.compose.oneoff"):
        if labels.get(label, "false").lower() not in ("false", "0", ""):
            return PlaceKind.ONE_OFF
    if labels.get("io.kontena.container.type", "container") not in ("container", "service"):
        return PlaceKind.ONE_OFF
    if labels.get("com.dokku.container-type", "deploy") != "deploy":
        return PlaceKind.ONE_OFF
    return PlaceKind.REPLICA


# -- whose it is -------------------------------------------------------------------------------------------------------


def _by_rule(container: Container, rules: Sequence[ServiceRule]) -> _Found | None:
    for rule in rules:
        name = rule.name_of(container)
        if name:
            return _Found(key=ServiceKey("rule", "", name), name=name)
    return None


def _by_label(container: Container, cluster_of: ClusterOf | None) -> _Found | None:
    labels = container.labels
    if not labels:
        return None
    if name := labels.get(SWARM_SERVICE):
        cluster = cluster_of(labels.get(SWARM_NODE, "")) if cluster_of is not None else ""
        return _swarm(labels, name, cluster)
    for source in _SOURCES:
        found = source(labels, container)
        if found is not None:
            return found
    return None


def _by_itself(container: Container) -> _Found:
    name = container.name or container.id[:12]
    return _Found(key=ServiceKey("container", container.engine, name), name=name)


def swarm_name(service: str, stack: str) -> str:
    """A swarm service's name without its stack in front."""
    return service.removeprefix(f"{stack}_") if stack else service


def _swarm(labels: Mapping[str, str], service: str, cluster: str) -> _Found:
    stack = labels.get(STACK, "")
    task, _, _ = labels.get("com.docker.swarm.task.name", "").removeprefix(f"{service}.").partition(".")
    number = task if task.isdigit() else ""
    return _Found(
        key=ServiceKey("swarm", cluster, service),
        name=swarm_name(service, stack),
        stack=stack,
        number=number,
        slot=task or labels.get(SWARM_NODE, ""),
    )


def _compose(labels: Mapping[str, str], container: Container) -> _Found | None:
    project, service = labels.get(COMPOSE + "project", ""), labels.get(COMPOSE + "service", "")
    if not project or not service:
        return None
    number = labels.get(COMPOSE + "container-number", "")
    return _Found(
        key=ServiceKey("compose", project, service),
        name=service,
        stack=project,
        number=number,
        slot=f"{container.engine}/{number}" if number else "",
    )


def _podman_compose(labels: Mapping[str, str], _: Container) -> _Found | None:
    project = labels.get("io.podman.compose.project", "")
    service = labels.get("io.podman.compose.service", "")
    if not project or not service:
        return None
    return _Found(key=ServiceKey("podman-compose", project, service), name=service, stack=project)


def _nomad(labels: Mapping[str, str], container: Container) -> _Found | None:
    alloc = labels.get("com.hashicorp.nomad.alloc_id", "")
    if not alloc:
        return None
    job = labels.get("com.hashicorp.nomad.job_name", "")
    group = labels.get("com.hashicorp.nomad.task_group_name", "")
    # Only alloc_id is always there; the driver names containers <task>-<alloc id>.
    task = labels.get("com.hashicorp.nomad.task_name", "") or container.name.removesuffix(f"-{alloc}") or alloc
    namespace = labels.get("com.hashicorp.nomad.namespace", "")
    name = group if group == task else "/".join(part for part in (group, task) if part)
    return _Found(
        key=ServiceKey("nomad", "/".join(part for part in (namespace, job) if part), name),
        name=name,
        stack=job,
        slot=f"{alloc}/{task}",
    )


def _kontena(labels: Mapping[str, str], _: Container) -> _Found | None:
    service = labels.get("io.kontena.service.name", "")
    if not service:
        return None
    stack = labels.get("io.kontena.stack.name", "").removeprefix("null")
    grid = labels.get("io.kontena.grid.name", "")
    number = labels.get("io.kontena.service.instance_number", "")
    return _Found(
        key=ServiceKey("kontena", "/".join(part for part in (grid, stack) if part), service),
        name=service,
        stack=stack or grid,
        number=number,
        slot=number,
    )


_SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]"
# Kubernetes draws random names from this alphabet (apimachinery: pkg/util/rand).
_POD = re.compile(rf"(?P<owner>.+?)(?:-{_SUFFIX}{{6,10}}-{_SUFFIX}{{5}}|-{_SUFFIX}{{5}}|-(?P<ordinal>\d{{1,5}}))")


def _kubernetes(labels: Mapping[str, str], _: Container) -> _Found | None:
    pod, name = labels.get("io.kubernetes.pod.name", ""), labels.get("io.kubernetes.container.name", "")
    if not pod or not name:
        return None
    namespace = labels.get("io.kubernetes.pod.namespace", "")
    match = _POD.fullmatch(pod)
    owner = match["owner"] if match else pod
    shown = owner if owner == name else f"{owner}/{name}"
    return _Found(
        key=ServiceKey("kubernetes", namespace, shown),
        name=shown,
        stack=namespace,
        number=(match["ordinal"] or "") if match else "",
        slot=f"{labels.get('io.kubernetes.pod.uid', '') or pod}/{name}",
    )


def _ecs(labels: Mapping[str, str], _: Container) -> _Found | None:
    family = labels.get("com.amazonaws.ecs.task-definition-family", "")
    name = labels.get("com.amazonaws.ecs.container-name", "")
    if not family or not name:
        return None
    cluster = labels.get("com.amazonaws.ecs.cluster", "")
    task = labels.get("com.amazonaws.ecs.task-arn", "")
    return _Found(
        key=ServiceKey("ecs", f"{cluster}/{family}" if cluster else family, name),
        name=name,
        stack=family,
        slot=f"{task}/{name}" if task else "",
    )


def _rancher(labels: Mapping[str, str], _: Container) -> _Found | None:
    full = labels.get("io.rancher.stack_service.name", "")
    if not full:
        return None
    stack, _slash, service = full.rpartition("/")
    return _Found(key=ServiceKey("rancher", stack, service or full), name=service or full, stack=stack)


def _kamal(labels: Mapping[str, str], _: Container) -> _Found | None:
    service, role = labels.get("service", ""), labels.get("role", "")
    if not service or not role:
        return None
    destination = labels.get("destination", "")
    scope = f"{service}/{destination}" if destination else service
    return _Found(key=ServiceKey("kamal", scope, role), name=role, stack=scope)


def _dokku(labels: Mapping[str, str], container: Container) -> _Found | None:
    app = labels.get("com.dokku.app-name", "")
    if not app:
        return None
    process = labels.get("com.dokku.process-type", "") or "web"
    return _Found(key=ServiceKey("dokku", container.engine, f"{app}/{process}"), name=process, stack=app)


_SOURCES: tuple[Callable[[Mapping[str, str], Container], _Found | None], ...] = (
    _compose,
    _podman_compose,
    _nomad,
    _kontena,
    _kubernetes,
    _ecs,
    _rancher,
    _kamal,
    _dokku,
)

OWNED = frozenset(("kubernetes", "nomad", "ecs", "swarm"))
"""Sources whose orchestrator puts back what somebody stops behind its back."""


# -- templates ---------------------------------------------------------------------------------------------------------

_FIELD = re.compile(r"\{([^{}]*)\}")


@functools.lru_cache(maxsize=256)
def _fields(template: str) -> tuple[str, ...]:
    return tuple(_FIELD.findall(template))


def _fill(template: str, container: Container) -> str:
    values: dict[str, str] = {}
    for field in _fields(template):
        value = container.labels.get(field) or (container.name if field == "name" else "")
        if not value:
            return ""
        values[field] = value
    return _FIELD.sub(lambda match: values[match[1]], template).strip()
