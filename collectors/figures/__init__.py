"""What containers use, read from the kernel's own counters instead of asked of the engine, and kept for a while."""
