"""What of the engines' events the trail leaves out, and why. The README tells the same."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

HEALTH_CHECK = "exec_create"
"""Of containers this is left out too where the command is the container's own health check."""

NOISE: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        **{
            ("container", action): "how an exec went on that is told by its exec_create"
            for action in ("exec_start", "exec_die", "exec_detach")
        },
        **{
            ("container", action): "somebody looks at it, and changes nothing"
            for action in ("attach", "detach", "resize", "top", "export", "archive-path")
        },
        **{
            ("network", action): "comes with every start and end of a container"
            for action in ("connect", "disconnect")
        },
        **{
            ("volume", action): "comes with every start and end of a container" for action in ("mount", "unmount")
        },
        **{
            ("container", action): "Podman's own steps between two events that are told"
            for action in ("init", "cleanup", "sync", "mount", "unmount")
        },
    }
)  # fmt: skip
"""By the type of the object and the action, as Docker calls them."""
