"""One more Docker engine, on a host that has none, with a daemon.json of a test's own."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .engine_api import ask
from .hosts import Hosts
from .image import build_image
from .site import Host, Site
from .waiting import wait_for


@contextmanager
def engine(
    site: Site, hosts: Hosts, host: Host, settings: Mapping[str, Any], flags: Sequence[str] = ()
) -> Iterator[None]:
    """Run it until the block ends; the image is there. Raises TimeoutError where it does not come up."""
    folder = site.home(host.name)
    file, data = folder / "daemon.json", folder / "disk/spare"
    file.write_text(json.dumps({"data-root": str(data), **settings}))
    hosts.on(host.name, "rm", "-f", "/var/run/docker.pid")
    hosts.spawn(host.name, "spare", *hosts.bare_dockerd(host), "--config-file", file, *flags)
    try:
        log = folder / "spare.log"
        wait_for(f"an engine with {json.dumps(settings)} (see {log})", lambda: hosts.engine_answers(host.name, 2))
        status, said = ask(site.socket(host.name), "POST", "/images/load?quiet=1", build_image(), timeout=60)
        if status != 200:
            raise RuntimeError(f"{host.name}: loading the image answered {status}: {said}")
        yield
    finally:
        if hosts.engine_answers(host.name, 2):  # one that waits for its containers to stop takes its time
            for container in ask(site.socket(host.name), "GET", "/containers/json?all=1")[1]:
                ask(site.socket(host.name), "DELETE", f"/containers/{container['Id']}?force=1&v=1", timeout=30)
        hosts.signal(host.name, "dockerd", signal.SIGTERM)
        wait_for(f"{host.name}: its engine ends", lambda: not hosts.processes(host.name, "dockerd"), 30)
        shutil.rmtree(data, ignore_errors=True)
