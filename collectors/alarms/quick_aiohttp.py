"""aiohttp without the 70 ms that its import spends on certificates nobody here uses.

aiohttp makes a default TLS context when it is imported, which reads all of the machine's certificate authorities
(aiohttp/connector.py, `_SSL_CONTEXT_VERIFIED`). Every request of ours brings its own context or none, so that one is
made empty while aiohttp is imported: whoever used it by mistake would trust nobody.
"""

from __future__ import annotations

import ssl


def _empty_context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


_usual = ssl.create_default_context
ssl.create_default_context = _empty_context  # type: ignore[assignment]
try:
    import aiohttp
finally:
    ssl.create_default_context = _usual

__all__ = ["aiohttp"]
