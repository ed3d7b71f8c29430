"""Known hosts: which keys a host may show, where each stands, and in words what is wrong with another one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from ..errors import EngineError, HostKeyChanged, HostKeyUnknown
from .sshoptions import Hop


class KnownKey(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a known-hosts file."""

    marker: str
    """Empty, `cert-authority` or `revoked`."""
    patterns: str
    algorithm: str
    blob: str
    """The key in base64, as it stands there."""
    file: Path
    line: int

    @property
    def fingerprint(self) -> str:
        """`SHA256:…` as ssh-keygen prints it."""
        return fingerprint(base64.b64decode(self.blob))

    @property
    def place(self) -> str:
        """File and line, for people."""
        return f"{_short(self.file)} line {self.line}"


def fingerprint(blob: bytes) -> str:
    """`SHA256:…` of a public key as it goes over the wire, as ssh-keygen prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


_read: dict[Path, tuple[tuple[int, int], tuple[KnownKey, ...]]] = {}
# A fleet of a thousand hosts shares one file: read it once, and again when it changed.


def read_known_hosts(path: Path) -> tuple[KnownKey, ...]:
    """The keys of one file; a missing file has none. Lines that make no sense are passed over, as ssh does."""
    try:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        cached = _read.get(path)
        if cached is not None and cached[0] == stamp:
            return cached[1]
        keys = tuple(_parse(path, path.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return ()
    _read[path] = (stamp, keys)
    return keys


def _parse(path: Path, text: str) -> Iterable[KnownKey]:
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0)[1:] if words[0].startswith("@") else ""
        if len(words) < 3 or marker not in ("", "cert-authority", "revoked"):
            continue
        try:
            base64.b64decode(words[2], validate=True)
        except ValueError:  # binascii.Error is one, and what is not ASCII raises plain ones
            continue
        yield KnownKey(marker=marker, patterns=words[0], algorithm=words[1], blob=words[2], file=path, line=number)


def find_known(hop: Hop) -> tuple[KnownKey, ...]:
    """All lines that speak of a host, the user's files first.

    A host on another port than 22 is known as `[host]:port`; only where that finds nothing is its bare name looked up
    (sshconnect.c: check_host_key). Addresses behind a name are not looked up, as in ssh since 8.5 (CheckHostIP no).
    """
    every = [key for path in (*hop.user_known_hosts, *hop.global_known_hosts) for key in read_known_hosts(path)]
    name = (hop.key_alias or hop.host).lower()
    if hop.key_alias or hop.port == 22:
        return tuple(key for key in every if _matches(key.patterns, name))
    found = tuple(key for key in every if _matches(key.patterns, f"[{name}]:{hop.port}"))
    return found or tuple(key for key in every if _matches(key.patterns, name))


def _matches(patterns: str, name: str) -> bool:
    if patterns.startswith("|"):
        return _matches_hash(patterns, name)
    hit = False
    for pattern in patterns.lower().split(","):
        wanted = pattern.removeprefix("!")
        if wanted == name or (("*" in wanted or "?" in wanted) and _wildcard(wanted).fullmatch(name)):
            if pattern.startswith("!"):
                return False
            hit = True
    return hit


def _matches_hash(pattern: str, name: str) -> bool:
    """`|1|salt|HMAC-SHA1 of the name` (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    parts = pattern.split("|")
    if len(parts) != 4 or parts[1] != "1":
        return False
    try:
        salt, wanted = base64.b64decode(parts[2]), base64.b64decode(parts[3])
    except ValueError:
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), wanted)


def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(
        "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in re.sub(r"\*+", "*", pattern))
    )


# -- what is asked of the server ---------------------------------------------------------------------------------------

_ORDER = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
_SPOKEN = {*_ORDER, "rsa-sha2-512", "rsa-sha2-256", "ssh-ed448", "ssh-dss"}


def wanted_algorithms(known: Sequence[KnownKey], configured: str) -> list[str]:
    """The kinds of host key to ask for: those known first, so that a server with several shows the one we know.

    The others follow: a server that lost the known kind must still show a key, to be told apart from an unknown one.
    `configured` is HostKeyAlgorithms.
    """
    kinds = [key.algorithm for key in known if not key.marker and key.algorithm in _SPOKEN]
    every = (*sorted(set(kinds), key=kinds.index), *_ORDER)
    certificates = (
        [f"{name}-cert-v01@openssh.com" for kind in _ORDER for name in _SIGNATURES.get(kind, (kind,))]
        if any(key.marker == "cert-authority" for key in known)
        else []
    )
    plain = [name for kind in every for name in _SIGNATURES.get(kind, (kind,))]
    named = [name for name in configured.lstrip("+").split(",") if name in _SPOKEN]
    if configured.startswith("+"):
        plain += named
    elif named:
        plain = [name for name in plain if name in named] + named
    return list(dict.fromkeys((*certificates, *plain)))


# -- what is wrong -----------------------------------------------------------------------------------------------------


def explain_key(hop: Hop, who: str, known: Sequence[KnownKey], algorithm: str, shown: str) -> EngineError:
    """Why the key with fingerprint `shown` is not accepted; `who` is what messages call the host."""
    for key in known:
        if key.marker == "revoked" and key.fingerprint == shown:
            return HostKeyChanged(
                f"The host key of {who} is marked as revoked ({key.place}): {algorithm} {shown}.",
                hint="Do not connect: somebody may hold the host's stolen key. Ask who revoked it.",
            )
    others = [key for key in known if not key.marker]
    if not others:
        return _unknown(hop, who, known, algorithm, shown)
    listed = " and ".join(f"{key.algorithm} {key.fingerprint} ({key.place})" for key in others)
    names = _keygen_name(hop)
    removals = " and ".join(
        f"`ssh-keygen -R {names} -f {_short(file)}`" for file in dict.fromkeys(key.file for key in others)
    )
    return HostKeyChanged(
        f"The host key of {who} changed: it shows {algorithm} {shown}, known is {listed}.",
        hint=f"If the host was set up anew, check the fingerprint on it, then run {removals} and {_accept(hop)}; "
        "if it was not, somebody may stand between you and it.",
    )


def _unknown(hop: Hop, who: str, known: Sequence[KnownKey], algorithm: str, shown: str) -> HostKeyUnknown:
    files = ", ".join(_short(path) for path in (*hop.user_known_hosts, *hop.global_known_hosts) if path.exists())
    looked = f"in none of {files}" if "," in files else f"not in {files}" if files else "in no known-hosts file"
    signed = " and is not signed by the authority known for it" if known else ""
    return HostKeyUnknown(
        f"The host key of {who} is {looked}{signed}; it shows {algorithm} {shown}.",
        hint=f"Compare that with the host's own (`ssh-keygen -lf` on its /etc/ssh/ssh_host_*_key.pub), then run "
        f"{_accept(hop)}.",
    )


def _accept(hop: Hop) -> str:
    return f"`ssh {hop.name}` once and accept it"


def _keygen_name(hop: Hop) -> str:
    name = hop.key_alias or hop.host
    return name if hop.port == 22 or hop.key_alias else f"'[{name}]:{hop.port}'"


def _short(path: Path) -> str:
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)
