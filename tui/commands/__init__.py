"""The commands of the command line. Each module is imported when its command is the one that runs."""

from __future__ import annotations

import msgspec


class Command(msgspec.Struct, frozen=True):
    """One command: its name, the module that runs it, and what `--help` says of it."""

    name: str
    module: str
    summary: str
    changes: bool = False
    runs_program: bool = False
    """What stands behind `--` is a command of its own."""
    """It changes something on an engine: absent in read-only mode."""


COMMANDS = {
    command.name: command
    for command in (
        Command("demo", "demo", "the dashboard on a simulated fleet; needs no Docker"),
        Command("ls", "ls", "services, containers, engines, nodes or images, printed"),
        Command("events", "events", "what the engines say happens, merged"),
        Command("trail", "trail", "the audit trail: show its records, verify it, its head, export it"),
        Command("record", "record", "keep the audit trail with no screen, for a service manager"),
        Command("replay", "replay", "the dashboard on what `record --snapshots` kept; contacts nobody"),
        Command("logs", "logs", "what services write, of all replicas on all hosts, in the order of time"),
        Command("check", "check", "whether the fleet is fit for production: what is set up badly, and what to do"),
        Command("what-if", "whatif", "what would be down if a host died"),
        Command("restart", "act", "restart services, one replica after the other", changes=True),
        Command("stop", "act", "stop services", changes=True),
        Command("start", "act", "start services that are stopped", changes=True),
        Command("kill", "act", "send a signal to services", changes=True),
        Command("pause", "act", "freeze services", changes=True),
        Command("unpause", "act", "let paused services go on", changes=True),
        Command("scale", "act", "set the number of a service's replicas", changes=True),
        Command("set-image", "act", "set what a swarm's services run, their difference said first", changes=True),
        Command(
            "pause-update", "act", "let the update of a swarm's services wait, as far as the API can", changes=True
        ),
        Command("resume-update", "act", "go on with an update that waits, or was halted", changes=True),
        Command("rollback", "act", "bring back what a swarm's services were before their last change", changes=True),
        Command("node", "node", "drain, pause or activate a node of a swarm, with what moves said first", changes=True),
        Command("prune", "prune", "remove what nothing uses; every object is named before", changes=True),
        Command("drill", "drill", "lose a replica or a node on purpose, and tell what that came to", changes=True),
        Command("shell", "shell", "a shell, or another command, in a container", changes=True, runs_program=True),
        Command("engines", "engines", "try each engine and say what works and what does not (engines test)"),
    )
}
"""By name, in the order in which help shows them."""
