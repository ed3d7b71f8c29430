"""The dashboard on the past: what the keys of a replay do, what the header says of it, and what a recording has not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .glyphs import ASCII
from .screens.prompt import Jump, MomentPrompt
from .trail.live import LiveTrail
from .views.cells import clock_time

if TYPE_CHECKING:
    from fleettop.collectors.recording import Player, ReplaySession

    from .app import FleetApp

MINUTE = 60.0
NOT_RECORDED = {
    "look.logs": "Logs are",
    "view.checks": "Checks ask the engines: they are",
    "view.storage": "What lies on the disks is",
    "link.retry": "Engines are not asked again: the present is",
}
"""What asks an engine, by the ids of the command table."""
NOT_THERE = "not in a recording."


class Replaying:
    """One recording on the dashboard of one app."""

    def __init__(self, app: FleetApp, session: ReplaySession) -> None:
        self._app = app
        self._session = session
        self._player: Player = session.player
        self._keys: Mapping[str, Callable[[], None]] = {
            "replay.pause": self._pause,
            "replay.next": session.step,
            "replay.slower": lambda: self._player.faster(-1),
            "replay.faster": lambda: self._player.faster(1),
            "replay.back": lambda: self._by(-MINUTE),
            "replay.forward": lambda: self._by(MINUTE),
            "replay.time": self._ask,
        }
        session.on_new_fleet = self._renewed
        session.on_arrival = self._arrived

    def words(self) -> str:
        """Where it stands, `replay 14:03:12 ×10 paused`, or where it goes: `replay 14:03:12, going to 14:40:00`."""
        player, session, moment = self._player, self._session, self._app.moment()
        if session.under_way:
            there = datetime.fromtimestamp(session.bound, UTC) if session.bound is not None else None
            goal = clock_time(there, moment) if there is not None else "the next event"
            return f"replay {clock_time(moment.now, moment)}, going to {goal}"
        speed = f"{'x' if self._app.glyphs is ASCII else '×'}{player.speed}"
        state = " end" if player.at_end else " paused" if player.paused else ""
        return f"replay {clock_time(moment.now, moment)} {speed}{state}"

    def does(self, name: str) -> bool:
        """Do the command of that id, or say that it is not in a recording. False: it is as on a live fleet."""
        if name in self._keys:
            self._keys[name]()
            self._app.dashboard.show_around()
            return True
        on_records = self._app.dashboard.place.view == "trail"
        words = NOT_RECORDED.get(name) or ("Raw JSON is" if name == "look.json" and not on_records else "")
        if words:
            self._app.notify(f"{words} {NOT_THERE}", markup=False)
        return bool(words)

    def _pause(self) -> None:
        if self._player.at_end:
            self._say_end()
        else:
            self._player.paused = not self._player.paused

    def _by(self, seconds: float) -> None:
        """From where it stands, or from where it is going: pressed twice it is twice as far."""
        bound = self._session.bound
        self._session.jump((self._player.clock.t if bound is None else bound) + seconds)

    def _arrived(self, nothing_more: bool) -> None:
        if self._app.is_running and self._app.dashboard.is_mounted:
            self._app.dashboard.show_around()
        if nothing_more:
            self._app.notify("Nothing happened after that: this is the end of the recording.", markup=False)

    def _say_end(self) -> None:
        damage = self._player.recording.damage
        words = f" ({damage})" if damage else ""
        self._app.notify(f"This is the end of the recording{words}. b or T goes back.", markup=False)

    def _ask(self) -> None:
        app, session, end = self._app, self._session, self._player.recording.end

        def answered(jump: Jump | None) -> None:
            if jump is not None:
                session.jump((jump.to or end).timestamp())
                app.dashboard.show_around()

        app.push_screen(MomentPrompt(lambda: end, glyphs=app.glyphs), answered)

    def _renewed(self) -> None:
        """Nothing that is drawn holds any more."""
        screen = self._app.dashboard
        if screen.is_mounted and self._app.is_running:
            screen.reading.live = LiveTrail(self._app.fleet)
            screen.go(screen.place)
