"""A simulated fleet that speaks the real Engine API on local sockets: for a first look, for scale, and for tests."""

from .fleet import DemoFleet
from .scenario import INCIDENTS

__all__ = ["INCIDENTS", "DemoFleet"]
