"""What the ssh config says, as data: each option that the way to a host rests on."""

from __future__ import annotations

from pathlib import Path

import pytest
from fleettop.collectors.address import parse_address
from fleettop.collectors.errors import Untrusted
from fleettop.collectors.links import Misconfigured
from fleettop.collectors.links import sshoptions as options
from fleettop.collectors.links.sshoptions import Hop, Route, find_route


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with an empty .ssh; no system-wide config."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "me")
    monkeypatch.setattr(options, "SYSTEM_CONFIG", tmp_path / "system_config")
    (tmp_path / ".ssh").mkdir()
    return tmp_path


def route(home: Path, config: str, address: str = "ssh://web") -> Route:
    """The way to an address with this text as the user's config."""
    (home / ".ssh/config").write_text(config)
    return find_route(parse_address(address))


def hop(home: Path, config: str, address: str = "ssh://web") -> Hop:
    """The only hop on that way."""
    (found,) = route(home, config, address)
    return found


def test_without_a_config_everything_is_as_ssh_has_it(home: Path) -> None:
    """The defaults of ssh_config(5)."""
    found = find_route(parse_address("ssh://web"))[0]
    assert (found.host, found.port, found.user) == ("web", 22, "me")
    assert found.user_known_hosts == (home / ".ssh/known_hosts", home / ".ssh/known_hosts2")
    assert found.global_known_hosts[0] == Path("/etc/ssh/ssh_known_hosts")
    assert [path.name for path in found.identities] == [
        "id_rsa",
        "id_ecdsa",
        "id_ecdsa_sk",
        "id_ed25519",
        "id_ed25519_sk",
    ]
    assert not found.identities_configured


def test_host_names_user_and_port_come_from_the_config(home: Path) -> None:
    """Host with patterns and negation, HostName with %h, User, Port."""
    config = "Host !db* web*\n HostName %h.example.org\n User ops\n Port 2222\n"
    found = hop(home, config)
    assert (found.name, found.host, found.port, found.user) == ("web", "web.example.org", 2222, "ops")
    assert found.place == "web (web.example.org port 2222)"
    assert hop(home, config, "ssh://db1").host == "db1"


def test_the_address_wins_over_the_config(home: Path) -> None:
    """As the command line does with ssh."""
    found = hop(home, "Host web\n User ops\n Port 2222\n", "ssh://root@web:22")
    assert (found.user, found.port) == ("root", 22)


def test_the_first_value_wins_and_the_system_config_comes_last(home: Path) -> None:
    """ssh_config(5): for each parameter the first obtained value is used."""
    options.SYSTEM_CONFIG.write_text("Host *\n User system\n Port 24\n")
    found = hop(home, "Host web\n User first\nHost *\n User second\n")
    assert (found.user, found.port) == ("first", 24)


def test_a_named_config_is_read_alone(home: Path, tmp_path: Path) -> None:
    """As ssh -F: neither the user's own nor the system's."""
    options.SYSTEM_CONFIG.write_text("Host *\n Port 24\n")
    (home / ".ssh/config").write_text("Host *\n User own\n")
    named = tmp_path / "named"
    named.write_text("Host *\n IdentityFile ~/key\n")
    address = parse_address("ssh://web")
    from msgspec.structs import replace

    (found,) = find_route(replace(address, ssh_config=named))
    assert (found.user, found.port, found.identities) == ("me", 22, (home / "key",))
    with pytest.raises(Misconfigured, match="no ssh config"):
        find_route(replace(address, ssh_config=tmp_path / "nothing"))


def test_included_files_are_read(home: Path) -> None:
    """Include, relative to ~/.ssh, with patterns."""
    (home / ".ssh/conf.d").mkdir()
    (home / ".ssh/conf.d/web.conf").write_text("Host web\n User included\n")
    assert hop(home, "Include conf.d/*.conf\n").user == "included"


def test_paths_are_expanded_wherever_ssh_expands_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """~, ${VARIABLE} and tokens, in known hosts too, where asyncssh leaves them as they are."""
    monkeypatch.setenv("TEAM", "pay")
    found = hop(
        home,
        "Host web\n HostName w1\n User ops\n IdentityFile ~/.ssh/%h_%r\n IdentityFile ${TEAM}/id\n"
        " UserKnownHostsFile ~/.ssh/${TEAM}_%n %d/known_%%\n GlobalKnownHostsFile /etc/known_%p\n"
        " CertificateFile ~/.ssh/c.pub\n",
    )
    assert found.identities == (home / ".ssh/w1_ops", Path("pay/id"))
    assert found.identities_configured
    assert found.user_known_hosts == (home / ".ssh/pay_web", home / "known_%")
    assert found.global_known_hosts == (Path("/etc/known_22"),)
    assert found.certificates == (home / ".ssh/c.pub",)


@pytest.mark.parametrize("nothing", ["none", "/dev/null", "~/.ssh/known_hosts /dev/null"])
def test_no_config_turns_the_check_of_host_keys_off(home: Path, nothing: str) -> None:
    """Also where it says so for everything, and for a jump host."""
    with pytest.raises(Untrusted, match="UserKnownHostsFile"):
        route(home, f"Host *\n UserKnownHostsFile {nothing}\n")
    with pytest.raises(Untrusted, match="jump"):
        route(home, f"Host jump\n UserKnownHostsFile {nothing}\nHost web\n ProxyJump jump\n")


@pytest.mark.parametrize(
    ("written", "agent"),
    [
        ("", "/run/agent"),
        ("IdentityAgent none", ""),
        ("IdentityAgent SSH_AUTH_SOCK", "/run/agent"),
        ("IdentityAgent $OTHER", "/run/other"),
        ("IdentityAgent ${OTHER}", "/run/other"),
        ("IdentityAgent /run/mine", "/run/mine"),
        ("IdentityAgent ~/mine", "HOME/mine"),
    ],
)
def test_the_agent_is_the_one_the_config_names(
    home: Path, monkeypatch: pytest.MonkeyPatch, written: str, agent: str
) -> None:
    """IdentityAgent in all its forms; otherwise SSH_AUTH_SOCK."""
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    monkeypatch.setenv("OTHER", "/run/other")
    assert hop(home, f"Host web\n {written}\n").agent == agent.replace("HOME", str(home))


def test_an_agent_named_nowhere_is_no_agent(home: Path) -> None:
    """Without SSH_AUTH_SOCK."""
    assert hop(home, "").agent == ""


def test_several_jumps_come_in_their_order_each_with_its_own_options(home: Path) -> None:
    """ProxyJump [user@]host[:port],… ; every hop is looked up in the config for itself."""
    found = route(
        home,
        "Host a\n HostName a.example.org\n IdentityFile ~/a\nHost b\n Port 2022\n UserKnownHostsFile ~/kb\n"
        "Host web\n ProxyJump ops@a:24,ssh://[::1]:25,b\n IdentityFile ~/w\n",
    )
    assert [(hop.user, hop.host, hop.port) for hop in found] == [
        ("ops", "a.example.org", 24),
        ("me", "::1", 25),
        ("me", "b", 2022),
        ("me", "web", 22),
    ]
    assert found[0].identities == (home / "a",)
    assert found[2].user_known_hosts == (home / "kb",)
    assert found[3].identities == (home / "w",)


def test_a_jump_host_may_itself_be_behind_one(home: Path) -> None:
    """The first jump's own ProxyJump applies; a later one is reached through the jump before it."""
    config = "Host b\n ProxyJump a\nHost web\n ProxyJump b\nHost other\n ProxyJump c,b\n"
    assert [hop.name for hop in route(home, config)] == ["a", "b", "web"]
    assert [hop.name for hop in route(home, config, "ssh://other")] == ["c", "b", "other"]


def test_proxy_jump_none_switches_it_off(home: Path) -> None:
    """A jump host inside `Host *` says so for itself."""
    assert [hop.name for hop in route(home, "Host jump\n ProxyJump none\nHost *\n ProxyJump jump\n")] == ["jump", "web"]


def test_jumps_in_a_circle_are_refused(home: Path) -> None:
    """`Host *` with ProxyJump would never end."""
    with pytest.raises(Misconfigured, match="circle: web → jump → jump"):
        route(home, "Host *\n ProxyJump jump\n")


@pytest.mark.parametrize("jump", ["-oProxyCommand=reboot", "a b", "ops@", "a,,b", "a:port", "ops@-l"])
def test_a_jump_host_that_makes_no_sense_is_refused(home: Path, jump: str) -> None:
    """Names that look like options go nowhere."""
    with pytest.raises(Misconfigured):
        route(home, f"Host web\n ProxyJump {jump}\n")


def test_a_proxy_command_is_split_and_filled_in(home: Path) -> None:
    """Words, without a shell; a leading exec, as many write it, is dropped."""
    config = "Host web\n HostName w1\n ProxyCommand exec cloud ssh '--to %h' %p %r\n"
    assert hop(home, config).proxy_command == ("cloud", "ssh", "--to w1", "22", "me")
    assert hop(home, "Host web\n ProxyCommand none\n").proxy_command == ()
    with pytest.raises(Misconfigured, match="split"):
        hop(home, "Host web\n ProxyCommand cloud 'ssh\n")


def test_algorithms_of_the_config_are_kept_as_far_as_they_can_be_spoken(home: Path) -> None:
    """A config made for ssh names some that asyncssh does not know: those are passed over, as ssh's own unknown are."""
    found = hop(home, "Host web\n Ciphers aes256-ctr,made-up\n MACs hmac-sha2-256\n HostKeyAlgorithms +ssh-rsa\n")
    assert found.ciphers == ("aes256-ctr",)
    assert found.macs == ("hmac-sha2-256",)
    assert found.key_exchanges == ()
    assert found.host_key_algorithms == "+ssh-rsa"


def test_a_broken_config_is_named_with_its_line(home: Path) -> None:
    """One sentence for a person who edits it."""
    with pytest.raises(Misconfigured, match=r"config line 2: .*Port"):
        route(home, "Host web\n Port twenty\n")


def test_a_host_key_alias_and_a_timeout_are_kept(home: Path) -> None:
    """HostKeyAlias names the key, ConnectTimeout is in seconds."""
    found = hop(home, "Host web\n HostKeyAlias cloned\n ConnectTimeout 3\n IdentitiesOnly yes\n")
    assert (found.key_alias, found.connect_seconds, found.identities_only) == ("cloned", 3.0, True)
