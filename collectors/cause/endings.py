"""How a container's end is judged from its events, and how it is put in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ..model import Container
from .desk import LONG_STOP, Step
from .history import End, Life

FATAL = frozenset(("SIGTERM", "SIGKILL", "SIGINT", "SIGQUIT"))
QUICK_END = timedelta(seconds=15)
"""After a signal that need not be fatal: an end this soon is taken to be its effect."""
AT_ONCE = timedelta(seconds=2)
"""Events of one deed of the engine that follow each other without a pause."""
POLICY_PAUSE = timedelta(seconds=70)
"""The longest pause of a restart policy is a minute (moby: restartmanager, backoff 100 ms doubling to 1 min)."""


# -- words -------------------------------------------------------------------------------------------------------------


def exit_words(code: int | None) -> str:
    """` (exit 143)`, or nothing where the code is not known."""
    return "" if code is None else f" (exit {code})"


def code_words(code: int | None) -> str:
    """`exited 1`; `exited` where the code is not known."""
    return "exited" if code is None else f"exited {code}"


def killed_itself(code: int | None) -> bool:
    """Of one that ended for memory: whether it was killed, and not one of its processes, after which it gave up."""
    return code in (137, None)


def memory_words(code: int | None) -> str:
    """`killed for memory`; `ran out of memory and exited 1`."""
    return "killed for memory" if killed_itself(code) else f"ran out of memory and {code_words(code)}"


def alone(life: Life, end: End | None = None) -> str:
    """How a container ended that nobody asked to."""
    if (end or life.end) is End.MEMORY:
        killed = killed_itself(life.exit_code)
        return memory_words(life.exit_code) + (exit_words(life.exit_code) if killed else "")
    return f"{code_words(life.exit_code)} by itself"


def comma_exit(code: int | None) -> str:
    """`, exit 143`, or nothing where the code is not known."""
    return "" if code is None else f", exit {code}"


def distinct(signals: Iterable[str]) -> tuple[str, ...]:
    """Each once, in their order."""
    return tuple(dict.fromkeys(signals))


# -- what the sequences are told by ------------------------------------------------------------------------------------


def asked_to_end(life: Life, at: datetime) -> bool:
    """Whether this end comes of a signal somebody sent."""
    if not life.signals or life.signalled_at is None:
        return False
    longest = LONG_STOP if FATAL.intersection(life.signals) else QUICK_END
    return at - life.signalled_at <= longest


def labelled(container: Container | None) -> bool:
    """A label named `exitCode` overwrites the engine's word in its events (seen on 20.10)."""
    return container is not None and "exitCode" in container.labels


def number(text: str | None) -> int | None:
    """An attribute that is a number; None where it is none."""
    return int(text) if text is not None and text.removeprefix("-").isdigit() and len(text) < 7 else None


def restart_policy(container: Container | None) -> str:
    """Its restart policy; empty where it is not known."""
    return container.detail.restart_policy if container is not None and container.detail is not None else ""


def has_policy(container: Container | None) -> bool:
    """Whether the engine is known to bring it back by itself."""
    return restart_policy(container) not in ("", "no")


def may_be_policy(container: Container | None) -> bool:
    """Whether the engine may have brought it back by itself before now: its counter says so, or was not read yet."""
    return container is not None and (container.detail is None or bool(container.detail.restart_count))


def by_policy(step: Step, ended: datetime) -> bool:
    """Whether the engine started it again by itself, as far as the policy and the pause allow to say."""
    container, life = step.container, step.life
    if step.at - ended > POLICY_PAUSE:
        return False
    if container is None or container.detail is None or not container.detail.restart_policy:
        return not step.by_swarm
    policy = container.detail.restart_policy
    return policy in ("always", "unless-stopped") or (policy == "on-failure" and life.exit_code != 0)


def would_return(step: Step) -> bool:
    """Whether its restart policy certainly brings it back from the end it had, unless somebody asked for that end."""
    container = step.container
    if container is None or container.detail is None:
        return False
    policy, retries = container.detail.restart_policy, container.detail.restart_retries
    if policy == "on-failure":
        return step.life.exit_code not in (0, None) and not retries
    return policy in ("always", "unless-stopped")


def is_health_check(command: str, check: tuple[str, ...]) -> bool:
    """Whether an exec's command (the engine joins its words by spaces) is the container's own health check."""
    if not check or check[0] == "NONE":
        return False
    spoken = " ".join(command.split())
    if check[0] == "CMD-SHELL":
        # The shell in front is the image's SHELL, `/bin/sh -c` by default, `cmd /S /C` on Windows.
        return spoken.endswith(" ".join(" ".join(check[1:]).split()))
    words = check[1:] if check[0] == "CMD" else check
    return spoken == " ".join(" ".join(words).split())
