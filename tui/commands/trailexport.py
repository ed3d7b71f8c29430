"""The trail handed out: every line that is meant, streamed, to standard output or into a file of its own."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from fleettop.collectors.instance import VERSION
from fleettop.collectors.trail.export import export
from fleettop.collectors.trail.store import Query, Store

from ..filter import Filter
from .request import Request
from .trailshow import lines_of
from .wholefile import whole_file

PIECE = 500
"""Lines written at once."""


def hand_out(request: Request, store: Store, query: Query, wanted: Filter) -> None:
    """Write them in the format that is asked for. Raises TrailError; ConfigError where the file cannot be written."""
    form = request.args.format or "jsonl"
    lines = export(lines_of(store, query, wanted), form, version=VERSION)
    if request.args.output is None:
        for piece in _pieces(lines):
            request.out.text(piece)
        return
    with whole_file(request.args.output.expanduser()) as file:
        for piece in _pieces(lines):
            file.write(piece.encode("utf-8", "backslashreplace"))


def _pieces(lines: Iterable[str]) -> Iterable[str]:
    iterator = iter(lines)
    while piece := "".join(islice(iterator, PIECE)):
        yield piece
