"""Finding in lines by a regular expression that cannot freeze the program.

The `regex` module and not `re`: `re` holds the interpreter while it backtracks, so that neither a thread nor a deadline
can stop it; `regex` looks at the time itself and gives up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError

if TYPE_CHECKING:
    import regex

PATIENCE = 0.02
"""Seconds that one line may take."""
LONGEST = 1_000
"""Characters of an expression, at most."""


class BadExpression(ConfigError):
    """The expression cannot be read, or takes too long."""


class Finder:
    """One expression; small letters alone find capitals too. Raises BadExpression for one that makes no sense."""

    def __init__(self, expression: str) -> None:
        import regex

        self.expression = expression
        if len(expression) > LONGEST:
            raise BadExpression(f"An expression of more than {LONGEST:,} characters is not looked for.")
        flags = regex.VERSION0 | (regex.IGNORECASE if expression == expression.lower() else 0)
        try:
            self._pattern: regex.Pattern[str] = regex.compile(expression, flags)
        except (regex.error, OverflowError, RecursionError, MemoryError) as error:
            where = getattr(error, "pos", None)
            place = f" (at character {where + 1})" if where is not None else ""
            words = getattr(error, "msg", "") or "it makes no sense"
            raise BadExpression(
                f"{expression!r} is no regular expression: {words}{place}.",
                hint="A backslash before a sign takes it as it is: \\(",
            ) from error

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is found in a text. Raises BadExpression where that takes longer than `PATIENCE`."""
        try:
            found = self._pattern.finditer(text, timeout=PATIENCE)
            return [match.span() for match in found if match.end() > match.start()]
        except TimeoutError as error:
            raise self._too_slow() from error

    def found(self, text: str) -> bool:
        """Whether it is found in a text. Raises BadExpression likewise."""
        try:
            return self._pattern.search(text, timeout=PATIENCE) is not None
        except TimeoutError as error:
            raise self._too_slow() from error

    def _too_slow(self) -> BadExpression:
        return BadExpression(
            f"{self.expression!r} takes too long on some lines and was stopped.",
            hint="Repetitions inside repetitions, as in (a+)+, are what takes long.",
        )
