"""C: what keeps a container within bounds and alive: limits, ports, restarts, health, images."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import ContainerState
from ..model.posture import ContainerPosture, ServicePosture, SwarmPosture
from ..words import familiar_image, image_parts
from .facts import EngineFacts, FleetFacts
from .finding import Check, Found, Severity, Unknown, of_containers, of_services, together

Said = Iterator[Found | Unknown]
PRIVILEGED = 1024
EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - what an engine tells, nothing listens here
MOST_RETRIES = 5
SWARM_TASK = "com.docker.swarm.task.id"


def _memory(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    if not container.memory:
        yield Found(evidence="HostConfig.Memory = 0")


def _cpu(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    if not container.cores and not container.cpu_shares:
        yield Found(evidence="HostConfig NanoCpus, CpuQuota and CpuShares = 0")


def _pids(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    if container.pids is None:
        yield Found(evidence="HostConfig.PidsLimit is not set")


def _read_only(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    if not container.read_only:
        yield Found(evidence="HostConfig.ReadonlyRootfs = false")


def _ports(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    published = [port for port in container.ports if port.public is not None]
    anywhere = sorted({f"{p.public}/{p.protocol}" for p in published if (p.ip or "") in EVERY_ADDRESS})
    low = sorted({f"{p.public}/{p.protocol}" for p in published if (p.public or 0) < PRIVILEGED})
    if anywhere:
        yield Found(evidence=f"Ports {', '.join(anywhere)} on every address")
    if low:
        yield Found(
            evidence=f"Ports {', '.join(low)}",
            sentence=f"a port of the host below {PRIVILEGED} is taken",
            severity=Severity.LOW,
            remedy='ports: ["127.0.0.1:8080:80"]   # a higher one behind a proxy',
        )


def _service_ports(service: ServicePosture, _swarm: SwarmPosture, _: FleetFacts) -> Said:
    if service.ports:
        ports = ", ".join(f"{port.public}/{port.protocol}" for port in service.ports)
        yield Found(
            evidence=f"Endpoint.Ports {ports}",
            sentence="published on every address of every node",
            remedy="ports: [{ target: 80, published: 8080, mode: host }]   # and a firewall; a swarm binds no address",
        )


def _restarts(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    policy = container.restart_policy
    if SWARM_TASK in container.labels or container.auto_remove:
        return  # the swarm starts another; one that is removed is not meant to come back
    if policy in ("", "no"):
        yield Found(evidence=f"RestartPolicy.Name = {policy or 'not set'}", sentence="nothing starts it again")
    elif policy == "on-failure" and 0 < container.restart_retries <= MOST_RETRIES:
        return
    elif policy == "on-failure" and container.restart_retries:
        retries = f"RestartPolicy.MaximumRetryCount = {container.restart_retries}"
        yield Found(evidence=retries, sentence=f"more than {MOST_RETRIES} restarts in a row are allowed")
    else:
        yield Found(
            evidence=f"RestartPolicy.Name = {policy}",
            sentence="it is started again without end",
            severity=Severity.LOW,
        )


def _health(container: ContainerPosture, _engine: EngineFacts, _: FleetFacts) -> Said:
    if not container.health_check and container.health in ("", "none"):
        yield Found(evidence="Config.Healthcheck is not set")
    elif container.state is not ContainerState.RUNNING:
        return  # an engine keeps what the check said last
    elif container.health == "unhealthy" or container.failing_streak:
        streak = container.failing_streak
        state = f"it is {container.health}" if container.health == "unhealthy" else "its health check fails"
        yield Found(
            evidence=f"State.Health = {container.health}, FailingStreak = {streak}",
            sentence=state,
            severity=Severity.HIGH if container.health == "unhealthy" else Severity.MEDIUM,
            remedy="docker inspect --format '{{json .State.Health.Log}}' " + container.name,
        )


def _image(container: ContainerPosture, engine: EngineFacts, _: FleetFacts) -> Said:
    named, tag = image_parts(container.image)[:2]
    if "images" in engine.untold and "@" not in container.image:
        yield Unknown(engine.untold["images"])
    if "@" in container.image or not named:
        return
    if tag in ("", "latest"):
        yield Found(evidence=f"Config.Image = {container.image}", sentence="its image is whatever is latest")
    wanted = familiar_image(container.image)
    now = [image for image in engine.images if any(familiar_image(tag) == wanted for tag in image.tags)]
    if now and container.image_id and all(image.id != container.image_id for image in now):
        sentence = "its tag means another image now than when it was made"
        yield Found(evidence=f"Image = {container.image_id[:19]}, {wanted} = {now[0].id[:19]}", sentence=sentence)
    own = next((image for image in engine.images if image.id == container.image_id), None)
    if own is not None and not own.digests:
        yield Found(
            evidence="RepoDigests is empty",
            sentence="its image came from no registry: no other host can have the same",
            severity=Severity.LOW,
            remedy=f"docker push {container.image}   # and deploy it from the registry, by its digest",
        )


CHECKS = (
    Check(
        id="C09",
        title="no memory limit",
        severity=Severity.HIGH,
        source="HostConfig.Memory",
        cis="5.11",
        why="One that leaks takes the host's memory, and the kernel kills others for it.",
        remedy="mem_limit: 512m   # or deploy: { resources: { limits: { memory: 512M } } }",
        look=of_containers(_memory),
    ),
    Check(
        id="C10",
        title="no CPU limit",
        severity=Severity.LOW,
        source="HostConfig NanoCpus, CpuQuota, CpuShares",
        cis="5.12",
        why="One that spins slows everything on its host.",
        remedy="cpus: 1.0   # or deploy: { resources: { limits: { cpus: '1.0' } } }",
        look=of_containers(_cpu),
    ),
    Check(
        id="C11",
        title="no limit of processes",
        severity=Severity.MEDIUM,
        source="HostConfig.PidsLimit",
        cis="5.29",
        why="A fork bomb, or threads that are never ended, stop the whole host.",
        remedy="pids_limit: 512",
        look=of_containers(_pids),
    ),
    Check(
        id="C12",
        title="its own file system can be written",
        severity=Severity.LOW,
        source="HostConfig.ReadonlyRootfs",
        cis="5.13",
        why="Who breaks in can put programs there; and data that is written there is lost with it.",
        remedy="read_only: true\ntmpfs: [/tmp]",
        look=of_containers(_read_only),
    ),
    Check(
        id="C13",
        title="published on every address",
        severity=Severity.MEDIUM,
        source="NetworkSettings.Ports; a service's Endpoint.Ports",
        cis="5.8, 5.14",
        why="It answers on networks it was not meant for; Docker's rules stand before the host's firewall.",
        remedy='ports: ["127.0.0.1:8080:8080"]   # the one address it is for',
        look=together(of_containers(_ports), of_services(_service_ports)),
    ),
    Check(
        id="C14",
        title="restart policy is missing or endless",
        severity=Severity.MEDIUM,
        source="HostConfig.RestartPolicy",
        cis="5.15",
        why="Without one it stays down after a crash or a reboot; without an end a crash loop goes on for ever.",
        remedy="restart: on-failure:5",
        look=of_containers(_restarts),
    ),
    Check(
        id="C15",
        title="no health check",
        severity=Severity.MEDIUM,
        source="Config.Healthcheck, State.Health",
        cis="4.6, 5.27",
        why="Nobody knows whether it serves: a deploy that does not work looks like one that does.",
        remedy='healthcheck: { test: ["CMD", "curl", "-fsS", "http://localhost:8080/"], interval: 15s, retries: 3 }',
        look=of_containers(_health),
    ),
    Check(
        id="C16",
        title="image not pinned, or moved",
        severity=Severity.MEDIUM,
        source="Config.Image, /images RepoTags, RepoDigests",
        cis="near 5.28",
        why="Made anew, it may be another program than the one that runs.",
        remedy="image: NAME:1.2.3@sha256:…",
        look=of_containers(_image),
    ),
)
