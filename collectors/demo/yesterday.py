"""Since when the simulated fleet has been set up as it is: most of it for long, what was deployed lately since then."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..checks import Finding

LATELY = timedelta(hours=2, minutes=40)
LONG = timedelta(days=9)
FRESH = (("C17", "pay"), ("C18", "pay"), ("C02", "agents"), ("E06", ""))
"""Checks and stacks whose findings came with the last deploys."""


def first_seen(finding: Finding, now: datetime) -> datetime:
    """When somebody would have found this first, had somebody looked."""
    fresh = any(finding.check == check and finding.service.startswith(stack) for check, stack in FRESH)
    return now - (LATELY if fresh else LONG)
