"""Whole screens: what stands before the dashboard or over it."""
