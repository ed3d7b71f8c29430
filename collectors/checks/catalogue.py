"""All checks there are, by id."""

from __future__ import annotations

from collections.abc import Mapping

from . import behaviour, engines, limits, privileges, swarms, upkeep
from .finding import Check

CHECKS: Mapping[str, Check] = {
    check.id: check
    for check in sorted(
        (
            *engines.CHECKS,
            *upkeep.CHECKS,
            *swarms.CHECKS,
            *privileges.CHECKS,
            *limits.CHECKS,
            *behaviour.CHECKS,
        ),
        key=lambda check: ("ESC".index(check.id[0]), check.id),
    )
}
"""Engines, swarms, containers."""
