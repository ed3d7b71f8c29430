"""From a request to a plan: what would be done to which containers, and its effect in words. Pure: asks no engine."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence

import msgspec

from ..errors import ReadOnly
from ..model import Container, ContainerState, Freshness, Health, ServiceKey
from . import phrases
from .draft import Chosen, Draft, Target, choose, one_name
from .ordering import dependents
from .picture import Picture, owner_of
from .rolling import OnHalt, Rolling, at_once, by_host, halts_words, in_order, order_words, wait_for
from .scale import plan_scale
from .steps import Deed, Pace, Plan, Step, Verb
from .swarmplan import SERVICE_VERBS, plan_service_verb, plan_swarm

_RUNNING = (ContainerState.RUNNING, ContainerState.RESTARTING, ContainerState.PAUSED)
_FIT: Mapping[Verb, tuple[ContainerState, ...]] = {
    Verb.RESTART: (*_RUNNING, ContainerState.EXITED, ContainerState.CREATED),
    Verb.STOP: _RUNNING,
    Verb.START: (ContainerState.EXITED, ContainerState.CREATED),
    Verb.PAUSE: (ContainerState.RUNNING,),
    Verb.UNPAUSE: (ContainerState.PAUSED,),
    Verb.KILL: (ContainerState.RUNNING, ContainerState.PAUSED),
    Verb.EXEC: (ContainerState.RUNNING,),
}
_NOTHING = {
    Verb.RESTART: "there is no container of {title} to restart",
    Verb.STOP: "nothing of {title} runs, so there is nothing to stop",
    Verb.START: "nothing of {title} is stopped, so there is nothing to start",
    Verb.PAUSE: "nothing of {title} runs, so there is nothing to pause",
    Verb.UNPAUSE: "nothing of {title} is paused",
    Verb.KILL: "nothing of {title} runs, so there is nothing to send a signal to",
    Verb.EXEC: "nothing of {title} runs, so nothing can be run in it",
}
_SAYS = {
    Verb.RESTART: "restarts",
    Verb.STOP: "stops",
    Verb.START: "starts",
    Verb.PAUSE: "pauses",
    Verb.UNPAUSE: "resumes",
    Verb.EXEC: "runs {command} at this terminal, in",
}
_TITLES = {
    Verb.UNPAUSE: "Resume",
    Verb.KILL: "Send {signal} to",
    Verb.ROLLBACK: "Roll back",
    Verb.IMAGE: "Set the image of",
    Verb.HOLD: "Pause the update of",
    Verb.GO_ON: "Go on with the update of",
    Verb.EXEC: "Run {command} in",
}
_SIGNALS = frozenset(
    ("HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
     "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
     "PWR", "SYS")
)  # fmt: skip
_ENDING = frozenset({"SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT", "SIGABRT", "9", "15", "2", "3", "6"})
STOP_TIMEOUT = 10
"""Seconds an engine gives a container to stop by itself where nothing else is set (moby: defaultStopTimeout)."""


def plan(
    verb: Verb,
    targets: Sequence[Target],
    fleet: Picture,
    *,
    signal: str = "SIGKILL",
    to: int | None = None,
    by: int | None = None,
    image: str = "",
    command: Sequence[str] = (),
    protected: Collection[str] = (),
    read_only: bool = False,
    pace: Pace | None = None,
    rolling: Rolling | None = None,
) -> Plan:
    """What `verb` on `targets` (services and containers, on any hosts) comes to, as the fleet stands.

    `signal` is for kill; `to` or `by` for scale; `image` for setting one; `command` for exec (empty: a shell);
    `protected` are the groups of engines on which a name has to be typed; `rolling` says how many replicas of a
    service may be away at once.
    Never raises for what cannot be done: the plan's `blockers` say it. Raises ReadOnly in read-only mode. A plan that
    clones or changes a swarm's service is to be given to `prepare` before it is shown: that asks the engines.
    """
    if read_only:
        raise ReadOnly(f"To {verb.value} is a change, and fleettop runs read-only.")
    draft = Draft(fleet, pace or Pace())
    signal = normal_signal(signal)
    if verb is Verb.KILL and not signal:
        draft.block("that is no signal: write a name such as SIGTERM or HUP, or a number from 1 to 64")
        return _finished(verb, "Kill", draft, [], protected)
    if verb is Verb.AVAILABILITY:
        draft.block("only a node of a swarm has an availability")
        return _finished(verb, "Set availability", draft, [], protected)
    rolling = rolling or Rolling()
    chosen, order = in_order(verb, choose(targets, draft), draft)
    if not targets:
        draft.block("nothing is chosen")
    lanes: dict[ServiceKey, list[int]] = {}
    for one in chosen:
        first = draft.lanes
        if verb in SERVICE_VERBS:
            seconds = plan_service_verb(verb, one, draft, image=image)
        elif verb is Verb.SCALE:
            seconds = plan_scale(one, draft, to=to, by=by)
        elif one.whole and one.service is not None and one.service.key.source == "swarm" and verb in _SWARM_DOES:
            seconds = plan_swarm(verb, one, draft)
        else:
            seconds = _on_containers(verb, one, draft, signal, rolling, tuple(command))
        made = range(first, draft.lanes)
        draft.lasts.update(dict.fromkeys(made, seconds))
        if one.service is not None:
            lanes.setdefault(one.service.key, []).extend(made)
    _sum_up(chosen, draft)
    after = wait_for(order, lanes)
    seconds = max(_longest(draft, after), _bounded(draft))
    shown = draft.steps[0].command_words if draft.steps else "a shell"
    words = _TITLES.get(verb, verb.value.capitalize()).format(signal=signal, command=shown)
    title = f"{words} {one_name(chosen)}"
    title += _how(verb, draft, rolling) if len(chosen) == 1 else ""
    if verb is Verb.SCALE:
        title += f" to {to}" if to is not None else f" by {by:+d}" if by is not None else ""
    halts = rolling.rolls(verb)
    deadline = rolling.deadline or draft.pace.healthy
    if draft.steps and verb not in (Verb.UNPAUSE, Verb.EXEC):
        draft.say(order_words(verb, order, draft, after))
        draft.say(phrases.about(seconds) + _halts(verb, draft, rolling, deadline))
    made_plan = _finished(verb, title, draft, chosen, protected, seconds)
    return msgspec.structs.replace(
        made_plan, widths=dict(draft.widths), after=after, halts=halts, deadline=rolling.deadline
    )


def _how(verb: Verb, draft: Draft, rolling: Rolling) -> str:
    """How it goes over the replicas of the one service, for the title."""
    if not rolling.rolls(verb) or len(draft.steps) < 2:
        return ""
    width = max(draft.widths.values(), default=1)
    return ", one after the other" if width == 1 else f", {width} at a time"


def _sum_up(chosen: Sequence[Chosen], draft: Draft) -> None:
    """Of several services the sum first: how many on how many hosts, and how many of them are down meanwhile."""
    if len(chosen) < 2 or not draft.steps:
        return
    steps = phrases.count(len(draft.steps), "change")
    downs = ""
    if draft.downs:
        downs = f"; nothing keeps serving of {len(draft.downs)} of them: {phrases.names(draft.downs)}"
    services = phrases.count(len({step.service or step.object_id for step in draft.steps}), "service")
    draft.sentences.insert(0, f"In all {steps} to {services} on {phrases.names(draft.hosts)}{downs}.")


_SWARM_DOES = (Verb.RESTART, Verb.STOP, Verb.START)


def normal_signal(text: str) -> str:
    """`SIGHUP` for hup, HUP, SIGHUP; a number stays one; empty for what is no signal."""
    name = text.strip().upper().removeprefix("SIG")
    if name.isascii() and name.isdigit():
        return name if 1 <= int(name) <= 64 else ""
    if name in _SIGNALS or re.fullmatch(r"RTM(IN|AX)([+-]\d{1,2})?", name):
        return f"SIG{name}"
    return ""


def _finished(
    verb: Verb,
    title: str,
    draft: Draft,
    chosen: Sequence[Chosen],
    protected: Collection[str],
    seconds: float = 0.0,
) -> Plan:
    """The plan; where something remains to be done, what cannot be is a warning."""
    possible = bool(draft.steps)
    blockers = () if possible else tuple(draft.blockers) or (*draft.warnings,)
    warnings = (*draft.blockers, *draft.warnings) if possible else tuple(draft.warnings) if draft.blockers else ()
    for host in draft.hosts:
        if possible and draft.fleet.freshness(host) is Freshness.LATE:
            warnings += (f"What is known of {host} is more than 15 s old.",)
    return Plan(
        verb=verb,
        title=title,
        sentences=tuple(draft.sentences) if possible else (),
        steps=tuple(draft.steps),
        blockers=tuple(dict.fromkeys(blockers)),
        warnings=tuple(dict.fromkeys(warnings)),
        hosts=tuple(draft.hosts),
        name_to_type=_typed(draft, chosen, protected) if possible else "",
        seconds=seconds if possible else None,
    )


def _typed(draft: Draft, chosen: Sequence[Chosen], protected: Collection[str]) -> str:
    """The name to type: wanted for a removal, or more than one host, in a protected group (PRODUCT: keys)."""
    groups = [draft.fleet.engines[host].group for host in draft.hosts if host in draft.fleet.engines]
    group = next((group for group in groups if group and group in protected), "")
    if not group or (len(draft.hosts) < 2 and not draft.removes):
        return ""
    return chosen[0].title if len(chosen) == 1 else group


# -- containers --------------------------------------------------------------------------------------------------------


def _on_containers(
    verb: Verb, one: Chosen, draft: Draft, signal: str, rolling: Rolling, command: tuple[str, ...]
) -> float:
    """Steps on the chosen containers themselves. Returns the seconds they take, about."""
    fit = [container for container in one.containers if container.state in _FIT[verb]]
    if not fit:
        if one.containers or not one.members:
            draft.block(_NOTHING[verb].format(title=one.title))
        else:
            draft.block(f"no replica of {one.title} can be reached")
        return 0.0
    rolls = rolling.rolls(verb)
    fit = by_host(fit) if rolls else sorted(fit, key=lambda c: (c.engine, c.name))
    width = at_once(rolling, one, fit, draft) if rolls else len(fit)
    lane = draft.lane()
    if rolls and width > 1:
        draft.widths[lane] = width
    for container in fit:
        step = _step(verb, container, one, lane, signal)
        draft.steps.append(msgspec.structs.replace(step, command=command) if command else step)
        if not rolls and container is not fit[-1]:
            lane = draft.lane()
    draft.touches(container.engine for container in fit)
    effect = _effect(verb, fit, one, signal, width)
    if effect.startswith("None keeps serving"):
        draft.downs.append(one.title)
    draft.say(f"{_what(verb, signal, draft.steps[-1])} {_who(fit, one, verb)}{_at_a_time(verb, fit, width)}", effect)
    _warn_of_owner(verb, fit, draft)
    _warn_of_rest(verb, fit, one, draft)
    costs = [_seconds(verb, container, draft.pace) for container in fit]
    return sum(costs) / width if rolls else max(costs)


def _step(verb: Verb, container: Container, one: Chosen, lane: int, signal: str) -> Step:
    return Step(
        engine=container.engine,
        deed=Deed(verb.value),
        object_id=container.id,
        object_name=container.name,
        lane=lane,
        waits=verb in (Verb.RESTART, Verb.START),
        served=container.serving,
        service=one.service.key if one.service is not None else None,
        service_name=one.title if one.service is not None else "",
        signal=signal if verb is Verb.KILL else "",
        stop_timeout=container.detail.stop_timeout if container.detail is not None else None,
    )


def _what(verb: Verb, signal: str, step: Step) -> str:
    return f"sends {signal} to" if verb is Verb.KILL else _SAYS[verb].format(command=step.command_words)


def _who(fit: Sequence[Container], one: Chosen, verb: Verb) -> str:
    hosts = phrases.names(c.engine for c in fit)
    if one.lone or verb is Verb.EXEC:
        return f"{phrases.names(c.name for c in fit)} on {hosts}"
    total = max(len(one.members), len(fit))
    return f"{len(fit)} of {phrases.count(total, 'replica')} of {one.title} on {hosts}"


def _at_a_time(verb: Verb, fit: Sequence[Container], width: int) -> str:
    if width >= len(fit):
        return ""
    if verb is Verb.RESTART:
        return f"; at most {width} at a time {'is' if width == 1 else 'are'} down"
    return "; one after the other" if width == 1 else f"; {width} at a time"


def _effect(verb: Verb, fit: Sequence[Container], one: Chosen, signal: str, width: int) -> str:
    serving = sum(1 for c in one.members if c.serving)
    hit = sum(1 for c in fit if c.serving)
    if verb is Verb.START:
        return ""
    if verb is Verb.EXEC:
        return "The trail keeps that it was run, why, and how it ended; nothing of what is typed or shown"
    if verb is Verb.UNPAUSE:
        return "They go on where they were" if len(fit) > 1 else "It goes on where it was"
    if verb is Verb.KILL and signal not in _ENDING:
        return "What a program does at that signal is its own affair"
    if hit == 0:
        return (
            f"Now {serving} of {len(one.members)} serve, so none is lost" if not one.lone else "It does not serve now"
        )
    left = serving - (min(width, hit) if verb is Verb.RESTART else hit)
    if left > 0:
        return f"{left} {'keeps' if left == 1 else 'keep'} serving"
    until = {
        Verb.RESTART: "meanwhile",
        Verb.STOP: "until it is started again",
        Verb.PAUSE: "until it is resumed; it keeps its memory and answers nothing",
        Verb.KILL: "unless it is started again; it cannot finish what it does"
        if signal in ("SIGKILL", "9")
        else "after",
    }[verb]
    return f"None keeps serving: {one.title} is down {until}" if not one.lone else f"It is down {until}"


def _warn_of_rest(verb: Verb, fit: Sequence[Container], one: Chosen, draft: Draft) -> None:
    """What a stop leaves: services that need it, and replicas that all stand on one host."""
    if verb not in (Verb.STOP, Verb.KILL, Verb.PAUSE) or one.service is None:
        return
    touched = {container.key for container in fit}
    left = [member for member in one.members if member.serving and member.key not in touched]
    hosts = list(dict.fromkeys(member.engine for member in left))
    if len(hosts) == 1 and len({member.engine for member in one.members if member.serving}) > 1:
        draft.warn(f"what keeps serving of {one.title} is all on {hosts[0]}")
    if not left:
        needing = [draft.fleet.services[key] for key in dependents(draft.fleet, one.service.key)]
        names = phrases.names(service.title for service in needing if service.serving)
        if names:
            draft.warn(f"what depends on {one.title} then lacks it: {names}")


def _warn_of_owner(verb: Verb, fit: Sequence[Container], draft: Draft) -> None:
    for owner in dict.fromkeys(filter(None, map(owner_of, fit))):
        if verb is Verb.RESTART:
            draft.warn(f"{owner} may replace what is restarted by hand: it sees its container die")
        elif verb in (Verb.STOP, Verb.KILL):
            draft.warn(f"{owner} undoes this: it starts another for what ends")
        elif verb is Verb.START:
            draft.warn(f"{owner} did not start this and may end it again")
        elif verb is Verb.PAUSE and any(c.health is not Health.NONE for c in fit):
            draft.warn(f"{owner} replaces what is paused once its health check fails")


# -- estimates ---------------------------------------------------------------------------------------------------------


def _seconds(verb: Verb, container: Container, pace: Pace) -> float:
    """Stopping takes at most its stop timeout; coming up, a health check's interval or the settle time."""
    detail = container.detail
    limit = detail.stop_timeout if detail is not None else None
    stop = float(limit if limit is not None and limit >= 0 else STOP_TIMEOUT)
    stop = stop if container.state in _RUNNING else 0.0
    if verb is Verb.STOP:
        return stop
    if verb is Verb.START:
        return _coming_up(container, pace)
    return stop + _coming_up(container, pace) if verb is Verb.RESTART else 1.0


def _coming_up(container: Container, pace: Pace) -> float:
    if container.health is Health.NONE:
        return pace.settle
    log = container.detail.health_log if container.detail is not None else ()
    starts = [probe.start for probe in log if probe.start is not None]
    gaps = [(after - before).total_seconds() for before, after in itertools.pairwise(starts)]
    return min(max(pace.settle, min(gaps)) if gaps else 5.0, pace.healthy)


def _longest(draft: Draft, after: Mapping[int, Sequence[int]]) -> float:
    """The lanes run beside each other, but for those that wait for others."""
    ends: dict[int, float] = {}
    for lane in range(draft.lanes):  # those waited for have lower numbers
        begin = max((ends[before] for before in after.get(lane, ())), default=0.0)
        ends[lane] = begin + draft.lasts.get(lane, 0.0)
    return max(ends.values(), default=0.0)


def _bounded(draft: Draft) -> float:
    """What many steps on one host cost, of which only some run at once."""
    per_host: dict[str, int] = {}
    for step in draft.steps:
        if step.deed is not Deed.RESTART:
            per_host[step.engine] = per_host.get(step.engine, 0) + 1
    busiest = max(per_host.values(), default=0)
    return float(busiest // draft.pace.per_host)


def _halts(verb: Verb, draft: Draft, rolling: Rolling, deadline: float) -> str:
    if len(draft.steps) > 1 and rolling.rolls(verb):
        return f"; {halts_words(rolling, deadline, verb)}"
    lanes = [step.lane for step in draft.steps if step.waits]
    if len(lanes) > len(set(lanes)):
        return f"; stops at the first that does not become healthy in {draft.pace.healthy:.0f} s"
    if len(draft.steps) > 1 and rolling.on_halt is OnHalt.BACK:
        return "; where one fails, takes back what was done"
    return ""
