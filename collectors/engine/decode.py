"""Containers and engines: the wire's rows made the model's frozen data. Everything foreign is cleaned here, once.

What is not understood is refused (`Malformed`), a row at a time: one bad container never hides the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec

from ..model import (
    Container,
    ContainerDetail,
    ContainerState,
    EngineInfo,
    Health,
    HealthProbe,
    Port,
    SwarmMembership,
)
from ..text import plain, redact_arguments, redact_text
from . import wire
from .fields import (
    NAME_LIMIT,
    image_id,
    is_container_id,
    labels,
    malformed,
    moment,
    mounts,
    ordered_ports,
    parse,
    parse_as,
    parse_rows,
    positive,
    safe,
    shared,
    unix_moment,
    word,
)
from .fingerprint import environment, fingerprint

COMMAND_LIMIT = 512
PROBE_LIMIT = 4096
PASSED = 2
"""Results of a health check that are kept where all went well: 9 MiB of all five in a fleet of 10,000 containers."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One listing. `refused` are the ids of rows that made no sense; an empty one is a row whose id was unreadable."""

    containers: tuple[Container, ...]
    refused: tuple[str, ...] = ()


_ROWS: msgspec.json.Decoder[list[wire.ContainerRow] | None] = msgspec.json.Decoder(list[wire.ContainerRow] | None)
_ROW = msgspec.json.Decoder(wire.ContainerRow)
_INSPECTED = msgspec.json.Decoder(wire.Inspected)
_INFO = msgspec.json.Decoder(wire.Info)
_VERSION = msgspec.json.Decoder(wire.Version)


def decode_listing(body: bytes, *, engine: str, podman: bool = False) -> Listing:
    """`GET /containers/json`. Raises Malformed where it is no list; a bad row is refused by itself."""
    good, refused = parse_rows(
        body, _ROWS, _ROW, lambda row: _container_of_row(row, engine, podman), where="containers"
    )
    return Listing(containers=good, refused=refused)


def decode_inspect(body: bytes, *, engine: str, podman: bool = False) -> Container:
    """`GET /containers/{id}/json`, with its detail. Raises Malformed."""
    return parse_as(_INSPECTED, body, lambda found: _container_of_inspect(found, engine, podman), "container")


# -- a row of the list -------------------------------------------------------------------------------------------------

_STATES = {state.value: state for state in ContainerState} | {
    "configured": ContainerState.CREATED,  # Podman's own (libpod/define/containerstate.go)
    "initialized": ContainerState.CREATED,
    "stopped": ContainerState.EXITED,
    "stopping": ContainerState.RUNNING,
}
_HEALTH = {health.value: health for health in Health}
_HEALTH_WORDS = re.compile(r"\((healthy|unhealthy|health: starting|starting)\)")


def _container_of_row(row: wire.ContainerRow, engine: str, podman: bool) -> Container:
    container_id = _container_id(row.id)
    state = _STATES.get((row.state or "").lower(), ContainerState.UNKNOWN)
    networks = row.network_settings.networks if row.network_settings else None
    return Container(
        engine=engine,
        id=container_id,
        name=_name(row.names) or container_id[:12],
        image=word(row.image),
        image_id=image_id(row.image_id),
        state=state,
        health=_health_of_row(row, state, podman),
        status=plain(row.status or "", 128),
        command=safe(row.command, COMMAND_LIMIT),
        created=unix_moment(row.created) if isinstance(row.created, int) else moment(row.created),
        labels=labels(row.labels),
        ports=_ports_of_row(row.ports),
        networks=shared(tuple(sorted(map(word, networks or ())))),
        mounts=mounts(row.mounts),
    )


def _container_id(text: str | None) -> str:
    if text is None or not is_container_id(text):
        raise malformed("container id", plain(repr(text), 80))
    return text


def _name(names: list[str] | None) -> str:
    """The container's own name. Legacy links show up as further names, with a path (`/other/alias`)."""
    if not names:
        return ""
    own = next((name for name in names if "/" not in name[1:]), names[0])
    return word(own.removeprefix("/"))


def _health_of_row(row: wire.ContainerRow, state: ContainerState, podman: bool) -> Health:
    """From API 1.52 on in an object of its own; before that in words at the end of the status.

    Only of a running container: no check runs in another, and listings before 1.52 do not tell what the last one said.
    """
    if state is not ContainerState.RUNNING:
        return Health.NONE
    if row.health is not None and row.health.status:
        return _HEALTH.get(row.health.status, Health.UNKNOWN)
    found = _HEALTH_WORDS.search(row.status or "")
    if found:
        return _HEALTH.get(found[1].removeprefix("health: "), Health.UNKNOWN)
    return Health.UNKNOWN if podman else Health.NONE


def _ports_of_row(rows: list[wire.PortRow] | None) -> tuple[Port, ...]:
    if not rows:
        return ()
    found = [
        Port(
            private=row.private_port,
            public=positive(row.public_port),
            ip=word(row.ip) or None,
            protocol=word(row.type) or "tcp",
        )
        for row in rows
        if row.private_port is not None
    ]
    return ordered_ports(found)


# -- an inspect --------------------------------------------------------------------------------------------------------


def _container_of_inspect(found: wire.Inspected, engine: str, podman: bool) -> Container:
    container_id = _container_id(found.id)
    state = found.state or wire.State()
    config = found.config or wire.ContainerConfig()
    status = _STATES.get((state.status or "").lower(), ContainerState.UNKNOWN)
    settings = found.network_settings or wire.Networks()
    return Container(
        engine=engine,
        id=container_id,
        name=_name([found.name] if found.name else None) or container_id[:12],
        image=word(config.image),
        image_id=image_id(found.image),
        state=status,
        health=_health_of_inspect(state.health, config, podman) if status is ContainerState.RUNNING else Health.NONE,
        command=_command(found, podman),
        created=_whole_seconds(moment(found.created)),
        labels=labels(config.labels),
        ports=_ports_of_inspect(settings.ports),
        networks=shared(tuple(sorted(map(word, settings.networks or ())))),
        mounts=mounts(found.mounts),
        detail=_detail(found, state, config, status),
    )


def _whole_seconds(time: datetime | None) -> datetime | None:
    """As the listing has it, so that the two readings are equal."""
    return time.replace(microsecond=0) if time else None


def _command(found: wire.Inspected, podman: bool) -> str:
    """As the listing has it (moby: container/view.go): arguments with a space in quotes, but not with Podman."""
    words = redact_arguments([plain(text, COMMAND_LIMIT) for text in (found.path or "", *(found.args or ()))])
    quoted = [f"'{text}'" if index and " " in text and not podman else text for index, text in enumerate(words)]
    return safe(" ".join(quoted), COMMAND_LIMIT)


def _health_of_inspect(health: wire.HealthState | None, config: wire.ContainerConfig, podman: bool) -> Health:
    if health is not None and health.status:
        return _HEALTH.get(health.status, Health.UNKNOWN)
    checked = bool(_health_check(config))
    if not checked:
        return Health.NONE
    return Health.UNKNOWN if podman else Health.NONE


def _health_check(config: wire.ContainerConfig) -> tuple[str, ...]:
    test = config.healthcheck.test if config.healthcheck else None
    if not test or test[0] == "NONE":
        return ()
    words = tuple(test)
    return _often(words) if sum(map(len, words)) <= NAME_LIMIT else shared(_arguments(words))


def _arguments(words: Sequence[str]) -> tuple[str, ...]:
    return redact_arguments([plain(text, PROBE_LIMIT) for text in words])


_often = lru_cache(maxsize=1_024)(_arguments)
"""Replicas have one check, and each of them is inspected again and again."""


def _ports_of_inspect(ports: dict[str, list[wire.PortBinding] | None] | None) -> tuple[Port, ...]:
    found: list[Port] = []
    for key, bindings in (ports or {}).items():
        number, _, protocol = key.partition("/")
        private = int(number)
        name = word(protocol) or "tcp"
        if not bindings:
            found.append(Port(private=private, protocol=name))
        for binding in bindings or ():
            public = int(binding.host_port) if binding.host_port else None
            found.append(
                Port(private=private, public=positive(public), ip=word(binding.host_ip) or None, protocol=name)
            )
    return ordered_ports(found)


_DEFAULT_SPAN, _DEFAULT_RETRIES = 30_000_000_000, 3  # moby: daemon/health.go


def _health_patience(check: wire.HealthCheck) -> float:
    """Its start period and as many rounds as may fail, in seconds."""
    round_trip = (positive(check.interval) or _DEFAULT_SPAN) + (positive(check.timeout) or _DEFAULT_SPAN)
    waits = (positive(check.start_period) or 0) + round_trip * (positive(check.retries) or _DEFAULT_RETRIES)
    return waits / 1e9


_NEVER_ENDED = (ContainerState.CREATED, ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.UNKNOWN)


def _detail(
    found: wire.Inspected, state: wire.State, config: wire.ContainerConfig, status: ContainerState
) -> ContainerDetail:
    host = found.host_config or wire.HostConfig()
    policy = host.restart_policy or wire.RestartPolicy()
    health = state.health or wire.HealthState()
    names, prints = environment(config.env)
    check = _health_check(config)
    return ContainerDetail(
        exit_code=None if status in _NEVER_ENDED else state.exit_code,
        oom_killed=state.oom_killed,
        error=safe(state.error),
        pid=positive(state.pid),
        started_at=moment(state.started_at),
        finished_at=moment(state.finished_at),
        restart_count=found.restart_count,
        restart_policy=word(policy.name),
        restart_retries=positive(policy.maximum_retry_count),
        failing_streak=health.failing_streak if state.health else None,
        health_log=_health_log(health.log or ()),
        health_check=check,
        health_patience=_health_patience(config.healthcheck) if config.healthcheck and check else None,
        memory_limit=positive(host.memory),
        memory_swap=host.memory_swap or None,
        memory_reservation=positive(host.memory_reservation),
        cpu_limit=_cores(host),
        cpu_shares=positive(host.cpu_shares),
        cpu_set=word(host.cpuset_cpus),
        pids_limit=positive(host.pids_limit),
        stop_timeout=config.stop_timeout,
        tty=config.tty is True,
        user=word(config.user),
        environment=shared(names),
        environment_prints=shared(prints),
        command_print=fingerprint(found.path or "", *(found.args or ())),
        auto_remove=host.auto_remove is True,
    )


def _cores(host: wire.HostConfig) -> float | None:
    """`--cpus`, or the older quota in a period (by default 100 ms)."""
    if nano := positive(host.nano_cpus):
        return nano / 1e9
    quota = positive(host.cpu_quota)
    return quota / (positive(host.cpu_period) or 100_000) if quota else None


def _health_log(results: Sequence[wire.ProbeResult]) -> tuple[HealthProbe, ...]:
    """All of them where one failed (Docker keeps five); where all went well, the newest two tell as much."""
    told = results if any(result.exit_code for result in results) else results[-PASSED:]
    return tuple(map(_probe, told))


def _probe(result: wire.ProbeResult) -> HealthProbe:
    return HealthProbe(
        start=moment(result.start),
        end=moment(result.end),
        exit_code=result.exit_code if result.exit_code is not None else 0,
        output=redact_text(plain((result.output or "").rstrip(), PROBE_LIMIT, newlines=True)),
    )


# -- the engine itself -------------------------------------------------------------------------------------------------


def decode_version(body: bytes) -> wire.Version:
    """`GET /version`, not yet clean. Raises Malformed."""
    return parse(_VERSION, body, "version")


def decode_info(
    body: bytes, version: wire.Version | None, *, api: str, podman: bool, asked: datetime, took: float
) -> EngineInfo:
    """`GET /info` and `GET /version` as one. `asked`: our clock then; `took`: seconds until the answer."""
    info = parse(_INFO, body, "info")
    security = info.security_options or ()
    told = moment(info.system_time)
    names = [component.name for component in (version.components or ())] if version else []
    return EngineInfo(
        kind="podman" if podman or info.buildah_version or "Podman Engine" in names else "docker",
        version=word((version.version if version else None) or info.server_version),
        api=api,
        id=word(info.id),
        hostname=word(info.name),
        os=word(info.operating_system),
        kernel=word(info.kernel_version),
        cpus=positive(info.ncpu),
        memory=positive(info.mem_total),
        storage_driver=word(info.driver),
        data_folder=word(info.docker_root_dir, 1024),
        cgroup_version=word(info.cgroup_version),
        rootless=info.rootless is True or any(option.startswith("name=rootless") for option in security),
        swarm=_membership(info.swarm),
        skew=round((told - asked).total_seconds() - took / 2, 3) if told else None,
        running=info.containers_running,
        paused=info.containers_paused,
        stopped=info.containers_stopped,
    )


def _membership(swarm: wire.SwarmInfo | None) -> SwarmMembership | None:
    if swarm is None or not swarm.local_node_state:
        return None
    return SwarmMembership(
        state=word(swarm.local_node_state),
        node_id=word(swarm.node_id),
        manager=swarm.control_available is True,
        cluster_id=word(swarm.cluster.id) if swarm.cluster else "",
        error=safe(swarm.error),
    )
