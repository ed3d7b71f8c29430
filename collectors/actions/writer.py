"""Changes on one engine, by Docker's own SDK, each in a thread of its own with a deadline.

A thread cannot be cancelled: where an engine says nothing the caller goes on after the deadline and the thread ends
with its socket's timeout, when the writer is closed, or with the program (they are daemon threads). A change whose
answer is lost is never sent again: it may have been done.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ..engine.failures import message_of
from ..errors import (
    CertificateRefused,
    ConnectionLost,
    EngineError,
    FleetError,
    Malformed,
    NotAnswering,
    Permission,
    ReadOnly,
    Refused,
    Rejected,
)
from ..links.base import Endpoint
from ..text import plain

if TYPE_CHECKING:
    from docker import APIClient

    from .guard import Guard

T = TypeVar("T")
_CONTAINER = re.compile(r"[0-9a-f]{12,64}")
_OBJECT = re.compile(r"[0-9A-Za-z][\w.-]{0,127}", re.ASCII)
_IMAGE = re.compile(r"sha256:[0-9a-f]{64}|[0-9A-Za-z][\w.:-]*(?:/[0-9A-Za-z][\w.:-]*)*", re.ASCII)
_CACHE_RECORD = re.compile(r"[0-9a-z]{8,64}")
_NO_DETACHING = "ctrl-@,ctrl-_,ctrl-^,ctrl-@,ctrl-_,ctrl-^"
_CREATING = 30.0
"""Seconds more for creating a container: a slow disk copies the image's folders into new volumes then."""
_REMOVING = 60.0
"""Seconds more for removing what has many files."""
_GRACE = 2.0
"""Seconds the socket's own timeout has to end the thread before the caller gives up on it."""


class Writer:
    """Changes containers and swarm services of one engine, and removes what nothing uses.

    Every method raises ConnectionLost or NotAnswering where the request may have arrived and its answer did not come
    back (the outcome is unknown), Refused where it was not sent, Rejected with the engine's status and words,
    Permission where something in front of the engine forbids it.
    """

    def __init__(
        self, endpoint: Endpoint, *, api: str, engine: str, read_only: bool = False, deadline: float = 15.0
    ) -> None:
        if read_only:
            raise ReadOnly(f"Nothing is changed on {engine}: fleettop runs read-only.")
        self._endpoint = endpoint
        self._api = api
        self._engine = engine
        self._deadline = deadline
        self._client: APIClient | None = None
        self._guard: Guard | None = None
        self._making = threading.Lock()
        self._closed = False

    # -- containers ----------------------------------------------------------------------------------------------------

    async def restart(self, container: str, *, stop_timeout: int) -> bool:
        """Stop it (killed after `stop_timeout` seconds) and start it again."""
        container = _checked(container)
        return await self._call(lambda c: c.restart(container, timeout=stop_timeout), extra=stop_timeout)

    async def stop(self, container: str, *, stop_timeout: int) -> bool:
        """Stop it, killed after `stop_timeout` seconds. False: it was stopped already (304)."""
        container = _checked(container)
        return await self._call(lambda c: c.stop(container, timeout=stop_timeout), extra=stop_timeout)

    async def start(self, container: str) -> bool:
        """Start it. False: it was running already (304)."""
        container = _checked(container)
        return await self._call(lambda c: c.start(container))

    async def pause(self, container: str) -> bool:
        """Freeze its processes."""
        container = _checked(container)
        return await self._call(lambda c: c.pause(container))

    async def unpause(self, container: str) -> bool:
        """Let its processes go on."""
        container = _checked(container)
        return await self._call(lambda c: c.unpause(container))

    async def kill(self, container: str, *, signal: str) -> bool:
        """Send it a signal."""
        container = _checked(container)
        return await self._call(lambda c: c.kill(container, signal=signal))

    async def remove(self, container: str) -> bool:
        """Remove it, stopped as it is; its volumes stay. A running one is refused (409)."""
        container = _checked(container)
        return await self._call(lambda c: c.remove_container(container, v=False, force=False))

    async def create(self, name: str, config: Mapping[str, object]) -> str:
        """Create a container from the body of `POST /containers/create` and return its id."""
        name = _checked(name, _OBJECT)
        answer: list[str] = []

        def make(client: APIClient) -> None:
            found: Any = client.create_container_from_config(dict(config), name)  # type: ignore[no-untyped-call]
            answer.append(str(found.get("Id", "")) if isinstance(found, dict) else "")

        await self._call(make, extra=_CREATING)
        return _checked(answer[0])

    async def connect(self, network: str, container: str, endpoint: Mapping[str, object]) -> bool:
        """Connect a container to a network with these endpoint settings (`POST /networks/{id}/connect`)."""
        container, network = _checked(container), _checked(network, _OBJECT)
        body = {"Container": container, "EndpointConfig": dict(endpoint)}
        return await self._call(lambda c: self._post(c, f"/networks/{network}/connect", {}, body))

    # -- a command in a container --------------------------------------------------------------------------------------

    async def create_exec(self, container: str, command: Sequence[str], *, environment: Mapping[str, str]) -> str:
        """Make ready to run a command with a terminal in a container, and return the exec's id. It does not begin.

        The engine's own detach key (ctrl+p ctrl+q) would hold back every ctrl+p: it gets one that nobody types.
        """
        container = _checked(container)
        answer: list[str] = []

        def make(client: APIClient) -> None:
            found: Any = client.exec_create(
                container,
                list(command),
                stdin=True,
                tty=True,
                environment=dict(environment),
                detach_keys=_NO_DETACHING,
            )
            answer.append(str(found.get("Id", "")) if isinstance(found, dict) else "")

        await self._call(make)
        return _checked(answer[0])

    async def resize_exec(self, exec_id: str, *, columns: int, lines: int) -> bool:
        """Tell the terminal of an exec its size. Rejected where it does not run (yet, or any more)."""
        exec_id = _checked(exec_id)
        return await self._call(lambda c: c.exec_resize(exec_id, height=lines, width=columns))

    # -- a swarm's services --------------------------------------------------------------------------------------------

    async def update_service(
        self, service: str, *, version: int, spec: Mapping[str, object], rollback: bool = False
    ) -> bool:
        """Give a swarm service this spec, if its version is still that one (else Rejected 500 "out of sequence").

        With `rollback` the manager takes the spec before the last change instead; it still wants one sent.

        Not the SDK's own update: with `fetch_current_spec` it replaced running tasks, since it sends what it knows of
        a spec and not what there is.
        """
        service = _checked(service, _OBJECT)
        query = {"version": str(version), **({"rollback": "previous"} if rollback else {})}
        return await self._call(lambda c: self._post(c, f"/services/{service}/update", query, dict(spec)))

    async def update_node(self, node: str, *, version: int, spec: Mapping[str, object]) -> bool:
        """Give a swarm's node this spec, if its version is still that one (else Rejected 500 "out of sequence")."""
        node = _checked(node, _OBJECT)
        return await self._call(lambda c: self._post(c, f"/nodes/{node}/update", {"version": str(version)}, dict(spec)))

    # -- what nothing uses ---------------------------------------------------------------------------------------------

    async def remove_image(self, image: str) -> bool:
        """Remove an image by its id, or take one of its tags away by `name:tag`. One that is used is refused (409)."""
        return await self._remove(f"/images/{_checked(image, _IMAGE)}")

    async def remove_volume(self, volume: str) -> bool:
        """Remove a volume with all its data. One that a container mounts is refused (409)."""
        return await self._remove(f"/volumes/{_checked(volume, _OBJECT)}")

    async def _remove(self, path: str) -> bool:
        patience = self._deadline + _REMOVING

        def send(client: APIClient) -> None:
            client.delete(f"{client.base_url}/v{self._api}{path}", timeout=patience).raise_for_status()

        return await self._call(send, extra=_REMOVING)

    async def prune_cache(self, records: Sequence[str]) -> bool:
        """Remove these records of the build cache and no other. What a build uses, or another record needs, stays."""
        ids = "|".join(_checked(record, _CACHE_RECORD) for record in records)
        # BuildKit takes one value, as a pattern (moby: builder/builder-next/builder.go, toBuildkitPruneInfo).
        query = {"all": "true", "filters": json.dumps({"id": [f'"^({ids})$"']})}
        return await self._call(lambda c: self._post(c, "/build/prune", query, None, more=_REMOVING), extra=_REMOVING)

    async def close(self) -> None:
        """Let go of the connections, for good: a change under way ends with ConnectionLost, one not yet sent is not."""
        self._closed = True
        if self._client is not None:
            self._client.close()

    # -- how ----------------------------------------------------------------------------------------------------------

    def _post(
        self, client: APIClient, path: str, params: Mapping[str, str], body: object, *, more: float = 0.0
    ) -> None:
        url = f"{client.base_url}/v{self._api}{path}"
        client.post(url, params=dict(params), json=body, timeout=self._deadline + more).raise_for_status()

    async def _call(self, work: Callable[[APIClient], object], *, extra: float = 0.0) -> bool:
        """Run `work` in a thread. False where the engine said that it was so already (304)."""
        deadline = self._deadline + max(0.0, extra) + _GRACE
        try:
            async with asyncio.timeout(deadline):
                return await in_thread(lambda: self._work(work), name=f"change {self._engine}")
        except TimeoutError as error:
            raise NotAnswering(f"{self._engine} gave no answer in {deadline:.0f} s.") from error

    def _work(self, work: Callable[[APIClient], object]) -> bool:
        """In the thread: do it, and turn what goes wrong into our errors."""
        import docker.errors
        import requests
        import urllib3.exceptions

        engine = self._engine
        try:
            client = self._open()
            work(client)
            return self._guard is None or self._guard.status != 304
        except FleetError:
            raise
        except docker.errors.APIError as error:
            status = error.response.status_code if error.response is not None else 0
            raise self._answered(status, error.response.content if error.response is not None else b"") from error
        except requests.exceptions.HTTPError as error:
            raise self._answered(error.response.status_code, error.response.content) from error
        except requests.exceptions.ConnectTimeout as error:
            raise Refused(f"{engine} takes no connection, so nothing was sent.") from error
        except requests.exceptions.SSLError as error:
            raise CertificateRefused(f"No TLS with {engine}, so nothing was sent: {plain(str(error), 200)}.") from error
        except requests.exceptions.Timeout as error:
            raise NotAnswering(f"{engine} took the request and gave no answer.") from error
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error, urllib3.exceptions.NewConnectionError):
                raise Refused(f"{engine} takes no connection, so nothing was sent.") from error
            raise ConnectionLost(f"The connection to {engine} was lost before it answered.") from error
        except (requests.exceptions.RequestException, docker.errors.DockerException, OSError) as error:
            raise ConnectionLost(f"The answer of {engine} was cut off.") from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise Malformed(
                f"{engine} answered something that makes no sense.", where="an answer to a change"
            ) from error

    def _answered(self, status: int, body: bytes) -> EngineError:
        """What the engine, or something in front of it, answered instead of doing it."""
        if status == 403:
            return Permission(
                f"Something in front of {self._engine} forbids this change ({message_of(body) or 'status 403'}).",
                hint="Ask who runs its socket proxy or authorization plugin for the right to do this.",
            )
        return Rejected(f"{self._engine} refuses: {message_of(body) or f'status {status}'}.", status=status)

    def _open(self) -> APIClient:
        """The SDK's client with one door, our guard. Made when first needed: its import takes 0.2 s."""
        with self._making:
            if self._client is None:
                self._client, self._guard = _new_client(self._endpoint, self._api, self._engine, self._deadline)
            if self._closed:
                raise Refused(f"The connection to {self._engine} was closed, so nothing was sent.")
            return self._client


def _new_client(endpoint: Endpoint, api: str, engine: str, deadline: float) -> tuple[APIClient, Guard]:
    from docker import APIClient

    from . import guard

    client = APIClient(base_url="http://127.0.0.1:1", version=api, timeout=int(deadline) or 1)
    client.trust_env = (
        False  # REQUESTS_CA_BUNDLE would override an engine's authority, HTTP_PROXY its way, .netrc add a login
    )
    client._general_configs = {}  # type: ignore[attr-defined,unused-ignore]  # ~/.docker/config.json's HttpHeaders are for its registries and proxies
    client.headers["Connection"] = "close"  # a kept connection that died meanwhile would look like a lost answer
    client.headers["Accept-Encoding"] = "identity"
    client.adapters.clear()
    door = guard.Guard(guard.inner_of(endpoint), engine=engine, read_only=False)
    client.base_url = guard.base_of(endpoint)
    client.mount(client.base_url, door)
    return client, door


def _never_connected(error: BaseException, kind: type[BaseException]) -> bool:
    """The connection could not be made: nothing was sent. Looks through the chain that requests wraps it in."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        one = todo.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, (kind, ConnectionRefusedError, FileNotFoundError)):
            return True
        todo += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return False


def _checked(value: str, pattern: re.Pattern[str] = _CONTAINER) -> str:
    if not pattern.fullmatch(value):
        raise Malformed(f"{value[:40]!r} is no name or id of an engine's object.", where="an id")
    return value


async def in_thread(work: Callable[[], T], *, name: str) -> T:
    """Run `work` in a daemon thread and wait for it; cancelling waits no longer, and the thread ends by itself.

    Not `asyncio.to_thread`: its few threads are shared with everything else and are waited for at exit, so that some
    frozen engines would hold up all others and the end of the program.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            outcome: tuple[T | None, BaseException | None] = (work(), None)
        except BaseException as error:
            outcome = (None, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future
