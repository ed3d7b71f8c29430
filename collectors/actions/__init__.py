"""Changing things: plan, confirm, call, outcome."""
