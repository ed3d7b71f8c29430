"""Simulated engines that speak the real Engine API on local sockets."""
