"""A registry of images on one of the hosts, trusted by every Docker engine of the fleet for as long as a test runs."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

from .hosts import Hosts
from .shell import surroundings
from .site import Host, Site
from .waiting import wait_for

PROGRAM = "docker-registry"
PACKAGE = "docker-registry"
PORT = 5000


def lacking() -> str:
    """Why there can be no registry here; empty: there can."""
    return "" if shutil.which(PROGRAM, path=surroundings()["PATH"]) else f"no {PROGRAM} (apt install {PACKAGE})"


def serve(site: Site, hosts: Hosts, host: Host) -> str:
    """Start an empty registry with the host's own certificate. Returns its address, as images are named by it.

    An engine reads the authority to trust for a registry whenever it speaks with it: none is restarted.
    """
    name = f"{host.name}:{PORT}"
    for other in site.state.docker:
        trusted = site.home(other.name) / "disk/etc/docker/certs.d" / name
        trusted.mkdir(parents=True, exist_ok=True)
        shutil.copy(site.folder / "tls/ca/ca.pem", trusted / "ca.crt")
    folder = site.home(host.name)
    settings = folder / "registry.json"  # its YAML takes JSON
    settings.write_text(json.dumps(_settings(folder)))
    hosts.spawn(host.name, "registry", PROGRAM, "serve", settings)
    listens = lambda: f":{PORT:04X} " in hosts.on(host.name, "cat", "/proc/net/tcp", "/proc/net/tcp6")  # noqa: E731
    wait_for(f"the registry on {host.name} (see {folder}/registry.log)", listens, 30)
    return name


def _settings(folder: Path) -> dict[str, object]:
    tls = {"certificate": str(folder / "tls/cert.pem"), "key": str(folder / "tls/key.pem")}
    return {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(folder / "disk/registry")}},
        "http": {"addr": f":{PORT}", "tls": tls},
    }


def end(site: Site, hosts: Hosts, host: Host) -> None:
    """End a host's registry and forget its images; nothing where there is none."""
    if not (site.home(host.name) / "registry.json").exists():
        return
    hosts.signal(host.name, PROGRAM, signal.SIGKILL)
    wait_for(f"the registry on {host.name} ends", lambda: not hosts.processes(host.name, PROGRAM), 15)
    shutil.rmtree(site.home(host.name) / "disk/registry", ignore_errors=True)
    (site.home(host.name) / "registry.json").unlink()
    for other in site.state.docker:
        shutil.rmtree(site.home(other.name) / "disk/etc/docker/certs.d" / f"{host.name}:{PORT}", ignore_errors=True)
