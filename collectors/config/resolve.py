"""Which engines are meant: names and addresses as given, or what the config, Docker and this machine offer."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from ..address import DOCKER_SOCKET, EngineAddress
from ..errors import ConfigError
from .contexts import (
    DEFAULT,
    DockerContexts,
    chosen_context,
    docker_folder,
    docker_host,
    local_sockets,
    read_contexts,
    socket_name,
    written_address,
)
from .settings import Config
from .tomlfile import nearest


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """The engines that are meant, each once."""

    addresses: tuple[EngineAddress, ...]
    notes: tuple[str, ...] = ()
    """Sentences on what was left out: an address written twice, a corrupt docker context."""
    tried: tuple[str, ...] = ()
    """Where nobody named an engine: what was looked at, and why it did not lead to one."""


def resolve_engines(
    arguments: Sequence[str],
    config: Config,
    *,
    environ: Mapping[str, str],
    home: Path,
    group: str = "",
    context: str = "",
    is_socket: Callable[[str], bool] | None = None,
) -> Resolution:
    """The engines meant by `arguments` (addresses, names) and `context`.

    Without either: the config's engines, else the current docker context or `DOCKER_HOST`, else the sockets of this
    machine that are there. `group` keeps those of one group. Raises ConfigError for a name nobody knows, naming the
    nearest. No addresses at all is no error: `tried` then says why.
    """
    sources = _Sources(config, environ, home, is_socket or _is_socket)
    if arguments or context:
        found = [sources.named(text) for text in arguments]
        if context:
            found.append(sources.context(context))
        tried: list[str] = []
    elif config.engines:
        found, tried = list(config.engines), []
    elif group:
        raise ConfigError(
            f"There is no group {group!r}: no engines are configured.",
            hint='Give engines a group in fleettop.toml: group = "prod".',
        )
    else:
        found, tried = sources.of_this_machine()
    once, doubles = _once(found)
    addresses = _distinct_names(once)
    if group:
        addresses = _in_group(addresses, group)
    addresses = [_with_figures(address, config) for address in addresses]
    return Resolution(addresses=tuple(addresses), notes=(*sources.corrupt, *doubles), tried=tuple(tried))


class _Sources:
    """Everything a name can come from, read when first asked for."""

    def __init__(
        self, config: Config, environ: Mapping[str, str], home: Path, is_socket: Callable[[str], bool]
    ) -> None:
        self._config = config
        self._environ = environ
        self._home = home
        self._is_socket = is_socket
        self._contexts: DockerContexts | None = None

    @property
    def contexts(self) -> DockerContexts:
        if self._contexts is None:
            self._contexts = read_contexts(docker_folder(self._environ, self._home))
        return self._contexts

    @property
    def corrupt(self) -> tuple[str, ...]:
        """What is wrong with docker's contexts, where those were looked at."""
        return self._contexts.notes if self._contexts else ()

    def named(self, text: str) -> EngineAddress:
        """The engine that `text` means: an address, or a name of the config, a docker context or the ssh config."""
        if "://" in text or text.startswith("/"):
            return self._address(text if "://" in text else f"unix://{text}")
        for engine in self._config.engines:
            if engine.name == text:
                return engine
        if text == DEFAULT or text in self.contexts.addresses or text in self.contexts.broken:
            return self.context(text)
        hosts = self._ssh_names()
        if text in hosts:
            return EngineAddress(
                name=text, scheme="ssh", host=text, ssh_config=self._config.ssh_config, origin="ssh config"
            )
        raise self._unknown(text, hosts)

    def context(self, name: str) -> EngineAddress:
        """The engine of the docker context called `name`."""
        if name == DEFAULT:
            return docker_host(self._environ, self._home) or _local(DOCKER_SOCKET)
        if name in self.contexts.broken:
            error = self.contexts.broken[name]
            raise ConfigError(f"The docker context {name!r} cannot be used: {error}", hint=error.hint) from error
        if name not in self.contexts.addresses:
            near = nearest(name, (*self.contexts.addresses, DEFAULT))
            corrupt = " ".join(self.contexts.notes)
            hint = f"Did you mean {near!r}?" if near else "`docker context ls` lists them."
            raise ConfigError(f"There is no docker context {name!r}.", hint=f"{hint} {corrupt}".strip())
        return self.contexts.addresses[name]

    def of_this_machine(self) -> tuple[list[EngineAddress], list[str]]:
        """What Docker's own command line would take, else the sockets of this machine that are there."""
        where = f"{self._config.path} names no engines" if self._config.path else "There is no fleettop.toml"
        tried = [f"{where}."]
        chosen = chosen_context(self.contexts, self._environ)
        if chosen != DEFAULT:
            return [self.context(chosen)], tried
        engine = docker_host(self._environ, self._home)
        if engine is not None:
            return [engine], tried
        tried.append("DOCKER_HOST is not set, and no docker context is chosen.")
        found: dict[str, EngineAddress] = {}
        for path in local_sockets(self._environ, self._home):
            if self._is_socket(path):
                found.setdefault(os.path.realpath(path), _local(path))
            else:
                tried.append(f"{path}: there is no socket.")
        return list(found.values()), tried

    def _address(self, text: str) -> EngineAddress:
        address = written_address(text, self._environ, self._home)
        for engine in self._config.engines:  # it is that engine, with its name, its group and its certificates
            if engine.text == address.text:
                return engine
        ssh_config = self._config.ssh_config if address.scheme == "ssh" else None
        return msgspec.structs.replace(address, ssh_config=ssh_config, origin="argument")

    def _ssh_names(self) -> tuple[str, ...]:
        from .sshnames import ssh_names  # most starts name no host of the ssh config

        return ssh_names(self._config.ssh_config or self._home / ".ssh" / "config", home=self._home)

    def _unknown(self, text: str, hosts: Iterable[str]) -> ConfigError:
        known = [engine.name for engine in self._config.engines]
        known += [*self.contexts.addresses, *hosts]
        near = nearest(text, known)
        if near:
            hint = f"Did you mean {near!r}?"
        elif "@" in text or "." in text:
            hint = f"If it is an address, write ssh://{text}."
        else:
            hint = (
                f"Known are: {', '.join(sorted(set(known))[:20])}."
                if known
                else "Write ssh://user@host for an address."
            )
        return ConfigError(
            f"{text!r} is no engine of the config, no docker context and no Host of the ssh config.", hint=hint
        )


def _with_figures(address: EngineAddress, config: Config) -> EngineAddress:
    """What the config says of figures holds for every engine, wherever it was named."""
    shell = address.remote_shell and config.figures.remote_shell
    return msgspec.structs.replace(address, remote_shell=shell, figures_budget=config.figures.budget)


def _local(path: str) -> EngineAddress:
    return EngineAddress(name=socket_name(path), scheme="unix", socket=path, origin="local socket")


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)  # noqa: PTH116 - Path.is_socket hides a refusal as "no"
    except PermissionError:
        return True  # it may be there: connecting tells why it cannot be used
    except OSError:
        return False


def _identity(address: EngineAddress) -> tuple[object, ...]:
    if address.scheme == "unix":
        return ("unix", os.path.realpath(address.socket))
    port = address.port
    if port is None and address.scheme == "tcp":
        port = 2376 if address.tls else 2375
    return (address.scheme, address.host.lower(), port, address.user, address.socket, address.ssh_config)


def _once(addresses: Iterable[EngineAddress]) -> tuple[list[EngineAddress], list[str]]:
    """Each address once, and a sentence on each that was written again under another name."""
    kept: dict[tuple[object, ...], EngineAddress] = {}
    notes: list[str] = []
    for address in addresses:
        first = kept.setdefault(_identity(address), address)
        if first.name != address.name:
            notes.append(f"{address.name} is the same address as {first.name} ({first.text}): shown once.")
    return list(kept.values()), notes


def _distinct_names(addresses: Iterable[EngineAddress]) -> list[EngineAddress]:
    """Different engines whose names came out the same are called by their whole address."""
    taken: set[str] = set()
    result: list[EngineAddress] = []
    for address in addresses:
        name = address.name if address.name not in taken else address.text
        taken.add(name)
        result.append(address if name == address.name else msgspec.structs.replace(address, name=name))
    return result


def _in_group(addresses: Sequence[EngineAddress], group: str) -> list[EngineAddress]:
    kept = [address for address in addresses if address.group == group]
    if kept:
        return kept
    groups = sorted({address.group for address in addresses if address.group})
    near = nearest(group, groups)
    known = (
        f"The groups are: {', '.join(groups)}." if groups else 'Give engines a group in fleettop.toml: group = "prod".'
    )
    raise ConfigError(f"No engine is in the group {group!r}.", hint=f"Did you mean {near!r}?" if near else known)
