"""Whether a fleet is fit for production: checks over facts that the engines' API tells, and nothing else.

A check is a pure function from frozen facts to findings. What the API cannot tell is *not checkable*, never passed.
"""

from .catalogue import CHECKS
from .finding import Check, Finding, Report, Severity, Unchecked
from .inspection import Inspection
from .judging import Group, GroupKey, Judged, Verdict
from .releases import AS_OF
from .sightings import Sightings

__all__ = [
    "AS_OF",
    "CHECKS",
    "Check",
    "Finding",
    "Group",
    "GroupKey",
    "Inspection",
    "Judged",
    "Report",
    "Severity",
    "Sightings",
    "Unchecked",
    "Verdict",
]
