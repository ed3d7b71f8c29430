"""Telling somebody that a service is away: which alarms there are (`watchman`), in which words, and by which ways.

A webhook and a command are the config's own: they leave from this machine and touch no engine, so they are there in
read-only mode too. What goes wrong with one of them is kept in one place (`Watchman.trouble`) and stops nothing.
"""
