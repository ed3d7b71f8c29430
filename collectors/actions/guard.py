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
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ..engine import allowlist
from ..errors import Rejected
from ..links.base import Endpoint, UnixEndpoint
from ..links.blocking import Dialer

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
        """Let go of the connections, of those too on which a thread still waits."""
        self._inner.close()


class _Connection(HTTPConnection):
    """A connection that the link's dialer makes, with the link's own TLS context or none."""

    def __init__(self, host: str, port: int | None, dialer: Dialer) -> None:
        super().__init__(host, port)
        self._dialer = dialer

    def connect(self) -> None:
        """Dial. The SDK's own way leaves a socket open where nobody listens, and its error does not tell that."""
        try:
            self.sock = self._dialer.dial(self.timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, str(error)) from error
        except ssl.SSLError:
            raise
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error


class _Pool(HTTPConnectionPool):
    """The connections to one endpoint."""

    def __init__(self, endpoint: Endpoint, dialer: Dialer) -> None:
        self._dialer = dialer
        host, port = ("localhost", None) if isinstance(endpoint, UnixEndpoint) else (endpoint.host, endpoint.port)
        super().__init__(host, port, maxsize=4)

    def _new_conn(self) -> _Connection:
        return _Connection(self.host, self.port, self._dialer)


class _Adapter(HTTPAdapter):
    """The way to one endpoint, whatever the URL says."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._dialer = Dialer(endpoint)
        self._pool = _Pool(endpoint, self._dialer)
        super().__init__()

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """There is one."""
        return self._pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave it to the context: requests would add the authorities of certifi to it (requests/adapters.py)."""

    def request_url(self, request: Any, proxies: Any) -> str:
        """The path alone: there are no proxies."""
        return str(request.path_url)

    def close(self) -> None:
        """Let go of the connections, of those too on which a thread still waits."""
        self._dialer.hang_up()
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
    return _Adapter(endpoint)
