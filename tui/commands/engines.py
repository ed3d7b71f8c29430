"""`fleettop engines test`: tries each engine and says in words what works and what does not."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from ..output import Output, Text
from . import request as ending
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.probe import ProbeReport


SIGNS = {"ok": ("ok", "ok"), "warned": ("warning", "warning"), "failed": ("FAILED", "error"), "not tried": ("-", "dim")}
"""How a step's state is shown: its word and its role."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which engines."""
    parser.add_argument("action", choices=("test",), help="test: try each engine")
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help="only these engines")
    parser.add_argument("--json", action="store_true", help="one JSON object an engine")


def run(request: Request) -> int:
    """Try them; 3 where one cannot be used."""
    from .running import run_to_end

    return run_to_end(_test(request))


async def _test(request: Request) -> int:
    async with request.addresses() as addresses:
        if not addresses:
            return ending.UNREACHABLE
        from fleettop.collectors.links import HandshakeGate
        from fleettop.collectors.probe import test_engine

        gate = HandshakeGate()
        works = []
        async with asyncio.TaskGroup() as group:
            # All at once, shown in their order as soon as those before them are known.
            tasks = [group.create_task(test_engine(address, gate=gate)) for address in addresses]
            for task in tasks:
                report = await task
                works.append(report.ok)
                if request.args.json:
                    request.out.json(probe_record(report))
                else:
                    _show(request.out, report)
        if not request.args.json:
            request.out.line(f"{sum(works)} of {len(works)} can be used.")
        return ending.FINE if all(works) else ending.UNREACHABLE


def probe_record(report: ProbeReport) -> dict[str, object]:
    """A report as `--json` prints it."""
    return {
        "engine": report.engine,
        "address": report.address,
        "ok": report.ok,
        "route": report.route or None,
        "error": str(report.error) if report.error else None,
        "hint": (report.error.hint or None) if report.error else None,
        "steps": [
            {"step": step.name, "state": str(step.state), "words": step.words or None, "hint": step.hint or None}
            for step in report.steps
        ],
    }


def _show(out: Output, report: ProbeReport) -> None:
    verdict = Text("does not work", "error")
    if report.ok:
        verdict = Text("works, with a warning", "warning") if report.warned else Text("works", "ok")
    out.line(Text(report.engine, "strong"), "  ", verdict, "  ", Text(report.address, "dim"))
    for step in report.steps:
        sign, role = SIGNS[str(step.state)]
        out.line("  ", Text(f"{sign:<7}", role), f"{step.name}: {step.words}" if step.words else step.name)
        if step.hint:
            out.line(" " * 9, step.hint)
