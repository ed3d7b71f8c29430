"""From services to specs, and from tasks to containers."""

from __future__ import annotations

from dataclasses import replace

from .catalogue import Part
from .machine import Machine
from .population import Shelf, bare_plan
from .swarm import LETTERS, Swarm
from .swarmthings import Json, Service, Task
from .things import Blueprint, Container, Fate, dice

_RESERVED = 24 << 30
"""What a task of the hungry kind reserves, so that a node has room for one."""


def spec_of(part: Part, shelf: Shelf, replicas: int | None) -> Json:
    """The spec of a service as `docker stack deploy` makes it. `replicas` None: on every node."""
    image = shelf.image(part.image, own=part.own)
    container: Json = {
        "Image": f"{image.ref}@{image.digest}",
        "Labels": {"com.docker.stack.namespace": part.stack},
        "Env": list(part.env),
        "Privileges": {"CredentialSpec": None, "SELinuxContext": None},
        "StopGracePeriod": 10_000_000_000,
        "Isolation": "default",
    }
    if part.check is not None:
        container["Healthcheck"] = {"Test": list(part.check.test), "Interval": int(part.check.interval * 1e9)}
    resources: Json = {}
    if part.memory:
        resources = {"Limits": {"MemoryBytes": part.memory}, "Reservations": {"MemoryBytes": _RESERVED}}
    ports = (
        [{"Protocol": "tcp", "TargetPort": part.port, "PublishedPort": part.publish, "PublishMode": "ingress"}]
        if part.publish
        else []
    )
    return {
        "Name": f"{part.stack}_{part.name}",
        "Labels": {"com.docker.stack.image": part.image, "com.docker.stack.namespace": part.stack},
        "TaskTemplate": {
            "ContainerSpec": container,
            "Resources": resources,
            "RestartPolicy": {"Condition": "any", "Delay": 5_000_000_000, "MaxAttempts": 0},
            "Placement": {"Platforms": [{"Architecture": "amd64", "OS": "linux"}]},
            "Networks": [{"Target": f"{part.stack}_default", "Aliases": [part.name]}],
            "ForceUpdate": 0,
            "Runtime": "container",
        },
        "Mode": {"Global": {}} if replicas is None else {"Replicated": {"Replicas": replicas}},
        "UpdateConfig": {"Parallelism": 1, "FailureAction": "pause", "MaxFailureRatio": 0, "Order": "stop-first"},
        "EndpointSpec": {"Mode": "vip", "Ports": ports} if ports else {"Mode": "vip"},
    }


class TaskContainers:
    """Makes the containers of tasks on the nodes they are assigned to."""

    def __init__(self, swarm: Swarm, shelf: Shelf, fates: dict[str, Fate]) -> None:
        self._swarm = swarm
        self._shelf = shelf
        self._fates = fates

    def launch(self, task: Task) -> Container:
        """Create and start a task's container."""
        assert task.node is not None
        machine = task.node.machine
        plan = self._plan(task, machine)
        known = plan.image.id in machine.images
        if not known:
            machine.add_image(plan.image, pulled=True)
        container = machine.create(plan)
        machine.begin(container)
        return container

    def settle(self, task: Task, *, since: float) -> None:
        """A task that has been running for long when the play begins."""
        assert task.node is not None
        machine = task.node.machine
        task.container = machine.create(self._plan(task, machine), created=since, quiet=True)
        machine.begin(task.container, since=since + 0.4, quiet=True)
        task.state, task.message, task.created, task.updated = "running", "started", since, since + 3.0

    def _plan(self, task: Task, machine: Machine) -> Blueprint:
        service = task.service
        ref = task.image.partition("@")[0]
        part = self._shelf.parts[ref.rpartition(":")[0]]
        image = self._shelf.image(ref, own=part.own)
        position = str(task.slot) if task.slot else (task.node.id if task.node is not None else "")
        labels = {
            "com.docker.stack.namespace": service.stack,
            "com.docker.swarm.node.id": task.node.id if task.node is not None else "",
            "com.docker.swarm.service.id": service.id,
            "com.docker.swarm.service.name": service.name,
            "com.docker.swarm.task": "",
            "com.docker.swarm.task.id": task.id,
            "com.docker.swarm.task.name": f"{service.name}.{position}.{task.id}",
        }
        networks = [f"{service.stack}_default"] + (["ingress"] if part.publish else [])
        for name in networks:
            if name not in machine.networks:
                self._overlay(machine, name)
        return replace(
            bare_plan(part, image),
            name=f"{service.name}.{position}.{task.id}",
            ref=task.image,
            labels=labels,
            policy="no",
            ports=(),
            networks=tuple(networks),
            aliases=(part.name,),
            fate=self._fates.get(ref),
        )

    def _overlay(self, machine: Machine, name: str) -> None:
        """The same network on every node, with addresses of its own on each."""
        chance = dice((self._swarm.id, name))
        network = machine.add_network(
            name, "overlay", subnet=f"10.{chance.randrange(1, 200)}", created=self._swarm.created, scope="swarm"
        )
        network.id = "".join(chance.choice(LETTERS) for _ in range(25))
        network.used = 40 * [node.machine for node in self._swarm.nodes.values()].index(machine)


def new_image(service: Service, shelf: Shelf, ref: str, *, age: float) -> Json:
    """The service's spec with another image, which is `age` seconds old."""
    image = shelf.image(ref, own=True, age=age)
    template = service.spec["TaskTemplate"]
    container = {**template["ContainerSpec"], "Image": f"{image.ref}@{image.digest}"}
    labels = {**service.spec["Labels"], "com.docker.stack.image": ref}
    return {**service.spec, "Labels": labels, "TaskTemplate": {**template, "ContainerSpec": container}}


def new_replicas(service: Service, replicas: int) -> Json:
    """The service's spec with another number of replicas."""
    return {**service.spec, "Mode": {"Replicated": {"Replicas": replicas}}}
