"""What programs of each kind write into their logs, as templates."""

from __future__ import annotations

import random

from .wording import stamp

_PATHS = ("/v1/items/{id}", "/v1/cart/{id}", "/v1/orders/{id}", "/v1/search?q=lamp", "/v1/prices", "/v1/users/{id}")
_PAGES = ("/", "/lamps", "/cart", "/checkout", "/static/app.41.js", "/img/8812.webp")
_PEERS = ("10.4.1.17", "10.4.2.8", "10.4.1.44", "10.4.3.5")

VOICES: dict[str, tuple[str, ...]] = {
    "api": (
        'level=info msg="request" method=GET path={path} status=200 ms={small}',
        'level=info msg="request" method=GET path={path} status=200 ms={small}',
        'level=info msg="request" method=POST path={path} status=201 ms={some}',
        'level=info msg="request" method=GET path={path} status=304 ms={few}',
        'level=warn msg="slow query" table=items ms={some}',
        'level=info msg="request" method=GET path={path} status=404 ms={few}',
    ),
    "worker": (
        "INFO  took job {job}",
        "INFO  finished job {job} in {some} ms",
        "INFO  finished job {job} in {small} ms",
        "INFO  queue is empty, waiting",
    ),
    "java": (
        "{time}  INFO 1 --- [nio-8090-exec-{few}] o.s.web.servlet.DispatcherServlet : Completed 200 OK",
        "{time}  INFO 1 --- [nio-8090-exec-{few}] c.s.ledger.Posting : booked entry {job}",
        "{time} DEBUG 1 --- [l-1 housekeeper] com.zaxxer.hikari.pool.HikariPool : total=10, active={few}, waiting=0",
    ),
    "nginx": (
        '{peer} - - "GET {page} HTTP/2.0" 200 {job} "-" "Mozilla/5.0"',
        '{peer} - - "GET {page} HTTP/2.0" 200 {some} "-" "Mozilla/5.0"',
        '{peer} - - "GET {page} HTTP/2.0" 304 0 "-" "Mozilla/5.0"',
    ),
    "haproxy": (
        "{peer}:{id} https~ web/web-1 0/0/1/{small}/{some} 200 {id} - - --VN 41/41/8/2/0 0/0",
        "{peer}:{id} https~ web/web-2 0/0/0/{small}/{some} 200 {id} - - --VN 39/39/6/1/0 0/0",
    ),
    "redis": (
        "1:M * 100 changes in 300 seconds. Saving...",
        "1:M * Background saving terminated with success",
        "1:M * DB saved on disk",
    ),
    "postgres": (
        "!{clock} UTC [27] LOG:  checkpoint starting: time",
        "!{clock} UTC [27] LOG:  checkpoint complete: wrote {some} buffers (2.5%)",
        "!{clock} UTC [{some}] LOG:  duration: {some}.118 ms  statement: SELECT id FROM orders WHERE state = 'open'",
    ),
    "elastic": (
        '{{"@timestamp":"{time}Z","log.level":"INFO","message":"[gc][{id}] spent [{some}ms] in the last [1s]"}}',
    ),
    "kafka": (
        "[{time}] INFO [Partition orders-{few} broker=1] ISR updated to 1,2,3 (kafka.cluster.Partition)",
        "[{time}] INFO [GroupCoordinator 1]: Stabilized group invoice generation {some} (kafka.coordinator.group)",
    ),
    "quiet": (
        'level=info msg="scrape finished" ms={small}',
        'level=info msg="compacted blocks" ms={some}',
        'level=info msg="config unchanged"',
    ),
}
"""By kind of program. A leading `!` means standard error."""


def speak(voice: str, chance: random.Random, at: float) -> tuple[str, str]:
    """Something that such a program says at that time: the stream and the line."""
    template = chance.choice(VOICES[voice])
    number = chance.randrange(10_000, 99_999)
    moment = stamp(at)[:23]
    text = template.removeprefix("!").format(
        path=chance.choice(_PATHS).format(id=number),
        page=chance.choice(_PAGES),
        peer=chance.choice(_PEERS),
        few=chance.randrange(1, 10),
        small=chance.randrange(2, 90),
        some=chance.randrange(90, 900),
        id=number,
        job=number * 73,
        time=moment,
        clock=moment[:19].replace("T", " "),
    )
    return ("stderr" if template.startswith("!") else "stdout"), text
