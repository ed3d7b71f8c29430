"""How a change is getting on: what became of each of its steps so far, whoever is looking at it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import msgspec


class ProgressStep(msgspec.Struct, frozen=True):
    """One thing that is done to one object."""

    key: Hashable
    host: str
    name: str


class StepState(msgspec.Struct, frozen=True):
    """Where a step stands."""

    outcome: str = "waiting"
    """`waiting`, `running`, or an outcome: `success`, `failure`, `refused`, `unknown`, `skipped`."""
    words: str = ""
    seconds: float | None = None


class FollowUp(msgspec.Struct, frozen=True):
    """What can be asked for once a change is over."""

    key: str
    """The key for it."""
    id: str
    words: str
    """`tries the 2 that failed again`."""


class Course:
    """The course of one change. `listener` is told which step moved on, or None for the whole."""

    def __init__(self, steps: Sequence[ProgressStep], *, on_stop: Callable[[], None] | None = None) -> None:
        """Of these steps; `on_stop` is called once, when a person wants no more of them begun."""
        self.steps = {step.key: step for step in steps}
        self.states = {step.key: StepState() for step in steps}
        self.stopping = False
        self.closing_words: str | None = None
        self.follow_ups: tuple[FollowUp, ...] = ()
        self.listener: Callable[[Hashable | None], None] | None = None
        self._on_stop = on_stop

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self.closing_words is not None

    @property
    def ended(self) -> int:
        """How many steps are over."""
        return sum(state.outcome not in ("waiting", "running") for state in self.states.values())

    def begin(self, key: Hashable, words: str = "") -> None:
        """That step is under way now, at this."""
        self._set(key, StepState("running", words))

    def report(self, key: Hashable, outcome: str, words: str = "", seconds: float | None = None) -> None:
        """That step ended so."""
        self._set(key, StepState(outcome, words, seconds))

    def stop(self) -> None:
        """Begin nothing more."""
        if not self.done and not self.stopping:
            self.stopping = True
            self._tell(None)
            if self._on_stop is not None:
                self._on_stop()

    def finish(self, words: str = "", follow_ups: Sequence[FollowUp] = ()) -> None:
        """Nothing more will come; `words` is a sentence to end with."""
        self.closing_words, self.follow_ups = words, tuple(follow_ups)
        self._tell(None)

    def _set(self, key: Hashable, state: StepState) -> None:
        if key in self.steps:
            self.states[key] = state
            self._tell(key)

    def _tell(self, key: Hashable | None) -> None:
        if self.listener is not None:
            self.listener(key)
