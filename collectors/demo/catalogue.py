"""The software of a shop: its stacks and services, as a person who runs one would know them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .things import Check, Nature

MIB = 1 << 20
WEB, DB, EDGE, SWARM, OPS = "web", "db", "edge", "swm", "ops"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One service of a stack. `replicas` 0: one on every host of its role. `role` empty: on every host of the fleet."""

    stack: str
    name: str
    image: str
    role: str
    replicas: int
    nature: Nature
    port: int = 0
    publish: int = 0
    check: Check | None = None
    volume: str = ""
    needs: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    memory: int = 0
    weight: int = 1
    """How soon it gets further replicas when the fleet is to be larger; 0: never."""
    own: bool = True
    """Built by the shop itself, so that its image tells of its source."""

    @property
    def in_swarm(self) -> bool:
        """Runs as a swarm service."""
        return self.role == SWARM


def _http(port: int, path: str = "/healthz", interval: float = 15.0) -> Check:
    return Check(
        test=("CMD-SHELL", f"curl -fsS http://localhost:{port}{path} || exit 1"),
        interval=interval,
        good='{"status":"ok"}\n',
        bad=f"curl: (7) Failed to connect to localhost port {port} after 0 ms: Connection refused\n",
    )


_POSTGRES = Check(
    test=("CMD-SHELL", "pg_isready -U $$POSTGRES_USER"),
    interval=10.0,
    good="/var/run/postgresql:5432 - accepting connections\n",
    bad="/var/run/postgresql:5432 - no response\n",
)
_REDIS = Check(
    test=("CMD", "redis-cli", "ping"),
    interval=10.0,
    good="PONG\n",
    bad="Could not connect to Redis at 127.0.0.1:6379: Connection refused\n",
)


def _app(
    stack: str,
    name: str,
    tag: str,
    replicas: int,
    *,
    cpu: float = 6.0,
    mem: int = 240,
    port: int = 8080,
    voice: str = "api",
    role: str = WEB,
    checked: bool = True,
    needs: tuple[str, ...] = (),
    env: tuple[str, ...] = (),
    weight: int = 2,
    memory: int = 0,
    publish: int = 0,
) -> Part:
    """A program of the shop's own."""
    return Part(
        stack=stack,
        name=name,
        image=f"{stack}-{name}:{tag}",
        role=role,
        replicas=replicas,
        nature=Nature(
            cpu=cpu,
            memory=mem * MIB,
            received=cpu * 4_000,
            sent=cpu * 9_000,
            voice=voice,
            pace=max(0.4, 9 / cpu),
        ),
        port=port,
        publish=publish,
        check=_http(port) if checked and port else None,
        needs=needs,
        env=("LOG_LEVEL=info", "TZ=Europe/Berlin", *env),
        memory=memory * MIB,
        weight=weight,
    )


def _known(
    stack: str,
    name: str,
    image: str,
    replicas: int,
    *,
    role: str = DB,
    cpu: float = 4.0,
    mem: int = 300,
    port: int = 0,
    voice: str = "quiet",
    check: Check | None = None,
    volume: str = "",
    env: tuple[str, ...] = (),
    publish: int = 0,
    cmd: tuple[str, ...] = (),
    weight: int = 0,
    stop: float = 0.5,
    ready: float = 3.0,
    memory: int = 0,
) -> Part:
    """A program that everybody knows, from a public registry."""
    return Part(
        stack=stack,
        name=name,
        image=image,
        role=role,
        replicas=replicas,
        nature=Nature(
            cpu=cpu, memory=mem * MIB, received=cpu * 3_000, sent=cpu * 5_000, voice=voice, pace=max(0.6, 14 / cpu),
            stop_seconds=stop, ready_seconds=ready,
        ),
        port=port,
        publish=publish,
        check=check,
        volume=volume,
        env=env,
        cmd=cmd,
        memory=memory * MIB,
        weight=weight,
        own=False,
    )  # fmt: skip


def _postgres(stack: str, tag: str, *, cpu: float, mem: int) -> Part:
    env = (f"POSTGRES_USER={stack}", "POSTGRES_PASSWORD_FILE=/run/secrets/db", "PGDATA=/var/lib/postgresql/data")
    return _known(
        stack, "db", f"postgres:{tag}", 1, cpu=cpu, mem=mem, port=5432, voice="postgres", check=_POSTGRES,
        volume="/var/lib/postgresql/data", env=env, stop=0.9, ready=4.0,
    )  # fmt: skip


def _redis(stack: str, name: str, tag: str, replicas: int, *, cpu: float = 3.0, mem: int = 180) -> Part:
    return _known(
        stack, name, f"redis:{tag}", replicas, cpu=cpu, mem=mem, port=6379, voice="redis", check=_REDIS,
        volume="/data", cmd=("redis-server", "--appendonly", "yes"), ready=2.0,
    )  # fmt: skip


PARTS: tuple[Part, ...] = (
    # pay: what the shop lives on
    _app("pay", "api", "2.8.0", 3, cpu=14, mem=310, needs=("db", "redis"), publish=8110,
         env=("STRIPE_API_KEY=sk_live_x",), weight=0),
    _app("pay", "worker", "2.8.0", 3, cpu=12, mem=290, port=8081, voice="worker", needs=("db", "redis"), weight=0),
    _app("pay", "ledger", "1.14.2", 2, cpu=8, mem=410, port=8090, voice="java", needs=("db",)),
    _app("pay", "webhook", "2.8.0", 2, cpu=3, mem=150, needs=("redis",)),
    _app("pay", "fraud", "0.31.0", 2, cpu=21, mem=880, port=8500, voice="worker"),
    _postgres("pay", "16.4", cpu=9, mem=2_300),
    _redis("pay", "redis", "7.2.5", 1),
    # shop: what customers see
    _app("shop", "web", "41", 6, cpu=22, mem=330, port=3000, publish=8080, voice="nginx", needs=("api",), weight=5),
    _app("shop", "api", "5.12.3", 6, cpu=18, mem=360, publish=8100, needs=("db", "cache", "catalog"), weight=4),
    _app("shop", "cart", "3.4.0", 4, cpu=7, mem=190, needs=("cache",), weight=3),
    _app("shop", "checkout", "3.9.1", 3, cpu=9, mem=260, needs=("cart",)),
    _app("shop", "catalog", "7.0.2", 4, cpu=11, mem=420, voice="java", needs=("db",), weight=3),
    _app("shop", "pricing", "1.22.0", 2, cpu=5, mem=200),
    _app("shop", "images", "2.1.5", 3, cpu=16, mem=280, port=8088, voice="nginx", weight=3),
    _app("shop", "mailer", "1.7.4", 2, cpu=1, mem=120, port=0, voice="worker"),
    _app("shop", "feed", "0.9.8", 1, cpu=2, mem=160, port=0, voice="worker", weight=1),
    _redis("shop", "cache", "7.2", 3, cpu=4, mem=1_200),
    _postgres("shop", "16.4", cpu=12, mem=4_100),
    # orders
    _app("orders", "api", "4.3.0", 4, cpu=10, mem=300, needs=("db", "kafka"), weight=3),
    _app("orders", "events", "4.3.0", 3, cpu=6, mem=260, port=8082, voice="worker", needs=("kafka",)),
    _app("orders", "invoice", "2.0.6", 2, cpu=3, mem=340, port=8083, voice="java"),
    _known("orders", "kafka", "bitnami/kafka:3.7", 3, cpu=13, mem=1_400, port=9092, voice="kafka",
           volume="/bitnami/kafka", stop=1.0, ready=5.0),
    _postgres("orders", "15.8", cpu=7, mem=1_900),
    # search
    _app("search", "api", "1.18.4", 3, cpu=13, mem=350, needs=("elastic",), weight=3),
    _app("search", "indexer", "1.18.4", 2, cpu=34, mem=700, port=8084, voice="worker", needs=("elastic",), memory=1_024,
         weight=0),
    _app("search", "suggest", "0.6.1", 2, cpu=8, mem=220),
    _known("search", "elastic", "elasticsearch:8.14.3", 3, cpu=31, mem=3_600, port=9200, voice="elastic",
           check=_http(9200, "/_cluster/health"), volume="/usr/share/elasticsearch/data", stop=1.0, ready=6.0,
           memory=4_096),
    # stock
    _app("stock", "api", "2.2.9", 2, cpu=5, mem=230, needs=("db",)),
    _app("stock", "sync", "2.2.9", 2, cpu=4, mem=180, port=0, voice="worker"),
    _app("stock", "forecast", "0.4.0", 1, cpu=46, mem=1_600, port=0, voice="worker", weight=1),
    _known("stock", "db", "mariadb:11.4", 1, cpu=6, mem=1_200, port=3306, voice="quiet", volume="/var/lib/mysql",
           env=("MARIADB_DATABASE=stock", "MARIADB_PASSWORD=s3cret")),
    # auth
    _app("auth", "api", "6.1.0", 3, cpu=9, mem=210, publish=8120, needs=("sessions",), weight=3),
    _app("auth", "admin", "6.1.0", 1, cpu=1, mem=140, weight=1),
    _redis("auth", "sessions", "7.2.5", 1, cpu=5, mem=420),
    _known("auth", "ldap", "osixia/openldap:1.5.0", 1, cpu=1, mem=90, port=389),
    # crm, support: the office
    _app("crm", "web", "12.4", 2, cpu=4, mem=260, port=3000, voice="nginx"),
    _app("crm", "api", "12.4", 2, cpu=5, mem=290),
    _app("crm", "import", "12.4", 1, cpu=2, mem=180, port=0, voice="worker", weight=1),
    _app("support", "chat", "3.3.1", 2, cpu=6, mem=200),
    _app("support", "bot", "0.8.2", 1, cpu=12, mem=640, port=0, voice="worker", weight=1),
    # edge: one proxy on every edge host
    _known("edge", "proxy", "haproxy:3.0.4", 0, role=EDGE, cpu=9, mem=70, port=443, publish=443, voice="haproxy",
           check=_http(8404, "/stats", 5.0), ready=1.5),
    _known("edge", "waf", "owasp/modsecurity-crs:4.5-nginx", 0, role=EDGE, cpu=6, mem=160, port=8080, voice="nginx"),
    _known("edge", "varnish", "varnish:7.5", 0, role=EDGE, cpu=5, mem=1_100, port=6081, publish=6081, voice="quiet"),
    _known("edge", "dns", "coredns/coredns:1.11.3", 2, role=EDGE, cpu=1, mem=40, port=53, publish=53, voice="quiet"),
    _known("edge", "acme", "goacme/lego:v4.17.4", 1, role=EDGE, cpu=1, mem=30, voice="quiet"),
    _app("edge", "geo", "1.3.0", 3, role=EDGE, cpu=4, mem=380, port=8070, weight=2),
    # ops: what watches the rest
    _known("ops", "prometheus", "prom/prometheus:v2.54.1", 1, role=OPS, cpu=18, mem=2_200, port=9090, publish=9090,
           volume="/prometheus", check=_http(9090, "/-/healthy", 30.0)),
    _known("ops", "alertmanager", "prom/alertmanager:v0.27.0", 1, role=OPS, cpu=1, mem=60, port=9093,
           volume="/alertmanager"),
    _known("ops", "grafana", "grafana/grafana:11.2.0", 1, role=OPS, cpu=3, mem=210, port=3000, publish=3000,
           volume="/var/lib/grafana", check=_http(3000, "/api/health", 30.0)),
    _known("ops", "loki", "grafana/loki:3.1.1", 1, role=OPS, cpu=11, mem=900, port=3100, volume="/loki"),
    _known("ops", "registry", "registry:2.8.3", 1, role=OPS, cpu=2, mem=110, port=5000, publish=5000,
           volume="/var/lib/registry"),
    _known("ops", "runner", "gitlab/gitlab-runner:v17.3.1", 4, role=OPS, cpu=6, mem=130, voice="worker", weight=1),
    # every host
    _known("agents", "node-exporter", "prom/node-exporter:v1.8.2", 0, role="", cpu=1, mem=25, port=9100, publish=9100),
    _known("agents", "promtail", "grafana/promtail:3.1.1", 0, role="", cpu=2, mem=80, port=9080),
    # the swarm: media and messages
    _app("media", "upload", "2.4.1", 3, role=SWARM, cpu=6, mem=210, publish=8200, weight=2),
    _app("media", "thumbs", "2.4.1", 4, role=SWARM, cpu=19, mem=340, port=8201, voice="worker", weight=3),
    _app("media", "transcode", "2.4.1", 3, role=SWARM, cpu=88, mem=1_900, port=8202, voice="worker", memory=4_096,
         weight=0),
    _app("notify", "push", "1.9.0", 3, role=SWARM, cpu=5, mem=150, weight=2),
    _app("notify", "sms", "1.9.0", 2, role=SWARM, cpu=2, mem=120),
    _app("notify", "mail", "1.9.2", 2, role=SWARM, cpu=3, mem=170, voice="worker"),
    _app("geo", "api", "3.0.4", 3, role=SWARM, cpu=8, mem=260, publish=8210, weight=2),
    _app("geo", "tiles", "3.0.4", 2, role=SWARM, cpu=14, mem=720, port=8211, voice="nginx"),
    _known("watch", "cadvisor", "gcr.io/cadvisor/cadvisor:v0.49.1", 0, role=SWARM, cpu=5, mem=110, port=8080,
           check=_http(8080)),
)  # fmt: skip
"""Everything the shop runs, the most telling first within its stack."""

ORDER = ("pay", "shop", "edge", "orders", "auth", "media", "search", "stock", "notify", "agents", "ops", "geo", "watch",
         "crm", "support")  # fmt: skip
"""Stacks by how soon a small fleet has them."""

COUNTRIES = (
    *("de", "fr", "it", "es", "nl", "pl", "at", "be", "se", "dk", "cz", "pt", "fi", "ie", "hu", "ro", "gr", "sk"),
    *("hr", "lt", "lv", "ee", "si", "lu", "bg", "no", "ch", "uk", "us", "ca", "mx", "br", "jp", "kr", "au", "nz"),
)
"""A large fleet has the shop's stacks once for each country."""


def abroad(part: Part, country: str) -> Part:
    """The same service in another country's stack, on any host. It publishes nothing: its ports are taken."""
    return replace(part, stack=f"{part.stack}-{country}", publish=0, role="")
