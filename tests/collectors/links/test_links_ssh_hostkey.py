"""Host keys of an sshd in the test process: known, unknown, changed, revoked, certified."""

from __future__ import annotations

import asyncssh
import pytest
from fleettop.collectors.errors import (
    HostKeyChanged,
    HostKeyUnknown,
    Untrusted,
)

from .servers import Sshd
from .ways import OK, reach, refusal, run


async def test_an_unknown_host_key_is_never_connected_to(sshd: Sshd, engine: str) -> None:
    """The message holds the fingerprint that was shown, the hint what to run."""
    async with sshd.up():
        sshd.known_hosts.write_text("")
        error = await refusal(sshd, socket=engine)
        assert type(error) is HostKeyUnknown
        assert sshd.host_key.get_fingerprint() in str(error)
        assert "`ssh host`" in error.hint
        assert sshd.logins == 0


async def test_a_changed_host_key_is_never_connected_to(sshd: Sshd, engine: str) -> None:
    """The message holds both fingerprints and the known one's file and line."""
    async with sshd.up():
        known = asyncssh.generate_private_key("ssh-ed25519")
        public = known.export_public_key().decode().strip()
        sshd.known_hosts.write_text(f"# first\n\n[127.0.0.1]:{sshd.port} {public}\n")
        error = await refusal(sshd, socket=engine)
        assert type(error) is HostKeyChanged
        assert sshd.host_key.get_fingerprint() in str(error)
        assert known.get_fingerprint() in str(error)
        assert f"{sshd.known_hosts} line 3" in str(error)
        assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}' -f {sshd.known_hosts}" in error.hint
        assert sshd.logins == 0


async def test_a_host_key_of_another_kind_counts_as_changed(sshd: Sshd, engine: str) -> None:
    """A server that no longer shows the kind we know must not look merely unknown."""
    async with sshd.up():
        known = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
        sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {known.export_public_key().decode()}")
        assert type(await refusal(sshd, socket=engine)) is HostKeyChanged


async def test_of_several_host_keys_the_known_one_is_asked_for(sshd: Sshd, engine: str) -> None:
    """A server with three keys of which one is known is trusted, as ssh does (order_hostkeyalgs)."""
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    async with sshd.up(server_host_keys=[sshd.host_key, rsa]):
        sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {rsa.export_public_key().decode()}")
        assert await reach(sshd, socket=engine) == OK


async def test_a_revoked_host_key_is_never_connected_to(sshd: Sshd, engine: str) -> None:
    """A @revoked line wins over a line that knows the key."""
    async with sshd.up():
        line = sshd.host_key.export_public_key().decode()
        sshd.known_hosts.write_text(f"{sshd.known_hosts.read_text()}@revoked * {line}")
        error = await refusal(sshd, socket=engine)
        assert type(error) is HostKeyChanged
        assert "revoked" in str(error)
        assert "line 3" in str(error)


async def test_a_host_certificate_of_a_known_authority_is_trusted(sshd: Sshd, engine: str) -> None:
    """@cert-authority lines work; a host not named in the certificate is not trusted."""
    authority = asyncssh.generate_private_key("ssh-ed25519")
    line = f"@cert-authority * {authority.export_public_key().decode()}"
    for name, trusted in (("127.0.0.1", True), ("another", False)):
        certificate = authority.generate_host_certificate(sshd.host_key, "host", principals=[name])
        async with sshd.up(server_host_keys=[(sshd.host_key, certificate)]):
            sshd.known_hosts.write_text(line)
            if trusted:
                assert await reach(sshd, socket=engine) == OK
            else:
                assert isinstance(await refusal(sshd, socket=engine), Untrusted)
        sshd.port = 0


async def test_hashed_known_hosts_work(sshd: Sshd, engine: str) -> None:
    """HashKnownHosts is the default on Debian."""
    async with sshd.up():
        await run("ssh-keygen", "-q", "-H", "-f", sshd.known_hosts)
        assert sshd.known_hosts.read_text().splitlines()[-1].startswith("|1|")
        assert await reach(sshd, socket=engine) == OK
        other = sshd.host_key = asyncssh.generate_private_key("ssh-ed25519")
    sshd.known_hosts.rename(kept := sshd.folder / "kept")
    async with sshd.up():
        kept.rename(sshd.known_hosts)
        error = await refusal(sshd, socket=engine)
        assert type(error) is HostKeyChanged
        assert other.get_fingerprint() in str(error)


@pytest.mark.parametrize("nothing", ["none", "/dev/null"])
async def test_host_keys_are_checked_whatever_the_config_says(sshd: Sshd, engine: str, nothing: str) -> None:
    """asyncssh checks nothing where UserKnownHostsFile is none, and ssh accepts anything with /dev/null."""
    async with sshd.up():
        sshd.write_config(f"Host *\n UserKnownHostsFile {nothing}\n StrictHostKeyChecking no\n")
        error = await refusal(sshd, socket=engine)
        assert isinstance(error, Untrusted)
        assert "UserKnownHostsFile" in str(error)
        assert not sshd.connections
