"""Recordings of a fleet: all that its watchers told, kept in a file, and played again with no engine at hand."""

from .lines import Header, RecordingError
from .player import Player
from .reader import Recording
from .replay import ReplaySession
from .writer import SnapshotFile

__all__ = ["Header", "Player", "Recording", "RecordingError", "ReplaySession", "SnapshotFile"]
