"""The trail as it is looked at: a stretch of it at a time, however long it is, live and past in one list."""
