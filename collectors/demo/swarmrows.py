"""A simulated swarm as `/nodes`, `/services`, `/tasks` and `/info` tell of it."""

from __future__ import annotations

from typing import Any

from .machine import Machine
from .swarm import KEPT_TASKS, Swarm
from .swarmthings import OVER, Node, Service, Task
from .wording import stamp

Json = dict[str, Any]


def info(swarm: Swarm, machine: Machine) -> Json | None:
    """The `Swarm` of a member's `/info`; None: it is no member."""
    node = swarm.node_of(machine)
    if node is None:
        return None
    told: Json = {
        "NodeID": node.id,
        "NodeAddr": node.address,
        "LocalNodeState": "active",
        "ControlAvailable": node.role == "manager",
        "Error": "",
        "RemoteManagers": [{"NodeID": one.id, "Addr": f"{one.address}:2377"} for one in swarm.managers],
    }
    if node.role != "manager":
        return told
    if swarm.leader is None:
        told["Error"] = "rpc error: code = Unknown desc = The swarm does not have a leader."
    told |= {"Nodes": len(swarm.nodes), "Managers": len(swarm.managers), "Cluster": _cluster(swarm)}
    return told


def _cluster(swarm: Swarm) -> Json:
    return {
        "ID": swarm.id,
        "Version": {"Index": 10},
        "CreatedAt": stamp(swarm.created),
        "UpdatedAt": stamp(swarm.created + 1),
        "Spec": {
            "Name": "default",
            "Labels": {},
            "Orchestration": {"TaskHistoryRetentionLimit": KEPT_TASKS},
            "Raft": {"SnapshotInterval": 10_000, "KeepOldSnapshots": 0, "ElectionTick": 10, "HeartbeatTick": 1},
            "Dispatcher": {"HeartbeatPeriod": 5_000_000_000},
            "CAConfig": {"NodeCertExpiry": 7_776_000_000_000_000},
            "TaskDefaults": {},
            "EncryptionConfig": {"AutoLockManagers": False},
        },
        "TLSInfo": {"TrustRoot": "", "CertIssuerSubject": "", "CertIssuerPublicKey": ""},
        "RootRotationInProgress": False,
        "DefaultAddrPool": ["10.0.0.0/8"],
        "SubnetSize": 24,
        "DataPathPort": 4789,
    }


def node(swarm: Swarm, one: Node) -> Json:
    """One row of `/nodes`."""
    machine = one.machine
    told: Json = {
        "ID": one.id,
        "Version": {"Index": one.version},
        "CreatedAt": stamp(one.created),
        "UpdatedAt": stamp(one.updated),
        "Spec": {"Labels": dict(one.labels), "Role": one.role, "Availability": one.availability},
        "Description": {
            "Hostname": machine.name,
            "Platform": {"Architecture": "x86_64", "OS": "linux"},
            "Resources": {"NanoCPUs": machine.cpus * 1_000_000_000, "MemoryBytes": machine.memory},
            "Engine": {
                "EngineVersion": machine.version,
                "Plugins": [{"Type": "Network", "Name": "overlay"}, {"Type": "Volume", "Name": "local"}],
            },
            "TLSInfo": {"TrustRoot": "", "CertIssuerSubject": "", "CertIssuerPublicKey": ""},
        },
        "Status": {"State": one.state, "Addr": one.address},
    }
    if one.message:
        told["Status"]["Message"] = one.message
    if one.role == "manager":
        there = one.state == "ready"
        told["ManagerStatus"] = {
            "Reachability": "reachable" if there else "unreachable",
            "Addr": f"{one.address}:2377",
        }
        if swarm.leader is one:
            told["ManagerStatus"]["Leader"] = True
    return told


def service(swarm: Swarm, one: Service, *, status: bool = False) -> Json:
    """One row of `/services`."""
    ports = (one.spec.get("EndpointSpec") or {}).get("Ports") or []
    told: Json = {
        "ID": one.id,
        "Version": {"Index": one.version},
        "CreatedAt": stamp(one.created),
        "UpdatedAt": stamp(one.updated),
        "Spec": one.spec,
        "Endpoint": {
            "Spec": one.spec.get("EndpointSpec") or {},
            "VirtualIPs": [{"NetworkID": one.id[::-1], "Addr": "10.0.1.5/24"}],
        },
    }
    if ports:
        told["Endpoint"]["Ports"] = ports
    if one.previous is not None:
        told["PreviousSpec"] = one.previous
    if one.update is not None:
        told["UpdateStatus"] = {k: stamp(v) if k.endswith("At") else v for k, v in one.update.items()}
    if status:
        told["ServiceStatus"] = _status(swarm, one)
    return told


def _status(swarm: Swarm, one: Service) -> Json:
    wanted = one.wanted
    if wanted is None:
        wanted = sum(1 for n in swarm.nodes.values() if n.state == "ready" and n.availability == "active")
    running = sum(1 for task in one.tasks if task.state == "running" and task.desired == "running")
    done = sum(1 for task in one.tasks if task.state == "complete")
    return {"RunningTasks": running, "DesiredTasks": wanted, "CompletedTasks": done}


def task(one: Task) -> Json:
    """One row of `/tasks`."""
    status: Json = {
        "Timestamp": stamp(one.updated),
        "State": one.state,
        "Message": one.message,
        "PortStatus": {},
    }
    if one.error:
        status["Err"] = one.error
    if one.container is not None:
        alive = one.state not in OVER
        status["ContainerStatus"] = {
            "ContainerID": one.container.id,
            "PID": one.container.pid if alive else 0,
            "ExitCode": one.exit_code or 0,
        }
    told: Json = {
        "ID": one.id,
        "Version": {"Index": one.version},
        "CreatedAt": stamp(one.created),
        "UpdatedAt": stamp(one.updated),
        "Labels": {},
        "Spec": {**one.made_from, "ContainerSpec": {**one.made_from.get("ContainerSpec", {}), "Image": one.image}},
        "ServiceID": one.service.id,
        "Status": status,
        "DesiredState": one.desired,
    }
    if one.slot:
        told["Slot"] = one.slot
    if one.node is not None:
        told["NodeID"] = one.node.id
        told["NetworksAttachments"] = _attachments(one, one.node.machine)
    return told


def _attachments(one: Task, machine: Machine) -> list[Json]:
    if one.container is None:
        return []
    found: list[Json] = []
    for endpoint in one.container.endpoints:
        network = machine.networks.get(endpoint.network)
        spec = {"Name": endpoint.network, "Labels": {}, "DriverConfiguration": {}, "Scope": "swarm"}
        ids = {"ID": network.id if network is not None else "", "Version": {"Index": 6}}
        found.append({"Network": {**ids, "Spec": spec}, "Addresses": [f"{endpoint.address}/16"]})
    return found
