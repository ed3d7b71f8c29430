"""Changing things: plan, confirm, call, outcome.

`plan` says what a request comes to, `prepare` lets the engines have their say, `perform` does it, `confirm` looks
again at what stayed unknown. `run_at_terminal` is `perform` for what has a person at its terminal. The docker SDK is
imported when the first change is sent.
"""

from .deeds import confirm
from .draft import Target
from .nodeplan import plan_node
from .perform import perform
from .picture import Picture
from .plan import normal_signal, plan
from .prepare import prepare
from .pruneplan import plan_prune
from .recording import Recorder
from .rolling import OnHalt, Rolling
from .shellplaces import ShellPlaces, shell_places
from .shells import Terminal, run_at_terminal
from .steps import (
    Deed,
    Inspector,
    Mark,
    Outcome,
    Pace,
    Plan,
    Reach,
    Step,
    StepResult,
    Verb,
)
from .whatif import WhatIf, what_if_host, what_if_node, what_if_service

__all__ = [
    "Deed",
    "Inspector",
    "Mark",
    "OnHalt",
    "Outcome",
    "Pace",
    "Picture",
    "Plan",
    "Reach",
    "Recorder",
    "Rolling",
    "ShellPlaces",
    "Step",
    "StepResult",
    "Target",
    "Terminal",
    "Verb",
    "WhatIf",
    "confirm",
    "normal_signal",
    "perform",
    "plan",
    "plan_node",
    "plan_prune",
    "prepare",
    "run_at_terminal",
    "shell_places",
    "what_if_host",
    "what_if_node",
    "what_if_service",
]
