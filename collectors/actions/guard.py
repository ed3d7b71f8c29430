"""The one door through which the docker SDK's requests leave. Imported with the SDK, when something first changes.

Every request is put to the allow-list here, whatever the SDK or a mistake above it made it; redirects are refused; TLS
is what the link's context says, and nothing else.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NewConnectionError

from ..engine import allowlist
from ..errors import Rejected
from ..links.base import Endpoint, UnixEndpoint
from ..links.blocking import dial

UNIX_BASE = "http+docker://localhost"


class Guard(BaseAdapter):
    """Lets a request through to `inner` if the allow-list does."""

    def __init__(self, inner: BaseAdapter, *, engine: str, read_only: bool) -> None:
        super().__init__()
        self._inner = inner
        self._engine = engine
        self._read_only = read_only
        self._seen = threading.local()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send it, or raise ReadOnly. Proxies are never used. Raises Rejected for an answer that leads elsewhere."""
        allowlist.check(request.method or "", request.path_url, read_only=self._read_only)
        self._seen.status = None
        answer = self._inner.send(request, stream=stream, timeout=timeout, verify=True, cert=None, proxies=None)
        self._seen.status = answer.status_code
        if answer.is_redirect:
            answer.close()
            message = f"{self._engine} answers with a redirect, which is not followed."
            raise Rejected(message, status=answer.status_code)
        return answer

    @property
    def status(self) -> int | None:
        """The status of the last answer that this thread got."""
        return getattr(self._seen, "status", None)

    def close(self) -> None:
        """Let go of the connections."""
        self._inner.close()


class _ContextAdapter(HTTPAdapter):
    """TCP with the link's own TLS context, or none."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Make the pool of connections with that context."""
        if self._context is not None:
            options["ssl_context"] = self._context
        super().init_poolmanager(connections, maxsize, block, **options)  # type: ignore[no-untyped-call,unused-ignore]

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave it to the context: requests would add the authorities of certifi to it (requests/adapters.py)."""
        conn.cert_reqs = "CERT_REQUIRED"


class _UnixConnection(HTTPConnection):
    """A connection to a socket of this machine."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        """Dial it. The SDK's own leaves a socket open where nobody listens, and its error does not tell that."""
        try:
            self.sock = dial(self._path, self.timeout)
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error


class _UnixPool(HTTPConnectionPool):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", maxsize=4)
        self._path = path

    def _new_conn(self) -> _UnixConnection:
        return _UnixConnection(self._path)


class _UnixAdapter(HTTPAdapter):
    """A socket of this machine. Its path is taken as it is: the SDK's own reads it as part of a URL."""

    def __init__(self, path: str) -> None:
        self._pool = _UnixPool(path)
        super().__init__()

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """There is one."""
        return self._pool

    def request_url(self, request: Any, proxies: Any) -> str:
        """The path alone: there are no proxies on the way to a socket."""
        return str(request.path_url)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.close()
        super().close()  # type: ignore[no-untyped-call,unused-ignore]


def base_of(endpoint: Endpoint) -> str:
    """What the URLs of an endpoint begin with."""
    if isinstance(endpoint, UnixEndpoint):
        return UNIX_BASE
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{'https' if endpoint.tls is not None else 'http'}://{host}:{endpoint.port}"


def inner_of(endpoint: Endpoint) -> BaseAdapter:
    """What connects to an endpoint."""
    return _UnixAdapter(endpoint.path) if isinstance(endpoint, UnixEndpoint) else _ContextAdapter(endpoint.tls)
