"""What runs on a fleet: containers as docker compose would have made them, plain ones, swarm services."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from .engine_api import ask
from .image import IMAGE
from .site import Site

MIB = 1 << 20
SECOND = 1_000_000_000
HEALTH = {"Test": ["CMD", "test", "-f", "/tmp/ok"], "Interval": SECOND, "Timeout": 60 * SECOND, "Retries": 2}
"""For the command `web`: healthy while /tmp/ok is there, unhealthy about 2 s after it went; never by a slow machine."""

# Podman takes its limits from the machine, which may be higher than runc is allowed to set.
PODMAN_LIMITS = [{"Name": "nofile", "Soft": 1024, "Hard": 2048}, {"Name": "nproc", "Soft": 1024, "Hard": 1024}]


def compose_labels(project: str, service: str, number: int = 1) -> dict[str, str]:
    """The labels docker compose puts on a service's container."""
    prefix = "com.docker.compose"
    return {
        f"{prefix}.project": project,
        f"{prefix}.service": service,
        f"{prefix}.container-number": str(number),
        f"{prefix}.oneoff": "False",
        f"{prefix}.version": "2.24.0",
        f"{prefix}.config-hash": "0" * 64,
        f"{prefix}.depends_on": "",
        f"{prefix}.project.working_dir": f"/srv/{project}",
        f"{prefix}.project.config_files": f"/srv/{project}/compose.yaml",
    }


def start_container(site: Site, host: str, name: str, command: str, config: Mapping[str, Any]) -> str:
    """Create and start a container, by the names of the Engine API's create call. Returns its id."""
    body = {"Image": IMAGE, "Cmd": shlex.split(command), **config}
    if site.state.hosts[host].engine == "podman":
        body["HostConfig"] = {"Ulimits": PODMAN_LIMITS, **body.get("HostConfig", {})}
    socket = site.socket(host)
    status, made = ask(socket, "POST", f"/containers/create?name={name}", body, timeout=30)
    if status != 201:
        raise RuntimeError(f"{host}: creating {name} answered {status}: {made}")
    status, answer = ask(socket, "POST", f"/containers/{made['Id']}/start", timeout=30)
    if status not in (200, 204, 304):
        raise RuntimeError(f"{host}: starting {name} answered {status}: {answer}")
    return str(made["Id"])


def start_service(site: Site, name: str, command: str, replicas: int, spec: Mapping[str, Any]) -> str:
    """Create a replicated swarm service. `spec` replaces parts of the API's ServiceSpec. Returns its id."""
    manager = site.socket(site.state.docker[0].name)
    body = {
        "Name": name,
        "TaskTemplate": {
            "ContainerSpec": {"Image": IMAGE, "Command": shlex.split(command), "StopGracePeriod": SECOND},
            "RestartPolicy": {"Condition": "any", "Delay": SECOND // 2},
        },
        "Mode": {"Replicated": {"Replicas": replicas}},
        **spec,
    }
    status, made = ask(manager, "POST", "/services/create", body, timeout=30)
    if status not in (200, 201):
        raise RuntimeError(f"creating service {name} answered {status}: {made}")
    return str(made["ID"])


def shop(site: Site, host: str) -> None:
    """A small compose project: a healthy service, a chatty one, a crash loop, one out of memory, a job that ended."""
    always = {"RestartPolicy": {"Name": "always"}}
    little = {"Memory": 8 * MIB, "MemorySwap": 8 * MIB}
    for service, command, config in (
        ("web", "web", {"Healthcheck": HEALTH}),
        ("logger", "logger", {}),
        ("crash", "crash", {"HostConfig": always}),
        ("oom", "oom", {"HostConfig": little}),
        ("job", "true", {}),
    ):
        labels = {"Labels": compose_labels("shop", service)}
        start_container(site, host, f"shop-{service}-1", command, {**labels, **config})
