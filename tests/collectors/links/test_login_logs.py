"""What sshd and auditd write of logins, in the forms that their hosts write it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fleettop.collectors.links.auditlog import read_audit
from fleettop.collectors.links.logins import COMMAND, understood
from fleettop.collectors.links.remote import MOST
from fleettop.collectors.links.sshdlog import logins_of_sshd
from fleettop.collectors.model import HostLogin

US = ("10.0.0.9", "40000")
NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
KEY = "ED25519 SHA256:W0MAqOomm5mR9zEBbJ7xPIE8hhkXz4G+t2Fa7QnODfI"
LOGIN_SHELLS = ("dash", "bash", "zsh", "fish", "tcsh", "mksh")

# As sshd 9.2 wrote them (LogLevel VERBOSE), by journald and by a classic syslog; AUDITED is enriched, as auditd 3 does.
IN = f"2026-11-26T11:00:02+0000 h1 sshd[285]: Accepted publickey for ops from 198.18.62.254 port 44486 ssh2: {KEY}"
FOUND = f"2026-11-26T11:00:02+0000 h1 sshd[285]: Accepted key {KEY} found at /home/ops/.ssh/authorized_keys:1"
OUT = "2026-11-26T11:00:09+0000 h1 sshd[287]: Disconnected from user ops 198.18.62.254 port 44486"
BROKEN = "2026-11-26T11:00:09+0000 h1 sshd[287]: Connection closed by 198.18.62.254 port 44486"
SILENT = "2026-11-26T11:00:09+0000 h1 sshd[285]: Timeout, client not responding from user ops 198.18.62.254 port 44486"
PAM = "2026-11-26T11:00:09+0000 h1 sshd[285]: pam_unix(sshd:session): session closed for user ops"

HEAD = "pid=4242 uid=0 auid=1000 ses=5 subj=unconfined"
DOOR = 'exe="/usr/sbin/sshd" hostname=10.0.0.5 addr=10.0.0.5 terminal=ssh'
AUDITED = (
    f"type=USER_LOGIN msg=audit(1795690805.123:410): {HEAD} msg='op=login id=1000 {DOOR} res=success'",
    "type=SYSCALL msg=audit(1795690860.500:420): arch=c000003e syscall=59 success=yes exit=0 a0=55d0 a1=55d1 a2=55d2 "
    "a3=8 items=2 ppid=4300 pid=4301 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=5 "
    'comm="docker" exe="/usr/bin/docker" subj=unconfined key="docker"',
    'type=EXECVE msg=audit(1795690860.500:420): argc=3 a0="docker" a1="stop" a2=70617920617069',
    f'type=USER_END msg=audit(1795690900.001:430): {HEAD} msg=\'op=PAM:session_close grantors=pam_unix acct="ops" '
    f"{DOOR} res=success'",
)


def of_sshd(*lines: str, now: datetime = NOON, gone: tuple[str, ...] = ()) -> list[HostLogin]:
    """The logins that these lines tell of."""
    return logins_of_sshd(lines, US, gone=gone, now=now)


def test_a_key_is_told_by_its_fingerprint_and_a_found_key_is_no_login() -> None:
    """At VERBOSE sshd writes three lines that begin with `Accepted`; one is the login."""
    (login,) = of_sshd(FOUND, FOUND, IN)
    assert (login.user, login.origin, login.proof) == ("ops", "198.18.62.254", f"with key {KEY}")
    assert login.began == datetime(2026, 11, 26, 11, 0, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "proof"),
    [
        ("password for ops from 10.0.0.5 port 1 ssh2", "by password"),
        ("keyboard-interactive/pam for ops from 10.0.0.5 port 1 ssh2", "by keyboard-interactive/pam"),
        (
            "publickey for ops from 10.0.0.5 port 1 ssh2: ED25519-CERT SHA256:abc ID alice (serial 7) CA RSA SHA256:d",
            "with certificate “alice” (serial 7) on ED25519-CERT SHA256:abc",
        ),
        ("publickey for ops from 10.0.0.5 port 1 ssh2", "with a key"),
    ],
)
def test_what_let_somebody_in_is_told_in_words(told: str, proof: str) -> None:
    """Each method that sshd names."""
    assert of_sshd(f"Nov 26 11:00:02 h1 sshd[7]: Accepted {told}")[0].proof == proof


@pytest.mark.parametrize("end", [OUT, BROKEN, SILENT, PAM])
def test_each_way_a_session_ends_is_its_end(end: str) -> None:
    """With a goodbye, without one, by a timeout, or as PAM tells it."""
    (login,) = of_sshd(IN, end)
    assert login.ended == datetime(2026, 11, 26, 11, 0, 9, tzinfo=UTC)


def test_another_sessions_end_ends_nothing() -> None:
    """A port of somebody else, and a stranger who never came in."""
    other = OUT.replace("44486", "44500")
    never = (
        "2026-11-26T11:00:24+0000 h1 sshd[304]: Connection closed by invalid user x 198.18.62.254 port 44486 [preauth]"
    )
    assert of_sshd(IN, other, never, PAM.replace("285", "1"))[0].ended is None


def test_a_session_without_an_end_whose_process_is_gone_is_lost() -> None:
    """After a power cycle no line tells that it ended."""
    (login,) = of_sshd(IN, gone=("285",))
    assert (login.lost, login.ended) == (True, None)


@pytest.mark.parametrize(
    ("stamp", "began"),
    [
        ("Nov 26 11:59:02", datetime(2026, 11, 26, 9, 59, 2, tzinfo=UTC)),
        ("Dec 31 23:00:00", datetime(2025, 12, 31, 21, 0, tzinfo=UTC)),
        ("Nov  6 01:00:00", datetime(2026, 11, 5, 23, 0, tzinfo=UTC)),
        ("Foo 26 11:59:02", None),
    ],
)
def test_a_classic_stamp_is_read_by_the_hosts_own_clock(stamp: str, began: datetime | None) -> None:
    """It tells neither year nor zone; what would lie ahead is of the year before."""
    host = datetime.fromisoformat("2026-11-26T12:00:00+02:00")
    assert of_sshd(IN.replace("2026-11-26T11:00:02+0000", stamp), now=host)[0].began == began


@pytest.mark.parametrize(
    "line",
    [
        f"Nov 26 11:00:02 h1 evil[9]: sshd[285]: Accepted publickey for root from 10.0.0.5 port 1 ssh2: {KEY}",
        f"2026-11-26T11:00:02+0000 h1 evil: x sshd[285]: Accepted publickey for root from 10.0.0.5 port 1 ssh2: {KEY}",
        "Nov 26 11:00:02 h1 sshd[285]: Failed password for root Accepted password for root from 10.0.0.5 port 1 ssh2",
    ],
)
def test_a_program_that_writes_like_sshd_is_not_taken_for_it(line: str) -> None:
    """Only what stands where syslog puts the program's name is sshd's."""
    assert of_sshd(line) == []


def test_auditd_tells_logins_and_docker_commands() -> None:
    """By number, with the names that the host gives them; a word with a blank is written in hexadecimal digits."""
    (login,), (command,) = read_audit(AUDITED, {"1000": "ops"})
    assert (login.user, login.origin, login.since) == ("ops", "10.0.0.5", "2026-11-26 11:00 UTC")
    assert login.ended == datetime(2026, 11, 26, 11, 1, 40, 1000, tzinfo=UTC)
    assert (command.user, command.words) == ("ops", "docker stop pay api")
    assert command.at == datetime(2026, 11, 26, 11, 1, 0, 500_000, tzinfo=UTC)


def test_auditds_own_names_come_before_ours_and_a_number_without_one_is_told_as_such() -> None:
    """`log_format = ENRICHED` puts them behind the line (a separator that cleaning takes away)."""
    enriched = [f"node=web-1 {line}" + 'UID="root" AUID="dba1"' for line in AUDITED]
    assert {found.user for found in (*read_audit(enriched, {})[0], *read_audit(enriched, {})[1])} == {"dba1"}
    assert read_audit(AUDITED, {})[0][0].user == "user 1000"


def test_our_own_audit_session_and_daemons_are_left_out() -> None:
    """A daemon has no session; ours is told by its number."""
    assert read_audit(AUDITED, {}, "5") == ([], [])
    assert read_audit([line.replace("ses=5", "ses=4294967295") for line in AUDITED], {})[0] == []


def test_refused_logins_other_programs_and_nonsense_are_no_evidence() -> None:
    """Foreign lines never raise."""
    hostile = [
        AUDITED[0].replace("res=success", "res=failed"),
        AUDITED[0].replace("/usr/sbin/sshd", "/tmp/evil"),
        AUDITED[1].replace("/usr/bin/docker", "/tmp/evil"),
        AUDITED[1].replace("success=yes", "success=no"),
        AUDITED[2].replace("70617920617069", "7"),
        "type=USER_LOGIN msg=audit(99999999999999.1:2): x",
        "type=SYSCALL msg=audit(",
        "",
    ]
    for line in hostile:
        assert read_audit([line, AUDITED[2]], {}) == ([], [])


def test_secrets_in_a_command_are_hidden() -> None:
    """As in every text that is stored."""
    run = (
        AUDITED[2]
        .replace("argc=3", "argc=4")
        .replace('a1="stop" a2=70617920617069', 'a1="login" a2="--password" a3="hunter2"')
    )
    assert read_audit([AUDITED[1], run], {})[1][0].words == "docker login --password ***"


def test_a_login_in_two_logs_is_one() -> None:
    """sshd's log says more of it."""
    logged = IN.replace("198.18.62.254", "10.0.0.5").replace("11:00:02", "11:00:05")
    lines = ["us 10.0.0.9 40000 10.0.0.1 22", "ses 9", "now 2026-11-26T12:00:00+0000", f"log {logged}", "logged"]
    found = understood([*lines, *(f"audit {line}" for line in AUDITED), "uid 1000 ops", "end"])
    assert [login.proof for login in found.logins] == [f"with key {KEY}"]
    assert [command.user for command in found.commands] == ["ops"]


def test_the_samples_are_what_auditds_own_reader_takes(tmp_path: Path) -> None:
    """`ausearch` finds the login, the command and the user in them."""
    if shutil.which("ausearch") is None:
        pytest.skip("no ausearch here (apt-get install auditd)")
    log = tmp_path / "audit.log"
    log.write_text("\n".join(AUDITED) + "\n")
    words = ["ausearch", "--input", str(log), "--format", "raw", "--loginuid", "1000"]
    for kind, event in (("USER_LOGIN", 410), ("SYSCALL", 420), ("EXECVE", 420), ("USER_END", 430)):
        done = subprocess.run([*words, "-m", kind, "-a", str(event)], capture_output=True, text=True, check=True)
        assert f"type={kind} " in done.stdout


@pytest.mark.parametrize("login_shell", LOGIN_SHELLS)
def test_the_command_runs_from_every_login_shell_and_ends(login_shell: str) -> None:
    """sshd gives it to the user's own shell as one line: csh and fish have rules of their own."""
    if shutil.which(login_shell) is None:
        pytest.skip(f"no {login_shell} here")
    line = " ".join(["/bin/sh", "-c", shlex.quote(COMMAND), "fleettop"])
    done = subprocess.run([login_shell, "-c", line], capture_output=True, text=True, timeout=60, check=True)
    printed = [line.removeprefix("fleettop:") for line in done.stdout.splitlines() if line.startswith("fleettop:")]
    assert printed[-1] == "end"
    (clock,) = [line for line in printed if line.startswith("now ")]
    assert abs(datetime.fromisoformat(clock.removeprefix("now ")) - datetime.now(UTC)) < timedelta(minutes=5)


def test_the_fullest_answer_is_read_to_its_end() -> None:
    """More than is read of a command would be no answer at all, on the busiest hosts."""
    marks = 16
    most = 64 * (160 + marks) + 90 * (320 + marks) + 90 * marks + 40 * (500 + marks) + 16 * (64 + marks) + 200
    for limit in ("tail -n 64 | cut -c1-160", "tail -n 90 | cut -c1-320", "tail -n 40 | cut -c1-500", "head -n 16"):
        assert limit in COMMAND
    assert most < MOST
