"""The one table of keys: complete, without clashes, given otherwise by the config, and harmless in read-only mode."""

from __future__ import annotations

import string

import pytest
from fleettop.collectors.errors import ConfigError
from fleettop.tui.commandtable import VIEWS
from fleettop.tui.keymap import GROUPS, Keys, table_bindings
from fleettop.tui.keynames import character_key, key_label
from fleettop.tui.screens.help import help_lines
from fleettop.tui.widgets.palette import entries
from textual.keys import _character_to_key


def test_ids_are_unique_and_every_command_has_a_group_and_a_title() -> None:
    """What is not described cannot be found."""
    commands = Keys().commands
    assert len({command.id for command in commands}) == len(commands)
    for command in commands:
        assert command.group in GROUPS
        assert command.title
        assert command.keys
        assert set(command.views) <= set(VIEWS)


def test_lower_case_looks_and_upper_case_changes() -> None:
    """A single lower-case letter changes nothing; what changes is upper case, a sign or with ctrl."""
    for command in Keys().commands:
        letters = [key for key in command.keys if len(key) == 1 and key.isalpha()]
        if command.changes:
            assert all(letter.isupper() for letter in letters), command.id


def test_in_read_only_mode_what_changes_something_is_not_there() -> None:
    """Not in the table, not as a key, not as a hint, not in help."""
    keys = Keys(read_only=True)
    changing = [command for command in Keys().commands if command.changes]
    assert changing
    shown = " ".join(cell.text for line in help_lines(keys) for cell in line)
    for command in changing:
        assert keys.get(command.id) is None
        assert command.id not in shown
        for view in VIEWS:
            assert all(keys.command_for(key, view) is None for key in command.keys)
            assert command.hint not in {hint.label for hint in keys.hints(view)}
    assert not any(binding.id in {command.id for command in changing} for binding in keys.bindings())


def test_the_palette_offers_what_changes_something_first() -> None:
    """In the order of the help, so that what is looked for at night is on the first screen of it."""
    titles = [entry.title for entry in entries(Keys(), "services", lambda _: None)]
    assert titles[0] == "Restart  (R)"
    assert titles.index("Inspect: all that is known of it  (i)") < titles.index("Back in the history  ([)")


def test_keys_are_given_otherwise_by_id() -> None:
    """As in the config: several with commas, characters as they are, names in any case."""
    keys = Keys({"service.restart": "R,F5", "filter.open": "?", "app.help": "f1", "move.up": "ctrl+P, pgup , W",
                 "app.palette": ":", "move.page-up": ""})  # fmt: skip
    assert keys.get("service.restart").keys == ("R", "f5")  # type: ignore[union-attr]
    assert keys.command_for("question_mark", "services").id == "filter.open"  # type: ignore[union-attr]
    assert keys.remapped() == {
        "service.restart": "R,f5",
        "filter.open": "question_mark",
        "app.help": "f1",
        "move.up": "ctrl+p,pageup,W",
        "app.palette": "colon",
        "move.page-up": "f24",
    }
    assert "R,f5" in {binding.keys for binding in keys.bindings()}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"service.restrat": "R"}, "did you mean service.restart?"),
        ({"zzz": "R"}, "'zzz', which is no command"),
        ({"service.restart": "S"}, "'S' would be both service.restart and service.stop in services"),
        ({"look.copy": "R"}, "'R' would be both"),
        ({"service.restart": "R,f9"}, "'F9', which says yes to questions"),
        ({"service.restart": "f99"}, "'f99', which is no key"),
        ({"service.restart": "hyperspace+x"}, "which is no key"),
        ({"service.restart": "ab"}, "which is no key"),
    ],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_a_wrong_setting_is_one_sentence_that_says_what_is_meant(
    given: dict[str, str], says: str, read_only: bool
) -> None:
    """An unknown id names the nearest, a clash names both; in read-only mode, too."""
    with pytest.raises(ConfigError) as caught:
        Keys(given, read_only=read_only)
    assert says in str(caught.value)
    assert caught.value.hint


def test_the_same_key_may_mean_two_things_in_two_views() -> None:
    """Only where both would be there at once is it a clash."""
    keys = Keys({"service.more": "h", "look.health": "H"})
    assert keys.command_for("h", "services").id == "service.more"  # type: ignore[union-attr]
    assert keys.command_for("h", "containers") is None


@pytest.mark.parametrize("character", string.punctuation + string.digits + string.ascii_letters)
def test_keys_are_named_as_textual_names_them(character: str) -> None:
    """Else a binding would never fire."""
    name = character_key(character)
    assert name == _character_to_key(character)
    assert key_label(name) == character


def test_keys_are_shown_as_a_person_reads_them() -> None:
    """Not as `question_mark`."""
    keys = Keys()
    assert keys.label("app.help") == "?"
    assert keys.label("move.up") == "↑ k"
    assert keys.label("move.page-down") == "PgDn"
    assert keys.label("app.palette") == ": ctrl+p"
    assert keys.label("nothing") == ""
    assert key_label("up", ascii_only=True) == "up"


def test_the_footer_says_first_what_is_worth_most() -> None:
    """Neighbours with the same word share a hint, and help is always there."""
    hints = Keys().hints("services")
    assert [hint.keys for hint in hints if hint.label == "scale"] == ["+ - ="]
    assert max(hints, key=lambda hint: hint.worth).label == "help"
    assert "scale" not in {hint.label for hint in Keys().hints("containers")}
    assert "filter" not in {hint.label for hint in Keys().hints("services", without=("filter.open",))}


def test_what_the_table_does_itself_is_not_bound_twice() -> None:
    """A command is the table's, a screen's or the app's."""
    table = {name for name, _keys, _action in table_bindings()}
    app = {binding.id for binding in Keys().bindings()}
    assert table
    screens = {command.id for command in Keys().commands if command.screen}
    assert not table & app
    assert not screens & (table | app)
    assert table | app | screens == {command.id for command in Keys().commands}


def test_help_shows_every_command_with_its_keys_and_its_id() -> None:
    """A command that help does not know does not exist."""
    text = "\n".join("".join(cell.text for cell in line) for line in help_lines(Keys(), "services"))
    for command in Keys().commands:
        assert command.id in text
        assert command.title in text
    assert "state:down" in text
    assert "✖ down" in text
