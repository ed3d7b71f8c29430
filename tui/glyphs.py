"""The signs of states, marks and bars: in Unicode, and in ASCII for terminals that have no more.

Every sign is one cell wide, and every state has its own, since state is never told by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

SERVICE_STATES = ("down", "degraded", "starting", "flapping", "unknown", "stopped", "healthy")
"""The words of service states, worst first."""


class Glyphs(msgspec.Struct, frozen=True, kw_only=True):
    """One set of signs."""

    states: Mapping[str, str]
    ellipsis: str
    """Where text was left out."""
    run: str
    """Between the first and the last of an unbroken run."""
    dash: str
    """Stands for a value that is not known."""
    dot: str
    """Stands between two facts on a line."""
    mark: str
    """In front of a marked row."""
    sorted_up: str
    sorted_down: str
    levels: str
    """Heights of a sparkline, least first."""
    rule: str
    """A vertical line between panes."""
    gap: str
    """Fills a span of which nothing is known."""
    fill: str
    blank: str
    """The full and the empty part of a bar."""
    restarts: str
    change: str
    """In front of what somebody did."""
    enter: str
    ascii: bool


UNICODE = Glyphs(
    states={
        "down": "✖",
        "degraded": "▲",
        "starting": "◌",
        "flapping": "↻",
        "unknown": "?",
        "stopped": "■",
        "healthy": "●",
    },
    ellipsis="…",
    run="…",
    dash="–",
    dot="·",
    mark="✓",
    sorted_up="↑",
    sorted_down="↓",
    levels="▁▂▃▄▅▆▇█",
    rule="│",
    gap="▒",
    fill="█",
    blank="░",
    restarts="↻",
    change="◆",
    enter="⏎",
    ascii=False,
)

ASCII = Glyphs(
    states={
        "down": "X",
        "degraded": "!",
        "starting": "o",
        "flapping": "~",
        "unknown": "?",
        "stopped": "-",
        "healthy": "*",
    },
    ellipsis=">",
    run="..",
    dash="-",
    dot="|",
    mark="+",
    sorted_up="^",
    sorted_down="v",
    levels="_.:-=+*#",
    rule="|",
    gap="#",
    fill="#",
    blank=".",
    restarts="R",
    change="@",
    enter="Enter",
    ascii=True,
)

STATE_OF_WORD: Mapping[str, str] = {
    **{state: state for state in SERVICE_STATES},
    # container states (collectors.model.ContainerState) and healths
    "running": "healthy",
    "exited": "stopped",
    "created": "stopped",
    "paused": "stopped",
    "removing": "stopped",
    "restarting": "flapping",
    "dead": "down",
    "unhealthy": "down",
    # links
    "up": "healthy",
    "connecting": "starting",
    "not tried": "starting",
    "closed": "stopped",
    # swarm nodes and tasks
    "ready": "healthy",
    "complete": "stopped",
    "shutdown": "stopped",
    "orphaned": "unknown",
    "disconnected": "down",
    "failed": "down",
    "rejected": "down",
    "new": "starting",
    "pending": "starting",
    "assigned": "starting",
    "accepted": "starting",
    "preparing": "starting",
}
"""Which of the seven states the word of a container, a link, a node or a task is shown as."""


def state_of(word: str) -> str:
    """The one of the seven states that `word` is shown as; `unknown` where it is none of ours."""
    return STATE_OF_WORD.get(word, "unknown")


def state_glyph(word: str, glyphs: Glyphs = UNICODE) -> str:
    """The sign of a state: one cell wide."""
    return glyphs.states[state_of(word)]
