"""A simulated swarm: nodes, services, tasks, and the orchestrator that makes the tasks what the services want.

swarmkit's ways, shortened: a task goes pending, assigned, preparing, starting, running; one that ended is replaced by
another in the same slot; an update replaces tasks one after the other; a node that is gone loses its tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from ..errors import Rejected
from .agenda import Agenda
from .machine import Machine
from .swarmthings import OVER, Json, Node, Service, Task
from .things import Container, dice

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
KEPT_TASKS = 1
"""Ended tasks kept for each slot."""
HEARTBEAT = 6.0
"""Seconds until a silent node counts as down."""


class Launcher(Protocol):
    """Makes the containers of tasks."""

    def launch(self, task: Task) -> Container:
        """Create and start a task's container on its node."""
        ...


class Swarm:
    """The whole of it. Managers tell its events; workers only run tasks."""

    def __init__(self, machines: tuple[Machine, ...], *, agenda: Agenda, seed: int) -> None:
        self.agenda = agenda
        self.chance = dice(("swarm", seed))
        self.id = self.make_id()
        self.created = agenda.now - 40 * 86_400.0
        self.index = 1_000
        self.services: dict[str, Service] = {}
        self.nodes: dict[str, Node] = {}
        self.launcher: Launcher | None = None
        managers = 3 if len(machines) >= 3 else 1
        for number, machine in enumerate(machines):
            node = Node(
                id=self.make_id(),
                machine=machine,
                role="manager" if number < managers else "worker",
                address=f"10.20.0.{11 + number}",
                version=self.next_index(),
                created=self.created + number * 60,
                updated=self.created + number * 60,
            )
            self.nodes[node.id] = node
            machine.on_end = self._ended

    # -- finding

    def make_id(self) -> str:
        """A random id as swarmkit makes them."""
        return "".join(self.chance.choice(LETTERS) for _ in range(25))

    def next_index(self) -> int:
        """The next version of anything."""
        self.index += 1
        return self.index

    def node_of(self, machine: Machine) -> Node | None:
        """A machine's node; None: it is in no swarm."""
        return next((node for node in self.nodes.values() if node.machine is machine), None)

    @property
    def managers(self) -> list[Node]:
        """All managers, also those that are gone."""
        return [node for node in self.nodes.values() if node.role == "manager"]

    @property
    def leader(self) -> Node | None:
        """Who leads; None: no quorum."""
        there = [node for node in self.managers if node.machine.powered]
        return there[0] if 2 * len(there) > len(self.managers) else None

    def find_service(self, reference: str) -> Service:
        """By id, name or start of an id. Raises Rejected (404)."""
        for service in self.services.values():
            if reference in (service.id, service.name):
                return service
        for service in self.services.values():
            if service.id.startswith(reference):
                return service
        raise Rejected(f"service {reference} not found", status=404)

    def find_node(self, reference: str) -> Node:
        """By id, host name or start of an id. Raises Rejected (404)."""
        for node in self.nodes.values():
            if reference in (node.id, node.machine.name) or node.id.startswith(reference):
                return node
        raise Rejected(f"node {reference} not found", status=404)

    def tasks(self) -> Iterator[Task]:
        """All tasks, also those that are over."""
        for service in self.services.values():
            yield from service.tasks

    # -- changes from outside

    def tell(self, kind: str, action: str, actor: str, attributes: Mapping[str, str]) -> None:
        """Every manager says that something happened."""
        for node in self.managers:
            if node.machine.powered:
                node.machine.tell(kind, action, actor, attributes, scope="swarm")

    def create(self, spec: Json, *, created: float | None = None) -> Service:
        """A new service; its tasks come by themselves, unless it has been there for long."""
        now = self.agenda.now if created is None else created
        service = Service(self.make_id(), spec, self.next_index(), now, now)
        self.services[service.id] = service
        if created is None:
            self.tell("service", "create", service.id, {"name": service.name})
            self.poke(service)
        return service

    def update(self, service: Service, spec: Json, *, version: int) -> None:
        """Another spec. Raises Rejected (500) where `version` is not the present one."""
        if version != service.version:
            raise Rejected("rpc error: code = Unknown desc = update out of sequence", status=500)
        told = {"name": service.name}
        old_wanted, old_image, old_template = service.wanted, service.image, service.template
        service.previous, service.spec = service.spec, spec
        service.version, service.updated = self.next_index(), self.agenda.now
        if old_wanted is not None and service.wanted is not None and old_wanted != service.wanted:
            told |= {"replicas.new": str(service.wanted), "replicas.old": str(old_wanted)}
        if old_image != service.image:
            told |= {"image.new": service.image, "image.old": old_image}
        self.tell("service", "update", service.id, told)
        if old_template != service.template:
            self._update_state(service, "updating", "update in progress")
        self.poke(service)

    def rollback(self, service: Service, *, version: int) -> None:
        """Back to the spec before. Raises Rejected: 400 where there is none, 500 for another version."""
        if service.previous is None:
            raise Rejected(
                "rpc error: code = FailedPrecondition desc = service does not have a previous spec", status=400
            )
        self.update(service, service.previous, version=version)
        if service.update is not None and service.update["State"] == "updating":
            self._update_state(service, "rollback_started", "rollback in progress")

    def remove(self, service: Service) -> None:
        """The service and all its tasks go."""
        service.removed = True
        del self.services[service.id]
        self.tell("service", "remove", service.id, {"name": service.name})
        for task in tuple(service.tasks):
            self._dismiss(task, forget=True)

    def update_node(self, node: Node, spec: Json, *, version: int) -> None:
        """Another role, availability or labels. Raises Rejected (500) where `version` is not the present one."""
        if version != node.version:
            raise Rejected("rpc error: code = Unknown desc = update out of sequence", status=500)
        told = {"name": node.machine.name}
        availability = str(spec.get("Availability") or node.availability)
        if availability != node.availability:
            told |= {"availability.new": availability, "availability.old": node.availability}
        node.availability, node.role = availability, str(spec.get("Role") or node.role)
        node.labels = {str(k): str(v) for k, v in (spec.get("Labels") or {}).items()}
        node.version, node.updated = self.next_index(), self.agenda.now
        self.tell("node", "update", node.id, told)
        if availability == "drain":
            for task in [t for t in self.tasks() if t.node is node and t.desired == "running"]:
                self._dismiss(task)
        for service in self.services.values():
            self.poke(service)

    def power(self, machine: Machine) -> None:
        """A machine went or came back; the managers notice after a while."""
        node = self.node_of(machine)
        if node is not None:
            wait = 1.5 if machine.powered else HEARTBEAT
            self.agenda.after(wait, lambda: self._node_state(node, machine.powered))

    def _node_state(self, node: Node, powered: bool) -> None:
        state = "ready" if powered else "down"
        if node.machine.powered is not powered or node.state == state:
            return
        old, node.state = node.state, state
        node.message = "" if powered else 'heartbeat failure for node in "ready" state'
        node.version, node.updated = self.next_index(), self.agenda.now
        self.tell("node", "update", node.id, {"name": node.machine.name, "state.new": state, "state.old": old})
        for task in [t for t in self.tasks() if t.node is node]:
            if not powered and task.desired == "running":
                task.desired = "shutdown"
            elif powered and task.state not in OVER:
                self._move(task, "failed", "shutdown", error="task: non-zero exit (255)")
        for service in self.services.values():
            self.poke(service)

    # -- the orchestrator

    def poke(self, service: Service, seconds: float = 0.15) -> None:
        """Look at a service soon: something is not as it wants."""
        if not service.poked:
            service.poked = True
            self.agenda.after(seconds, lambda: self._reconcile(service))

    def _reconcile(self, service: Service) -> None:
        service.poked = False
        if service.removed or self.leader is None:
            return
        live = [task for task in service.tasks if task.desired == "running"]
        if service.wanted is None:
            self._one_each(service, live)
        else:
            self._slots(service, live, service.wanted)
        for task in service.tasks:
            if task.state == "pending":
                self._assign(task)
        self._roll(service)
        self._forget(service)

    def _slots(self, service: Service, live: list[Task], wanted: int) -> None:
        taken = {task.slot for task in live}
        for task in sorted(live, key=lambda t: (t.state == "running", -t.slot))[: max(0, len(live) - wanted)]:
            self._dismiss(task, forget=True)
        slot = 0
        for _ in range(wanted - len(live)):
            slot = next(n for n in range(slot + 1, slot + len(taken) + 2) if n not in taken)
            self._new_task(service, slot)

    def _one_each(self, service: Service, live: list[Task]) -> None:
        for node in self.nodes.values():
            here = [task for task in live if task.node is node]
            usable = node.state == "ready" and node.availability == "active"
            if usable and not here:
                self._new_task(service, 0, node)
            for task in here if not usable and node.state == "ready" else ():
                self._dismiss(task)

    def _new_task(self, service: Service, slot: int, node: Node | None = None) -> Task:
        now = self.agenda.now
        task = Task(
            self.make_id(), service, slot, service.template, service.image, now, now, self.next_index(),
            state="pending", message="pending task scheduling", memory=service.reserved, node=node,
        )  # fmt: skip
        service.tasks.append(task)
        return task

    def _assign(self, task: Task) -> None:
        node = task.node or self._place(task)
        if node is None:
            ready = sum(1 for n in self.nodes.values() if n.state == "ready" and n.availability == "active")
            nodes = f"{ready} node{'s' if ready != 1 else ''}"
            task.error = f"no suitable node (insufficient resources on {nodes})" if ready else "no suitable node"
            return
        task.node, task.error = node, ""
        self._move(task, "assigned", task.desired, message="scheduler assigned task to node")
        self._then(task, 0.1, "preparing", self._prepare)

    def _place(self, task: Task) -> Node | None:
        """The node with the fewest tasks that has the memory."""
        usable: list[tuple[int, int, Node]] = []
        for number, node in enumerate(self.nodes.values()):
            here = [t for t in self.tasks() if t.node is node and t.desired == "running" and t.state not in OVER]
            free = node.machine.memory - sum(t.memory for t in here)
            same = sum(1 for t in here if t.service is task.service)
            if node.state == "ready" and node.availability == "active" and task.memory <= free:
                usable.append((same * 100 + len(here), number, node))
        return min(usable)[2] if usable else None

    def _prepare(self, task: Task) -> None:
        self._then(task, self.chance.uniform(0.2, 0.6), "starting", self._launch)

    def _launch(self, task: Task) -> None:
        if self.launcher is None or task.node is None or not task.node.machine.powered:
            return
        task.container = self.launcher.launch(task)
        ready = task.container.plan.nature.ready_seconds + 0.05 if task.container.plan.check else 0.05
        self._then(task, ready, "running", self._runs)

    def _runs(self, task: Task) -> None:
        task.message = "started"
        self.poke(task.service)

    def _then(self, task: Task, seconds: float, state: str, action: Callable[[Task], None]) -> None:
        before = task.state

        def go() -> None:
            if task.state == before and task.desired == "running" and not task.service.removed:
                self._move(task, state, task.desired, message=state)
                action(task)

        self.agenda.after(seconds, go)

    def _roll(self, service: Service) -> None:
        """An update under way goes on with the next task, or is done."""
        live = [task for task in service.tasks if task.desired == "running"]
        old = [task for task in live if task.made_from != service.template]
        if not old:
            self._finish_update(service, live)
            return
        if all(task.state == "running" for task in live if task.made_from == service.template):
            self._dismiss(min(old, key=lambda task: task.slot))

    def _finish_update(self, service: Service, live: list[Task]) -> None:
        state = service.update["State"] if service.update is not None else ""
        if state not in ("updating", "rollback_started") or any(task.state != "running" for task in live):
            return
        if state == "updating":
            self._update_state(service, "completed", "update completed")
        else:
            self._update_state(service, "rollback_completed", "rollback completed")

    def _update_state(self, service: Service, state: str, message: str) -> None:
        old = service.update["State"] if service.update is not None else ""
        begun = service.update["StartedAt"] if service.update is not None and old == "updating" else self.agenda.now
        if state == "updating":
            begun = self.agenda.now
        service.update = {"State": state, "StartedAt": begun, "Message": message}
        if state.endswith("completed"):
            service.update["CompletedAt"] = self.agenda.now
        service.version = self.next_index()
        told = {"name": service.name, "updatestate.new": state}
        if old:
            told["updatestate.old"] = old
        self.tell("service", "update", service.id, told)

    def _dismiss(self, task: Task, *, forget: bool = False) -> None:
        """A task is no longer wanted: its container is stopped, and removed where nobody needs to see it again."""
        task.desired = "remove" if forget else "shutdown"
        task.stopping = True

        def over() -> None:
            if task.state not in OVER:
                self._move(task, "shutdown", task.desired, message="shutdown")
            if forget:
                self._drop(task)
            self.poke(task.service)

        container = task.container
        machine = task.node.machine if task.node is not None else None
        if container is None or machine is None or not container.alive or not machine.powered:
            over()
        else:
            machine.stop(container, timeout=10, done=over)

    def _ended(self, container: Container) -> None:
        """A container ended: if it was a task's and nobody dismissed that, another takes its place."""
        if "com.docker.swarm.task.id" not in container.labels:
            return
        task = next((t for t in self.tasks() if t.container is container), None)
        if task is None or task.stopping or task.state in OVER:
            return
        task.exit_code = container.exit_code
        bad = container.exit_code != 0
        words = f"task: non-zero exit ({container.exit_code})" if bad else ""
        self._move(task, "failed" if bad else "complete", "shutdown", message="started", error=words)
        self.poke(task.service, task.service.retry)

    def _move(self, task: Task, state: str, desired: str, *, message: str = "", error: str = "") -> None:
        task.state, task.desired, task.updated = state, desired, self.agenda.now
        task.version = self.next_index()
        task.message, task.error = message or task.message, error

    def _forget(self, service: Service) -> None:
        """Of each slot only the newest ended tasks are kept."""
        slots: dict[object, int] = {}
        for task in reversed(tuple(service.tasks)):
            if task.state in OVER:
                key = task.slot or task.node
                slots[key] = slots.get(key, 0) + 1
                if slots[key] > KEPT_TASKS:
                    self._drop(task)

    def _drop(self, task: Task) -> None:
        if task in task.service.tasks:
            task.service.tasks.remove(task)
        if task.container is not None and task.node is not None and not task.container.removed:
            task.node.machine.remove(task.container, force=True, done=lambda: None)
