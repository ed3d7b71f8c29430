"""Running a command's coroutine to its end, whichever way it ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine


def run_to_end(work: Coroutine[object, object, int]) -> int:
    """Run a command's coroutine; SIGTERM and SIGHUP end it as Ctrl-C does, quietly and with everything closed."""
    with asyncio.Runner() as runner:
        return runner.run(_until_ended(work))


async def _until_ended(work: Coroutine[object, object, int]) -> int:
    loop, task, ended = asyncio.get_running_loop(), asyncio.current_task(), []
    assert task is not None

    def end(number: int) -> None:
        ended.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    try:
        return await work
    except asyncio.CancelledError:
        if not ended:
            raise
        return 128 + ended[0]
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
