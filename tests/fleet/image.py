"""The one image every host gets: busybox and some small services, made by hand so that it has one id everywhere."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from .shell import sh

IMAGE = "bb:1"
BUSYBOX = Path("/bin/busybox")
MADE = 1_700_000_000
MADE_TEXT = "2023-11-14T22:13:20Z"
FOLDERS = ("bin", "app", "etc", "proc", "sys", "dev", "root", "tmp", "var", "www")

SERVICES = {
    # Health is a file: `rm /tmp/ok` makes it unhealthy, `touch /tmp/ok` healthy again. Process 1 has no default signal
    # handlers: without the trap every stop takes the whole grace period.
    "app/web": "#!/bin/sh\ntrap 'exit 0' TERM INT\ntouch /tmp/ok\necho web starting; echo hello >/www/index.html\n"
    "httpd -f -vv -p 8080 -h /www &\nwait\n",
    "app/logger": "#!/bin/sh\ntrap 'exit 0' TERM INT\ni=0\nwhile :; do i=$((i+1)); echo \"line $i\"; "
    'echo "err $i" >&2; sleep ${EVERY:-1} & wait $!; done\n',
    "app/crash": "#!/bin/sh\necho crashing; sleep ${AFTER:-1}; exit ${CODE:-3}\n",
    # Really allocates: inside a memory limit the kernel kills it (exit code 137, OOMKilled).
    "app/oom": "#!/bin/sh\necho eating; sleep 1; exec tail /dev/zero\n",
    "app/slowstop": "#!/bin/sh\ntrap 'echo ignoring TERM' TERM\nwhile :; do sleep 1; done\n",
}


class Entry(NamedTuple):
    """One member of an archive; `data` is the content of a file or the target of a link."""

    name: str
    kind: bytes
    data: bytes = b""
    mode: int = 0o644


def archive(entries: Iterable[Entry]) -> bytes:
    """A tar archive whose bytes depend on the entries alone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.mode, info.mtime = entry.kind, entry.mode, MADE
            if entry.kind == tarfile.SYMTYPE:
                info.linkname = entry.data.decode()
                tar.addfile(info)
            else:
                info.size = len(entry.data)
                tar.addfile(info, io.BytesIO(entry.data))
    return buffer.getvalue()


def root_files() -> Iterator[Entry]:
    """The file system of the image."""
    for folder in FOLDERS:
        yield Entry(folder, tarfile.DIRTYPE, mode=0o1777 if folder == "tmp" else 0o755)
    yield Entry("bin/busybox", tarfile.REGTYPE, BUSYBOX.read_bytes(), 0o755)
    for applet in sh(BUSYBOX, "--list").split():
        if applet != "busybox":
            yield Entry(f"bin/{applet}", tarfile.SYMTYPE, b"busybox", 0o777)
    for name, script in SERVICES.items():
        yield Entry(name, tarfile.REGTYPE, script.encode(), 0o755)
    yield Entry("etc/passwd", tarfile.REGTYPE, b"root:x:0:0:root:/root:/bin/sh\nnobody:x:99:99::/:/bin/sh\n")
    yield Entry("etc/group", tarfile.REGTYPE, b"root:x:0:\nnobody:x:99:\n")


def build_image() -> bytes:
    """An archive for ``docker load``."""
    layer = archive(root_files())
    diff = hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {
            "architecture": {"aarch64": "arm64"}.get(os.uname().machine, "amd64"),
            "os": "linux",
            "created": MADE_TEXT,
            "config": {"Env": ["PATH=/app:/bin"], "Cmd": ["sh"], "Labels": {"fleettop.test": "1"}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]},
            "history": [{"created": MADE_TEXT, "created_by": "tests/fleet/image.py"}],
        },
        sort_keys=True,
    ).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [IMAGE], "Layers": [f"{diff}/layer.tar"]}]).encode()
    return archive(
        [
            Entry(config_name, tarfile.REGTYPE, config),
            Entry(diff, tarfile.DIRTYPE, mode=0o755),
            Entry(f"{diff}/layer.tar", tarfile.REGTYPE, layer),
            Entry("manifest.json", tarfile.REGTYPE, manifest),
        ]
    )
