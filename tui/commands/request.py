"""What a command is given: its arguments, the config, the surroundings, and where to print."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec
from fleettop.collectors.config import Config
from fleettop.collectors.config.resolve import Resolution, resolve_engines

from ..output import Output

if TYPE_CHECKING:
    from fleettop.collectors.address import EngineAddress
    from fleettop.collectors.model import EngineStatus
    from fleettop.collectors.session import Session
    from fleettop.collectors.trail import OpenTrail

FINE, WRONG, USAGE, UNREACHABLE, FAILED, REFUSED = range(6)
"""The exit codes (the README lists them): fine, something was found, usage or config, an engine could not be reached,
an action failed, refused in read-only mode."""

WAYS_ON = "Name one (fleettop ssh://user@host), write a fleettop.toml, or see `fleettop demo`."
DEMO_ENGINES, DEMO_CONTAINERS = 3, 30


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one command."""

    command: str
    args: argparse.Namespace
    config: Config
    out: Output
    environ: Mapping[str, str]
    home: Path
    stdin: TextIO
    interactive: bool
    """A person sits there: standard input and error are a terminal."""
    screen: bool
    """Standard input and output are a terminal: a dashboard can be drawn."""

    @property
    def read_only(self) -> bool:
        """By the command line or by the config; neither can lift the other."""
        return bool(self.args.read_only) or self.config.read_only

    @property
    def trail_folder(self) -> Path:
        """Where the trail lies: as the command line says, else the config, else the platform's place for state."""
        given: Path | None = self.args.trail or self.config.trail.folder
        if given is not None:
            return given
        from platformdirs import user_state_path

        return user_state_path("fleettop") / "trail"

    def resolve(self) -> Resolution:
        """The engines that are meant. Raises ConfigError."""
        return resolve_engines(
            [*self.args.engine, *getattr(self.args, "engines", ())],
            self.config,
            environ=self.environ,
            home=self.home,
            group=self.args.group,
            context=self.args.context,
        )

    @asynccontextmanager
    async def addresses(self) -> AsyncIterator[tuple[EngineAddress, ...]]:
        """The engines that are meant; with `--demo` those of a small simulated fleet, which lives as long as this.

        Says what was left out, and where there is no engine at all, what was tried.
        """
        async with AsyncExitStack() as stack:
            if self.args.demo:
                from fleettop.collectors.demo import DemoFleet

                demo = await stack.enter_async_context(DemoFleet(engines=DEMO_ENGINES, containers=DEMO_CONTAINERS))
                yield demo.addresses
                return
            found = self.resolve()
            for note in found.notes:
                self.out.note(note)
            if not found.addresses:
                self.out.error("No Docker engine was found.", hint=WAYS_ON)
                for sentence in found.tried:
                    self.out.note(sentence)
            yield found.addresses

    @property
    def open_trail(self) -> OpenTrail | None:
        """How its trail is opened; None: a simulated fleet's is not kept unless a folder is named."""
        if self.args.demo and self.args.trail is None:
            return None
        from fleettop.collectors.trail import trail_in

        return trail_in(self.trail_folder)

    @asynccontextmanager
    async def session(self, *, record: bool = False) -> AsyncIterator[Session | None]:
        """The fleet, watched, when every engine has answered or failed; None (and said so) where there is no engine.

        With `record` what happens meanwhile is kept in the trail.
        """
        async with self.addresses() as addresses:
            if not addresses:
                yield None
                return
            from fleettop.collectors.session import Session

            async with Session(
                addresses,
                rules=self.config.rules,
                read_only=self.read_only,
                open_trail=self.open_trail if record else None,
                declared_by=self.config.declared_by,
            ) as session:
                await session.settled(self.args.timeout)
                session.fleet.take_changes()
                yield session

    def say_unreachable(self, session: Session) -> bool:
        """Say of each engine that cannot be reached why, and what to do. True where there is one."""
        return self.say_lost(lost_engines(session), of=len(session.fleet.engines))

    def say_lost(self, lost: Sequence[EngineStatus], *, of: int) -> bool:
        """The same for engines found lost before, `of` so many."""
        for engine in lost:
            error = engine.link.error
            if error is None:
                words = f"{engine.name} has not answered within {self.args.timeout:g} s."
                self.out.error(words, hint="--timeout waits longer.")
            else:
                words = str(error)
                self.out.error(words if engine.name in words else f"{engine.name}: {words}", hint=error.hint)
        named = self.args.engine or getattr(self.args, "engines", ()) or self.args.context or self.config.engines
        if len(lost) == of and not named:
            self.out.note(f"No Docker engine answers. {WAYS_ON}")
        return bool(lost)


def lost_engines(session: Session) -> list[EngineStatus]:
    """The engines that cannot be reached, as they are now."""
    from fleettop.collectors.model import LinkPhase

    return [engine for engine in session.fleet.engines.values() if engine.link.phase is not LinkPhase.UP]
