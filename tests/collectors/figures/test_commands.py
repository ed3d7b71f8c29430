"""The command that reads a host's counters, run by real shells and real awks on trees of other hosts' files."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from fleettop.collectors.figures.answer import Answer, Counters, understood
from fleettop.collectors.figures.commands import FIND, READ, SCRIPT

from . import trees
from .trees import ID, KINDS, OTHER, PID, Kind, Tree, plant, write

SHELLS = {
    "sh": ("sh",),
    "dash": ("dash",),
    "bash": ("bash",),
    "busybox": ("busybox", "sh"),
    "mksh": ("mksh",),
    "zsh as sh": ("zsh", "--emulate", "sh"),
}
LOGIN_SHELLS = ("dash", "bash", "zsh", "fish", "tcsh", "mksh")
AWKS = {"mawk": "mawk", "gawk": "gawk", "busybox": "busybox awk", "the original": "original-awk"}
HERE = f"{ID}:{PID}:n"
EMPTY = Counters()


def there(program: str) -> str:
    """Its path, or the test is skipped."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} here")
    return found


def with_awk(folder: Path, awk: str) -> str:
    """A PATH on which `awk` is that one."""
    program, *words = awk.split()
    folder.mkdir(exist_ok=True)
    (folder / "awk").write_text(f'#!/bin/sh\nexec {there(program)} {" ".join(words)} "$@"\n')
    (folder / "awk").chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def ask(tree: Tree, *lines: str, shell: tuple[str, ...] = ("sh",), path: str = "/usr/bin:/bin") -> list[str]:
    """What the command prints for these lines, on a host with that tree."""
    there(shell[0])

    def here(text: str) -> str:
        return text.replace("/sys/fs/cgroup", str(tree.groups)).replace("/proc/", f"{tree.processes}/")

    script = SCRIPT.replace("$(id -u)", "1000")
    done = subprocess.run(
        [*shell, "-c", script, "fleettop", here(READ), here(FIND)],
        input="\n".join(("0123abcd", *lines, "")),
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    first, *rest = done.stdout.splitlines()
    assert first == "fleettop:ready 0123abcd"
    return [line.removeprefix("fleettop:") for line in rest]


def answered(lines: list[str], number: int = 1) -> Answer:
    """The one answer in there."""
    assert lines[-1] == f"end {number}"
    answer = understood(lines[:-1], number)
    assert answer is not None, lines
    return answer


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_counters_are_found_on_every_kind_of_host(tmp_path: Path, kind: Kind) -> None:
    """cgroup v1 and v2, cgroupfs and systemd, rootless, Podman; where processes are hidden, all but the network."""
    tree = plant(tmp_path, kind)
    answer = answered(ask(tree, f"+ {HERE}", "1 *"))
    assert answer.uptime == 5025.17
    expected = trees.READ
    if not kind.told:
        expected = Counters(cpu=expected.cpu, memory=expected.memory, inactive_file=expected.inactive_file)
    assert answer.counters == {1: expected}


@pytest.mark.parametrize("kind", [KINDS["v1 cgroupfs"], KINDS["v2 systemd, a slice with a dash"]], ids=["v1", "v2"])
@pytest.mark.parametrize("awk", AWKS.values(), ids=AWKS.keys())
@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS.keys())
def test_every_shell_and_every_awk_reads_the_same(tmp_path: Path, shell: tuple[str, ...], awk: str, kind: Kind) -> None:
    """What a host has as /bin/sh and awk makes no difference."""
    tree = plant(tmp_path, kind)
    plant(tmp_path, kind, OTHER, PID + 10)
    path = with_awk(tmp_path / "bin", awk)
    lines = ask(tree, f"+ {HERE} {OTHER}:{PID + 10}:-", "+ " + "f" * 64 + ":9:n", "7 3 1 2", shell=shell, path=path)
    quiet = Counters(cpu=trees.READ.cpu, memory=trees.READ.memory, inactive_file=trees.READ.inactive_file)
    assert answered(lines, 7).counters == {3: EMPTY, 1: trees.READ, 2: quiet}


@pytest.mark.parametrize("login_shell", LOGIN_SHELLS)
def test_every_login_shell_hands_the_command_on_as_it_is(login_shell: str) -> None:
    """sshd gives the command to the user's own shell as one line: csh and fish have rules of their own."""
    command = " ".join(["printf", "%s.", *(shlex.quote(text) for text in (SCRIPT, READ, FIND))])
    done = subprocess.run([there(login_shell), "-c", command], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == f"{SCRIPT}.{READ}.{FIND}."


def test_the_command_holds_nothing_that_a_login_shell_could_take_for_its_own() -> None:
    """No `!`, no single quotes, no backslashes, no line breaks."""
    assert not set("!'\\\n") & set(SCRIPT + READ + FIND)


def test_what_was_made_known_is_forgotten_at_a_word(tmp_path: Path) -> None:
    """Else the list would grow with every container there ever was."""
    tree = plant(tmp_path, KINDS["v2 cgroupfs"])
    lines = ask(tree, f"+ {HERE}", "-", "1 *", "+ " + HERE, "2 *")
    assert lines == ["at 1 5025.17", "end 1", "at 2 5025.17", lines[3], "end 2"]
    assert understood(lines[2:4], 2) == Answer(5025.17, {1: trees.READ})


def test_a_process_that_is_another_containers_by_now_is_not_taken_for_it(tmp_path: Path) -> None:
    """Numbers of processes are used again: the path of its group must hold the id."""
    tree = plant(tmp_path, KINDS["v2 cgroupfs"]._replace(place="/elsewhere/ID"), OTHER)
    assert answered(ask(tree, f"+ {HERE}", "1 *")).counters == {1: EMPTY}


def test_a_group_that_is_gone_has_no_counters(tmp_path: Path) -> None:
    """A container that ended between two answers."""
    tree = plant(tmp_path, KINDS["v1 cgroupfs"])
    shutil.rmtree(tree.groups)
    assert answered(ask(tree, f"+ {HERE}", "1 *")).counters[1].cpu is None


@pytest.mark.parametrize(
    ("network", "counted"),
    [
        (trees.NETWORK, (1244567, 78543)),
        ("  tap0: 5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n", (5, 7)),
        ("    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n tunl0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", (None, None)),
        ("eth0:9007199254740990 1 0 0 0 0 0 0 3 1 0 0 0 0 0 0\n", (9007199254740990, 3)),
        ("", (None, None)),
    ],
    ids=["eth0 and eth1", "rootless", "none", "large", "nothing"],
)
def test_traffic_is_that_of_the_containers_own_interfaces(
    tmp_path: Path, network: str, counted: tuple[int | None, int | None]
) -> None:
    """As the engine counts it; without interfaces it is not known, which is not 0."""
    tree = plant(tmp_path, KINDS["v2 cgroupfs"])
    write(tree.processes / f"{PID}/net/dev", network)
    counters = answered(ask(tree, f"+ {HERE}", "1 *")).counters[1]
    assert (counters.received, counters.sent) == counted


def test_without_awk_the_command_says_so(tmp_path: Path) -> None:
    """Instead of answering nothing at all."""
    (tmp_path / "id").touch()
    done = subprocess.run(
        [there("dash"), "-c", SCRIPT.replace(":/usr/bin:/bin", ""), "fleettop", READ, FIND],
        input="0123abcd\n", env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("fleettop:no the host has no awk\n", 1)


def test_an_answer_is_written_at_once() -> None:
    """gawk writes out what it has before it opens the next file: line by line, each would be a packet on the way."""
    assert READ.replace("sprintf", "").count("print") == 1
