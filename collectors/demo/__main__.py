"""A simulated fleet in a process of its own: `python -m fleettop.collectors.demo --engines 200 --folder /tmp/demo`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from ..errors import ConfigError
from .fleet import DemoFleet
from .scenario import INCIDENTS


def main() -> int:
    """Open the fleet, write its addresses to standard output, one a line, and keep it open until ended."""
    parser = argparse.ArgumentParser(prog="python -m fleettop.collectors.demo", description=__doc__)
    parser.add_argument("--engines", type=int, default=12)
    parser.add_argument("--containers", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--incident", choices=INCIDENTS)
    parser.add_argument("--folder", type=Path, help="where the sockets are; default: a temporary folder")
    parser.add_argument("--still", action="store_true", help="nothing happens by itself")
    args = parser.parse_args()
    try:
        return asyncio.run(_serve(args))
    except ConfigError as error:
        parser.error(f"{error} {error.hint}")


async def _serve(args: argparse.Namespace) -> int:
    fleet = DemoFleet(
        engines=args.engines,
        containers=args.containers,
        seed=args.seed,
        incident=args.incident,
        folder=args.folder,
        moving=not args.still,
    )
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with fleet:
        with open(sys.stdout.fileno(), "w", closefd=False) as out:  # noqa: ASYNC230 - a few lines, once
            out.writelines(f"{address.text}\n" for address in fleet.addresses)
        await ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
