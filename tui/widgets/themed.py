"""Widgets that keep styles of the theme, and are drawn anew in another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget as _Base
else:
    _Base = object  # the first base that is a widget gives a class its CSS and its bindings


class Themed(_Base):
    """Follows the theme while it is mounted, and can be forgotten afterwards.

    What a signal calls holds the node that it is for (Textual 8.2.8, `Signal.subscribe`): without its leave-taking each
    widget, and the whole screen it was on, would be kept until the theme is changed.
    """

    def on_mount(self) -> None:
        """Follow the theme."""
        self.app.theme_changed_signal.subscribe(self, self._restyle)

    def on_unmount(self) -> None:
        """Follow it no longer."""
        self.app.theme_changed_signal.unsubscribe(self)

    def _restyle(self, _theme: object) -> None:
        raise NotImplementedError
