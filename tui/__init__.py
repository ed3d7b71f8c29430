"""All that a person at a terminal touches."""
