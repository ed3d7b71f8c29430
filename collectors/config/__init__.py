"""What a person configured: fleettop.toml, docker contexts, names of the ssh config; and the engines of it."""

from .settings import COLORS, Config, Group, load_config

__all__ = ["COLORS", "Config", "Group", "load_config"]
