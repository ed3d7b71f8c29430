"""Uncleaned answers of an engine, for what is sent back to it: a swarm's spec, the container a clone is made from.

The engine client's answers are cleaned and hide secrets, so they would change what they describe. What is read here
is never shown and never kept. It goes the same guarded way as the client's reads.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from ..engine.http import Requests
from ..errors import Malformed
from .steps import Reach

DEADLINE = 5.0


async def read_json(reach: Reach, path: str, query: str = "", *, engine: str) -> object | None:
    """The JSON that `GET path?query` answers; None where that is 404.

    Raises ReadOnly for what is not on the allow-list, and an EngineError otherwise.
    """
    requests = Requests(reach.endpoint, engine=engine, read_only=reach.read_only, deadline=DEADLINE)
    requests.version = reach.api
    try:
        body = await requests.body(path, query)
    finally:
        await requests.close()
    if body is None:
        return None
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{engine} answered something that is no JSON (GET {path}).", where=path) from error
    return found


def segment(value: str) -> str:
    """One part of a path, quoted so that it can be nothing else."""
    return quote(value, safe=":@")


def image_path(image: str) -> str:
    """The path that tells of an image; the slashes of its name belong there."""
    return f"/images/{quote(image, safe=':@/')}/json"
