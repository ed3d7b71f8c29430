"""An alarm at this terminal: its bell, and a notification of the desktop where the terminal passes one on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fleettop.collectors.outages.incidents import Level
from fleettop.collectors.text import plain

if TYPE_CHECKING:
    from fleettop.collectors.alarms.message import Message

    from .app import FleetApp

SILENT = ("dumb", "linux", "vt")
"""Terminals that would draw a notification as text."""
LONGEST = 200


def notification(kind: str, text: str, environ: Mapping[str, str]) -> str:
    """The sequence that has the terminal notify; empty where that is off, or the terminal knows none."""
    if kind == "off" or environ.get("TERM", "").startswith(SILENT):
        return ""
    said = plain(text)[:LONGEST]
    if kind == "osc777":
        return f"\x1b]777;notify;fleettop;{said.replace(';', ',')}\x07"
    return f"\x1b]9;fleettop: {said}\x07"


def alarm(app: FleetApp, message: Message) -> None:
    """Ring, notify, and say it on the screen."""
    alarms = app.alarms
    back = message.level == Level.RECOVERED
    if alarms.bell and not back:
        app.bell()
    sequence = notification(alarms.desktop, message.text, app.environ)
    if sequence:
        app.write_terminal(sequence)
    page = message.level == Level.PAGE
    app.notify(f"{message.text}.", severity="information" if back else "error" if page else "warning", markup=False)
