"""How carefully the shop set its things up: most of it well, some of it as it grew. What is here tells in `/info` and
inspects alone; nothing behaves otherwise for it.
"""

from __future__ import annotations

from typing import Any

from .things import Blueprint

Json = dict[str, Any]
_CAREFUL = ("shop", "orders", "auth", "search", "stock", "media", "notify", "geo")
"""Stacks whose compose files were gone over."""


def _stack(repository: str) -> str:
    return repository.partition("-")[0]


def host_config(plan: Blueprint) -> Json:
    """What a container of this image is allowed and limited to, beside what its blueprint says."""
    repository = plan.image.repository
    found: Json = {}
    if _stack(repository) in _CAREFUL:
        found |= {"PidsLimit": 512, "SecurityOpt": ["no-new-privileges:true"], "CpuShares": 1024}
    if repository.startswith("auth-"):
        found |= {"ReadonlyRootfs": True, "CapDrop": ["ALL"]}
    if repository == "owasp/modsecurity-crs":
        found |= {"CapAdd": ["NET_ADMIN"]}
    if repository.endswith("cadvisor"):
        found |= {"Privileged": True}
    if repository == "prom/node-exporter":
        found |= {"PidMode": "host"}
    return found


def memory(repository: str, used: int) -> int:
    """The limit of a container of this image that uses so much; 0: none."""
    return used * 2 if _stack(repository) in _CAREFUL else 0


def user(plan: Blueprint) -> str:
    """Whom a container of this image runs as, where its blueprint does not say."""
    return "10001:10001" if _stack(plan.image.repository) in _CAREFUL else ""


def log_config(plan: Blueprint) -> Json:
    """Where its output goes: two of the older services keep all of it."""
    limited = plan.image.repository not in ("osixia/openldap", "crm-import")
    return {"Type": "json-file", "Config": {"max-size": "20m", "max-file": "3"} if limited else {}}


def daemon(group: str, name: str) -> Json:
    """What of `/info` differs between the shop's machines."""
    found: Json = {"LiveRestoreEnabled": group not in ("swarm",) and not name.startswith("edge")}
    if name.startswith("ops"):
        found["Debug"] = True
        found["RegistryConfig"] = {
            "InsecureRegistryCIDRs": ["127.0.0.0/8"],
            "IndexConfigs": {
                "docker.io": {"Name": "docker.io", "Mirrors": [], "Secure": True, "Official": True},
                "ops-1:5000": {"Name": "ops-1:5000", "Mirrors": [], "Secure": False, "Official": False},
            },
            "Mirrors": None,
        }
    return found


def bridge_talks(name: str) -> bool:
    """Whether containers on a machine's default bridge reach each other."""
    return not name.startswith("db")
