"""A shell that stays open on a host: it shows that it is ours, answers lines, and each way of failing has its words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fleettop.collectors.links import HandshakeGate
from fleettop.collectors.links import lineshell as module
from fleettop.collectors.links.lineshell import LineShell, ShellTrouble
from fleettop.collectors.links.ssh import SshLink

from .servers import Sshd

ECHO = 'read -r n; echo "fleettop:ready $n"; while read -r line; do echo "fleettop:$1 $line"; echo "fleettop:end"; done'


@asynccontextmanager
async def logged_in(sshd: Sshd) -> AsyncIterator[SshLink]:
    """A link that is logged in at an sshd that is up."""
    async with sshd.up():
        link = SshLink(sshd.address(), HandshakeGate())
        try:
            await link.log_in()
            yield link
        finally:
            await link.close()


async def started(link: SshLink, script: str = ECHO, *words: str) -> LineShell:
    """The shell."""
    shell = await link.start_shell(script, *words)
    assert shell is not None
    return shell


async def test_a_shell_answers_line_after_line(sshd: Sshd) -> None:
    """One command, started once; what is sent is data, whatever a shell would make of it."""
    async with logged_in(sshd) as link:
        shell = await started(link, ECHO, "it's said")
        for line in ("one", "$(exit 3) `exit 3` ; exit 3", "two"):
            assert await shell.ask(line, end="end", most=200, deadline=8) == [f"it's said {line}"]
        shell.close()


async def test_what_a_login_shell_prints_before_is_passed_over(sshd: Sshd) -> None:
    """A greeting in somebody's profile is no answer."""
    async with logged_in(sshd) as link:
        shell = await started(link, f"echo welcome; echo fleettop:ready to serve; {ECHO}", "said")
        assert await shell.ask("one", end="end", most=200, deadline=8) == ["said one"]
        shell.close()


@pytest.mark.parametrize(
    ("forced", "words"),
    [
        ("echo this account is for backups", "has ended"),
        ("cat", "does not answer"),
        ("read -r n; while :; do echo fleettop:ready $n; done", ""),
        ("yes fleettop:ready", "something else"),
        ("head -c 70000 /dev/zero", "more than it was asked for"),
        ("exec sleep 600", "does not answer"),
        ("exit 0", "has ended"),
    ],
)
async def test_a_forced_command_is_not_taken_for_our_own(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch, forced: str, words: str
) -> None:
    """It must give back a number that was made up for it, behind a word it cannot know."""
    async with logged_in(sshd) as link:
        sshd.forced = forced
        if not words:
            (await started(link)).close()  # it knows the word and plays along: then it is what it says
            return
        monkeypatch.setattr(module, "EXEC", 1.0 if "answer" in words else 8.0)
        with pytest.raises(ShellTrouble, match=words):
            await started(link)


async def test_a_shell_that_says_why_it_cannot_is_quoted(sshd: Sshd) -> None:
    """`fleettop:no` and the reason."""
    async with logged_in(sshd) as link:
        with pytest.raises(ShellTrouble, match="the host has no awk"):
            await started(link, 'read -r n; echo "fleettop:no the host has no awk"')


async def test_where_no_session_is_opened_that_is_said(sshd: Sshd) -> None:
    """sshd's MaxSessions, or no sessions at all."""
    sshd.sessions = False
    async with logged_in(sshd) as link:
        with pytest.raises(ShellTrouble, match=r"no session|runs no commands|has ended"):
            await started(link)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("exit 0", "has ended"),
        ("yes fleettop:more | head -n 2000", "more than it was asked for"),
        ("head -c 70000 /dev/zero", "more than it was asked for"),
        ("echo fleettop:half", "has not answered"),
    ],
)
async def test_an_answer_that_is_not_whole_in_time_and_size_is_trouble(sshd: Sshd, answer: str, words: str) -> None:
    """Bounded in bytes and seconds."""
    async with logged_in(sshd) as link:
        shell = await started(link, f'read -r n; echo "fleettop:ready $n"; while read -r line; do {answer}; done')
        with pytest.raises(ShellTrouble, match=words):
            await shell.ask("one", end="end", most=4096, deadline=1.0 if "answered" in words else 8.0)
        shell.close()


async def test_a_broken_connection_ends_the_shell(sshd: Sshd) -> None:
    """Asking then is trouble, not a wait."""
    async with logged_in(sshd) as link:
        shell = await started(link, ECHO, "said")
        await sshd.cut()
        async with asyncio.timeout(8):
            with pytest.raises(ShellTrouble, match="has ended"):
                await shell.ask("one", end="end", most=200, deadline=8)
        shell.close()


async def test_without_a_login_there_is_no_shell(sshd: Sshd) -> None:
    """None, as for everything else that is asked over a link that is not open."""
    assert await SshLink(sshd.address(), HandshakeGate()).start_shell(ECHO) is None
