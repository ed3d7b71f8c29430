"""Tests of fleettop."""
