"""How engines, containers and swarms are set up: answers made the checks' frozen facts, clean and without secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from ..model.containers import ContainerState, Port
from ..model.posture import (
    ContainerPosture,
    DaemonPosture,
    DiskPosture,
    ImagePosture,
    MountPosture,
    NetworkPosture,
    NodePosture,
    ServicePosture,
)
from ..text import redact_text
from . import wire, wire_posture, wire_swarm
from .fields import (
    image_id,
    is_container_id,
    labels,
    malformed,
    moment,
    ordered_ports,
    parse_as,
    parse_rows,
    positive,
    safe,
    word,
)

T = TypeVar("T")
_INFO = msgspec.json.Decoder(wire_posture.Info)
_INSPECTED = msgspec.json.Decoder(wire_posture.Inspected)
_NETWORKS: msgspec.json.Decoder[list[wire_posture.Network] | None] = msgspec.json.Decoder(
    list[wire_posture.Network] | None
)
_NETWORK = msgspec.json.Decoder(wire_posture.Network)
_DISK = msgspec.json.Decoder(wire_posture.DiskUse)
_EXEC = msgspec.json.Decoder(wire_posture.Exec)
_IMAGES: msgspec.json.Decoder[list[wire.ImageRow] | None] = msgspec.json.Decoder(list[wire.ImageRow] | None)
_IMAGE = msgspec.json.Decoder(wire.ImageRow)
_NODES: msgspec.json.Decoder[list[wire_swarm.Node] | None] = msgspec.json.Decoder(list[wire_swarm.Node] | None)
_NODE = msgspec.json.Decoder(wire_swarm.Node)
_SERVICES: msgspec.json.Decoder[list[wire_swarm.ServiceRow] | None] = msgspec.json.Decoder(
    list[wire_swarm.ServiceRow] | None
)
_SERVICE = msgspec.json.Decoder(wire_swarm.ServiceRow)
EXECS = 512
"""Ids of commands kept of one container, in no order."""


class ClusterPosture(msgspec.Struct, frozen=True, kw_only=True):
    """What a manager's `/info` tells of its swarm."""

    cluster_id: str
    autolock: bool | None = None
    node_expiry: float | None = None
    authority: str = ""
    """The authority's certificate, PEM."""


class ExecPosture(msgspec.Struct, frozen=True, kw_only=True):
    """A command that runs, or ran, in a container."""

    user: str = ""
    """Empty: as the container's own."""
    privileged: bool = False
    command: str = ""


# -- the engine --------------------------------------------------------------------------------------------------------


def decode_daemon(body: bytes, *, kind: str, version: str, skew: float | None) -> DaemonPosture:
    """`GET /info`. Raises Malformed."""

    def convert(info: wire_posture.Info) -> DaemonPosture:
        plugins = info.plugins
        return DaemonPosture(
            kind=kind,
            version=version,
            warnings=_words(info.warnings) if info.warnings is not None or kind == "docker" else None,
            logging_driver=word(info.logging_driver),
            live_restore=info.live_restore_enabled,
            in_swarm=info.swarm is not None and info.swarm.local_node_state not in (None, "", "inactive"),
            storage_driver=word(info.driver),
            storage_status={word(row[0]): word(row[1]) for row in info.driver_status or () if len(row) == 2},
            insecure_registries=_insecure(info.registry_config),
            security_options=_words(info.security_options) if info.security_options is not None else None,
            authorization=_words(plugins.authorization) if plugins is not None else None,
            experimental=info.experimental_build,
            debug=info.debug,
            limits={"memory": info.memory_limit, "swap": info.swap_limit, "pids": info.pids_limit},
            cgroup_version=word(info.cgroup_version),
            skew=skew,
            stopped=info.containers_stopped,
            kernel=word(info.kernel_version),
            os=word(info.operating_system),
        )

    return parse_as(_INFO, body, convert, "info")


def decode_cluster(body: bytes) -> ClusterPosture | None:
    """The swarm in a manager's `GET /info`; None: it is no manager. Raises Malformed."""

    def convert(info: wire_posture.Info) -> ClusterPosture | None:
        cluster = info.swarm.cluster if info.swarm is not None and info.swarm.control_available else None
        if cluster is None or not cluster.id:
            return None
        spec = cluster.spec or wire_posture.ClusterSpec()
        expiry = positive(spec.authority.node_cert_expiry) if spec.authority is not None else None
        return ClusterPosture(
            cluster_id=word(cluster.id),
            autolock=spec.encryption_config.auto_lock_managers is True if spec.encryption_config else None,
            node_expiry=expiry / 1e9 if expiry else None,
            authority=(cluster.tls.trust_root or "") if cluster.tls is not None else "",
        )

    return parse_as(_INFO, body, convert, "info")


def _insecure(registries: wire_posture.RegistryConfig | None) -> tuple[str, ...] | None:
    if registries is None:
        return None
    named = [name for name, one in (registries.index_configs or {}).items() if one.secure is False]
    return _words([*(registries.insecure or ()), *named])


def decode_networks(body: bytes) -> tuple[NetworkPosture, ...]:
    """`GET /networks`. Raises Malformed where it is no list."""
    return parse_rows(
        body,
        _NETWORKS,
        _NETWORK,
        lambda row: NetworkPosture(
            name=word(row.name), driver=word(row.driver), scope=word(row.scope), options=labels(row.options)
        ),
        "networks",
    )[0]


def decode_images(body: bytes) -> tuple[ImagePosture, ...]:
    """`GET /images/json`. Raises Malformed where it is no list."""
    return parse_rows(
        body,
        _IMAGES,
        _IMAGE,
        lambda row: ImagePosture(
            id=image_id(row.id),
            tags=tuple(tag for tag in _words(row.repo_tags) if "<none>" not in tag),
            digests=tuple(digest for digest in _words(row.repo_digests) if "<none>" not in digest),
        ),
        "images",
    )[0]


def decode_disk(body: bytes) -> DiskPosture:
    """`GET /system/df`: what of it nothing needs, as the docker command counts it. Raises Malformed."""

    def convert(use: wire_posture.DiskUse) -> DiskPosture:
        idle = ("exited", "created", "dead")
        volumes = [one.usage_data or wire_posture.VolumeUse() for one in use.volumes or ()]
        return DiskPosture(
            images=_sum(
                use.images,
                lambda one: (one.size or 0) - max(one.shared_size or 0, 0) if one.containers == 0 else 0,
            ),
            volumes=None if use.volumes is None else sum(max(v.size or 0, 0) for v in volumes if v.ref_count == 0),
            build_cache=_sum(use.build_cache, lambda one: 0 if one.in_use or one.shared else one.size or 0),
            containers=_sum(use.containers, lambda one: one.size_rw or 0 if one.state in idle else 0),
        )

    return parse_as(_DISK, body, convert, "disk usage")


def _sum(rows: list[T] | None, size: Callable[[T], int]) -> int | None:
    return None if rows is None else sum(size(row) for row in rows)


# -- a container -------------------------------------------------------------------------------------------------------

_STATES = {state.value: state for state in ContainerState} | {"stopped": ContainerState.EXITED}


def decode_container(body: bytes, *, engine: str) -> ContainerPosture:
    """`GET /containers/{id}/json`. Of its variables only the names of those that hold a secret are kept."""
    return parse_as(_INSPECTED, body, lambda found: _container(found, engine), "container")


def _container(found: wire_posture.Inspected, engine: str) -> ContainerPosture:
    if found.id is None or not is_container_id(found.id):
        raise malformed("container id", ascii(found.id)[:80])
    host, config = found.host_config or wire_posture.HostConfig(), found.config or wire.ContainerConfig()
    state, policy = found.state or wire.State(), host.restart_policy or wire.RestartPolicy()
    log, health = host.log_config or wire_posture.LogConfig(), state.health or wire.HealthState()
    condition = _STATES.get((state.status or "").lower(), ContainerState.UNKNOWN)
    test = config.healthcheck.test if config.healthcheck is not None else None
    quota = positive(host.cpu_quota)
    return ContainerPosture(
        engine=engine,
        id=found.id,
        name=word(found.name).removeprefix("/") or found.id[:12],
        image=word(config.image, 512),
        image_id=image_id(found.image),
        state=condition,
        labels=labels(config.labels),
        privileged=host.privileged,
        mounts=tuple(map(_mount, found.mounts or ())),
        network_mode=word(host.network_mode),
        pid_mode=word(host.pid_mode),
        ipc_mode=word(host.ipc_mode),
        uts_mode=word(host.uts_mode),
        user_mode=word(host.userns_mode),
        added_capabilities=_words(host.cap_add),
        security_options=tuple(word(option, 128) for option in host.security_opt or ()),
        apparmor=word(found.app_armor_profile),
        user=word(config.user),
        memory=positive(host.memory) or 0,
        cores=(positive(host.nano_cpus) or 0) / 1e9 or (quota or 0) / (positive(host.cpu_period) or 100_000),
        cpu_shares=positive(host.cpu_shares) or 0,
        pids=positive(host.pids_limit),
        read_only=host.readonly_rootfs is True,
        ports=_ports(found.network_settings),
        restart_policy=word(policy.name),
        restart_retries=positive(policy.maximum_retry_count) or 0,
        auto_remove=host.auto_remove is True,
        health_check=() if not test or test[0] == "NONE" else tuple(safe(part) for part in test),
        health=word(health.status),
        failing_streak=health.failing_streak or 0,
        secrets=secret_names(config.env),
        restart_count=found.restart_count or 0,
        oom_killed=state.oom_killed is True,
        exit_code=state.exit_code if condition in (ContainerState.EXITED, ContainerState.DEAD) else None,
        started_at=moment(state.started_at),
        devices=tuple(word(device.path_on_host) for device in host.devices or ()),
        cgroup_parent=word(host.cgroup_parent),
        log_driver=word(log.type),
        log_limit=word((log.config or {}).get("max-size")),
        stop_timeout=config.stop_timeout,
        execs=tuple(one for one in (found.exec_ids or ())[-EXECS:] if is_container_id(one)),
    )


def _mount(point: wire_posture.Mounted) -> MountPosture:
    return MountPosture(
        type=word(point.type),
        source=word(point.source, 1024),
        target=word(point.destination, 1024),
        read_write=point.rw is not False,
        propagation=word(point.propagation),
    )


def _ports(settings: wire.Networks | None) -> tuple[Port, ...]:
    """The published ones."""
    found = []
    for key, bindings in ((settings.ports if settings else None) or {}).items():
        number, _, protocol = key.partition("/")
        for binding in bindings or ():
            public = int(binding.host_port) if binding.host_port else None
            found.append(
                Port(private=int(number), public=positive(public), ip=word(binding.host_ip), protocol=word(protocol))
            )
    return ordered_ports(found)


def decode_running(body: bytes) -> ExecPosture | None:
    """`GET /exec/{id}/json` of one that runs; None: it has ended. Raises Malformed."""

    def convert(found: wire_posture.Exec) -> ExecPosture | None:
        process = found.process_config or wire_posture.ExecProcess()
        if not found.running:
            return None
        words = (process.entrypoint or "", *(process.arguments or ()))
        return ExecPosture(
            user=word(process.user), privileged=process.privileged is True, command=safe(" ".join(words))
        )

    return parse_as(_EXEC, body, convert, "exec")


# -- secrets -----------------------------------------------------------------------------------------------------------

_SECRET = re.compile(
    r"(?:^|[_.-])(?:PASS(?:WORD|WD|PHRASE)?|PWD|SECRETS?|[A-Z]*TOKEN|CREDENTIALS?|API_?KEY|DSN"
    r"|(?:ACCESS|PRIVATE|SECRET|SIGNING|ENCRYPTION|MASTER|AUTH|LICENSE|ACCOUNT)_?KEY)(?:[_.-]?\d+)?$",
    re.IGNORECASE,
)
"""Names that say that a secret is their value, not where one lies (`…_FILE`) or what it is for (`TOKEN_TTL`)."""
_HARMLESS = frozenset(("PWD", "OLDPWD"))
_NO_SECRET = re.compile(r"(?i)|true|false|yes|no|none|null|\d{1,4}|/(?:run|var/run)/secrets/\S*|\$\{?\w+\}?")


def secret_names(entries: Iterable[str] | None) -> tuple[str, ...]:
    """The names in `NAME=value` entries whose values are secrets, by name or by shape. No value leaves here."""
    found = {
        safe(name, 128)
        for name, _, value in (entry.partition("=") for entry in entries or ())
        if name not in _HARMLESS and _holds_secret(name, value)
    }
    return tuple(sorted(found))


def _holds_secret(name: str, value: str) -> bool:
    if _NO_SECRET.fullmatch(value.strip()):
        return False
    return _SECRET.search(name) is not None or redact_text(value) != value


# -- a swarm -----------------------------------------------------------------------------------------------------------


def decode_nodes(body: bytes) -> tuple[NodePosture, ...]:
    """`GET /nodes`. Raises Malformed where it is no list."""

    def convert(row: wire_swarm.Node) -> NodePosture:
        spec, status = row.spec or wire_swarm.NodeSpec(), row.status or wire_swarm.NodeStatus()
        description = row.description or wire_swarm.NodeDescription()
        return NodePosture(
            id=word(row.id),
            hostname=word(description.hostname),
            manager=row.manager_status is not None or spec.role == "manager",
            availability=word(spec.availability),
            state=word(status.state),
            reachability=word(row.manager_status.reachability) if row.manager_status is not None else "",
        )

    return parse_rows(body, _NODES, _NODE, convert, "nodes")[0]


def decode_services(body: bytes) -> tuple[ServicePosture, ...]:
    """`GET /services?status=true`. Raises Malformed where it is no list."""
    return parse_rows(body, _SERVICES, _SERVICE, _service, "services")[0]


def _service(row: wire_swarm.ServiceRow) -> ServicePosture:
    spec, status = row.spec or wire_swarm.ServiceSpec(), row.service_status
    mode, task = spec.mode or wire_swarm.Mode(), spec.task_template or wire_swarm.TaskSpec()
    resources, placement = task.resources or wire_swarm.Resources(), task.placement or wire_swarm.Placement()
    limits, kept = resources.limits or wire_swarm.Amounts(), resources.reservations or wire_swarm.Amounts()
    update = row.update_status or wire_swarm.UpdateStatus()
    wanted = status.desired_tasks or 0 if status is not None else None
    if mode.replicated is not None and mode.replicated.replicas is not None:
        wanted = mode.replicated.replicas
    jobs = "replicated-job" if mode.replicated_job is not None else "global-job" if mode.global_job is not None else ""
    return ServicePosture(
        id=word(row.id),
        name=word(spec.name) or word(row.id),
        mode=jobs or ("replicated" if mode.replicated is not None else "global"),
        wanted=wanted,
        running=status.running_tasks or 0 if status is not None else None,
        update_state=word(update.state),
        update_message=safe(update.message),
        on_failure=word((spec.update_config or wire_swarm.UpdateConfig()).failure_action) or "pause",
        memory_limit=positive(limits.memory_bytes) or 0,
        memory_reserved=positive(kept.memory_bytes) or 0,
        cores_limit=(positive(limits.nano_cpus) or 0) / 1e9,
        cores_reserved=(positive(kept.nano_cpus) or 0) / 1e9,
        preferences=len(placement.preferences or ()),
        most_on_a_node=positive(placement.max_replicas) or 0,
        ports=_published(row.endpoint),
    )


def _published(endpoint: wire_swarm.SwarmEndpoint | None) -> tuple[Port, ...]:
    return tuple(
        Port(private=port.target_port or 0, public=port.published_port, protocol=word(port.protocol) or "tcp")
        for port in (endpoint.ports if endpoint is not None else None) or ()
        if port.published_port
    )


def _words(texts: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(word(text, 512) for text in texts or ())
