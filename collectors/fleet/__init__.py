"""The picture of a fleet, kept current by what its watchers tell. No I/O: changes in, a picture and records out."""

from .fleet import Fleet
from .totals import Totals
from .touched import Changed

__all__ = ["Changed", "Fleet", "Totals"]
