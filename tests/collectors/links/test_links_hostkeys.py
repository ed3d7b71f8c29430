"""Known-hosts files: which lines speak of a host."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from fleettop.collectors.links.hostkeys import KnownKey, find_known, read_known_hosts, wanted_algorithms
from fleettop.collectors.links.sshoptions import Hop
from hypothesis import given
from hypothesis import strategies as some

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmR8ZRFv1Xk0ogQ6mm6i3BSe1bxlvF4zLGDTnAGM7hC"


def hop(
    host: str, port: int = 22, *, alias: str = "", files: tuple[Path, ...] = (), more: tuple[Path, ...] = ()
) -> Hop:
    """A host to be looked up."""
    return Hop(
        name="x", host=host, port=port, user="ops", key_alias=alias, user_known_hosts=files, global_known_hosts=more
    )


def hashed(name: str, salt: bytes = b"0123456789abcdef0123") -> str:
    """A name as `HashKnownHosts yes` writes it."""
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("pattern", "host", "port", "found"),
    [
        ("web", "web", 22, True),
        ("web", "WEB", 22, True),
        ("Web", "web", 22, True),
        ("web", "web2", 22, False),
        ("a,web,b", "web", 22, True),
        ("w?b", "web", 22, True),
        ("*.example.org", "web.example.org", 22, True),
        ("*.example.org", "example.org", 22, False),
        ("*.example.org,!db.example.org", "db.example.org", 22, False),
        ("!db.example.org,*.example.org", "web.example.org", 22, True),
        ("[web]:2222", "web", 2222, True),
        ("[web]:2222", "web", 22, False),
        ("web", "web", 2222, True),
        ("[web]:*", "web", 2222, True),
        ("10.0.0.1", "10.0.0.1", 22, True),
        ("w.b", "web", 22, False),
        (hashed("web"), "web", 22, True),
        (hashed("web"), "Web", 22, True),
        (hashed("[web]:2222"), "web", 2222, True),
        (hashed("web"), "other", 22, False),
        ("|1|broken", "web", 22, False),
        ("|2|AAAA|AAAA", "web", 22, False),
        ("|1|!!!!|AAAA", "web", 22, False),
    ],
)
def test_a_line_speaks_of_the_hosts_its_patterns_match(
    tmp_path: Path, pattern: str, host: str, port: int, found: bool
) -> None:
    """sshd(8), SSH_KNOWN_HOSTS FILE FORMAT."""
    file = tmp_path / "known_hosts"
    file.write_text(f"{pattern} {KEY}\n")
    assert bool(find_known(hop(host, port, files=(file,)))) is found


def test_a_line_for_the_port_hides_the_one_without(tmp_path: Path) -> None:
    """Only where nothing is known for host and port is the bare name looked up."""
    file = tmp_path / "known_hosts"
    file.write_text(f"web {KEY}\n[web]:2222 {KEY}\n")
    assert [key.line for key in find_known(hop("web", 2222, files=(file,)))] == [2]


def test_an_alias_is_looked_up_alone(tmp_path: Path) -> None:
    """HostKeyAlias stands for name and port."""
    file = tmp_path / "known_hosts"
    file.write_text(f"web {KEY}\ncloned {KEY}\n[cloned]:2222 {KEY}\n")
    assert [key.line for key in find_known(hop("web", 2222, alias="cloned", files=(file,)))] == [2]


def test_global_known_hosts_come_after_the_users(tmp_path: Path) -> None:
    """GlobalKnownHostsFile counts as much."""
    one, two = tmp_path / "one", tmp_path / "two"
    for file in (one, two):
        file.write_text(f"web {KEY}\n")
    assert [key.file for key in find_known(hop("web", files=(one,), more=(two,)))] == [one, two]


def test_lines_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    """One bad line hides none of the others: asyncssh alone refuses the whole file."""
    file = tmp_path / "known_hosts"
    file.write_text(
        f"nonsense\n\n# web {KEY}\n@strange web {KEY}\nweb ssh-ed25519 not*base64\n@revoked web {KEY} note\n"
    )
    (key,) = read_known_hosts(file)
    assert (key.line, key.marker) == (6, "revoked")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """After `ssh-keygen -R` and accepting a new key, the next attempt sees it."""
    file = tmp_path / "known_hosts"
    assert read_known_hosts(file) == ()
    file.write_text(f"web {KEY}\n")
    assert len(read_known_hosts(file)) == 1
    file.write_text(f"web {KEY}\nweb2 {KEY}\n")
    assert len(read_known_hosts(file)) == 2


@given(text=some.text(), host=some.text(min_size=1))
def test_no_file_can_break_the_reading(tmp_path_factory: pytest.TempPathFactory, text: str, host: str) -> None:
    """Whatever stands in it, also as a pattern."""
    file = tmp_path_factory.mktemp("known") / "hosts"
    file.write_text(f"{text}\n{text} {KEY}\n", encoding="utf-8", errors="replace")
    find_known(hop(host, files=(file,)))


def known(algorithm: str, marker: str = "") -> KnownKey:
    """A known key of a kind."""
    return KnownKey(marker=marker, patterns="web", algorithm=algorithm, blob="AAAA", file=Path("f"), line=1)


def test_known_kinds_of_key_are_asked_for_first() -> None:
    """A server has several keys: it must show the one we know. No SHA-1 unless the config asks for it."""
    wanted = wanted_algorithms([known("ssh-rsa"), known("made-up")], "")
    assert wanted[:2] == ["rsa-sha2-512", "rsa-sha2-256"]
    assert "ssh-ed25519" in wanted
    assert "ssh-rsa" not in wanted
    assert "ssh-rsa" in wanted_algorithms([], "+ssh-rsa,made-up")
    assert wanted_algorithms([], "rsa-sha2-256") == ["rsa-sha2-256"]


def test_certificates_are_asked_for_where_an_authority_is_known() -> None:
    """Otherwise a server with both would show the one we cannot check."""
    assert not any("cert" in name for name in wanted_algorithms([known("ssh-ed25519")], ""))
    assert wanted_algorithms([known("ssh-ed25519", "cert-authority")], "")[0] == "ssh-ed25519-cert-v01@openssh.com"
