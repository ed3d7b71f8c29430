"""Who was logged in on a real host while something was done there: what its sshd logs is evidence, never a claim."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from fleettop.collectors.address import EngineAddress
from fleettop.collectors.links.logins import COMMAND, Logins, understood
from fleettop.collectors.model import Attribution, HostLogin, Record

from tests.fleet import Fleet
from tests.fleet.shell import sh
from tests.fleet.syslog import cannot_keep

from .stage import Eventually, Stage, ran, watching
from .test_deeds import LONG, told

SECURE = "/var/log/secure"


def ssh(fleet: Fleet, *words: str, host: str = "h1", options: tuple[str, ...] = ()) -> list[str]:
    """The words that log in to a host with the fleet's key."""
    return ["ssh", "-F", str(fleet.folder / "ssh/config"), "-o", "LogLevel=ERROR", *options, host, *words]


def fingerprint(fleet: Fleet) -> str:
    """Of that key, as sshd names it."""
    return sh("ssh-keygen", "-l", "-f", fleet.folder / "ssh/id_ed25519.pub").split()[1]


def keep_log(fleet: Fleet, kind: str, *, readable: bool = True) -> None:
    """Let h1's sshd log there; without systemd there is no journal."""
    if why := cannot_keep(kind):
        pytest.skip(why)
    fleet.keep_log("h1", kind, readable=readable)


def look(fleet: Fleet) -> Logins:
    """What our command finds on h1, run as fleettop runs it."""
    line = " ".join(["/bin/sh", "-c", shlex.quote(COMMAND), "fleettop"])
    printed = sh(*ssh(fleet, line))
    return understood([line.removeprefix("fleettop:") for line in printed.splitlines() if line.startswith("fleettop:")])


@contextmanager
def session(fleet: Fleet, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody is logged in on h1, without a terminal."""
    words = ssh(fleet, "echo in; exec sleep 1000", options=options)
    client = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert client.stdout is not None
        assert client.stdout.readline() == b"in\n"
        yield client
    finally:
        client.kill()
        client.communicate()


def correlating(fleet: Fleet) -> EngineAddress:
    """h1 over ssh, where we may look who is logged in."""
    return msgspec.structs.replace(fleet.address("h1", "ssh"), correlate=True)


async def stopped(stage: Stage, container: str, eventually: Eventually) -> Record:
    """What the trail says of its stop once the look at the logins is in it."""
    seen = lambda: [r for r in told(stage, "stopped by someone", about=container) if r.evidence]  # noqa: E731
    (record,) = await eventually(seen, timeout=LONG)
    assert isinstance(record, Record)
    return record


@pytest.mark.parametrize("kind", ["journal", SECURE])
async def test_who_logged_in_and_stopped_a_container_is_told_with_place_and_key(
    fleet: Fleet, eventually: Eventually, kind: str
) -> None:
    """A person comes by ssh, types `docker stop`, and goes: user, address and key's fingerprint are evidence beside
    the stop; fleettop's own login by the same key is left out, and the actor stays unknown.
    """
    await asyncio.to_thread(keep_log, fleet, kind)
    async with watching(correlating(fleet)) as stage:
        key = await ran(fleet, "h1", "ledger")
        await eventually(lambda: key in stage.session.fleet.containers, timeout=LONG)
        await asyncio.to_thread(sh, *ssh(fleet, "docker", "stop", "-t", "0", key.id))
        record = await stopped(stage, key.id, eventually)
    assert (record.attribution, record.actor) == (Attribution.CORRELATED, "unknown")
    (evidence,) = record.evidence
    today = f"{record.time:%Y-%m-%d}"
    assert evidence.startswith(f"logged in then: ops from {fleet.site.management}.254 since {today} ")
    assert evidence.endswith(f" UTC with key ED25519 {fingerprint(fleet)}")


async def test_a_log_that_may_not_be_read_is_said_to_be_so(fleet: Fleet, eventually: Eventually) -> None:
    """That nobody was seen then means little, and the evidence says why."""
    await asyncio.to_thread(keep_log, fleet, SECURE, readable=False)
    async with watching(correlating(fleet)) as stage:
        key = await ran(fleet, "h1", "ledger")
        await eventually(lambda: key in stage.session.fleet.containers, timeout=LONG)
        await asyncio.to_thread(sh, *ssh(fleet, "docker", "stop", "-t", "0", key.id))
        record = await stopped(stage, key.id, eventually)
    assert (record.attribution, record.actor) == (Attribution.UNKNOWN, "")
    assert record.evidence == (
        "logged in then: nobody that could be seen",
        "sshd's log could not be read on the host: logins without a terminal are not seen",
    )


async def test_a_command_that_auditd_saw_stands_beside_the_stop(fleet: Fleet, eventually: Eventually) -> None:
    """auditd's lines (real in form; written by the test, as its kernel has one auditd at most) name who ran docker,
    whatever else they became by sudo since; its secrets are hidden.
    """
    await asyncio.to_thread(keep_log, fleet, SECURE)
    async with watching(correlating(fleet)) as stage:
        key = await ran(fleet, "h1", "ledger")
        await eventually(lambda: key in stage.session.fleet.containers, timeout=LONG)
        stamp = f"{datetime.now(UTC).timestamp():.3f}:412"
        lines = (
            f"type=SYSCALL msg=audit({stamp}): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=2 auid=20002 "
            'uid=0 gid=0 euid=0 tty=pts0 ses=7 comm="docker" exe="/usr/bin/docker" subj=unconfined key="docker"\n'
            f'type=EXECVE msg=audit({stamp}): argc=4 a0="docker" a1="stop" a2="--token=hunter2" a3="{key.id[:12]}"\n'
        )
        write = (
            'mkdir -p /var/log/audit && printf %s "$1" >/var/log/audit/audit.log && chmod 644 /var/log/audit/audit.log'
        )
        await asyncio.to_thread(fleet.on, "h1", "sh", "-c", write, "sh", lines)
        await asyncio.to_thread(fleet.docker, "h1", "stop", "-t", "0", key.id)
        record = await stopped(stage, key.id, eventually)
    assert (record.attribution, record.actor) == (Attribution.CORRELATED, "unknown")
    assert record.evidence[0] == "logged in then: nobody that could be seen"
    assert record.evidence[1].startswith(f"auditd saw guest run “docker stop --token=*** {key.id[:12]}” at ")


def test_a_client_that_was_killed_is_logged_in_no_longer(fleet: Fleet, eventually_sync: Eventually) -> None:
    """sshd then writes another line than for one that says goodbye, and does not name the user in it."""
    keep_log(fleet, SECURE)
    with session(fleet) as client:
        (login,) = eventually_sync(lambda: look(fleet).logins)
        assert (login.ended, login.lost) == (None, False)
        client.kill()
        assert eventually_sync(lambda: all(one.ended is not None for one in look(fleet).logins))


def test_a_session_whose_sshd_is_gone_is_not_taken_for_open(fleet: Fleet, eventually_sync: Eventually) -> None:
    """No line tells of its end, but the process that wrote its beginning does not run any more."""
    keep_log(fleet, SECURE)
    with session(fleet):
        assert [one.lost for one in eventually_sync(lambda: look(fleet).logins)] == [False]
        fleet.fault("h1", "cut-ssh")
        found = eventually_sync(lambda: [one for one in look(fleet).logins if one.lost])
        assert [(one.user, one.ended) for one in found] == [("ops", None)]


def test_a_certificate_is_told_by_the_name_that_its_authority_gave_it(
    fleet: Fleet, tmp_path: Path, eventually_sync: Eventually
) -> None:
    """Where several share an account, the certificate's name is who it was given to."""
    authority, key = tmp_path / "authority", tmp_path / "key"
    for path in (authority, key):
        sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
    sh("ssh-keygen", "-q", "-s", authority, "-I", "alice@example.org", "-n", "ops", "-z", "7", f"{key}.pub")
    trusted = fleet.folder / "ssh/user_ca.pub"
    trusted.write_text(Path(f"{authority}.pub").read_text())
    fleet.reconfigure_sshd("h1", forward=True, TrustedUserCAKeys=str(trusted))
    keep_log(fleet, SECURE)
    with session(fleet, "-o", f"IdentityFile={key}", "-o", f"CertificateFile={key}-cert.pub"):
        (login,) = eventually_sync(lambda: look(fleet).logins)
    assert login.proof.startswith("with certificate “alice@example.org” (serial 7) on ED25519-CERT SHA256:")


def test_a_login_long_ago_is_found_in_the_newest_lines_and_its_clock_is_the_hosts(
    fleet: Fleet, eventually_sync: Eventually
) -> None:
    """A classic syslog tells neither year nor zone: they are those of the host's clock."""
    keep_log(fleet, SECURE)
    with session(fleet):
        (login,) = eventually_sync(lambda: look(fleet).logins)
        assert isinstance(login, HostLogin)
        assert login.began is not None
        assert abs(login.began - datetime.now(UTC)) < timedelta(minutes=5)
