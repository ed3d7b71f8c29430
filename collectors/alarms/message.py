"""What an alarm says: in a sentence, as JSON, and as variables of a command. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from ..fleet import Fleet
from ..model import ServiceState, titled
from ..outages.incidents import Alarm, Level
from ..text import plain
from ..words import age


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm as it is told. The fields of a webhook's JSON are these."""

    id: str
    """The same in all alarms of one incident."""
    level: str
    """`warn`, `page`, `recovered`."""
    service: str
    source: str
    scope: str
    key: str
    """Its name by itself: with `source` and `scope` it is unique."""
    state: str
    began: str
    """When it was away for the first time."""
    at: str
    down_seconds: float
    times: int
    """How often it was away."""
    hosts: tuple[str, ...]
    image: str
    story: str
    """What is known of it, in a sentence."""
    text: str
    """The alarm in a sentence."""

    def body(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self)

    def variables(self) -> Mapping[str, str]:
        """For a command's environment."""
        return {
            "FLEETTOP_ID": self.id,
            "FLEETTOP_LEVEL": self.level,
            "FLEETTOP_SERVICE": self.service,
            "FLEETTOP_STATE": self.state,
            "FLEETTOP_SECONDS": f"{self.down_seconds:.0f}",
            "FLEETTOP_TEXT": self.text,
        }


def message_of(alarm: Alarm, fleet: Fleet) -> Message:
    """What is to be told of it now."""
    service = fleet.services.get(alarm.service)
    name = plain(titled(service.stack, service.name) if service is not None else alarm.service.name)
    story = fleet.story(alarm.service, UTC) if service is not None and alarm.level is not Level.RECOVERED else None
    return Message(
        id=alarm.incident,
        level=str(alarm.level),
        service=name,
        source=alarm.service.source,
        scope=alarm.service.scope,
        key=alarm.service.name,
        state=str(service.state) if service is not None else "gone",
        began=_stamp(alarm.begin),
        at=_stamp(alarm.now),
        down_seconds=round(alarm.down, 3),
        times=alarm.times,
        hosts=service.hosts if service is not None else (),
        image=service.image if service is not None else "",
        story=story.sentence if story is not None else "",
        text=_sentence(alarm, name, service.state if service is not None else None),
    )


def _sentence(alarm: Alarm, name: str, state: ServiceState | None) -> str:
    span, often = age(alarm.down), f", {alarm.times} times" if alarm.times > 1 else ""
    if alarm.level is not Level.RECOVERED:
        return f"{name} has not served for {span}{often}"
    if state is None or state is ServiceState.STOPPED:
        end = "is stopped" if state is not None else "is gone"
        return f"{name} {end}; before, it had not served for {span}{often}"
    return f"{name} serves again; it had not for {span}{often}"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
