"""What somebody asked a swarm's service to be (`Spec`, `PreviousSpec`), as far as changes of it are told.

What a spec leaves out is what the swarm then does (swarmkit: api/defaults/service.go; seen on 20.10: `Spec` comes with
the defaults written out, `PreviousSpec` without them).
"""

from __future__ import annotations

from ..model import ServiceDesign
from ..words import age
from . import wire_swarm as wire
from .fields import labels, positive, safe, word
from .fingerprint import environment, fingerprint
from .wire import HealthCheck

SECOND = 1_000_000_000


def design(spec: wire.ServiceSpec, mode: str) -> ServiceDesign:
    """One spec, clean, without any value of a variable."""
    task = spec.task_template or wire.TaskSpec()
    container = task.container_spec or wire.ContainerSpec()
    resources = task.resources or wire.Resources()
    limits, reserved = resources.limits or wire.Amounts(), resources.reservations or wire.Amounts()
    image, _, digest = word(container.image, 512).partition("@")
    names, prints = environment(container.env)
    replicated = spec.mode.replicated if spec.mode is not None else None
    return ServiceDesign(
        image=image,
        digest=digest,
        mode=mode,
        replicas=replicated.replicas if replicated is not None else None,
        command_print=_command(container),
        environment=names,
        environment_prints=prints,
        secrets=_names(secret.secret_name for secret in container.secrets or ()),
        configs=_names(config.config_name for config in container.configs or ()),
        networks=_names(network.target for network in (*(task.networks or ()), *(spec.networks or ()))),
        mounts=_names(f"{m.source or m.type or ''}:{m.target or ''}" for m in container.mounts or ()),
        ports=_ports(spec.endpoint_spec),
        constraints=_constraints(task.placement),
        cpu_limit=_cores(limits),
        memory_limit=positive(limits.memory_bytes),
        pids_limit=positive(limits.pids),
        cpu_reserved=_cores(reserved),
        memory_reserved=positive(reserved.memory_bytes),
        restart=_restart(task.restart_policy or wire.TaskRestart()),
        update=_course(spec.update_config or wire.UpdateConfig()),
        rollback=_course(spec.rollback_config or wire.UpdateConfig()),
        forced=task.force_update or 0,
        health_print=_health(container.healthcheck),
        labels={**labels(container.labels), **labels(spec.labels)},
    )


def _names(found: object) -> tuple[str, ...]:
    return tuple(sorted({safe(text) for text in found if text}))  # type: ignore[attr-defined]


def _command(container: wire.ContainerSpec) -> bytes:
    parts = ("\x1f".join(container.command or ()), "\x1f".join(container.args or ()))
    return fingerprint(*parts, container.dir or "", container.user or "")


def _health(check: HealthCheck | None) -> bytes:
    if check is None:
        return b""
    numbers = (check.interval, check.timeout, check.retries, check.start_period)
    return fingerprint(*(check.test or ()), *(str(number or 0) for number in numbers))


def _cores(amounts: wire.Amounts) -> float | None:
    nano = positive(amounts.nano_cpus)
    return nano / 1e9 if nano else None


def _constraints(placement: wire.Placement | None) -> tuple[str, ...]:
    if placement is None:
        return ()
    most = positive(placement.max_replicas)
    found = _names("".join(text.split()) for text in placement.constraints or ())
    return (*found, f"at most {most} a node") if most else found


def _ports(endpoint: wire.EndpointSpec | None) -> tuple[str, ...]:
    ports = endpoint.ports if endpoint is not None else None
    return _names(
        f"{port.published_port or 'any'}→{port.target_port}/{word(port.protocol) or 'tcp'}" for port in ports or ()
    )


def _restart(policy: wire.TaskRestart) -> str:
    delay = 5 * SECOND if policy.delay is None else policy.delay
    words = [word(policy.condition) or "any", f"after {_span(delay)}"]
    if most := positive(policy.max_attempts):
        words.append(f"at most {most} times" + (f" in {_span(window)}" if (window := policy.window or 0) else ""))
    return " ".join(words)


def _course(config: wire.UpdateConfig) -> str:
    """`1 at a time, stop-first, on failure pause`, and what else is not the default."""
    parallel = 1 if config.parallelism is None else config.parallelism
    words = [f"{parallel} at a time" if parallel else "all at once"]
    if config.delay:
        words.append(f"{_span(config.delay)} apart")
    words += [word(config.order) or "stop-first", f"on failure {word(config.failure_action) or 'pause'}"]
    if config.monitor not in (None, 5 * SECOND):
        words.append(f"watched for {_span(config.monitor or 0)}")
    if config.max_failure_ratio:
        words.append(f"{config.max_failure_ratio:.0%} may fail")
    return " ".join(words)


def _span(nanoseconds: int) -> str:
    seconds = nanoseconds / SECOND
    return age(seconds) if seconds >= 1 else f"{seconds:g}s"
