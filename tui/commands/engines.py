"""`fleettop engines test`: tries each engine and says in words what works and what does not."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from ..output import Text
from . import request as ending
from .request import Request

if TYPE_CHECKING:
    from fleettop.collectors.probe import ProbeReport


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
        usable = []
        async with asyncio.TaskGroup() as group:
            # All at once, shown in their order as soon as those before them are known.
            tasks = [group.create_task(test_engine(address, gate=gate)) for address in addresses]
            for task in tasks:
                report = await task
                _show(request, report)
                usable.append(report.usable)
        if not request.args.json:
            request.out.line(f"{sum(usable)} of {len(usable)} engines can be used.")
        return ending.FINE if all(usable) else ending.UNREACHABLE


def _show(request: Request, report: ProbeReport) -> None:
    if request.args.json:
        request.out.json(
            {
                "engine": report.address.name,
                "address": report.address.text,
                "usable": report.usable,
                "steps": [
                    {"step": step.name, "ok": step.ok, "words": step.words, "hint": step.hint or None}
                    for step in report.steps
                ],
            }
        )
        return
    verdict = Text("works", "ok") if report.usable else Text("does not work", "error")
    request.out.line(Text(report.address.name, "strong"), "  ", Text(report.address.text, "dim"), "  ", verdict)
    for step in report.steps:
        sign = Text("  ok  ", "ok") if step.ok else Text("  NO  ", "error")
        request.out.line(sign, f"{step.name}: {step.words}" if step.words else step.name)
        if step.hint:
            request.out.line(f"      {step.hint}")
