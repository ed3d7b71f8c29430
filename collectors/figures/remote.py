"""Counters read on a host over SSH, by one shell that stays open there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from ..clock import Clock
from ..engine.stats import StatsSample
from ..links.lineshell import LineShell, ShellTrouble
from .answer import Answer, sample_of, understood
from .places import Places
from .target import Target

DEADLINE = 8.0
"""Seconds for an answer."""
ROW = 160
"""Bytes of an answer for one container, at most; and for what stands around them."""
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 600.0
"""Seconds after which a shell that failed is started again, twice as many each time."""
IN_VAIN = 3
"""Answers in which no container at all was found, after which the host is taken to show none of them."""

OpenShell = Callable[[], Awaitable[LineShell | None]]


class RemoteFigures:
    """Over one SSH link. Starts its shell when first asked, and comes back to a host where that failed."""

    def __init__(self, open_shell: OpenShell, clock: Clock) -> None:
        self._open_shell = open_shell
        self._clock = clock
        self._shell: LineShell | None = None
        self._places = Places()
        self._number = 0
        self._vain = 0
        self._why = ""
        self._pause = FIRST_PAUSE
        self._not_before = float("-inf")

    @property
    def words(self) -> str:
        """How, or why not, for a person."""
        if self._why:
            return f"asked of the engine, since on the host they cannot be read: {self._why}"
        return "read on the host over ssh"

    @property
    def _resting(self) -> bool:
        return self._shell is None and self._clock.monotonic() < self._not_before

    def serves(self, target: Target) -> bool:
        """Yes, until the host or this container shows otherwise."""
        return not self._resting and self._places.serves(target)

    async def read(self, targets: Sequence[Target]) -> dict[str, StatsSample]:
        """The counters now, by id. Where the shell fails: nothing, and nothing for a while."""
        if not targets or self._resting:
            return {}
        try:
            return await self._read(targets)
        except ShellTrouble as error:
            self._fail(str(error))
            return {}
        except BaseException:  # cancelled in the middle of an answer: the rest of it would be taken for the next
            self.close()
            raise

    async def _read(self, targets: Sequence[Target]) -> dict[str, StatsSample]:
        shell = await self._opened()
        for line in self._places.lines(targets, self._clock.monotonic()):
            shell.tell(line)
        wanted, whose = self._places.question(targets)
        self._number += 1
        lines = await shell.ask(
            f"{self._number} {wanted}",
            end=f"end {self._number}",
            most=ROW * (len(whose) + 2),
            deadline=DEADLINE,
        )
        answer = understood(lines, self._number)
        if answer is None or answer.counters.keys() - whose.keys():
            raise ShellTrouble("the host's shell answers what makes no sense")
        return self._found(answer, whose, {target.id: target for target in targets})

    async def _opened(self) -> LineShell:
        if self._shell is None:
            self._places = Places()
            self._shell = await self._open_shell()
            if self._shell is None:
                raise ShellTrouble("there is no connection to it")
        return self._shell

    def _found(self, answer: Answer, whose: dict[int, str], targets: dict[str, Target]) -> dict[str, StatsSample]:
        now = self._clock.monotonic()
        found: dict[str, StatsSample] = {}
        for place, container_id in whose.items():
            counters, limit = answer.counters.get(place), targets[container_id].limit
            sample = sample_of(counters, at=now, since_boot=answer.uptime, limit=limit) if counters else None
            if sample is None:
                self._places.lost(container_id, now)
            else:
                self._places.found(container_id)
                found[container_id] = sample
        self._vain = 0 if found else self._vain + 1
        if self._vain >= IN_VAIN:
            raise ShellTrouble("no container's counters are to be seen there")
        if found:
            self._why, self._pause = "", FIRST_PAUSE
        return found

    def _fail(self, why: str) -> None:
        self.close()
        self._why, self._vain = why, 0
        self._not_before = self._clock.monotonic() + self._pause
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)

    def forget(self, known: frozenset[str]) -> None:
        """Only these containers exist."""
        self._places.forget(known)

    def close(self) -> None:
        """End the shell."""
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.close()
