"""From a watched fleet to acting on it: the way to each engine that is open now."""

from __future__ import annotations

from .actions.steps import Reach
from .session import Session


def reach_of(session: Session, engine: str) -> Reach | None:
    """The way to an engine for acting; None while it cannot be reached."""
    client, endpoint = session.client(engine), session.endpoint(engine)
    if client is None or endpoint is None:
        return None
    return Reach(endpoint=endpoint, api=client.api, client=client, read_only=session.read_only)
