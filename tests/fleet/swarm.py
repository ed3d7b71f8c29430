"""The swarm of a fleet's Docker hosts."""

from __future__ import annotations

from typing import Any

from .engine_api import ask
from .site import Host, Site, State
from .waiting import wait_for

HEARTBEAT = 2_000_000_000
"""Nanoseconds; a node that is gone is found `down` after about three of them (by default 5 s each)."""


def form(site: Site, state: State) -> None:
    """Make a swarm of all Docker hosts, the first ones managers, and wait until every node is ready."""
    first, *others = state.docker
    _must(site, first, "/swarm/init", {**_addresses(first), "Spec": {"Dispatcher": {"HeartbeatPeriod": HEARTBEAT}}})
    tokens = ask(site.socket(first.name), "GET", "/swarm")[1]["JoinTokens"]
    for position, host in enumerate(others, 2):
        token = tokens["Manager" if position <= state.managers else "Worker"]
        join = {**_addresses(host), "RemoteAddrs": [f"{first.cluster}:2377"], "JoinToken": token}
        _must(site, host, "/swarm/join", join)
    wait_for("all nodes of the swarm are ready", lambda: whole(site, state), 30)


def _addresses(host: Host) -> dict[str, Any]:
    return {"ListenAddr": f"{host.cluster}:2377", "AdvertiseAddr": host.cluster, "DataPathAddr": host.cluster}


def _must(site: Site, host: Host, target: str, body: Any) -> None:
    status, answer = ask(site.socket(host.name), "POST", target, body, timeout=60)
    if status != 200:
        raise RuntimeError(f"{host.name}: {target} answered {status}: {answer}")


def whole(site: Site, state: State) -> bool:
    """Whether every Docker host, and nothing else, is a ready node."""
    status, nodes = ask(site.socket(state.docker[0].name), "GET", "/nodes")
    return (
        status == 200
        and sorted(node["Description"]["Hostname"] for node in nodes) == sorted(host.name for host in state.docker)
        and all(node["Status"]["State"] == "ready" for node in nodes)
    )


def clean(site: Site, state: State) -> None:
    """No services, secrets or configs; every node active, in its first role, without labels; anew where it broke."""
    try:
        wait_for("all nodes of the swarm are ready", lambda: whole(site, state), 8)
    except TimeoutError:
        leave(site, state)
        form(site, state)
        return
    manager = site.socket(state.docker[0].name)
    for kind in ("services", "secrets", "configs"):
        for thing in ask(manager, "GET", f"/{kind}")[1]:
            ask(manager, "DELETE", f"/{kind}/{thing['ID']}")
    managers = [host.name for host in state.docker[: state.managers]]
    for node in ask(manager, "GET", "/nodes")[1]:
        role = "manager" if node["Description"]["Hostname"] in managers else "worker"
        wanted = {"Role": role, "Availability": "active", "Labels": {}}
        if {key: node["Spec"].get(key) or {} for key in wanted} != wanted:
            ask(manager, "POST", f"/nodes/{node['ID']}/update?version={node['Version']['Index']}", wanted)


def leave(site: Site, state: State) -> None:
    """End the swarm on every host."""
    for host in state.docker:
        ask(site.socket(host.name), "POST", "/swarm/leave?force=1", timeout=60)
