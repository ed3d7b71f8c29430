"""A fleet by hand: ``python -m tests.fleet up --hosts 3 --swarm --private 1 --noforward 1 --podman``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from . import debian13
from .engine_api import ask
from .faults import FAULTS
from .fleet import Fleet
from .keeper import keep
from .preflight import PACKAGES, missing


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--id", type=int, default=0, help="several fleets may run side by side (0 to 127)")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring a fleet up")
    up.add_argument("--hosts", type=int, default=3)
    up.add_argument("--swarm", action="store_true")
    up.add_argument("--managers", type=int, default=1)
    up.add_argument("--private", type=int, default=0, help="the last K hosts only behind a jump host")
    up.add_argument("--noforward", type=int, default=0, help="K hosts whose sshd forwards no unix sockets")
    up.add_argument("--tcp", default="tls", help="tls, plain or none for each host, separated by commas, repeated")
    up.add_argument("--podman", action="store_true", help="one more host, with Podman")
    up.add_argument("--newer", type=int, default=0, help="K hosts more with Debian 13 and its Docker: n1, n2, …")
    up.add_argument("--bare", action="store_true", help="one more such host, without an engine")
    up.add_argument("--disk", default="512m", help="size of each host's disk, which lies in memory")
    commands.add_parser("down", help="take it away without a trace")
    commands.add_parser("status", help="what runs on each host")
    commands.add_parser("config", help="a fleettop.toml for it")
    commands.add_parser("shop", help="start a compose project with good and bad services").add_argument(
        "host", nargs="*"
    )
    fault = commands.add_parser("fault", help="break something: " + ", ".join(FAULTS))
    fault.add_argument("host")
    fault.add_argument("kind", choices=FAULTS, metavar="KIND")
    fault.add_argument("arguments", nargs="*")
    log = commands.add_parser("log", help="let a host's sshd log to the journal, or to a file such as /var/log/secure")
    log.add_argument("host")
    log.add_argument("kind", nargs="?", default="journal")
    commands.add_parser("heal", help="undo all faults").add_argument("host", nargs="?", default="")
    commands.add_parser("wipe", help="heal, and remove all that runs")
    run = commands.add_parser("exec", help="run a command on a host, as root")
    run.add_argument("host")
    run.add_argument("words", nargs=argparse.REMAINDER)
    commands.add_parser("doctor", help="say what is missing on this machine")
    commands.add_parser("fetch", help=f"get Debian 13 for hosts with its Docker ({debian13.SIZE}, once)")
    commands.add_parser("keep")
    return parser


def addresses(fleet: Fleet) -> dict[str, list[str]]:
    """The ways to each host's engine, as they are written."""
    ways: dict[str, list[str]] = {}
    for host in fleet.state.hosts.values():
        ways[host.name] = [f"ssh://ops@{host.address}"]
        if host.engine:
            ways[host.name].append(f"unix://{fleet.site.socket(host.name)}")
        if host.tcp != "none" and not host.private:
            ways[host.name].append(f"tcp://{host.address}:{2376 if host.tcp == 'tls' else 2375} ({host.tcp})")
        if host.private:
            ways[host.name].append("(only through jump)")
        if not host.forward:
            ways[host.name].append("(forwards no sockets)")
    return ways


def config(fleet: Fleet, ways: Sequence[str] = ()) -> str:
    """A fleettop.toml. `ways` (`tls`, `ssh`, `unix`) are repeated over the hosts; else h1 by TLS, the others by ssh."""
    lines = []
    for number, host in enumerate(fleet.state.engines):
        way = "tls" if host.name == "h1" and host.tcp == "tls" else "ssh"
        if ways:
            way = ways[number % len(ways)]
        address = fleet.address(host.name, way)
        lines += ["[[engines]]", f'name = "{host.name}"', f'address = "{address.text}"']
        if address.tls:
            files = {"ca": address.tls.ca, "cert": address.tls.cert, "key": address.tls.key}
            lines.append("tls = { " + ", ".join(f'{name} = "{path}"' for name, path in files.items()) + " }")
        if address.ssh_config:
            lines.append(f'ssh_config = "{address.ssh_config}"')
        lines.append("")
    return "\n".join(lines)


def status(fleet: Fleet) -> list[str]:
    """One line a host: what answers, and what runs."""
    lines = []
    for host in fleet.state.hosts.values():
        words = [f"{host.name:5}", "on " if fleet.hosts.first_process(host.name) else "off"]
        if host.engine:
            words.append(_engine(fleet, host.name))
        running = fleet.hosts.running(host.name)
        words += [
            f"{name} {len(running[name])}" for name in ("dockerd", "containerd", "podman", "sshd") if running[name]
        ]
        lines.append("  ".join(words))
    return lines


def _engine(fleet: Fleet, host: str) -> str:
    try:
        _, info = ask(fleet.site.socket(host), "GET", "/info", timeout=2)
        return f"{info['ServerVersion']}, {info['ContainersRunning']} of {info['Containers']} containers run"
    except (OSError, KeyError, TypeError) as error:
        return f"silent ({error})"


def _up(fleet: Fleet, **options: Any) -> int:
    reasons = missing(podman=options["podman"])
    if options["newer"] or options["bare"]:
        reasons += filter(None, [debian13.lacking()])
    if reasons:
        print(f"No fleet can run here: {'; '.join(reasons)}.\nOn Debian: apt-get install {PACKAGES}", file=sys.stderr)
        return 1
    print("seconds:", json.dumps(fleet.up(**options).seconds))
    for name, ways in addresses(fleet).items():
        print(f"{name:5}", *ways, sep="  ")
    print(f"ssh -F {fleet.folder}/ssh/config h1")
    return 0


def _down(fleet: Fleet) -> int:
    left = fleet.down()
    for what in left:
        print(f"left behind: {what}", file=sys.stderr)
    return bool(left)


def _exec(fleet: Fleet, host: str, words: list[str]) -> int:
    enter = fleet.hosts.enter(host)
    os.execvp(enter[0], [*enter, *(words[1:] if words[:1] == ["--"] else words)])


def _doctor(_fleet: Fleet) -> int:
    reasons = missing()
    print("\n".join(reasons) or "A fleet can run here.")
    return bool(reasons)


def _fetch(_fleet: Fleet) -> int:
    try:
        print(f"Debian 13 with Docker {debian13.fetch()} is in {debian13.SYSTEM}.")
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        print(f"Debian 13 cannot be had: {error}", file=sys.stderr)
        return 1
    return 0


def _status(fleet: Fleet) -> None:
    print(*status(fleet), sep="\n")


COMMANDS: dict[str, Callable[..., int | None]] = {
    "up": _up,
    "down": _down,
    "exec": _exec,
    "doctor": _doctor,
    "fetch": _fetch,
    "status": _status,
    "config": lambda fleet: print(config(fleet)),
    "fault": lambda fleet, host, kind, arguments: fleet.fault(host, kind, *arguments),
    "log": lambda fleet, host, kind: fleet.keep_log(host, kind),
    "heal": lambda fleet, host: fleet.heal(host),
    "shop": lambda fleet, host: fleet.shop(*host),
    "wipe": lambda fleet: fleet.wipe(),
    "keep": lambda fleet: keep(fleet.site.number),
}


def main() -> int:
    """Do what the command line says; the exit code is 0 where it worked."""
    options: dict[str, Any] = vars(_arguments().parse_args())
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head` is fine
    fleet = Fleet(options.pop("id"))
    return COMMANDS[options.pop("command")](fleet, **options) or 0


if __name__ == "__main__":
    sys.exit(main())
