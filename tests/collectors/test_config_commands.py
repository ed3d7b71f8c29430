"""`[[commands]]`: what may stand in it, and what becomes of it with the fields of a row."""

from __future__ import annotations

from pathlib import Path

import pytest
from fleettop.collectors.config import load_config
from fleettop.collectors.config.owncommands import FIELDS, OwnCommand
from fleettop.collectors.errors import ConfigError, FleetError

PING = '[[commands]]\nkey = "f6"\nname = "ping host"\nscope = "hosts"\nrun = ["ping", "-c", "3", "{host.address}"]\n'


def read(tmp_path: Path, text: str) -> tuple[OwnCommand, ...]:
    file = tmp_path / "fleettop.toml"
    file.write_text(text)
    return load_config(file, home=tmp_path).commands


def filled(*run: str, **values: str) -> tuple[str, ...]:
    command = OwnCommand(key="f6", name="x", scope="containers", run=("x", *run))
    return command.words({name.replace("_", "."): value for name, value in values.items()})[1:]


def test_a_command_is_read_with_what_holds_unless_written(tmp_path: Path) -> None:
    """It asks first, and is not dangerous."""
    [command] = read(tmp_path, PING)
    assert command == OwnCommand(
        key="f6", name="ping host", scope="hosts", run=("ping", "-c", "3", "{host.address}"), confirm=True
    )
    [quick] = read(tmp_path, PING + "confirm = false\n")
    assert not quick.confirm


def test_a_dangerous_one_always_asks(tmp_path: Path) -> None:
    """Whatever `confirm` says."""
    [command] = read(tmp_path, PING + "confirm = false\ndangerous = true\n")
    assert command.confirm


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("{host.address}", "{host.adress}"), "{host.adress} is no field of hosts.: Did you mean {host.address}?"),
        (("{host.address}", "{container.name}"), "{container.name} is no field of hosts"),
        (("{host.address}", "{host.address"), "has a brace by itself"),
        (("{host.address}", "{}"), "{} is no field"),
        (('"ping", "-c"', '"{host.name}", "-c"'), "the program itself cannot come from a row"),
        (('["ping", "-c", "3", "{host.address}"]', "[]"), "runs nothing"),
        (('"hosts"', '"host"'), "'host', which is no view.: Did you mean 'hosts'?"),
        (('"ping", "-c", "3"', '"/bin/sh", "-ec"'), "a field in what a shell reads would be run as a part of it"),
        (("key =", "keys ="), "there is no setting 'keys'"),
        (('name = "ping host"', 'name = " "'), "cannot name a command"),
        (('run = ["ping"', "run = [7"), "text in quotes"),
    ],
)
def test_what_is_wrong_names_the_line_and_what_is_right(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    """The nearest field, view or setting."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, PING.replace(*change))
    assert says in f"{caught.value}: {caught.value.hint}"
    assert "fleettop.toml, line" in str(caught.value)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    """The name is what help and palette call it."""
    with pytest.raises(ConfigError, match="two commands are called 'ping host'"):
        read(tmp_path, PING + PING)


@pytest.mark.parametrize("name", ["$(reboot)", ";reboot", "a b", "`x`", "'", "x\ny", "{host.name}", "*"])
def test_a_hostile_name_is_one_argument_as_it_is(name: str) -> None:
    """No shell reads it, and no field in a value is a field."""
    assert filled("--", "{container.name}", "n={container.name}", container_name=name) == ("--", name, f"n={name}")


@pytest.mark.parametrize("name", ["-v", "--rm", "-"])
def test_a_value_that_would_be_an_option_is_refused_unless_something_stands_before_it(name: str) -> None:
    """Behind `--` too: not every program knows that."""
    with pytest.raises(FleetError, match="would take for an option"):
        filled("--", "{container.name}", container_name=name)
    assert filled("--name={container.name}", container_name=name) == (f"--name={name}",)


def test_two_fields_that_make_an_option_together_are_refused_by_the_first() -> None:
    """The first one begins the argument."""
    with pytest.raises(FleetError):
        filled("{container.name}{container.id}", container_name="-", container_id="v")


def test_what_is_not_known_of_a_row_is_not_passed_as_nothing() -> None:
    """An empty argument may mean everything."""
    with pytest.raises(FleetError, match=r"container\.service is not known"):
        filled("{container.service}", container_service="")


def test_doubled_braces_are_braces() -> None:
    """For templates of other programs."""
    assert filled("{{{{.ID}}}} {container.name}", container_name="a") == ("{{.ID}} a",)


def test_every_field_is_of_something_that_the_view_has() -> None:
    """Named by its kind."""
    assert {name.partition(".")[0] for name in FIELDS["containers"]} == {"container", "host"}
    assert {name.partition(".")[0] for name in FIELDS["hosts"]} == {"host"}
    assert {name.partition(".")[0] for name in FIELDS["services"]} == {"service"}
