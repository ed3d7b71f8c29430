"""Debian 13 for hosts that shall have its Docker (26.1, API 1.45), fetched once, whatever this machine itself runs.

Its packages come from the mirror that this machine's own apt uses, with lists and a cache of their own: nothing of the
machine is changed. They are verified as ever and unpacked into a folder, which is the root of such a host.
"""

from __future__ import annotations

import fcntl
import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .shell import CommandFailed, sh, surroundings

RELEASE = "trixie"
FOLDER = Path(__file__).parents[2] / "build" / "debian13"
SYSTEM = FOLDER / "root-3"
"""Another number for another content."""

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SIZE = "120 MB"
ENGINE = ("docker.io", "docker-cli", "docker-buildx", "containerd", "runc", "tini", "iptables")
MACHINE = (
    *("base-files", "libc-bin", "bash", "dash", "coreutils", "util-linux", "mount", "grep", "sed", "findutils", "mawk"),
    *("hostname", "procps", "iproute2", "busybox-static", "openssh-server"),
)
UNREAD = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/i18n", "var/cache/apt")
BOUND = ("etc/passwd", "etc/group", "etc/shadow", "etc/hosts", "etc/subuid", "etc/subgid")
"""What a host mounts its own over."""

LINKS = {
    "var/run": "/run",
    "var/lock": "/run/lock",
    "usr/bin/awk": "mawk",
    "usr/sbin/iptables": "iptables-nft",
    "usr/sbin/iptables-save": "iptables-nft-save",
    "usr/sbin/iptables-restore": "iptables-nft-restore",
    "usr/sbin/ip6tables": "ip6tables-nft",
    "usr/sbin/ip6tables-save": "ip6tables-nft-save",
    "usr/sbin/ip6tables-restore": "ip6tables-nft-restore",
}
"""What packages make when they are set up, which they are not here."""


def lacking() -> str:
    """Why no host can have it; empty: one can."""
    return "" if SYSTEM.is_dir() else "no Debian 13: `python -m tests.fleet fetch` gets it"


def version() -> str:
    """The version of its Docker package."""
    return (SYSTEM / "etc/fleettop-docker").read_text().strip()


def fetch() -> str:
    """Have it, from now on. Returns the version of its Docker package; raises RuntimeError where it cannot be had."""
    if needed := [name for name in ("apt-get", "dpkg-deb") if not shutil.which(name, path=surroundings()["PATH"])]:
        raise RuntimeError(f"no {' and no '.join(needed)}: this is not Debian")
    if not KEYRING.exists():
        raise RuntimeError(f"no {KEYRING} (apt-get install debian-archive-keyring)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not SYSTEM.is_dir():
            with tempfile.TemporaryDirectory(dir=FOLDER, prefix="draft-") as draft:
                _make(Path(draft))
    return version()


def _make(draft: Path) -> None:
    packages = _packages(draft)
    root = draft / "root"
    root.mkdir()
    for package in sorted(packages, key=lambda path: not path.name.startswith("base-files_")):  # brings /bin -> usr/bin
        sh("dpkg-deb", "--extract", package, root)
    for name in UNREAD:
        shutil.rmtree(root / name, ignore_errors=True)
    for name in BOUND:
        (root / name).touch()
    for name, target in LINKS.items():
        if (root / name).is_dir():
            (root / name).rmdir()
        (root / name).symlink_to(target)
    [engine] = [package for package in packages if package.name.startswith("docker.io_")]
    (root / "etc/fleettop-docker").write_text(sh("dpkg-deb", "--field", engine, "Version") + "\n")
    root.chmod(0o755)
    root.rename(SYSTEM)


def _packages(draft: Path) -> list[Path]:
    """All of them, and what they depend on, as verified files."""
    failed = []
    for mirror in dict.fromkeys(_mirrors()):
        try:
            return _download(draft, mirror)
        except CommandFailed as error:
            failed.append(str(error))
    raise RuntimeError(failed[-1] if failed else "this machine's apt names no mirror of Debian")


def _mirrors() -> Iterator[str]:
    """Where this machine's own Debian comes from."""
    names = {"stable", "oldstable", "testing", RELEASE, platform.freedesktop_os_release().get("VERSION_CODENAME", "")}
    for line in sh("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)").splitlines():
        release, component, address = line.split(maxsplit=2)
        if release in names and component == "main":
            yield address


def _download(draft: Path, mirror: str) -> list[Path]:
    for name in ("sources", "state/lists/partial", "cache/archives/partial"):
        (draft / name).mkdir(parents=True, exist_ok=True)
    (draft / "sources/release.sources").write_text(
        f"Types: deb\nURIs: {mirror}\nSuites: {RELEASE}\nComponents: main\nSigned-By: {KEYRING}\n"
    )
    (draft / "nothing").touch()
    (draft / "apt.conf").write_text(
        f'Dir::Etc {{ sourcelist "/dev/null"; sourceparts "{draft}/sources"; '
        f'preferences "/dev/null"; preferencesparts "/dev/null"; }};\n'
        f'Dir::State "{draft}/state";\nDir::State::status "{draft}/nothing";\nDir::Cache "{draft}/cache";\n'
        'APT::Sandbox::User "root";\nAPT::Update::Error-Mode "any";\nAcquire::Retries "3";\n'
        'Acquire::Languages "none";\nAcquire::http::Timeout "30";\n'
        "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n"
        "#clear APT::Update::Post-Invoke-Success;\n#clear DPkg;\n"
    )
    apt = ("apt-get", "--quiet=2", "--config-file", draft / "apt.conf")
    sh(*apt, "update", timeout=300, proxies=True)
    wanted = ("--yes", "--download-only", "--no-install-recommends", *ENGINE, *MACHINE)
    sh(*apt, "install", *wanted, timeout=600, proxies=True)
    return sorted((draft / "cache/archives").glob("*.deb"))
