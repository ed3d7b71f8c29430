"""Which way past its engine the figures of containers can be read over a link, if any."""

from __future__ import annotations

from ..clock import Clock
from ..links import Link
from ..links.lineshell import LineShell
from ..links.ssh import SshLink
from .commands import FIND, READ, SCRIPT
from .local import LocalFigures
from .remote import RemoteFigures
from .target import HostFigures


def host_figures(link: Link, clock: Clock) -> HostFigures | None:
    """The reader for an open link; None where only the engine can be asked, or the config wants nothing else."""
    if link.address.scheme == "unix":
        return LocalFigures(clock)
    if not isinstance(link, SshLink) or not link.address.remote_shell:
        return None

    async def open_shell() -> LineShell | None:
        return await link.start_shell(SCRIPT, READ, FIND)

    return RemoteFigures(open_shell, clock)
