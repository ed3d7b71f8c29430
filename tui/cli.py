"""The command line: what was asked for, with which config, and how it ends. Reads argv, environment and terminal.

Nothing heavy is imported before it is known what to do: neither textual, nor docker, nor asyncssh.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol, cast

from fleettop.collectors.config import COLORS, Config, load_config
from fleettop.collectors.config.tomlfile import nearest
from fleettop.collectors.errors import ConfigError, EngineError, FleetError, ReadOnly

from .commands import COMMANDS, Command
from .output import Output, wants_color

if TYPE_CHECKING:
    from .commands.request import Request

PROGRAM = "fleettop"
CRASHED, INTERRUPTED, BROKEN_PIPE = 70, 130, 141
"""Beside those of `commands.request`: EX_SOFTWARE of sysexits.h, and 128 + the signal as a shell has it."""

TAKE_A_VALUE = frozenset(("--config", "--engine", "-e", "--group", "--context", "--color", "--trail"))

DESCRIPTION = """\
htop for a fleet of Docker engines: services, health, outages and who changed what, on one screen.

Without a command it opens the dashboard, on the engines named, else on those of the config, else on the current docker
context or DOCKER_HOST, else on this machine's own."""


class CommandModule(Protocol):
    """What a module of `commands` has."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments."""

    def run(self, request: Request) -> int:
        """Do it, and return the exit code."""
        ...


class ShowVersion(argparse.Action):
    """`--version`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print it and end."""
        from fleettop.collectors.instance import VERSION

        print(PROGRAM, VERSION)
        parser.exit()


class UsageError(ConfigError):
    """The command line makes no sense."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run fleettop with these arguments (`sys.argv` by default); the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter shows its number
    try:
        return _answer(arguments, os.environ)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _leave_the_pipe()


def _answer(arguments: list[str], environ: Mapping[str, str]) -> int:
    out = _output("auto", environ)
    try:
        command, rest = split_command(arguments)
        parser, module = _parser_of(command, arguments)
        rest, program = split_program(command, rest)
        args = parser.parse_args(rest)
        args.program = program
        out = _output(args.color or "auto", environ)
        config = _load(args.config)
        return module.run(_request(command, args, config, environ))
    except SystemExit as error:  # argparse has printed a help or the version
        return error.code if isinstance(error.code, int) else 0
    except FleetError as error:
        out.error(error)
        return exit_code(error)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except BaseExceptionGroup as group:
        return _grouped(group, out, environ)
    except Exception as error:
        return _crashed(error, out)


def exit_code(error: FleetError) -> int:
    """The exit code an error leads to."""
    from .commands import request

    if isinstance(error, ReadOnly):
        return request.REFUSED
    if isinstance(error, ConfigError):
        return request.USAGE
    return request.UNREACHABLE if isinstance(error, EngineError) else request.FAILED


# -- arguments ---------------------------------------------------------------------------------------------------------


def split_command(arguments: Sequence[str]) -> tuple[Command | None, list[str]]:
    """The command among the arguments, which is the first that is no option, and the rest; None: the dashboard.

    What stands behind `--` is no command: `fleettop -- demo` opens an engine called demo.
    """
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word == "--":
            break
        if word in TAKE_A_VALUE:
            at += 2
        elif word.startswith("-"):
            at += 1
        elif word in COMMANDS:
            return COMMANDS[word], [*arguments[:at], *arguments[at + 1 :]]
        else:
            break
    return None, list(arguments)


def split_program(command: Command | None, rest: list[str]) -> tuple[list[str], list[str]]:
    """What the command's own parser is to read, and the words behind `--` that are another program's."""
    if command is None or not command.runs_program or "--" not in rest:
        return rest, []
    at = rest.index("--")
    return rest[:at], rest[at + 1 :]


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one sentence, with what to do."""

    def error(self, message: str) -> NoReturn:
        """Raises UsageError."""
        options = [option for action in self._actions for option in action.option_strings]
        hint = f"`{self.prog} --help` shows what it takes."
        if message.startswith("unrecognized arguments: "):
            word = message.partition(": ")[2].split()[0]
            near = nearest(word.partition("=")[0], options) if word.startswith("-") else ""
            message = f"{word!r} is not something `{self.prog}` takes"
            hint = f"Did you mean {near}? {hint}" if near else hint
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", hint=hint)


def common_options() -> argparse.ArgumentParser:
    """The options that every command takes, before or behind its name."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    group = parser.add_argument_group("common options")
    group.add_argument("--config", type=Path, metavar="FILE", help="the config to read instead of the usual one")
    group.add_argument("-e", "--engine", action="append", default=[], metavar="ENGINE", help="an engine; repeatable")
    group.add_argument("--group", default="", metavar="NAME", help="only the engines of this group of the config")
    group.add_argument("--context", default="", metavar="NAME", help="the engine of this docker context")
    group.add_argument(
        "--trail", type=Path, metavar="DIR", help="where the audit trail lies, instead of the usual place"
    )
    group.add_argument("--read-only", action="store_true", help="change nothing, whatever is asked")
    group.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    group.add_argument("--color", choices=COLORS, default=None, help="colours; NO_COLOR is heeded too")
    parser.add_argument("--demo", action="store_true", help=argparse.SUPPRESS)
    return parser


def _parser_of(command: Command | None, arguments: Sequence[str]) -> tuple[Parser, CommandModule]:
    common = common_options()
    if command is None:
        module = _module("dashboard")
        parser = Parser(
            prog=PROGRAM,
            parents=[common],
            description=DESCRIPTION,
            epilog=_list_of_commands(arguments),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        parser.add_argument("--version", action=ShowVersion, nargs=0, help="show the version and exit")
    else:
        module = _module(command.module)
        parser = Parser(
            prog=f"{PROGRAM} {command.name}",
            parents=[common],
            description=_sentence(command.summary),
            allow_abbrev=False,
        )
        parser.set_defaults(command=command.name)
    module.add_arguments(parser)
    return parser, module


def _module(name: str) -> CommandModule:
    return cast(CommandModule, importlib.import_module(f".commands.{name}", __package__))


def _list_of_commands(arguments: Sequence[str]) -> str:
    if "--help" not in arguments and "-h" not in arguments:
        return ""
    read_only = "--read-only" in arguments or _configured_read_only(arguments)
    lines = [f"  {c.name:<15}{c.summary}" for c in COMMANDS.values() if not (c.changes and read_only)]
    absent = "\n\nCommands that change something are absent: fleettop is read-only." if read_only else ""
    place = f"\n\nThe config is {_usual_config()} unless --config names another."
    return "commands:\n" + "\n".join(lines) + absent + "\n\n`fleettop COMMAND --help` shows what each takes." + place


def _configured_read_only(arguments: Sequence[str]) -> bool:
    given, _ = common_options().parse_known_args([word for word in arguments if word not in ("-h", "--help")])
    try:
        return _load(given.config).read_only
    except ConfigError:
        return False  # help is shown even where the config is wrong


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


# -- surroundings ------------------------------------------------------------------------------------------------------


def _load(path: Path | None) -> Config:
    if path is not None:
        return load_config(path.expanduser(), home=Path.home())
    return load_config(_usual_config(), home=Path.home(), required=False)


def _usual_config() -> Path:
    from platformdirs import user_config_path

    return user_config_path(PROGRAM) / f"{PROGRAM}.toml"


def _output(mode: str, environ: Mapping[str, str]) -> Output:
    return Output(
        sys.stdout,
        sys.stderr,
        color=wants_color(mode, environ, is_tty=_is_tty(sys.stdout)),
        error_color=wants_color(mode, environ, is_tty=_is_tty(sys.stderr)),
    )


def _is_tty(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def _request(command: Command | None, args: argparse.Namespace, config: Config, environ: Mapping[str, str]) -> Request:
    from .commands.request import Request

    return Request(
        command=command.name if command else "",
        args=args,
        config=config,
        out=_output(args.color or config.color, environ),
        environ=environ,
        home=Path.home(),
        stdin=sys.stdin,
        interactive=_is_tty(sys.stdin) and _is_tty(sys.stderr),
        screen=_is_tty(sys.stdin) and _is_tty(sys.stdout),
    )


# -- endings -----------------------------------------------------------------------------------------------------------


def _grouped(group: BaseExceptionGroup[BaseException], out: Output, environ: Mapping[str, str]) -> int:
    """What tasks that ran beside each other failed of: the one thing that says how to end, or a crash."""
    broken, _ = group.split(BrokenPipeError)
    if broken is not None:
        raise BrokenPipeError from group
    known, unknown = group.split(FleetError)
    if known is not None and unknown is None:
        error: BaseException = known
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        assert isinstance(error, FleetError)
        out.error(error)
        return exit_code(error)
    return _crashed(group, out)


def _leave_the_pipe() -> int:
    """Nobody reads any more: say nothing, and let the interpreter find nothing left to flush."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (BrokenPipeError, ValueError):
            os.dup2(nowhere, stream.fileno())
    return BROKEN_PIPE


def _crashed(error: BaseException, out: Output) -> int:
    """Something that fleettop does not know how to explain: keep the traceback in a file and say where."""
    from .crash import write_report

    try:
        path = write_report(error)
    except OSError as trouble:
        out.error(
            f"fleettop itself failed ({type(error).__name__}: {error}), and the report could not be written: {trouble}."
        )
    else:
        out.error(
            f"fleettop itself failed ({type(error).__name__}: {error}).", hint=f"The report to send along is {path}."
        )
    return CRASHED


if __name__ == "__main__":
    sys.exit(main())
