"""What engines answer, as seen on dockerd 20.10 and trimmed; every field that is read has a value."""

from typing import Any

ID = "1a5f07c87324668ada1d589de4ebaca86e7012a5e85009acf136313beb422c88"
IMAGE = "sha256:fbea3ea601b2c7532538f8debef6b8b14d62be01b43721f2721de5930db66c94"
NODE_ID = "knvwcuzj8qilv66i9bgm7r5f0"
SERVICE_ID = "tjg13mt5dhhmswo2hiiq56jtt"
TASK_ID = "o8gtrwr0lg8wa9yp3go4bp9uv"

ROW: dict[str, Any] = {
    "Id": ID,
    "Names": ["/other/alias", "/web"],
    "Image": "shop/web:41",
    "ImageID": IMAGE,
    "Command": "serve --password=hunter2 'two words'",
    "Created": 1795449864,
    "Ports": [
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 53, "Type": "udp"},
    ],
    "Labels": {"com.docker.compose.project": "shop", "com.example.password": "hunter2"},
    "State": "running",
    "Status": "Up 2 hours (healthy)",
    "HostConfig": {"NetworkMode": "shop", "Annotations": {"a": "b"}},
    "NetworkSettings": {"Networks": {"shop": {"Aliases": None, "IPAddress": "172.17.0.2"}, "edge": {}}},
    "Mounts": [
        {"Type": "volume", "Name": "data", "Source": "/var/lib/v", "Destination": "/data", "RW": True},
        {"Type": "bind", "Source": "/etc/shop", "Destination": "/cfg", "Mode": "ro", "RW": False},
    ],
}

INSPECT: dict[str, Any] = {
    "Id": ID,
    "Created": "2026-11-23T16:04:24.578399821Z",
    "Path": "serve",
    "Args": ["--password=hunter2", "two words"],
    "State": {
        "Status": "running",
        "Running": True,
        "OOMKilled": False,
        "Pid": 313,
        "ExitCode": 0,
        "Error": "",
        "StartedAt": "2026-11-23T16:04:24.8589747Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {
            "Status": "unhealthy",
            "FailingStreak": 3,
            "Log": [
                {
                    "Start": "2026-11-23T16:04:25.859468763Z",
                    "End": "2026-11-23T16:04:25.91350372+01:00",
                    "ExitCode": 1,
                    "Output": "\u001b[31mconnection refused\u001b[0m\npostgres://app:hunter2@db/pay\n",
                }
            ],
        },
    },
    "Image": IMAGE,
    "Name": "/web",
    "RestartCount": 4,
    "HostConfig": {
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
        "AutoRemove": False,
        "Memory": 268435456,
        "Annotations": None,
    },
    "Mounts": ROW["Mounts"],
    "Config": {
        "Tty": False,
        "User": "app",
        "Env": ["PASSWORD=hunter2", "PATH=/app:/bin", "EMPTY="],
        "Cmd": ["serve", "--password=hunter2", "two words"],
        "Entrypoint": None,
        "Healthcheck": {"Test": ["CMD-SHELL", "curl -u probe:hunter2 http://localhost/health"], "Interval": 1000000000},
        "Image": "shop/web:41",
        "Labels": ROW["Labels"],
        "StopTimeout": 30,
    },
    "NetworkSettings": {
        "Ports": {
            "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
            "53/udp": None,
        },
        "Networks": {"shop": {"IPAddress": "172.17.0.2"}, "edge": {}},
    },
}

INFO: dict[str, Any] = {
    "ID": "EHRU:74GR:SJOV:T3C5:BJCA:PMLK:2CY2:KGOI:L7WR:WPFH:PD7N:54CZ",
    "ContainersRunning": 3,
    "ContainersPaused": 0,
    "ContainersStopped": 1,
    "Driver": "overlay2",
    "CgroupVersion": "2",
    "KernelVersion": "6.1.0",
    "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
    "NCPU": 2,
    "MemTotal": 25276514304,
    "Name": "h1",
    "ServerVersion": "20.10.24+dfsg1",
    "SystemTime": "2026-01-02T03:04:15.050000000Z",
    "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"],
    "Swarm": {
        "NodeID": NODE_ID,
        "LocalNodeState": "active",
        "ControlAvailable": True,
        "Error": "",
        "Cluster": {"ID": "rdnrtfqfkwexa7bmdd9xakde9"},
    },
}

VERSION: dict[str, Any] = {
    "Components": [{"Name": "Engine", "Version": "20.10.24", "Details": {}}],
    "Version": "20.10.24+dfsg1",
    "ApiVersion": "1.41",
    "MinAPIVersion": "1.12",
}

EVENT: dict[str, Any] = {
    "status": "exec_create: sh -c x",
    "id": ID,
    "from": "bb:1",
    "Type": "container",
    "Action": "exec_create: /bin/sh -c psql --password=hunter2",
    "Actor": {"ID": ID, "Attributes": {"execID": "f3f8f09677", "image": "bb:1", "name": "web", "api_key": "hunter2"}},
    "scope": "local",
    "time": 1795449865,
    "timeNano": 1795449865859588751,
}

NODE: dict[str, Any] = {
    "ID": NODE_ID,
    "Version": {"Index": 9},
    "Spec": {"Labels": {}, "Role": "manager", "Availability": "active"},
    "Description": {"Hostname": "h1", "Engine": {"EngineVersion": "20.10.24", "Plugins": []}},
    "Status": {"State": "ready", "Message": "", "Addr": "198.18.29.1"},
    "ManagerStatus": {"Leader": True, "Reachability": "reachable", "Addr": "198.18.29.1:2377"},
}

SERVICE: dict[str, Any] = {
    "ID": SERVICE_ID,
    "Version": {"Index": 11},
    "UpdatedAt": "2026-11-23T16:04:25.084988395Z",
    "Spec": {
        "Name": "shop_web",
        "Labels": {"com.docker.stack.namespace": "shop"},
        "TaskTemplate": {"ContainerSpec": {"Image": "shop/web:41@" + IMAGE, "Args": ["sleep"]}},
        "Mode": {"Replicated": {"Replicas": 3}},
    },
    "Endpoint": {"Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "ingress"}]},
    "UpdateStatus": {"State": "paused", "Message": "update paused due to failure"},
    "ServiceStatus": {"RunningTasks": 2, "DesiredTasks": 3, "CompletedTasks": 0},
}

TASK: dict[str, Any] = {
    "ID": TASK_ID,
    "Spec": {"ContainerSpec": {"Image": "shop/web:41@" + IMAGE}},
    "ServiceID": SERVICE_ID,
    "Slot": 2,
    "NodeID": NODE_ID,
    "Status": {
        "Timestamp": "2026-11-23T16:04:25.572987377Z",
        "State": "failed",
        "Message": "started",
        "Err": "task: non-zero exit (1)",
        "ContainerStatus": {"ContainerID": ID, "PID": 477, "ExitCode": 1},
    },
    "DesiredState": "shutdown",
}

STATS: dict[str, Any] = {
    "read": "2026-11-23T16:04:30.124745372Z",
    "preread": "0001-01-01T00:00:00Z",
    "cpu_stats": {
        "cpu_usage": {"total_usage": 106249763, "percpu_usage": [52601098, 53648665]},
        "system_cpu_usage": 2638800000000,
        "online_cpus": 2,
    },
    "precpu_stats": {"cpu_usage": {"total_usage": 0}},
    "memory_stats": {"usage": 610304, "stats": {"total_inactive_file": 10304, "cache": 0}, "limit": 25276514304},
    "name": "/web",
    "id": ID,
    "networks": {"eth0": {"rx_bytes": 1042, "tx_bytes": 7}, "eth1": {"rx_bytes": 8, "tx_bytes": 1}},
}
