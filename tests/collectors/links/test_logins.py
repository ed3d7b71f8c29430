"""Who is logged in on a host, read from what one constant command prints."""

from __future__ import annotations

import ast
import inspect
from datetime import UTC, datetime

import pytest
from fleettop.collectors.links import logins, remote
from fleettop.collectors.links.logins import COMMAND, understood

US = "us 10.0.0.9 40000 10.0.0.1 22"


def said(user: str, port: int, *, at: str = "2026-11-26T02:11:05+0000", origin: str = "10.0.0.5") -> str:
    """sshd let somebody in."""
    return f"log {at} web-1 sshd[77]: Accepted publickey for {user} from {origin} port {port} ssh2: ED25519 SHA256:x"


def test_terminals_are_read_as_who_prints_them() -> None:
    """With where they come from; one at the host itself comes from nowhere."""
    found = understood(
        [US, "who dba1     pts/0        Nov 26 02:11 (10.0.0.5)", "who root tty1 2026-11-26 02:12", "end"]
    )
    assert (found.answered, found.log_read) == (True, False)
    assert [(one.user, one.origin, one.since) for one in found.logins] == [
        ("dba1", "10.0.0.5", "Nov 26 02:11"),
        ("root", "", "2026-11-26 02:12"),
    ]


def test_a_session_without_a_terminal_is_read_from_sshds_log_and_ours_is_left_out() -> None:
    """`docker -H ssh://…` never shows up in `who`; our own connection is told by its port."""
    found = understood([US, said("deploy", 41000), said("ops", 40000, origin="10.0.0.9"), "logged", "end"])
    (login,) = found.logins
    assert (found.log_read, login.user, login.origin, login.since) == (
        True,
        "deploy",
        "10.0.0.5",
        "2026-11-26 02:11 UTC",
    )
    assert login.began == datetime(2026, 11, 26, 2, 11, 5, tzinfo=UTC)


def test_a_login_that_is_in_both_is_told_once() -> None:
    """And several terminals of one person are one login."""
    lines = [US, "who dba1 pts/0 Nov 26 02:11 (10.0.0.5)", "who dba1 pts/1 Nov 26 02:15 (10.0.0.5)"]
    assert len(understood([*lines, said("dba1", 41000), "logged", "end"]).logins) == 1
    assert len(understood([*lines, "end"]).logins) == 1


def test_a_session_that_ended_has_an_end() -> None:
    """It may have done what happened just before."""
    left = "log 2026-11-26T02:12:00+0000 web-1 sshd-session[78]: Disconnected from user deploy 10.0.0.5 port 41000"
    (login,) = understood([US, said("deploy", 41000), left, "logged", "end"]).logins
    assert login.ended == datetime(2026, 11, 26, 2, 12, tzinfo=UTC)


def test_an_older_syslog_tells_neither_year_nor_zone() -> None:
    """Then it is only known that the login was there."""
    (login,) = understood([US, said("deploy", 41000, at="Nov 26 02:11:05"), "logged", "end"]).logins
    assert (login.since, login.began) == ("Nov 26 02:11:05", None)


@pytest.mark.parametrize("lines", [[], [US], ["who dba1 pts/0 Nov 26 02:11"], ["nonsense"]])
def test_what_was_cut_short_is_no_answer(lines: list[str]) -> None:
    """`nobody` and `not known` are different things."""
    assert not understood(lines).answered


def test_foreign_lines_neither_raise_nor_reach_the_terminal() -> None:
    """Whoever may write to the log writes anything there."""
    hostile = [
        "who \x1b[31mevil pts/0 x",
        "who",
        "log sshd",
        said("\x1b]0;x\x07root", 1),
        "log \u202e sshd[1]: Accepted",
    ]
    for login in understood([US, *hostile, "end"]).logins:
        assert (login.user + login.origin + login.since).isprintable()


def test_the_command_is_constant_and_safe_in_every_login_shell() -> None:
    """No word from anywhere is put into it; read-only fleettop may run it for that."""
    assert "'" not in COMMAND
    assert "!" not in COMMAND
    assert "\n" not in COMMAND
    assert COMMAND.startswith("export LC_ALL=C ")


def test_only_constant_commands_are_run_on_a_host() -> None:
    """Security: every exec over SSH is one of a short list, each a constant of its module."""
    runs = [
        ast.unparse(call)
        for module in (logins, remote)
        for call in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "run"
    ]
    assert sorted(runs) == [
        "run(connection, COMMAND, 'fleettop')",
        "run(connection, _LISTENERS, 'fleettop', socket)",
        "run(connection, script, *words)",
    ]
    assert "create_process" not in inspect.getsource(logins)
