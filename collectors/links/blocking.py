"""Connections for what runs in threads of its own and has no event loop; whoever waits there can be hung up on."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import weakref

from .base import Endpoint, UnixEndpoint


class Dialer:
    """Makes connections to an endpoint, each for the thread that asks, and ends all of them from any other thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._made: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._over = False

    def dial(self, seconds: float | None) -> socket.socket:
        """A connection with that timeout, TLS and all; whoever gets it closes it.

        Raises OSError (so also TimeoutError and SSLError), and leaves nothing open then.
        """
        end = self._endpoint
        if isinstance(end, UnixEndpoint):
            return self._connected(socket.AF_UNIX, end.path, seconds)
        failure: OSError = ConnectionRefusedError("no address")
        for family, _, _, _, address in socket.getaddrinfo(end.host, end.port, type=socket.SOCK_STREAM):
            try:
                opened = self._connected(family, address, seconds)
            except OSError as error:
                failure = error
                continue
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened if end.tls is None else self._secured(opened, end.tls, end.host)
        raise failure

    def hang_up(self) -> None:
        """End every connection, made or in the making; whoever waits on one hears its end. No more are made."""
        with self._lock:
            self._over = True
            made = list(self._made)
        for one in made:
            with contextlib.suppress(OSError):  # closed, or never connected
                # Not SSLSocket's own, which takes the TLS away from under the thread that reads.
                socket.socket.shutdown(one, socket.SHUT_RDWR)

    def _connected(self, family: int, address: str | tuple[object, ...], seconds: float | None) -> socket.socket:
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._note(opened)
            opened.settimeout(seconds)
            opened.connect(address)
        except BaseException:
            opened.close()
            raise
        return opened

    def _secured(self, opened: socket.socket, tls: ssl.SSLContext, host: str) -> socket.socket:
        try:
            secured = tls.wrap_socket(opened, server_hostname=host.split("%")[0], do_handshake_on_connect=False)
        except BaseException:
            opened.close()
            raise
        try:
            self._note(secured)
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return secured

    def _note(self, opened: socket.socket) -> None:
        with self._lock:
            if self._over:
                raise ConnectionAbortedError("hung up")
            self._made.add(opened)
