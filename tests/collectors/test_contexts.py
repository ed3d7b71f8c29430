"""Which engines Docker's own settings name, and which the ssh config does."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from fleettop.collectors.address import TlsFiles
from fleettop.collectors.config.contexts import chosen_context, docker_host, read_contexts
from fleettop.collectors.config.sshnames import ssh_names
from fleettop.collectors.errors import ConfigError


def write_context(folder: Path, name: str, host: object, *, pem: tuple[str, ...] = (), meta: str | None = None) -> Path:
    """A context as `docker context create` writes it; returns its meta folder."""
    key = hashlib.sha256(name.encode()).hexdigest()
    path = folder / "contexts" / "meta" / key
    path.mkdir(parents=True)
    data = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    (path / "meta.json").write_text(meta if meta is not None else json.dumps(data))
    for file in pem:
        tls = folder / "contexts" / "tls" / key / "docker"
        tls.mkdir(parents=True, exist_ok=True)
        (tls / f"{file}.pem").write_text("x")
    return path


def test_contexts_are_read_with_their_certificates(tmp_path):
    """A context's TLS files are those docker keeps beside it."""
    write_context(tmp_path, "edge", "tcp://edge:2376", pem=("ca", "cert", "key"))
    write_context(tmp_path, "web", "ssh://ops@web")
    contexts = read_contexts(tmp_path)
    edge, web = contexts.addresses["edge"], contexts.addresses["web"]
    assert edge.tls is not None
    assert edge.tls.ca is not None
    assert edge.tls.ca.parent == edge.tls.key.parent  # type: ignore[union-attr]
    assert (edge.name, edge.origin, web.text, web.tls) == ("edge", "docker context edge", "ssh://ops@web", None)
    assert contexts.notes == ()


@pytest.mark.parametrize(
    ("meta", "says"),
    [
        ("{", "it is not JSON"),
        ("", "it is not JSON"),
        ("[]", "it names no context"),
        ("{}", "it names no context"),
        ('{"Name": "other", "Endpoints": {"docker": {"Host": "unix:///x"}}}', "its folder says otherwise"),
        ('{"Name": "bad", "Endpoints": {}}', "it has no docker endpoint"),
        ('{"Name": "bad", "Endpoints": {"docker": "x"}}', "it has no docker endpoint"),
        ('{"Name": "bad", "Endpoints": {"docker": {}}}', "it has no Host"),
        ('{"Name": "bad", "Endpoints": {"docker": {"Host": 5}}}', "it has no Host"),
        ('{"Name": "bad", "Endpoints": {"docker": {"Host": "npipe:////./pipe/docker"}}}', "starts with none of"),
        pytest.param("[" * 100_000, "it is nested too deeply", id="deep"),
    ],
)
def test_one_corrupt_context_spoils_none_of_the_others(tmp_path, meta, says):
    """The corrupt one becomes a note, the others are there."""
    write_context(tmp_path, "bad", "", meta=meta)
    write_context(tmp_path, "good", "ssh://good")
    contexts = read_contexts(tmp_path)
    assert list(contexts.addresses) == ["good"]
    assert len(contexts.notes) == 1
    assert says in contexts.notes[0]


def test_an_unreadable_folder_or_config_is_a_note(tmp_path):
    """Neither a meta.json that is a folder nor a config.json that is no JSON stops the rest."""
    write_context(tmp_path, "good", "ssh://good")
    (tmp_path / "contexts" / "meta" / "abc" / "meta.json").mkdir(parents=True)
    (tmp_path / "config.json").write_text("{")
    contexts = read_contexts(tmp_path)
    assert list(contexts.addresses) == ["good"]
    assert len(contexts.notes) == 2


def test_the_current_context_is_docker_s(tmp_path):
    """DOCKER_HOST outdoes DOCKER_CONTEXT outdoes config.json, as in docker/cli."""
    (tmp_path / "config.json").write_text('{"currentContext": "edge"}')
    contexts = read_contexts(tmp_path)
    assert chosen_context(contexts, {}) == "edge"
    assert chosen_context(contexts, {"DOCKER_CONTEXT": "web"}) == "web"
    assert chosen_context(contexts, {"DOCKER_CONTEXT": "web", "DOCKER_HOST": "ssh://x"}) == "default"
    assert chosen_context(read_contexts(tmp_path / "none"), {}) == "default"


def test_docker_host_is_read_with_its_certificates(tmp_path):
    """DOCKER_TLS_VERIFY asks for TLS with the files of DOCKER_CERT_PATH."""
    (tmp_path / "ca.pem").write_text("x")
    environ = {"DOCKER_HOST": "tcp://edge:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    engine = docker_host(environ, Path("/home/me"))
    assert engine is not None
    assert engine.tls == TlsFiles(ca=tmp_path / "ca.pem")
    assert (engine.name, engine.origin) == ("edge", "DOCKER_HOST")
    plain = docker_host({"DOCKER_HOST": "127.0.0.1:2375"}, Path("/home/me"))
    assert plain is not None
    assert (plain.text, plain.tls) == ("tcp://127.0.0.1:2375", None)
    assert docker_host({}, Path("/home/me")) is None
    with pytest.raises(ConfigError):
        docker_host({"DOCKER_HOST": "npipe:////./pipe/docker_engine"}, Path("/home/me"))


def test_names_of_the_ssh_config_are_its_hosts_without_patterns(tmp_path):
    """Wildcards and negations are no names; includes are followed, and a circle of them ends."""
    ssh = tmp_path / ".ssh"
    (ssh / "conf.d").mkdir(parents=True)
    (ssh / "config").write_text(
        "# comment\nInclude conf.d/*\nHost web-1 web-2 *.example.org !web-3\n  HostName 10.0.0.1\n"
        'host="db-1"\n\tHost = db-2 # the second\nMatch host x\nInclude ~/.ssh/config\nHost "open\n'
    )
    (ssh / "conf.d" / "a").write_text("Host edge web-1 ?b -v ops@x\n")
    assert ssh_names(ssh / "config", home=tmp_path) == ("edge", "web-1", "web-2", "db-1", "db-2", '"open')
    assert ssh_names(tmp_path / "none", home=tmp_path) == ()
