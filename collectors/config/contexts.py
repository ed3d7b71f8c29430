"""Where Docker's own command line would go: its contexts, `DOCKER_HOST`, and the usual sockets of this machine.

Read as docker/cli does (cli/context/store, cli/command/cli.go `resolveContextName`), but per folder: one corrupt
context spoils none of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..address import DOCKER_SOCKET, EngineAddress, TlsFiles, parse_address
from ..digest import digest
from ..errors import ConfigError

DEFAULT = "default"
"""The context that is none: `DOCKER_HOST`, or else the local socket."""


class DockerContexts(msgspec.Struct, frozen=True, kw_only=True):
    """The docker contexts of a user. `broken` holds those that cannot be used, with the reason."""

    addresses: Mapping[str, EngineAddress] = {}
    broken: Mapping[str, ConfigError] = {}
    current: str = ""
    """What `docker context use` chose; empty: nothing."""
    notes: tuple[str, ...] = ()


def docker_folder(environ: Mapping[str, str], home: Path) -> Path:
    """The folder of Docker's own config: `DOCKER_CONFIG`, or `~/.docker`."""
    return Path(environ["DOCKER_CONFIG"]) if environ.get("DOCKER_CONFIG") else home / ".docker"


def read_contexts(folder: Path) -> DockerContexts:
    """The contexts kept in `folder` (`contexts/meta/*/meta.json`). Never raises: trouble becomes notes."""
    addresses: dict[str, EngineAddress] = {}
    broken: dict[str, ConfigError] = {}
    notes: list[str] = []
    for meta in sorted((folder / "contexts" / "meta").glob("*/meta.json")):
        try:
            name, endpoint = _read_meta(meta)
        except (OSError, ValueError, RecursionError) as error:
            notes.append(f"The docker context in {meta.parent} cannot be read: {_why(error)}.")
            continue
        try:
            addresses[name] = _address(name, endpoint, folder / "contexts" / "tls" / meta.parent.name / "docker")
        except ConfigError as error:
            broken[name] = error
            notes.append(f"The docker context {name!r} cannot be used: {error}")
    return DockerContexts(addresses=addresses, broken=broken, current=_current(folder, notes), notes=tuple(notes))


def chosen_context(contexts: DockerContexts, environ: Mapping[str, str]) -> str:
    """The context docker itself would take when none is named: `DOCKER_HOST` outdoes both ways to choose one."""
    if environ.get("DOCKER_HOST"):
        return DEFAULT
    return environ.get("DOCKER_CONTEXT") or contexts.current or DEFAULT


def docker_host(environ: Mapping[str, str], home: Path) -> EngineAddress | None:
    """The engine named by `DOCKER_HOST`, with `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`; None where it is not set.

    Raises ConfigError where its address is wrong.
    """
    text = environ.get("DOCKER_HOST", "").strip()
    if not text:
        return None
    return msgspec.structs.replace(
        written_address(text if "://" in text else f"tcp://{text}", environ, home), origin="DOCKER_HOST"
    )


def written_address(text: str, environ: Mapping[str, str], home: Path) -> EngineAddress:
    """The address written as `text` outside of any config: its TLS is told by `DOCKER_TLS_VERIFY`, as docker has it.

    Raises ConfigError.
    """
    address = parse_address(text)
    if address.scheme == "unix":
        return msgspec.structs.replace(address, name=socket_name(address.socket))
    if address.scheme != "tcp":
        return address
    tls: TlsFiles | None = None
    if environ.get("DOCKER_TLS_VERIFY") or environ.get("DOCKER_TLS"):
        folder = environ.get("DOCKER_CERT_PATH")
        tls = tls_files(Path(folder) if folder else docker_folder(environ, home))
    elif text.lower().startswith("https:"):
        tls = TlsFiles()  # the authorities this machine trusts, and nothing to show of ours
    return msgspec.structs.replace(address, tls=tls)


def tls_files(folder: Path) -> TlsFiles:
    """The PEM files in `folder`, by the names Docker gives them; those that are not there are left out."""
    ca, cert, key = (path if path.exists() else None for path in (folder / f"{n}.pem" for n in ("ca", "cert", "key")))
    return TlsFiles(ca=ca, cert=cert, key=key)


def local_sockets(environ: Mapping[str, str], home: Path) -> tuple[str, ...]:
    """The places where an engine of this machine usually listens, the likeliest first."""
    places = [DOCKER_SOCKET]
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime:
        places.append(f"{runtime}/docker.sock")
    places.append(str(home / ".docker" / "run" / "docker.sock"))
    if runtime:
        places.append(f"{runtime}/podman/podman.sock")
    places.append("/run/podman/podman.sock")
    return tuple(places)


def socket_name(path: str) -> str:
    """What an engine of this machine is called when nobody gave it a name."""
    if path in (DOCKER_SOCKET, "/run/docker.sock"):
        return "local"
    if path.endswith("/podman/podman.sock"):
        return "podman" if path.startswith(("/run/podman/", "/var/run/podman/")) else "podman-rootless"
    return "local-rootless" if path.startswith("/run/user/") and path.endswith("/docker.sock") else path


def _read_meta(meta: Path) -> tuple[str, Mapping[str, object]]:
    data = _json(meta)
    name = data.get("Name") if isinstance(data, dict) else None
    if not isinstance(name, str) or not name or not name.isprintable():
        raise ValueError("it names no context")
    if digest(name.encode()) != meta.parent.name:
        raise ValueError(f"it says it is {name!r}, and its folder says otherwise")
    endpoints = data.get("Endpoints")
    endpoint = endpoints.get("docker") if isinstance(endpoints, dict) else None
    if not isinstance(endpoint, dict):
        raise ValueError("it has no docker endpoint")
    return name, endpoint


def _json(path: Path) -> Any:
    read = path.read_bytes()
    import json  # takes 2 ms to load, and most starts read no such file

    return json.loads(read)


def _address(name: str, endpoint: Mapping[str, object], tls_folder: Path) -> EngineAddress:
    host = endpoint.get("Host")
    if not isinstance(host, str) or not host:
        raise ConfigError("it has no Host.")
    address = parse_address(host, name=name)
    tls: TlsFiles | None = None
    if address.scheme == "tcp" and (tls_folder.is_dir() or host.lower().startswith("https:")):
        tls = tls_files(tls_folder)
    # SkipTLSVerify is not followed: an engine that cannot prove who it is is not connected to.
    return msgspec.structs.replace(address, tls=tls, origin=f"docker context {name}")


def _current(folder: Path, notes: list[str]) -> str:
    path = folder / "config.json"
    try:
        data = _json(path)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, RecursionError) as error:
        notes.append(f"{path} cannot be read: {_why(error)}.")
        return ""
    current = data.get("currentContext") if isinstance(data, dict) else None
    return current if isinstance(current, str) and current != DEFAULT else ""


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    if (line := getattr(error, "lineno", None)) is not None:
        return f"it is not JSON (line {line})"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
