"""One supervisor per engine and its small readers."""
