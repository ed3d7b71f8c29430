"""A container's condition: its state and health as one word, and how it is drawn."""

from __future__ import annotations

from fleettop.collectors.model import Container, ContainerState, Health, Port

ORDER = {
    role: order
    for order, role in enumerate(("down", "degraded", "flapping", "unknown", "starting", "healthy", "stopped"))
}
"""The roles, worst first."""


def condition(container: Container) -> tuple[str, str]:
    """A container's state and health in one word or two, and the role that draws it."""
    if container.state is ContainerState.RUNNING:
        return {
            Health.UNHEALTHY: ("unhealthy", "degraded"),
            Health.STARTING: ("starting", "starting"),
            Health.HEALTHY: ("healthy", "healthy"),
        }.get(container.health, ("running", "healthy"))
    if container.state in (ContainerState.EXITED, ContainerState.DEAD):
        return _ended(container)
    return {
        ContainerState.RESTARTING: ("restarting", "flapping"),
        ContainerState.PAUSED: ("paused", "degraded"),
        ContainerState.CREATED: ("created", "stopped"),
        ContainerState.REMOVING: ("removing", "stopped"),
    }.get(container.state, (str(container.state), "unknown"))


def _ended(container: Container) -> tuple[str, str]:
    detail = container.detail
    if container.state is ContainerState.DEAD:
        return "dead", "down"
    if detail is None or detail.exit_code is None:
        return "exited", "unknown"
    if detail.ended_for_memory:
        return "out of mem", "down"
    restarted_by_policy = detail.restart_policy in ("always", "unless-stopped") and not detail.error
    calm = detail.exit_code == 0 or restarted_by_policy
    # An engine restarts these policies by itself: one that stays down was stopped by hand (moby: restartmanager), or
    # could not be started, as on a full disk: then the engine tells an error.
    return f"exited {detail.exit_code}", "stopped" if calm else "down"


def ports(of: tuple[Port, ...]) -> str:
    """Published ports as `8080→80`, each once (an engine lists IPv4 and IPv6 apart)."""
    words = {
        f"{port.public}→{port.private}" + ("" if port.protocol == "tcp" else f"/{port.protocol}"): None
        for port in of
        if port.public is not None
    }
    return " ".join(words)
