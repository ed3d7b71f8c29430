"""Which events leave no record, and why: the one list of what is left out."""

from __future__ import annotations

from collections.abc import Mapping

NOISE: Mapping[tuple[str, str], str] = {
    ("container", "exec_create"): "only where it is the container's own health check: it runs every few seconds",
    ("container", "exec_start"): "its exec_create is told",
    ("container", "exec_die"): "its exec_create is told",
    ("container", "exec_detach"): "somebody left a terminal; nothing changed",
    ("container", "health_status"): "only where it says the same as before, or that a check began",
    ("container", "attach"): "somebody looks at its output; nothing changed",
    ("container", "detach"): "likewise",
    ("container", "resize"): "a terminal's window changed",
    ("container", "top"): "somebody looked at its processes; nothing changed",
    ("container", "init"): "Podman prepares a start, which is told",
    ("container", "cleanup"): "Podman tidies up after an end, which is told",
    ("container", "sync"): "Podman reads its own state anew",
    ("container", "mount"): "Podman mounts its file system to start it",
    ("container", "unmount"): "and lets go of it",
    ("volume", "mount"): "comes with each start of a container that has it",
    ("volume", "unmount"): "comes with each end of one",
    ("network", "connect"): "only where it comes with a container's start: of a running container it is told",
    ("network", "disconnect"): "only where it comes with a container's end: of a running container it is told",
    ("service", "update"): "only where the swarm's first word on a rollout repeats the change told a moment ago",
}
"""By the type of the object and what happened to it. Everything else that an engine tells is a record."""
