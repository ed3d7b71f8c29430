"""Waiting for something to become true, with a deadline: the one place in the tests that sleeps."""

from __future__ import annotations

import asyncio
import http.client
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

Seen = TypeVar("Seen")

NOT_YET = (AssertionError, LookupError)
"""What a condition may raise while it does not hold yet."""

FOREIGN = (OSError, http.client.HTTPException, RuntimeError, ValueError)
"""What asking an engine or a host may raise while it is starting."""


def wait_for(what: str, condition: Callable[[], Seen], timeout: float = 30.0, every: float = 0.03) -> Seen:
    """Ask until the condition holds and return its answer. Raises TimeoutError; for the machinery of the fleet."""
    end = time.monotonic() + timeout
    last = ""
    while True:
        try:
            if answer := condition():
                return answer
        except FOREIGN as error:
            last = f" (last: {error})"
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout:g} s{last}")
        time.sleep(every)


def eventually_sync(condition: Callable[[], Seen], timeout: float = 30.0, every: float = 0.02) -> Seen:
    """Ask until the condition holds and return its answer; raises AssertionError with the last answer otherwise.

    An AssertionError or LookupError inside the condition means "not yet"; anything else is raised at once.
    """
    end = time.monotonic() + timeout
    while True:
        last: object
        try:
            if answer := condition():
                return answer
            last = answer
        except NOT_YET as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout:g} s; last seen: {last!r}")
        time.sleep(every)


async def eventually(
    condition: Callable[[], Seen | Awaitable[Seen]],
    timeout: float = 30.0,  # noqa: ASYNC109
    every: float = 0.02,
) -> Seen:
    """As `eventually_sync` beside a running event loop; the condition may be a coroutine function."""
    end = time.monotonic() + timeout
    while True:
        last: object
        try:
            answer = condition()
            if inspect.isawaitable(answer):
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + max(0.1, end - time.monotonic())):
                    answer = await answer
            if answer:
                return cast("Seen", answer)
            last = answer
        except (*NOT_YET, TimeoutError) as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout:g} s; last seen: {last!r}")
        await asyncio.sleep(every)
