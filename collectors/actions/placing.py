"""Whether a swarm could run a task of a service on a node, as far as a manager tells. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..model import ServiceDesign, SwarmNode, SwarmPicture, SwarmService

_CONSTRAINT = re.compile(r"\s*([\w.\-]+)\s*(==|!=)\s*(.*?)\s*")


def takes_tasks(node: SwarmNode) -> bool:
    """Whether the swarm gives it new tasks."""
    return node.state == "ready" and node.availability == "active"


def fits(design: ServiceDesign | None, node: SwarmNode) -> bool | None:
    """Whether a node meets a service's constraints; None: not known from here (labels of nodes are not read)."""
    answers = [_meets(text, node) for text in (design.constraints if design is not None else ())]
    if False in answers:
        return False
    return None if None in answers else True


def others_for(picture: SwarmPicture, service: SwarmService, gone: str) -> tuple[list[SwarmNode], list[SwarmNode]]:
    """The nodes other than `gone` that would take a task of it: those that surely fit, and those that may."""
    sure: list[SwarmNode] = []
    maybe: list[SwarmNode] = []
    for node in picture.nodes:
        if node.id != gone and takes_tasks(node):
            fit = fits(service.design, node)
            if fit is not False:
                (sure if fit else maybe).append(node)
    return sure, maybe


def own_data(design: ServiceDesign | None) -> tuple[str, ...]:
    """Volumes and folders of a node that its tasks use: on another node there are others, or none."""
    mounts: Iterable[str] = design.mounts if design is not None else ()
    sources = (mount.rpartition(":")[0] for mount in mounts)
    return tuple(dict.fromkeys(s for s in sources if s not in ("tmpfs", "volume", "npipe", "", "/var/run/docker.sock")))


def _meets(constraint: str, node: SwarmNode) -> bool | None:
    """swarmkit's constraints (manager/constraint): a key, == or !=, a value, upper and lower case alike."""
    found = _CONSTRAINT.fullmatch(constraint)
    if found is None:
        return None
    key, operator, value = found.groups()
    facts = {"node.id": node.id, "node.hostname": node.hostname, "node.role": node.role}
    if key not in facts:
        return None
    return (facts[key].lower() == value.lower()) is (operator == "==")
