"""What a simulated shell answers: a prompt, a line that can be put right, and the few programs that look around."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from .machine import Machine
from .things import Container

PROMPT = b"/ # "
_HELP = (
    "A simulated shell: nothing is really run. It knows cat, date, echo, env, exit, false, help, hostname, id,",
    "kill, ls, ps, pwd, stty, true, uname, uptime, whoami.",
)
_ROOT = ("bin", "dev", "etc", "home", "lib", "proc", "root", "run", "sbin", "sys", "tmp", "usr", "var")
_ETC = ("alpine-release", "group", "hostname", "hosts", "os-release", "passwd", "resolv.conf")
Size = tuple[int, int]
Said = tuple[list[str], int]
"""Lines and the exit code."""


class Prompt:
    """One shell. `ended`: its exit code, once it has one."""

    def __init__(self, machine: Machine, container: Container, env: Sequence[str], *, size: Callable[[], Size]) -> None:
        self._machine = machine
        self._container = container
        self._env = tuple(env)
        self._size = size
        self._line = ""
        self._code = 0
        self.ended: int | None = None
        self._programs: Mapping[str, Callable[[list[str]], Said]] = {
            "cat": self._cat,
            "date": lambda _: ([f"{self._now():%a %b %e %H:%M:%S UTC %Y}"], 0),
            "echo": lambda words: ([" ".join(word.replace("$?", str(self._code)) for word in words)], 0),
            "env": lambda _: ([*self._variables()], 0),
            "false": lambda _: ([], 1),
            "help": lambda _: ([*_HELP], 0),
            "hostname": lambda _: ([container.id[:12]], 0),
            "id": lambda _: (["uid=0(root) gid=0(root) groups=0(root)"], 0),
            "kill": lambda _: (["sh: can't kill: it is simulated"], 1),
            "ls": self._ls,
            "ps": self._ps,
            "pwd": lambda _: (["/"], 0),
            "stty": lambda _: ([f"{self._size()[1]} {self._size()[0]}"], 0),
            "true": lambda _: ([], 0),
            "uname": lambda words: ([f"Linux {container.id[:12]} 6.1.0 x86_64" if words else "Linux"], 0),
            "uptime": self._uptime,
            "whoami": lambda _: (["root"], 0),
        }

    def greeting(self) -> bytes:
        """What stands there at first."""
        return b"A simulated shell: nothing is really run. `help` says more.\r\n" + PROMPT

    def has(self, program: str) -> bool:
        """Whether there is such a program."""
        return program.rpartition("/")[2] in self._programs

    def feed(self, typed: bytes) -> bytes:
        """What a terminal shows of these keys, and of what they ask for."""
        shown = b""
        for sign in typed.decode("utf-8", "replace"):
            if self.ended is not None:
                break
            shown += self._key(sign)
        return shown

    def _key(self, sign: str) -> bytes:
        if sign in "\r\n":
            line, self._line = self._line, ""
            shown, _ = self.run(line)
            return b"\r\n" + shown + (PROMPT if self.ended is None else b"")
        if sign in "\x7f\b":
            gone, self._line = self._line[-1:], self._line[:-1]
            return b"\b \b" if gone else b""
        if sign == "\x03":
            self._line, self._code = "", 130
            return b"^C\r\n" + PROMPT
        if sign == "\x04" and not self._line:
            self.ended = self._code
            return b"\r\n"
        if not sign.isprintable():
            return b""
        self._line += sign
        return sign.encode()

    def run(self, line: str) -> tuple[bytes, int]:
        """What a line shows, and its exit code."""
        lines: list[str] = []
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            lines, self._code = ["sh: syntax error: unterminated quoted string"], 2
            words = []
        if words and words[0] == "exit":
            number = words[1] if len(words) > 1 else str(self._code)
            self._code = int(number) % 256 if number.isascii() and number.isdigit() else 2
            self.ended = self._code
        elif words:
            program = self._programs.get(words[0].rpartition("/")[2])
            lines, self._code = program(words[1:]) if program else ([f"sh: {words[0]}: not found"], 127)
        return "".join(f"{one}\r\n" for one in lines).encode(), self._code

    # -- programs

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._machine.agenda.now, UTC)

    def _variables(self) -> tuple[str, ...]:
        plan = self._container.plan
        own = (f"HOSTNAME={self._container.id[:12]}", "HOME=/root")
        return (*plan.image.env, *plan.env, *self._env, *own)

    def _ls(self, words: list[str]) -> Said:
        places = [word for word in words if not word.startswith("-")] or ["/"]
        known = {"/": _ROOT, ".": _ROOT, "/etc": _ETC, "/home": (), "/root": ()}
        lines, code = list[str](), 0
        for place in places:
            found = known.get(place.rstrip("/") or "/")
            if found is None:
                lines, code = [*lines, f"ls: {place}: No such file or directory"], 1
            elif found:
                lines.append("  ".join(found))
        return lines, code

    def _ps(self, _words: list[str]) -> Said:
        plan = self._container.plan
        program = " ".join((*plan.entrypoint, *plan.cmd) or (*plan.image.entrypoint, *plan.image.cmd)) or "app"
        rows = [f"    1 root      0:04 {program}", " 4242 root      0:00 /bin/sh", " 4250 root      0:00 ps"]
        return ["PID   USER     TIME  COMMAND", *rows], 0

    def _cat(self, words: list[str]) -> Said:
        files = {
            "/etc/hostname": [self._container.id[:12]],
            "/etc/alpine-release": ["3.19.1"],
            "/etc/os-release": ['NAME="Alpine Linux"', "ID=alpine", "VERSION_ID=3.19.1"],
            "/etc/passwd": ["root:x:0:0:root:/root:/bin/sh", "nobody:x:65534:65534:nobody:/:/sbin/nologin"],
            "/proc/1/comm": ["app"],
        }
        lines, code = list[str](), 0
        for word in words:
            found = files.get(word)
            lines += found if found is not None else [f"cat: can't open '{word}': No such file or directory"]
            code = code if found is not None else 1
        return lines, code

    def _uptime(self, _words: list[str]) -> Said:
        minutes = int((self._machine.agenda.now - self._container.started) // 60)
        up = f"{minutes // 60}:{minutes % 60:02}" if minutes >= 60 else f"{minutes} min"
        return [f" {self._now():%H:%M:%S} up {up},  load average: 0.21, 0.18, 0.12"], 0
