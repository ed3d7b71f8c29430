"""Figures of a recording fleettop for Prometheus, served by its own library to this machine alone."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec
from fleettop.collectors.errors import ConfigError
from fleettop.collectors.model import ContainerState, Health, LinkPhase, RecordKind, ServiceState

if TYPE_CHECKING:
    from fleettop.collectors.fleet import Fleet
    from prometheus_client.core import Metric

PATIENCE = 10.0
"""Seconds that an answer may wait for the figures."""


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """Where to serve them."""

    address: str
    port: int

    @property
    def written(self) -> str:
        """As it stands in a URL."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def parse_listen(text: str, *, anywhere: bool = False) -> Listen:
    """What `--metrics` says. Raises ConfigError; also for what others can reach, unless that is wanted (`anywhere`)."""
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(host)
        number = int(port) if port.isascii() and port.isdigit() else 0
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        raise ConfigError(
            f"--metrics {text!r} is no address with a port.", hint="Write --metrics 127.0.0.1:9323 or [::1]:9323."
        )
    if not (address.is_loopback or anywhere):
        raise ConfigError(
            f"--metrics {text}: other machines could read it there, without a password and unencrypted.",
            hint="Write 127.0.0.1 and put a proxy before it, or add --metrics-insecure.",
        )
    return Listen(address=str(address), port=number)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """All that is served, as it was at one moment. Engines by name; a second address of one is not counted."""

    engine_up: Mapping[str, bool]
    last_event: Mapping[str, float]
    """Unix time of the last event of each engine that is known."""
    containers: Mapping[tuple[str, ContainerState], int]
    health: Mapping[tuple[str, Health], int]
    services: Mapping[ServiceState, int]
    restarts: Mapping[str, int]
    """In the last hour, of each service of which it is known."""
    records: Mapping[RecordKind, int]
    trail_size: int | None
    trail_waiting: int
    trail_lag: float
    trail_writable: bool


def figures_of(
    fleet: Fleet,
    *,
    records: Mapping[RecordKind, int],
    last_event: Mapping[str, float],
    size: int | None,
    waiting: int,
    lag: float,
    writable: bool,
) -> Figures:
    """Read them."""
    containers, health = Counter[tuple[str, ContainerState]](), Counter[tuple[str, Health]]()
    for container in fleet.containers.values():
        containers[container.engine, container.state] += 1
        health[container.engine, container.health] += 1
    restarts = Counter[str]()
    for service in fleet.services.values():
        if service.restarts is not None:
            restarts[service.title] += service.restarts
    return Figures(
        engine_up={e.name: e.link.phase is LinkPhase.UP for e in fleet.engines.values() if not e.same_as},
        last_event=dict(last_event),
        containers=containers,
        health=health,
        services=Counter(service.state for service in fleet.services.values()),
        restarts=restarts,
        records=dict(records),
        trail_size=size,
        trail_waiting=waiting,
        trail_lag=lag,
        trail_writable=writable,
    )


def families(figures: Figures) -> Iterable[Metric]:
    """As what Prometheus's library puts in words."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    def gauge(
        name: str, what: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
    ) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"fleettop_{name}", what, labels=labels)
        for label, value in values:
            family.add_metric(label, value)
        return family

    yield gauge(
        "engine_up", "1: the engine is reached.", ("engine",), (((e,), up) for e, up in figures.engine_up.items())
    )
    yield gauge(
        "engine_last_event_timestamp_seconds",
        "When the engine's last event happened that is known.",
        ("engine",),
        (((engine,), at) for engine, at in figures.last_event.items()),
    )
    yield gauge(
        "containers", "Containers by state.", ("engine", "state"), ((key, n) for key, n in figures.containers.items())
    )
    yield gauge(
        "containers_health",
        "Containers by health.",
        ("engine", "health"),
        ((key, n) for key, n in figures.health.items()),
    )
    yield gauge(
        "services",
        "Services by state.",
        ("state",),
        (((state,), figures.services.get(state, 0)) for state in ServiceState),
    )
    yield gauge(
        "service_restarts_last_hour",
        "Restarts of a service's containers in the last hour.",
        ("service",),
        (((service,), n) for service, n in figures.restarts.items()),
    )
    records = CounterMetricFamily(
        "fleettop_records", "Records written since the start, gaps among them.", labels=["kind"]
    )
    for kind in RecordKind:
        records.add_metric([kind], figures.records.get(kind, 0))
    yield records
    if figures.trail_size is not None:
        yield gauge("trail_size_bytes", "What the trail takes on the disk.", (), (((), figures.trail_size),))
    yield gauge("trail_writable", "1: the trail can be written.", (), (((), figures.trail_writable),))
    yield gauge("trail_waiting_lines", "Lines that wait to be written.", (), (((), figures.trail_waiting),))
    yield gauge("trail_lag_seconds", "How long the oldest of them has waited.", (), (((), figures.trail_lag),))


class MetricsServer:
    """Serves them while it is open: `with MetricsServer(listen, read): …`, inside a running loop."""

    def __init__(self, listen: Listen, read: Callable[[], Figures]) -> None:
        self._listen = listen
        self._read = read
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> MetricsServer:
        """Raises ConfigError where that address cannot be had."""
        from prometheus_client import CollectorRegistry, start_http_server

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        try:
            self._server, self._thread = start_http_server(self._listen.port, self._listen.address, registry)
        except OSError as error:
            raise ConfigError(
                f"--metrics {self._listen.written} cannot be had: {error.strerror}.", hint="Name another port."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the library asks for it when it registers."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Called by the library in a thread of its own; the figures are read where they are written."""
        answer: Future[Figures] = Future()

        def read() -> None:
            try:
                answer.set_result(self._read())
            except BaseException as error:
                answer.set_exception(error)

        self._loop.call_soon_threadsafe(read)
        return families(answer.result(PATIENCE))
