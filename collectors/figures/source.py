"""Which way past its engine the figures of containers can be read over a link, if any."""

from __future__ import annotations

from ..clock import Clock
from ..engine.client import EngineClient
from ..errors import EngineError
from ..links import Link
from ..links.lineshell import LineShell
from ..links.ssh import SshLink
from ..model import ContainerState
from .commands import FIND, READ, SCRIPT
from .local import LocalFigures
from .remote import RemoteFigures
from .target import HostFigures, target_of


def host_figures(link: Link, clock: Clock) -> HostFigures | None:
    """The reader for an open link; None where only the engine can be asked, or the config wants nothing else."""
    if link.address.scheme == "unix":
        return LocalFigures(clock)
    if not isinstance(link, SshLink) or not link.address.remote_shell:
        return None

    async def open_shell() -> LineShell | None:
        return await link.start_shell(SCRIPT, READ, FIND)

    return RemoteFigures(open_shell, clock)


async def try_figures(client: EngineClient, reader: HostFigures) -> str:
    """Read those of one container that runs, and say how that went; closes the reader. Never raises for the engine."""
    try:
        listing = await client.list_containers()
        running = next((row for row in listing.containers if row.state is ContainerState.RUNNING), None)
        if running is None:
            return f"{reader.words}, as far as can be told: no container runs there"
        container = await client.inspect(running.id)
        target = target_of(container) if container is not None else None
        if target is None or await reader.read([target]) or "cannot be read" in reader.words:
            return reader.words
        return "asked of the engine, since its containers are not to be found among the host's"
    except EngineError as error:
        return f"asked of the engine: {error.word}"
    finally:
        reader.close()
