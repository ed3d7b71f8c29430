"""Logs of who comes and goes on a host, written by its real sshd: into the journal, or into a file as syslogs do.

A host shares /dev and /var/log with the machine until it keeps a log; then it has its own, so the machine gets neither.
"""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

from .hosts import OPS, Hosts
from .site import Host
from .waiting import wait_for

JOURNALD = Path("/lib/systemd/systemd-journald")
JOURNAL = "journal"

_OWN_FOLDERS = r"""
set -e
[ ! -e /dev/.own ] || exit 0
mkdir /run/dev; mount -t tmpfs -o mode=755 tmpfs /run/dev
for f in /dev/*; do
    n=/run/dev/${f##*/}
    if [ -L $f ]; then cp -P $f $n
    elif [ -d $f ]; then mkdir $n; mount --rbind $f $n
    elif [ ! -S $f ]; then cp -a $f $n; fi
done
: >/run/dev/.own
mount --move /run/dev /dev
mkdir -p $1/disk/var/log; mount --bind $1/disk/var/log /var/log
touch /run/utmp /var/log/lastlog
"""
# As systemd's tmpfiles does it, with ops for the group systemd-journal; journald must not ask the machine's kernel.
_JOURNAL = r"""
set -e
id=$(cat /etc/machine-id)
mkdir -p -m 2750 /run/log/journal /run/log/journal/$id /run/systemd/journald.conf.d
chmod 755 /run/log/journal
chgrp $2 /run/log/journal/$id; chmod 2750 /run/log/journal/$id
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\n' >/run/systemd/journald.conf.d/own.conf
ln -sfn /run/systemd/journal/dev-log /dev/log
"""
_FILE = r"""
set -e
rm -f /dev/log; : >$1; chgrp $2 $1; chmod 640 $1
"""


def cannot_keep(kind: str) -> str:
    """Why no such log can be kept on this machine; empty: it can."""
    if kind == JOURNAL and not (JOURNALD.exists() and shutil.which("journalctl") and Path("/etc/machine-id").exists()):
        return "no systemd-journald, journalctl or /etc/machine-id (apt-get install systemd)"
    return ""


def keep(hosts: Hosts, host: Host, kind: str, *, readable: bool) -> None:
    """Let a host's sshd log to the `journal` or to a file; `readable` for ops. Its sessions are cut."""
    end(hosts, host)
    group = str(OPS if readable else 0)
    hosts.on(host.name, "sh", "-c", _OWN_FOLDERS, "sh", hosts.site.home(host.name))
    if kind == JOURNAL:
        hosts.on(host.name, "sh", "-c", _JOURNAL, "sh", "", group)
        daemon: tuple[object, ...] = (JOURNALD,)
    else:
        hosts.on(host.name, "sh", "-c", _FILE, "sh", kind, group)
        daemon = ("busybox", "syslogd", "-n", "-O", kind)
    hosts.spawn(host.name, "syslog", "sh", "-c", 'echo $$ >/run/syslog.pid; exec "$@"', "sh", *daemon)
    wait_for(f"{host.name}: something listens at /dev/log", lambda: hosts.on(host.name, "test", "-S", "/dev/log") == "")
    hosts.restart_sshd(host)


def end(hosts: Hosts, host: Host) -> None:
    """Nothing is logged any more, and what was is gone."""
    stop = """
        [ ! -e /run/syslog.pid ] || kill "$(cat /run/syslog.pid)"
        rm -rf /run/syslog.pid /run/log/journal
        if [ -e /dev/.own ]; then rm -rf /dev/log /var/log/*; touch /var/log/lastlog; fi
    """
    hosts.on(host.name, "sh", "-c", textwrap.dedent(stop), check=False)
