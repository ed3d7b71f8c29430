"""`i` on a container: what matters first, and below it all that its engine says, as JSON."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from fleettop.collectors.errors import FleetError
from textual.binding import Binding, BindingType

from ..glyphs import UNICODE, Glyphs
from ..rows import Cell, Line
from ..views.container_detail import Fact
from .folding import FoldingPage

Facts = Callable[[Sequence[Fact]], Sequence[Line]]
"""The lines that are kept current, with these facts among them."""
Read = Callable[[], Awaitable[tuple[Sequence[Fact], object]]]
"""Asks the engine: facts by name, and all that it says, None where the object is gone. Raises FleetError."""
Values = Callable[[], Awaitable[Sequence[tuple[str, str]]]]
"""Asks the engine for the variables and their values, secrets hidden. Raises FleetError."""


class InspectScreen(FoldingPage):
    """Lines that are kept current, then what was read once, when the page was opened.

    The values of variables are asked for by a key, and gone with the page; without `values` there is no such key.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "values", "values")]

    def __init__(self, lines: Facts, read: Read, *, values: Values | None = None, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(self._all, glyphs)
        self._facts = lines
        self._read = read
        self._values = values
        self._more: Sequence[Fact] = ()
        self._variables: tuple[Line, ...] = ()
        self._json: tuple[Line, ...] = ((), (Cell("all of it", "head"), Cell("  is being asked for", "dim")))

    def on_mount(self) -> None:
        """Ask the engine for all of it."""
        self.run_worker(self._load(), group="inspect")

    def _all(self) -> Sequence[Line]:
        return (*self._facts(self._more), *self._variables, *self.folded(self._json))

    async def _load(self) -> None:
        try:
            facts, found = await self._read()
        except FleetError as error:
            self._json = ((), (Cell(f"{error} {error.hint}".strip(), "warning"),))
        else:
            self._json = ((), (Cell("all of it", "head"), Cell("  secrets hidden", "dim")), *json_lines(found))
            self._more = facts
        self.fleet_changed()

    def keys(self) -> tuple[tuple[str, str], ...]:
        """With the one that shows the values of variables, where it is there."""
        if self._values is None or self._sought:
            return super().keys()
        return (("v", "hide values" if self._variables else "values of variables"), *super().keys())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The values are not to be had in read-only mode."""
        return self._values is not None if action == "values" else super().check_action(action, parameters)

    def action_values(self) -> None:
        """`v`: ask for the values of the variables, or hide them again."""
        if self._variables:
            self._variables = ()
            self.fleet_changed()
            self._hint()
        else:
            self.run_worker(self._show_values(), group="values", exclusive=True)

    async def _show_values(self) -> None:
        if self._values is None:
            return
        try:
            found = await self._values()
        except FleetError as error:
            self.notify(f"{error} {error.hint}", severity="error", markup=False)
            return
        head: Line = (
            Cell("variables", "head"),
            Cell("  as the engine has them now; what looks secret is hidden", "dim"),
        )
        lines: list[Line] = [(Cell(f"  {name}=", "dim"), Cell(value)) for name, value in found]
        self._variables = ((), head, *(lines or [(Cell("  none", "dim"),)]))
        self.fleet_changed()
        self.query_one("#page").call_after_refresh(self._to_values)
        self._hint()

    def _to_values(self) -> None:
        self._go(len(self._facts(self._more)) + 1)


def json_lines(found: object) -> list[Line]:
    """Data as indented JSON, a line each; what is gone says so."""
    if found is None:
        return [(Cell("It is gone.", "warning"),)]
    return [_json_line(line) for line in json.dumps(found, indent=2, ensure_ascii=False).splitlines()]


def _json_line(line: str) -> Line:
    name, colon, value = line.partition('": ')
    return (Cell(f'{name}"', "dim"), Cell(": "), Cell(value)) if colon else (Cell(line),)
