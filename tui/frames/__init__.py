"""What reaches the terminal: only the cells that differ from what it shows, when it has taken in the frame before."""

from .frames import Frames
from .grid import Grid, Update
from .pace import Pace

__all__ = ["Frames", "Grid", "Pace", "Update"]
