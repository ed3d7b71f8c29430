"""Which engines are meant by what was written on the command line."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from fleettop.collectors.address import EngineAddress, parse_address
from fleettop.collectors.config import Config
from fleettop.collectors.config.resolve import Resolution, resolve_engines
from fleettop.collectors.config.settings import FiguresSettings
from fleettop.collectors.errors import ConfigError

from .test_contexts import write_context


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host db-1\n")
    write_context(tmp_path / ".docker", "edge", "ssh://ops@edge")
    write_context(tmp_path / ".docker", "broken", "npipe://x")
    return tmp_path


CONFIG = Config(
    path=Path("/etc/fleettop.toml"),
    engines=(
        EngineAddress(name="web-1", scheme="ssh", host="web-1", group="prod"),
        EngineAddress(name="web-2", scheme="ssh", host="web-2", group="lab"),
    ),
)


def resolve(home: Path, *arguments: str, config: Config = CONFIG, environ=None, sockets=(), **options) -> Resolution:
    return resolve_engines(
        arguments, config, environ=environ or {}, home=home, is_socket=lambda path: path in sockets, **options
    )


def names(resolution: Resolution) -> list[str]:
    return [address.name for address in resolution.addresses]


def test_an_engine_is_an_address_or_a_name_from_three_places(home):
    """Config, docker contexts and ssh config, in this order; and addresses."""
    found = resolve(home, "web-1", "edge", "db-1", "ssh://ops@far:2222", "/run/x.sock")
    assert names(found) == ["web-1", "edge", "db-1", "far", "/run/x.sock"]
    assert [a.origin for a in found.addresses] == ["", "docker context edge", "ssh config", "argument", "argument"]


def test_an_address_that_stands_in_the_config_is_that_engine(home):
    """It keeps its name, group and certificates."""
    (found,) = resolve(home, "ssh://web-1").addresses
    assert found == CONFIG.engines[0]


def test_the_same_address_twice_counts_once(home):
    """By name and by address, or under two names, which is said."""
    assert names(resolve(home, "web-1", "ssh://web-1", "web-1")) == ["web-1"]
    twice = Config(engines=(*CONFIG.engines, EngineAddress(name="again", scheme="ssh", host="WEB-1")))
    found = resolve(home, config=twice)
    assert names(found) == ["web-1", "web-2"]
    assert "again is the same address as web-1" in found.notes[-1]


def test_a_socket_reached_by_a_link_is_the_same_socket(home):
    """podman-docker makes /var/run/docker.sock a link to Podman's socket: one engine."""
    (home / "real").touch()
    (home / "link").symlink_to(home / "real")
    assert len(resolve(home, f"unix://{home}/real", f"unix://{home}/link").addresses) == 1


def test_different_engines_of_one_name_are_called_by_their_addresses(home):
    """A name is the key of an engine, so no two share one."""
    assert names(resolve(home, "ssh://a@far", "ssh://b@far")) == ["far", "ssh://b@far"]


@pytest.mark.parametrize(
    ("argument", "hint"),
    [
        ("web1", "web-1"),
        ("edg", "edge"),
        ("DB-1", "db-1"),
        ("zzz", "Known are: db-1, edge, web-1"),
        ("a@b.c", "ssh://a@b.c"),
    ],
)
def test_an_unknown_name_is_an_error_that_names_the_nearest(home, argument, hint):
    """From all places a name can come from."""
    with pytest.raises(ConfigError, match="is no engine of the config") as caught:
        resolve(home, argument)
    assert hint in caught.value.hint


def test_a_group_keeps_its_engines_and_an_unknown_one_is_an_error(home):
    """--group prod; the nearest is named."""
    assert names(resolve(home, group="prod")) == ["web-1"]
    with pytest.raises(ConfigError, match="No engine is in the group 'prd'") as caught:
        resolve(home, group="prd")
    assert "prod" in caught.value.hint
    with pytest.raises(ConfigError, match="no engines are configured"):
        resolve(home, config=Config(), group="prod")


def test_a_context_is_taken_when_named_and_the_config_is_left_out(home):
    """--context edge shows that engine alone; a broken one says why, an unknown one names the nearest."""
    assert names(resolve(home, context="edge")) == ["edge"]
    with pytest.raises(ConfigError, match="starts with none of"):
        resolve(home, context="broken")
    with pytest.raises(ConfigError) as caught:
        resolve(home, context="egde")
    assert "'edge'" in caught.value.hint
    assert names(resolve(home, context="default")) == ["local"]
    assert names(resolve(home, context="default", environ={"DOCKER_HOST": "ssh://h"})) == ["h"]


def test_without_arguments_the_config_comes_first_then_docker_then_the_sockets(home):
    """The order of PRODUCT: config, current context or DOCKER_HOST, local sockets."""
    assert names(resolve(home, environ={"DOCKER_HOST": "ssh://h"})) == ["web-1", "web-2"]
    assert names(resolve(home, config=Config(), environ={"DOCKER_HOST": "ssh://h"})) == ["h"]
    assert names(resolve(home, config=Config(), environ={"DOCKER_CONTEXT": "edge"})) == ["edge"]
    (home / ".docker" / "config.json").write_text('{"currentContext": "edge"}')
    assert names(resolve(home, config=Config())) == ["edge"]


def test_the_sockets_that_are_there_are_taken_when_nothing_else_is_said(home):
    """Docker's, the rootless one and Podman's; each that is missing is a note."""
    sockets = ("/var/run/docker.sock", "/run/user/1000/podman/podman.sock")
    found = resolve(home, config=Config(), sockets=sockets, environ={"XDG_RUNTIME_DIR": "/run/user/1000"})
    assert names(found) == ["local", "podman-rootless"]
    assert "/run/user/1000/docker.sock: there is no socket." in found.tried


def test_nothing_at_all_is_no_error_and_says_what_was_tried(home):
    """The dashboard and `ls` say it in their own way."""
    found = resolve(home, config=Config())
    assert found.addresses == ()
    assert "There is no fleettop.toml." in found.tried
    assert any("/var/run/docker.sock" in note for note in found.tried)
    assert any("'broken' cannot be used" in note for note in found.notes)


def test_what_the_config_says_of_figures_holds_for_every_engine(tmp_path):
    """Also for one that only an argument names."""
    config = Config(
        engines=(parse_address("ssh://a"), msgspec.structs.replace(parse_address("ssh://b"), remote_shell=False)),
        figures=FiguresSettings(budget=0.05),
    )
    found = resolve_engines(["a", "b", "ssh://c"], config, environ={}, home=tmp_path).addresses
    assert [(address.remote_shell, address.figures_budget) for address in found] == [
        (True, 0.05), (False, 0.05), (True, 0.05),
    ]  # fmt: skip
    config = msgspec.structs.replace(config, figures=FiguresSettings(remote_shell=False))
    found = resolve_engines(["a", "ssh://c"], config, environ={}, home=tmp_path).addresses
    assert [address.remote_shell for address in found] == [False, False]
