"""Who trusts whom: ssh keys, known hosts and config, TLS certificates, and some of each that must be refused."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from .network import JUMP_ADDRESS
from .shell import sh
from .site import Host, Site, State

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
FOR_CLIENTS = "extendedKeyUsage=clientAuth\n"


def make_ssh(site: Site, state: State) -> None:
    """The user's key, a stranger's key, a key for each host, known_hosts and an ssh config."""
    folder = site.folder / "ssh"
    folder.mkdir()
    for name in ("id_ed25519", "stranger"):
        new_ssh_key(folder / name, name)
    shutil.copy(folder / "id_ed25519.pub", folder / "authorized_keys")
    lines = []
    for host in state.hosts.values():
        (site.home(host.name) / "ssh").mkdir(parents=True)
        key = site.home(host.name) / "ssh/host"
        new_ssh_key(key, host.name)
        kind, text, *_ = key.with_suffix(".pub").read_text().split()
        lines.append(f"{host.name},{host.address},{host.cluster} {kind} {text}\n")
    (folder / "known_hosts").write_text("".join(lines))
    (folder / "config").write_text(ssh_config(site, state))


def new_ssh_key(path: Path, comment: str) -> None:
    """Write a key pair without a passphrase."""
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)


def ssh_config(
    site: Site, state: State, *, identity: Path | None = None, known_hosts: Path | None = None, user: str = "ops"
) -> str:
    """The ssh config for a fleet: every host by its name and its address, private ones through the jump host."""
    folder = site.folder / "ssh"
    return "\n".join(
        f"Host {host.name} {host.address}\n"
        f"  HostName {host.address}\n"
        f"  User {user}\n"
        + (f"  ProxyJump {user}@{site.management}.{JUMP_ADDRESS}\n" if host.private else "")
        + f"  IdentityFile {identity or folder / 'id_ed25519'}\n"
        f"  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {known_hosts or folder / 'known_hosts'}\n"
        f"  StrictHostKeyChecking yes\n"
        for host in state.hosts.values()
    )


def make_tls(site: Site, state: State) -> None:
    """Two authorities, a client certificate, ones that are expired or a stranger's, and one for each host with TLS."""
    folder = site.folder / "tls"
    authority, other = folder / "ca", folder / "other-ca"
    _authority(authority, "fleet-ca")
    _authority(other, "other-ca")
    _certificate(authority, folder / "client", "client", FOR_CLIENTS)
    _certificate(authority, folder / "client-expired", "client", FOR_CLIENTS, days=-1)
    _certificate(other, folder / "client-stranger", "client", FOR_CLIENTS)
    shutil.copy(authority / "ca.pem", folder / "client-stranger/ca.pem")
    for host in state.hosts.values():
        if host.tcp == "tls":
            _certificate(authority, site.home(host.name) / "tls", host.name, _for_server(host))


def _for_server(host: Host) -> str:
    names = f"IP:{host.address},IP:{host.cluster},IP:127.0.0.1,DNS:{host.name}"
    return f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n"


def replace_certificate(site: Site, host: Host, kind: str) -> None:
    """Write a certificate that is `expired`, for another `name`, or by a `stranger`; the engine must be restarted."""
    folder = site.home(host.name) / "tls"
    if not (folder / "cert.good").exists():
        shutil.copy(folder / "cert.pem", folder / "cert.good")
    extension = _for_server(host)
    if kind == "name":
        extension = "subjectAltName=DNS:elsewhere.example.org\nextendedKeyUsage=serverAuth\n"
    authority = site.folder / "tls" / ("other-ca" if kind == "stranger" else "ca")
    request = sh("openssl", "req", "-new", "-key", folder / "key.pem", "-subj", f"/CN={host.name}")
    _sign(authority, request, extension, folder, days=-1 if kind == "expired" else 365)


def restore_certificate(site: Site, host: str) -> bool:
    """Undo `replace_certificate`; whether there was something to undo."""
    good = site.home(host) / "tls/cert.good"
    if good.exists():
        good.rename(good.with_name("cert.pem"))
        return True
    return False


def replace_host_key(site: Site, host: str) -> None:
    """Give a host another ssh key than the one in known_hosts; its sshd must restart."""
    key = site.home(host) / "ssh/host"
    for file in (key, key.with_suffix(".pub")):
        if file.with_name(f"{file.name}.good").exists():
            file.unlink()
        else:
            file.rename(file.with_name(f"{file.name}.good"))
    new_ssh_key(key, host)


def restore_host_key(site: Site, host: str) -> bool:
    """Undo `replace_host_key`; whether there was something to undo."""
    folder = site.home(host) / "ssh"
    kept = list(folder.glob("*.good"))
    for file in kept:
        file.rename(file.with_name(file.name.removesuffix(".good")))
    return bool(kept)


def _authority(folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    files = ("-keyout", folder / "ca-key.pem", "-out", folder / "ca.pem")
    sh("openssl", "req", "-x509", *NEW_KEY, "-days", "3650", "-subj", f"/CN={name}", *files)


def _certificate(authority: Path, folder: Path, name: str, extension: str, days: int = 365) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    request = sh("openssl", "req", *NEW_KEY, "-subj", f"/CN={name}", "-keyout", folder / "key.pem")
    _sign(authority, request, extension, folder, days)
    shutil.copy(authority / "ca.pem", folder / "ca.pem")


def _sign(authority: Path, request: str, extension: str, folder: Path, days: int) -> None:
    """Sign a request as cert.pem; fewer than 0 days: it is already over."""
    (folder / "extension").write_text(extension)
    signer = ("-CA", authority / "ca.pem", "-CAkey", authority / "ca-key.pem", "-set_serial", random.getrandbits(60))
    files = ("-extfile", folder / "extension", "-out", folder / "cert.pem")
    sh("openssl", "x509", "-req", *signer, "-days", days, *files, stdin=request + "\n")
