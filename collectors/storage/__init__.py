"""What lies on the disks of the fleet, what of it may go, and why the rest stays. Reads; changes nothing."""

from .needs import Needs, needs_of
from .reading import DEADLINE, Reading, read_disks
from .sorting import DAY, Keep, Kind, Sorted, Stored, sort_out

__all__ = [
    "DAY",
    "DEADLINE",
    "Keep",
    "Kind",
    "Needs",
    "Reading",
    "Sorted",
    "Stored",
    "needs_of",
    "read_disks",
    "sort_out",
]
