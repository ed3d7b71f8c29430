"""S: swarms and their services."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..model.posture import ServicePosture, SwarmPosture
from ..words import count
from .facts import FleetFacts
from .finding import Check, Found, Severity, Unknown, of_services, of_swarms

Said = Iterator[Found | Unknown]
LONGEST_EXPIRY = timedelta(days=90)
"""What a swarm does by itself."""
SOON = timedelta(days=90)
MOST_MANAGERS = 7


def _trouble(swarm: SwarmPosture) -> Unknown:
    return Unknown(swarm.trouble or "its manager does not tell")


def _managers(swarm: SwarmPosture, _: FleetFacts) -> Said:
    if swarm.nodes is None:
        yield _trouble(swarm)
        return
    managers = [node for node in swarm.nodes if node.manager]
    number, needed = len(managers), len(managers) // 2 + 1
    up = sum(node.reachability != "unreachable" for node in managers)
    if number == 1:
        yield Found(evidence="1 manager", sentence="one manager: without it nothing is changed or started again")
    elif number % 2 == 0:
        sentence = f"{number} managers bear the loss of no more than {number - 1} do"
        yield Found(evidence=f"{number} managers", sentence=sentence)
    elif number > MOST_MANAGERS:
        yield Found(evidence=f"{number} managers", sentence=f"more than {MOST_MANAGERS} managers slow each decision")
    if number > 1 and up <= needed:
        left = "the next that fails takes the quorum along" if up == needed else "there is no quorum"
        yield Found(evidence=f"{up} of {number} managers reachable, {needed} needed", sentence=left)


def _lock(swarm: SwarmPosture, _: FleetFacts) -> Said:
    if swarm.autolock is None:
        yield _trouble(swarm)
    elif not swarm.autolock:
        yield Found(evidence="Cluster.Spec.EncryptionConfig.AutoLockManagers = false")


def _certificates(swarm: SwarmPosture, facts: FleetFacts) -> Said:
    if swarm.node_expiry is None and swarm.authority_ends is None:
        yield _trouble(swarm)
    if swarm.node_expiry is not None and swarm.node_expiry > LONGEST_EXPIRY.total_seconds():
        days = count(int(swarm.node_expiry // 86400), "day")
        yield Found(
            evidence=f"Cluster.Spec.CAConfig.NodeCertExpiry = {days}", sentence=f"a node's certificate lives {days}"
        )
    if swarm.authority_ends is not None and swarm.authority_ends - facts.now < SOON:
        yield Found(
            evidence=f"Cluster.TLSInfo.TrustRoot ends {swarm.authority_ends:%Y-%m-%d}",
            sentence=f"the certificate of its authority ends on {swarm.authority_ends:%Y-%m-%d}",
            remedy="docker swarm ca --rotate",
        )


def _networks(swarm: SwarmPosture, facts: FleetFacts) -> Said:
    engine = next((engine for engine in facts.engines if engine.name == swarm.manager), None)
    if engine is None or "networks" in engine.untold:
        yield Unknown(engine.untold["networks"] if engine is not None else "its manager was not asked")
        return
    for network in engine.networks:
        if network.driver == "overlay" and "encrypted" not in network.options:
            yield Found(evidence="Options has no encrypted", object=network.name)


def _working_managers(swarm: SwarmPosture, _: FleetFacts) -> Said:
    if swarm.nodes is None:
        yield _trouble(swarm)
        return
    working = [node.hostname for node in swarm.nodes if node.manager and node.availability == "active"]
    if working:
        names = ", ".join(sorted(working))
        sentence = f"{count(len(working), 'manager')} also run{'s' if len(working) == 1 else ''} tasks: {names}"
        yield Found(evidence=f"Availability = active: {names}", sentence=sentence)


def _replicas(service: ServicePosture, _swarm: SwarmPosture, _: FleetFacts) -> Said:
    if service.mode.endswith("-job"):
        return
    wanted, running = service.wanted, service.running
    if running is None or wanted is None:
        yield Unknown("the engine does not count its tasks")
    elif running < wanted:
        yield Found(evidence=f"RunningTasks = {running}, wanted {wanted}", sentence="fewer replicas run than wanted")
    if service.mode == "replicated" and wanted == 1:
        yield Found(evidence="Mode.Replicated.Replicas = 1", sentence="it has a single replica")
    if service.update_state in ("paused", "rollback_paused"):
        evidence = f"UpdateStatus = {service.update_state}: {service.update_message}"
        yield Found(
            evidence=evidence,
            sentence="an update of it stands still half-way",
            remedy=f"docker service rollback {service.name}   # or, mended: docker service update {service.name}",
        )
    if service.on_failure != "rollback":
        yield Found(
            evidence=f"UpdateConfig.FailureAction = {service.on_failure}",
            sentence="an update that fails is not rolled back",
            severity=Severity.MEDIUM,
            remedy="deploy: { update_config: { failure_action: rollback, order: start-first } }",
        )


def _resources(service: ServicePosture, _swarm: SwarmPosture, _: FleetFacts) -> Said:
    if not (service.memory_limit or service.memory_reserved or service.cores_limit or service.cores_reserved):
        yield Found(evidence="Resources has neither Limits nor Reservations")
    elif not (service.memory_reserved or service.cores_reserved):
        yield Found(
            evidence="Resources has no Reservations",
            sentence="nothing is kept for it: nodes are filled beyond what they have",
            severity=Severity.LOW,
        )
    several = service.mode == "replicated" and (service.wanted or 0) > 1
    if several and not service.preferences and not service.most_on_a_node:
        yield Found(
            evidence="Placement has neither Preferences nor MaxReplicas",
            sentence="nothing says that its replicas stand apart",
            severity=Severity.LOW,
            remedy="deploy: { placement: { max_replicas_per_node: 1, preferences: [{ spread: node.labels.az }] } }",
        )


CHECKS = (
    Check(
        id="S01",
        title="managers are too few, too many or too near to losing quorum",
        severity=Severity.HIGH,
        source="/nodes ManagerStatus",
        cis="7.1",
        why="Without a quorum the swarm starts nothing again and takes no change.",
        remedy="docker node promote NODE   # 3 or 5, on machines that do not fail together",
        look=of_swarms(_managers),
    ),
    Check(
        id="S02",
        title="managers are not locked",
        severity=Severity.LOW,
        source="/info Swarm.Cluster.Spec",
        cis="7.5",
        why="A stolen disk of a manager holds the keys of the swarm and its secrets.",
        remedy="docker swarm update --autolock=true   # and keep the key: every restart of a manager asks for it",
        look=of_swarms(_lock),
    ),
    Check(
        id="S03",
        title="certificates live too long, or end",
        severity=Severity.MEDIUM,
        source="/info Swarm.Cluster.Spec.CAConfig, TLSInfo",
        cis="7.7, 7.8",
        why="A stolen one is good for as long; when the authority's ends, the nodes refuse each other.",
        remedy="docker swarm update --cert-expiry 720h",
        look=of_swarms(_certificates),
    ),
    Check(
        id="S04",
        title="overlay network is not encrypted",
        severity=Severity.LOW,
        source="/networks Options",
        cis="7.3",
        why="What services say to each other can be read between the hosts.",
        remedy='networks: { app: { driver: overlay, driver_opts: { encrypted: "" } } }',
        look=of_swarms(_networks),
    ),
    Check(
        id="S05",
        title="managers also run tasks",
        severity=Severity.LOW,
        source="/nodes Availability",
        cis="near 7.9",
        why="A task that takes the machine's memory takes the manager along.",
        remedy="docker node update --availability drain NODE",
        look=of_swarms(_working_managers),
    ),
    Check(
        id="S06",
        title="service cannot bear a failure",
        severity=Severity.HIGH,
        source="/services?status=true",
        why="The next failure, or the next deploy, is an outage.",
        remedy="deploy: { replicas: 2 }",
        look=of_services(_replicas),
    ),
    Check(
        id="S07",
        title="no limits, reservations or spread",
        severity=Severity.MEDIUM,
        source="/services TaskTemplate Resources, Placement",
        cis="5.11",
        why="The swarm packs blindly: one service starves its neighbours, one host holds all replicas.",
        remedy="deploy: { resources: { limits: { memory: 512M, cpus: '1.0' }, reservations: { memory: 256M } } }",
        look=of_services(_resources),
    ),
)
