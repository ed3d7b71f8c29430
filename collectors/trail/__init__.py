"""The records of what happened."""
