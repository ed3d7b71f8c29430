"""Reading one engine: the Engine API as typed calls that return clean data or raise an EngineError."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

from msgspec import json

from ..clock import Clock, SystemClock
from ..errors import EngineError, Malformed, NotAnswering, Permission, ReadOnly, Rejected
from ..links.base import Endpoint
from ..model import Container, DiskUse, EngineEvent, EngineInfo, Image, SwarmPicture, SwarmService
from ..text import plain_log
from . import wire
from .decode import Listing, decode_info, decode_inspect, decode_listing, decode_version
from .decode_events import decode_event
from .decode_evidence import ExecEntry, decode_digests, decode_exec
from .decode_images import decode_images
from .decode_storage import decode_disk_use
from .decode_swarm import RawService, decode_nodes, decode_raw_service, decode_services, decode_tasks
from .display import shown, variables
from .fields import as_sent, is_container_id, is_swarm_id, malformed
from .http import LIST_CAP, MIB, Requests
from .logs import LastLines, LogOutput
from .stats import StatsSample, decode_stats
from .versions import at_least, negotiate

__all__ = ["EngineClient", "Listing", "LogOutput", "RawService"]

_T = TypeVar("_T")

IDS_AT_ONCE = 100
"""Ids in one filtered listing: their URL stays under the 8 KB that proxies allow."""
IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
LINE_CAP = MIB
PODMAN_SLACK = 1_000_000
"""Nanoseconds by which Podman is asked for more than wanted: its floats are off by hundreds of them."""
LOG_CAP = 32 * MIB


class EngineClient:
    """One engine's API over one endpoint. Every call has a deadline; cancelling a call ends it.

    `bad_lines` counts the lines of `/events` that made no sense. Not to be shared between event loops.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        engine: str,
        read_only: bool = False,
        deadline: float = 5.0,
        clock: Clock | None = None,
    ) -> None:
        self.engine = engine
        self.api = ""
        self.podman = False
        self.bad_lines = 0
        self._deadline = deadline
        self._read_only = read_only
        self._clock: Clock = clock or SystemClock()
        self._requests = Requests(endpoint, engine=engine, read_only=read_only, deadline=deadline)
        self._version: wire.Version | None = None
        self._host_memory: int | None = None
        self._cluster = ""

    async def close(self) -> None:
        """Let go of every connection; calls under way, and later ones, end with ConnectionLost."""
        await self._requests.close()

    # -- the engine itself

    async def negotiate(self) -> str:
        """Agree on an API version (`api` from then on). Raises Unsupported, in one sentence, where there is none."""
        offered, minimum = await self._offered(), None
        if not offered or not at_least("1.51", offered):
            self._version = version = await self._read_version()
            offered, minimum = version.api_version or offered, version.min_api_version
        self.api = self._requests.version = negotiate(self.engine, offered, minimum)
        return self.api

    async def _offered(self) -> str:
        """The version `/_ping` names; empty where it does not, or where a proxy forbids it."""
        try:
            answer, body = await self._requests.answer("/_ping", versioned=False)
        except Permission:
            return ""
        headers = answer.headers
        self.podman = "Libpod-Api-Version" in headers or headers.get("Server", "").startswith("Libpod")
        return headers.get("Api-Version", "") if body is not None else ""

    async def _read_version(self) -> wire.Version:
        version = await self._requests_version(versioned=False)
        if any((component.name or "").startswith("Podman") for component in version.components or ()):
            self.podman = True
        return version

    async def _requests_version(self, *, versioned: bool) -> wire.Version:
        body = await self._requests.body("/version", versioned=versioned)
        if body is None:
            raise self._missing("/version")
        return decode_version(body)

    async def ping(self) -> float:
        """Seconds from asking to the answer."""
        begin = self._clock.monotonic()
        if await self._requests.body("/_ping", versioned=False) is None:
            raise self._missing("/_ping")
        return self._clock.monotonic() - begin

    async def info(self) -> EngineInfo:
        """Who the engine is, and by how much its clock differs from ours."""
        if self._version is None:
            self._version = await self._read_version()
        version = self._version
        asked, begin = self._clock.now(), self._clock.monotonic()
        body = await self._requests.body("/info")
        took = self._clock.monotonic() - begin
        if body is None:
            raise self._missing("/info")
        info = decode_info(body, version, api=self.api, podman=self.podman, asked=asked, took=took)
        self._host_memory = info.memory
        self._cluster = info.swarm.cluster_id if info.swarm else ""
        return info

    # -- containers

    async def list_containers(self, ids: Sequence[str] = ()) -> Listing:
        """All containers, the stopped ones too; with `ids` only those of them that are there."""
        if not ids:
            return await self._list({"all": "1"})
        found: list[Container] = []
        refused: list[str] = []
        for begin in range(0, len(ids), IDS_AT_ONCE):
            some = [self._container(container_id) for container_id in ids[begin : begin + IDS_AT_ONCE]]
            listing = await self._list({"all": "1", "filters": _filters({"id": some})})
            found.extend(listing.containers)
            refused.extend(listing.refused)
        return Listing(containers=tuple(found), refused=tuple(refused))

    async def _list(self, query: Mapping[str, str]) -> Listing:
        def decode(body: bytes) -> Listing:
            return decode_listing(body, engine=self.engine, podman=self.podman)

        return self._there(
            await self._requests.decoded("/containers/json", urlencode(query), decode, cap=LIST_CAP), "/containers/json"
        )

    async def inspect(self, id: str) -> Container | None:  # noqa: A002
        """One container with its detail; None where it is gone."""

        def decode(body: bytes) -> Container:
            return decode_inspect(body, engine=self.engine, podman=self.podman)

        return await self._requests.decoded(f"/containers/{self._container(id)}/json", "", decode)

    async def raw_inspect(self, id: str) -> object:  # noqa: A002
        """The whole inspect as JSON data for display: cleaned, secrets hidden; None where the container is gone."""
        return await self._requests.decoded(f"/containers/{self._container(id)}/json", "", shown)

    async def tail(self, id: str, lines: int) -> tuple[str, ...]:  # noqa: A002
        """The last `lines` lines the container wrote, oldest first, clean; empty where it is gone or wrote none."""
        count = max(1, lines)
        last = LastLines(count)
        size = 0
        try:
            async with asyncio.timeout(self._deadline), self.logs(id, tail=count, times=False) as output:
                if output is None:
                    return ()
                last = LastLines(count, multiplexed=output.multiplexed)
                async for chunk in output.chunks:
                    size += len(chunk)
                    if size > LOG_CAP:
                        raise Malformed(f"The last {count} lines are larger than {LOG_CAP // MIB} MiB.", where="logs")
                    last.feed(chunk)
        except TimeoutError as error:
            raise NotAnswering(f"{self.engine} did not answer with the log within {self._deadline:g} s.") from error
        return tuple(plain_log(line) for line in last.lines())

    @asynccontextmanager
    async def logs(
        self,
        id: str,  # noqa: A002
        *,
        follow: bool = False,
        since: int | None = None,
        until: int | None = None,
        tail: int | None = None,
        times: bool = True,
    ) -> AsyncIterator[LogOutput | None]:
        """What the container wrote, as it comes: to be put into a `LogDecoder`. None where it is gone.

        `since` (inclusive) and `until` are Unix nanoseconds on the engine's clock, `tail` the most lines from the end.
        Without a deadline once it has begun: the caller watches over it. Leaves no event on the engine.
        """
        query = {"stdout": "1", "stderr": "1", "tail": "all" if tail is None else str(tail)}
        query |= {"follow": "1"} if follow else {}
        query |= {"timestamps": "1"} if times else {}
        query |= {} if since is None else {"since": _seconds(max(0, since))}
        query |= {} if until is None else {"until": _seconds(max(0, until))}
        path = f"/containers/{self._container(id)}/logs"
        async with self._requests.stream(path, urlencode(query)) as answer:
            if answer is None:
                yield None
                return
            kind = answer[0].headers.get("Content-Type", "")
            yield LogOutput(chunks=answer[1], multiplexed=True if kind.endswith("multiplexed-stream") else None)

    async def images(self) -> tuple[Image, ...]:
        """The images that lie on the engine, without intermediate layers; a row that makes no sense is left out."""
        return (await self._rows("/images/json", lambda body: decode_images(body, engine=self.engine)))[0]

    async def read(self, path: str, decode: Callable[[bytes], _T], query: str = "") -> _T | None:
        """What `GET path?query` answers, through a decoder that cleans it; None where that is 404."""
        return await self._requests.decoded(path, query, decode, cap=LIST_CAP)

    async def disk_use(self, *, deadline: float) -> DiskUse:
        """What lies on the engine's disk. Costly there: it adds up the files of every container and volume."""
        decode = partial(decode_disk_use, engine=self.engine, clock=self._clock, podman=self.podman)
        found = await self._requests.decoded("/system/df", "", decode, cap=LIST_CAP, deadline=deadline)
        return self._there(found, "/system/df")

    # -- for what is sent back

    async def uncleaned(self, path: str, query: str = "", /) -> object | None:
        """The JSON that `GET path?query` answers, as it was sent, with its secrets; None where that is 404.

        For what goes back to the engine: a swarm's spec, the container a clone is made from. Cleaned they would be
        others. Never kept, and never shown but the variables of a container, to who asks for them (`variables_of`).
        """
        return await self._requests.decoded(path, query, as_sent)

    async def variables_of(self, id: str) -> tuple[tuple[str, str], ...] | None:  # noqa: A002
        """Names and values of a container's variables, what looks secret hidden; None where it is gone.

        Raises ReadOnly in read-only mode: who only looks has no need of them.
        """
        if self._read_only:
            raise ReadOnly("Values of variables are not shown: fleettop runs read-only.")
        found = await self.uncleaned(f"/containers/{self._container(id)}/json")
        return None if found is None else variables(found)

    async def exec_entry(self, id: str) -> ExecEntry | None:  # noqa: A002
        """As whom an exec was asked to run, and how it ended; None where the engine no longer knows it."""
        return await self._requests.decoded(f"/exec/{self._container(id)}/json", "", decode_exec)

    async def image_digests(self, id: str) -> tuple[str, ...] | None:  # noqa: A002
        """The digests in registries of the image with this id, `name@sha256:…`; None where it is gone."""
        if not IMAGE_ID.fullmatch(id):
            raise malformed("image id", ascii(id[:80]))
        return await self._requests.decoded(f"/images/{id}/json", "", decode_digests)

    # -- usage

    async def sample(self, id: str) -> StatsSample | None:  # noqa: A002
        """The container's counters now; None where it does not run or is gone.

        Without the engine's second sample where the API allows that (1.41). Docker 20.10 answers with its collector's
        next tick, up to a second later.
        """
        query = "stream=false&one-shot=true" if at_least(self.api, "1.41") else "stream=false"
        return await self._requests.decoded(f"/containers/{self._container(id)}/stats", query, self._stats)

    async def stream_stats(self, id: str) -> AsyncGenerator[StatsSample, None]:  # noqa: A002
        """The container's counters about once a second until it is gone. Close it with `contextlib.aclosing`."""
        lines = self._lines(f"/containers/{self._container(id)}/stats", "stream=true", vanishing=True)
        async with aclosing(lines):
            async for line in lines:
                try:
                    sample = self._stats(line)
                except Malformed:
                    continue
                if sample is not None:
                    yield sample

    def _stats(self, body: bytes) -> StatsSample | None:
        return decode_stats(body, at=self._clock.monotonic(), podman=self.podman, host_memory=self._host_memory)

    # -- events

    async def events(
        self,
        *,
        since: int | None = None,
        until: int | None = None,
        filters: Mapping[str, Sequence[str]] | None = None,
    ) -> AsyncGenerator[EngineEvent, None]:
        """What happens, as it happens; from `since` and up to `until` (Unix nanoseconds) where given.

        Without a deadline once it has begun: the caller watches over it (pings), reads promptly (an engine drops what
        is not taken within 100 ms) and closes it with `contextlib.aclosing`. Returns when the engine ends the stream. A
        line that makes no sense or is over 1 MiB is skipped and counted in `bad_lines`. `since` is inclusive. Docker
        takes all names of a filter as prefixes once `exec_create`, `exec_start` or `health_status` is among them.

        Podman 4.3 delivers nothing for some names of events, reads times as floats and loses the newest ones before an
        `until` (seen): there, names and times are sorted out here, and with `until` it is asked for what it has by now.
        """
        query, keep = self._event_query(since, until, filters)
        lines = self._lines("/events", query)
        async with aclosing(lines):
            async for line in lines:
                try:
                    event = decode_event(line, engine=self.engine)
                except Malformed:
                    self.bad_lines += 1
                    continue
                if keep and event.action not in keep:
                    continue
                if self.podman and not (since or 0) <= event.time_nano <= (until or event.time_nano):
                    continue
                yield event

    def _event_query(
        self, since: int | None, until: int | None, filters: Mapping[str, Sequence[str]] | None
    ) -> tuple[str, frozenset[str]]:
        query: dict[str, str] = {}
        keep: frozenset[str] = frozenset()
        if since is not None:
            query["since"] = _seconds(max(0, since - PODMAN_SLACK) if self.podman else since)
        if until is not None:
            query |= {"stream": "false"} if self.podman else {"until": _seconds(until)}
        if filters:
            wanted = dict(filters)
            if self.podman:
                keep = frozenset(wanted.pop("event", ()))
            if wanted:
                query["filters"] = _filters(wanted)
        return urlencode(query), keep

    async def _lines(self, path: str, query: str, *, vanishing: bool = False) -> AsyncGenerator[bytes, None]:
        """The lines of a stream. What a chunk completes is handed on before more is read."""
        async with self._requests.stream(path, query) as answer:
            if answer is None:
                if vanishing:
                    return
                raise self._missing(path)
            rest = bytearray()
            skipping = False
            async for chunk in answer[1]:
                *complete, tail = chunk.split(b"\n")
                for index, piece in enumerate(complete):
                    line = bytes(rest) + piece if index == 0 else piece
                    if index == 0:
                        rest.clear()
                    if skipping or len(line) > LINE_CAP:
                        self.bad_lines += 1
                        skipping = False
                    elif line.strip():
                        yield line
                if skipping:
                    continue
                rest += tail
                if len(rest) > LINE_CAP:
                    rest.clear()
                    skipping = True
            if rest.strip():
                yield bytes(rest)

    # -- swarm

    async def swarm(self) -> SwarmPicture:
        """The whole swarm, where this engine is a manager that sees it.

        Where it is not (no manager, no quorum, which makes its calls hang; Podman), the picture is empty and `error`
        says why: that is "not knowable from here", not "0 services". Raises only what concerns the way to the engine.
        """
        try:
            if not self._cluster:
                await self.info()
            return await self._read_swarm()
        except Rejected as error:
            if error.status in (404, 406, 500, 503):  # 500: no leader (seen on 20.10)
                unknown = error.status == 404
                return self._blind("this engine knows no swarm" if unknown else f"not knowable from here: {error}")
            raise
        except NotAnswering:
            return self._blind("its manager does not answer for the swarm: is its quorum lost?")

    async def _read_swarm(self) -> SwarmPicture:
        tasks, bad_tasks = await self._rows("/tasks", decode_tasks)
        nodes, bad_nodes = await self._rows("/nodes", decode_nodes)

        def decode(body: bytes) -> tuple[tuple[SwarmService, ...], tuple[str, ...]]:
            return decode_services(body, tasks)

        services, bad_services = await self._rows(
            "/services", decode, "status=true" if at_least(self.api, "1.41") else ""
        )
        bad = {"tasks": bad_tasks, "nodes": bad_nodes, "services": bad_services}
        error = ", ".join(f"{len(rows)} {name} made no sense" for name, rows in bad.items() if rows)
        return SwarmPicture(
            cluster_id=self._cluster,
            manager=self.engine,
            nodes=nodes,
            services=services,
            tasks=tasks,
            error=error,
            at=self._clock.monotonic(),
        )

    async def _rows(
        self, path: str, decode: Callable[[bytes], tuple[tuple[_T, ...], tuple[str, ...]]], query: str = ""
    ) -> tuple[tuple[_T, ...], tuple[str, ...]]:
        return self._there(await self._requests.decoded(path, query, decode, cap=LIST_CAP), path)

    def _blind(self, why: str) -> SwarmPicture:
        return SwarmPicture(cluster_id=self._cluster, manager=self.engine, error=why, at=self._clock.monotonic())

    async def raw_service(self, id: str) -> RawService | None:  # noqa: A002
        """A swarm service as the engine keeps it, with the version needed to change it; None where it is gone."""
        if not is_swarm_id(id):
            raise malformed("service id", ascii(id[:40]))
        return await self._requests.decoded(f"/services/{id}", "", decode_raw_service)

    # -- small

    def _container(self, container_id: str) -> str:
        """The id, if it is one: nothing else becomes part of a path."""
        if not is_container_id(container_id):
            raise malformed("container id", ascii(container_id[:80]))
        return container_id

    def _missing(self, path: str) -> EngineError:
        return Rejected(f"{self.engine} has no {path} (404).", status=404)

    def _there(self, found: _T | None, path: str) -> _T:
        if found is None:
            raise self._missing(path)
        return found


def _filters(filters: Mapping[str, Sequence[str]]) -> str:
    return json.encode({name: list(values) for name, values in filters.items()}).decode()


def _seconds(nanoseconds: int) -> str:
    """Unix time as the engine reads it: seconds and nanoseconds (moby: api/types/time/timestamp.go)."""
    return f"{nanoseconds // 1_000_000_000}.{nanoseconds % 1_000_000_000:09d}"
