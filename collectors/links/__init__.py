"""The ways to an engine: each turns an address into a local endpoint."""
