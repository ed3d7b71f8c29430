"""What `fleettop.toml` may say, and what is said of what it may not."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from fleettop.collectors.address import TlsFiles
from fleettop.collectors.config import Config, load_config
from fleettop.collectors.config.durations import parse_duration
from fleettop.collectors.errors import ConfigError
from fleettop.collectors.services import ServiceRule
from hypothesis import given
from hypothesis import strategies as st

EXAMPLE = """\
read_only = true
theme = "light"
ascii = true
mouse = false
color = "never"
ssh_config = "ssh/config"

[groups.prod]
protected = true
downtime_warn = "1m"
downtime_page = "3m30s"
max_unavailable = "25%"

[[engines]]
name = "web-1"
address = "ssh://ops@web-1.example.org"
group = "prod"

[[engines]]
name = "edge"
address = "tcp://edge.example.org:2376"
tls = { ca = "~/.docker/edge/ca.pem", cert = "certs/cert.pem", key = "/etc/key.pem" }

[[engines]]
address = "tcp://10.0.0.1:2375"
insecure = true

[[services]]
match = { label = "com.example.app" }
name = "{com.example.app}"

[[services]]
match = { label = "tier=web", name = "web-*" }
name = "web"

[keys]
"service.restart" = "R,f5"
"""


@pytest.fixture
def load(tmp_path: Path):
    def load(text: str | bytes) -> Config:
        path = tmp_path / "fleettop.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_config(path, home=Path("/home/me"))

    return load


def test_everything_the_config_may_say_is_understood(load, tmp_path):
    """One file with each setting gives each of them."""
    config = load(EXAMPLE)
    assert (config.read_only, config.theme, config.ascii, config.mouse, config.color) == (
        True,
        "light",
        True,
        False,
        "never",
    )
    assert config.group("prod").protected
    assert (config.group("prod").downtime_warn, config.group("prod").downtime_page) == (60, 210)
    assert str(config.group("prod").max_unavailable) == "25%"
    assert str(load("[groups.lab]\nmax_unavailable = 2\n").group("lab").max_unavailable) == "2"
    web, edge, plain = config.engines
    assert (web.name, web.text, web.group) == ("web-1", "ssh://ops@web-1.example.org", "prod")
    assert web.ssh_config == tmp_path / "ssh" / "config"
    assert edge.tls == TlsFiles(
        ca=Path("/home/me/.docker/edge/ca.pem"), cert=tmp_path / "certs" / "cert.pem", key=Path("/etc/key.pem")
    )
    assert (plain.name, plain.insecure, plain.tls) == ("10.0.0.1", True, None)
    assert config.rules == (
        ServiceRule(label="com.example.app", template="{com.example.app}"),
        ServiceRule(label="tier", value="web", name_pattern="web-*", template="web"),
    )
    assert config.keys == {"service.restart": "R,f5"}
    assert {engine.origin for engine in config.engines} == {"fleettop.toml"}


def test_a_group_the_config_does_not_speak_of_has_the_defaults(load):
    """Engines may be in a group without a table of its own."""
    assert not load("").group("lab").protected
    assert load("").group("lab").downtime_warn is None


def test_no_file_is_the_defaults_unless_it_was_asked_for(tmp_path):
    """The usual file may be missing; one named with --config may not."""
    missing = tmp_path / "none.toml"
    assert load_config(missing, home=tmp_path, required=False) == Config()
    assert load_config(None, home=tmp_path) == Config()
    with pytest.raises(ConfigError, match=r"There is no file .*none\.toml"):
        load_config(missing, home=tmp_path)


def test_https_without_files_trusts_the_authorities_of_this_machine(load):
    """https:// asks for TLS even where no certificate of ours is named."""
    (engine,) = load('[[engines]]\naddress = "https://e:2376"\n').engines
    assert (engine.scheme, engine.tls) == ("tcp", TlsFiles())


@pytest.mark.parametrize(
    ("text", "line", "says", "hint"),
    [
        ("read_only = true\nredonly = 1\n", 2, "no setting 'redonly'", "Did you mean 'read_only'?"),
        ("[groups.prod]\nprotectd = true\n", 2, "'protectd' in groups.prod", "Did you mean 'protected'?"),
        (
            '[[engines]]\nname = "a"\naddress = "unix:///a"\n\n[[engines]]\nadress = "unix:///b"\n',
            6,
            "'adress' in engines number 2",
            "Did you mean 'address'?",
        ),
        (
            '[[engines]]\naddress = "tcp://a"\ntls = { ca = "x", certt = "y" }\n',
            3,
            "'certt' in engines number 1, tls",
            "Did you mean 'cert'?",
        ),
        ('[[services]]\nmatch = { lable = "x" }\nname = "y"\n', 2, "'lable'", "Did you mean 'label'?"),
        ("[engine]\n", 1, "no setting 'engine'", "Did you mean 'engines'?"),
        ("zzz = 1\n", 1, "no setting 'zzz'", "Known here: alarms, ascii, color, commands, engines"),
        ('read_only = "yes"\n', 1, "read_only must be true or false, not text", ""),
        ('[groups.prod]\nprotected = "yes"\n', 2, "groups.prod.protected must be true or false, not text", ""),
        (
            "[groups.prod]\nmax_unavailable = 0\n",
            2,
            "'0' is no number of replicas",
            "Write a number such as 2, or 25%.",
        ),
        ("[groups.prod]\ndowntime_warn = 60\n", 2, "groups.prod.downtime_warn must be text in quotes", ""),
        ('[groups.prod]\ndowntime_warn = "soon"\n', 2, "'soon' is no span of time", "Write 30s, 5m"),
        ('[[engines]]\nname = "a"\n', 1, "engines number 1 has no 'address'", ""),
        ('[[engines]]\naddress = "unix:///a"\n[[engines]]\naddress = 5\n', 4, "engines number 2, address must be", ""),
        ('[engines]\naddress = "unix:///a"\n', 1, "engines must be a list of tables", "[[engines]]"),
        ("engines = 5\n", 1, "engines must be a list of tables", ""),
        ('engines = ["a"]\n', 1, "engines number 1 must be a table", ""),
        ("groups = 5\n", 1, "groups must be a table", ""),
        (
            '[[engines]]\nname = "web"\naddress = "ssh//web"\n',
            3,
            "engine 'web': the address 'ssh//web' cannot be used",
            "Write ssh://",
        ),
        (
            '[[engines]]\nname = "a"\naddress = "unix:///a"\n[[engines]]\nname = "a"\naddress = "unix:///b"\n',
            4,
            "two engines are called 'a'",
            "name of its own",
        ),
        ('[[engines]]\nname = "-v"\naddress = "unix:///a"\n', 2, "it would be taken for an option", ""),
        ('[[engines]]\nname = "a\\u001b[31m"\naddress = "unix:///a"\n', 2, "cannot be shown", ""),
        ('[[engines]]\nname = "a"\naddress = "ssh://a"\ntls = {}\n', 4, "tls is for tcp:// addresses", ""),
        ('[[engines]]\nname = "a"\naddress = "ssh://a"\ninsecure = true\n', 4, "insecure is for tcp://", ""),
        ('[[engines]]\naddress = "tcp://a"\ntls = { cert = "x" }\n', 3, "needs cert and key together", ""),
        ('[[services]]\nmatch = {}\nname = "x"\n', 2, "services number 1 matches nothing", "Write match ="),
        ('[[services]]\nmatch = { name = "x" }\nname = "{x"\n', 3, "cannot name a service", "in braces"),
        ("[keys]\nquit = 5\n", 2, "the keys of 'quit' must be text", ""),
        ('color = "blue"\n', 1, "color must be one of auto, always, never", ""),
        ("read_only = yes\n", 1, "this is not TOML", ""),
        ("[[engines]\n", 1, "this is not TOML", ""),
        (b"a = 1\nb = '\xff'\n", 2, "not UTF-8", ""),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_would_be_right(load, text, line, says, hint):
    """Each mistake is one ConfigError: file, line, what is the case; the hint says what to do."""
    with pytest.raises(ConfigError) as caught:
        load(text)
    message = str(caught.value)
    assert f"fleettop.toml, line {line}: " in message
    assert says in message
    assert "\n" not in message
    assert message.endswith(".")
    assert hint in caught.value.hint


def test_the_line_is_right_in_a_long_file_and_after_values_of_several_lines(load):
    """The line of a mistake is found by the parser itself, so text that looks like settings fools nobody."""
    many = "".join(f'[[engines]]\nname = "e{n}"\naddress = "unix:///e{n}"\n' for n in range(400))
    odd = 'theme = """\nadress = 1\n[[engines]]\n"""\n'
    with pytest.raises(ConfigError, match=r"line 1109: there is no setting 'adress' in engines number 368"):
        load(odd + many.replace('address = "unix:///e367"', 'address = "unix:///e367"\nadress = 1'))


def test_a_file_that_may_not_be_read_is_one_sentence(tmp_path):
    """A folder in place of the file stands for every file that cannot be opened."""
    with pytest.raises(ConfigError, match=r"cannot be read: is a directory\.$"):
        load_config(tmp_path, home=tmp_path)


@given(st.text(max_size=200))
def test_no_text_makes_reading_fail_in_any_other_way(tmp_path_factory, text):
    """Whatever stands in the file, it is a config or a ConfigError."""
    path = tmp_path_factory.mktemp("any") / "fleettop.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with contextlib.suppress(ConfigError):
        assert load_config(path, home=Path("/home/me")).path == path


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("2d", 172800), ("250ms", 0.25), (" 1 H ", 3600), ("1.5m", 90)],
)
def test_a_span_is_written_as_people_write_it(text, seconds):
    """Numbers with units, several in a row."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 minutes", "-5m", "1h 5", "1h;2m"])
def test_what_is_no_span_is_refused(text):
    """A number without a unit could be anything."""
    with pytest.raises(ConfigError):
        parse_duration(text)


def test_logins_are_looked_at_only_where_the_config_says_so(load):
    """And only over ssh, since they can be read on the host alone."""
    config = load('[[engines]]\naddress = "ssh://a"\ncorrelate = true\n[[engines]]\naddress = "ssh://b"\n')
    assert [engine.correlate for engine in config.engines] == [True, False]
    with pytest.raises(ConfigError, match="correlate is for ssh:// addresses, and this is unix://") as error:
        load('[[engines]]\naddress = "unix:///run/docker.sock"\ncorrelate = true\n')
    assert "only ssh leads to" in error.value.hint


def test_labels_that_name_a_deployer_can_be_added(load):
    """Beside the usual ones; a label needs a name."""
    assert load("").declared_by == ()
    assert load('[trail]\ndeclared_by = ["com.acme.who"]\n').declared_by == ("com.acme.who",)
    with pytest.raises(ConfigError, match="has no name"):
        load('[trail]\ndeclared_by = [" "]\n')
    with pytest.raises(ConfigError, match="there is no setting 'declared'"):
        load("[trail]\ndeclared = []\n")


# -- figures


def test_how_figures_are_read_is_said_for_all_or_for_one_engine(load):
    """By default over SSH by a shell, and through the API within 1 % of a core."""
    assert (load("").figures.remote_shell, load("").figures.budget) == (True, 0.01)
    config = load('[figures]\nremote_shell = false\nbudget = "0.5%"\n')
    assert (config.figures.remote_shell, config.figures.budget) == (False, 0.005)
    config = load('[[engines]]\naddress = "ssh://a"\nremote_shell = false\n[[engines]]\naddress = "ssh://b"\n')
    assert [engine.remote_shell for engine in config.engines] == [False, True]


@pytest.mark.parametrize("budget", ["1", "half", "101%", "-1%", "1.5.5%", ""])
def test_a_budget_that_is_no_share_is_named_with_its_line(load, budget):
    """Never taken for something near it."""
    with pytest.raises(ConfigError, match="is no share"):
        load(f'[figures]\nbudget = "{budget}"\n')
