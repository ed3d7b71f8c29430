"""What moves in a simulated fleet, and what is wrong in it when one looks for the first time."""

from __future__ import annotations

INCIDENTS: tuple[str, ...] = ("crash-loop", "dead-host", "half-deploy", "oom")
