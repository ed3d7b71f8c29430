"""What a terminal can show, by its environment."""

from __future__ import annotations

import pytest
from fleettop.tui.terminal import animates, colours, speaks_unicode, theme_for


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, None),
        ({"TERM": "linux"}, 16),
        ({"TERM": "dumb"}, 0),
        ({}, 16),
    ],
)
def test_the_colours_of_a_terminal_are_known_by_its_name(environ: dict[str, str], expected: int | None) -> None:
    """A console has 16, a dumb terminal none; what says 256 or true colour has enough."""
    assert colours(environ) == expected


def test_the_locale_says_whether_signs_can_be_drawn() -> None:
    """LC_ALL counts before LANG; without any, plain ASCII is safe."""
    assert speaks_unicode({"LANG": "en_GB.UTF-8"})
    assert not speaks_unicode({"LANG": "en_GB.UTF-8", "LC_ALL": "C"})
    assert not speaks_unicode({})


def test_nothing_glides_over_ssh_but_by_request() -> None:
    """Each step of an animation would be a frame to send; Textual's own variable decides where it is set."""
    assert animates({"TERM": "xterm"})
    assert not animates({"SSH_CONNECTION": "192.0.2.1 22022 192.0.2.2 22"})
    assert not animates({"SSH_TTY": "/dev/pts/3"})
    assert animates({"SSH_CONNECTION": "192.0.2.1 22022 192.0.2.2 22", "TEXTUAL_ANIMATIONS": "full"})


def test_no_colour_beats_a_chosen_theme() -> None:
    """`--color never` and NO_COLOR leave bold and reverse alone; else the config's theme, else the terminal's."""
    environ = {"TERM": "linux"}
    assert theme_for(environ, color="never", chosen="fleettop-light") == "fleettop-mono"
    assert theme_for(environ, color="auto", chosen="fleettop-light") == "fleettop-light"
    assert theme_for(environ, color="auto", chosen="") == "fleettop-ansi-dark"
    assert theme_for(environ, color="always", chosen="") == "fleettop-dark"
