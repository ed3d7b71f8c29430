"""Looking every so often: all who do so wake the process together."""

from __future__ import annotations

import asyncio


async def beat(seconds: float) -> None:
    """Sleep until the loop's clock is next at a whole multiple of so many seconds.

    Whoever looks once a second then does so in the same round of the loop: an idle process is woken once a second and
    not once for each of them, and what they find reaches the screen in one frame.
    """
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    now = asyncio.get_running_loop().time()
    pause = seconds - now % seconds
    await asyncio.sleep(pause if pause > seconds / 10 else pause + seconds)
