"""The allow-list lets through exactly what is written down here, and nothing that only looks like it."""

from __future__ import annotations

import re

import pytest
from fleettop.collectors.engine import allowlist
from fleettop.collectors.errors import ReadOnly
from hypothesis import given
from hypothesis import strategies as st

from .engine_api_operations import OPERATIONS, UNDOCUMENTED

READS = {
    ("GET", "/_ping"),
    ("HEAD", "/_ping"),
    ("GET", "/version"),
    ("GET", "/info"),
    ("GET", "/events"),
    ("GET", "/system/df"),
    ("GET", "/containers/json"),
    ("GET", "/containers/{id}/json"),
    ("GET", "/containers/{id}/logs"),
    ("GET", "/containers/{id}/stats"),
    ("GET", "/exec/{id}/json"),
    ("GET", "/images/json"),
    ("GET", "/images/{name}/json"),
    ("GET", "/networks"),
    ("GET", "/networks/{id}"),
    ("GET", "/volumes"),
    ("GET", "/volumes/{name}"),
    ("GET", "/nodes"),
    ("GET", "/nodes/{id}"),
    ("GET", "/services"),
    ("GET", "/services/{id}"),
    ("GET", "/tasks"),
    ("GET", "/tasks/{id}"),
}
WRITES = {
    ("POST", "/containers/create"),
    ("POST", "/containers/{id}/start"),
    ("POST", "/containers/{id}/stop"),
    ("POST", "/containers/{id}/restart"),
    ("POST", "/containers/{id}/kill"),
    ("POST", "/containers/{id}/pause"),
    ("POST", "/containers/{id}/unpause"),
    ("POST", "/containers/{id}/update"),
    ("POST", "/containers/{id}/rename"),
    ("DELETE", "/containers/{id}"),
    ("POST", "/containers/{id}/exec"),
    ("POST", "/exec/{id}/start"),
    ("POST", "/exec/{id}/resize"),
    ("POST", "/networks/{id}/connect"),
    ("POST", "/services/{id}/update"),
    ("POST", "/nodes/{id}/update"),
    ("DELETE", "/images/{name}"),
    ("DELETE", "/volumes/{name}"),
    ("POST", "/build/prune"),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "QUERY", "")
FILLINGS = ("4bbd82c839b042146a0e067499ca8b817a6a49e00b6a42b9376eace5a7ee99a9", "pay_api-1.x")
WORDS = ("json", "create", "prune", "get", "load", "search", "export", "start", "init", "unlockkey", "v1.41")

TRICKS = (
    "",
    "/",
    "containers/json",
    "//containers/json",
    "/containers//json",
    "/containers/json/",
    "/containers/json/.",
    "/containers/../swarm",
    "/containers/json/../../swarm",
    "/containers/./json",
    "/containers/../json",
    "/containers/%2e%2e/swarm/json",
    "/containers/a%2fexport/json",
    "/containers/a%2Fjson",
    "/containers/a\\json",
    "/containers/a b/json",
    "/containers/a;x/json",
    "/containers/a\n/json",
    "/containers/json\n",
    "/containers/json\x00",
    "/containers/json#x",
    "/containers/a/b/json",
    "/containers/-v/json",
    "/containers/.hidden/json",
    "/containers/json/export",
    "/Containers/json",
    "/containers/é/json",
    "/v1.41/v1.41/containers/json",
    "/v1.41//containers/json",
    "/v1.41containers/json",
    "/v1/containers/json",
    "/v1.41",
    "/v1.41/../swarm",
    "/v1.41.2/containers/json",
    "/images//json",
    "/images/a//b/json",
    "/images/../swarm/json",
    "/images/a/get",
    "http://elsewhere/containers/json",
    "//elsewhere/containers/json",
    "@elsewhere/containers/json",
    "*",
)


def allowed(method: str, path: str, *, read_only: bool) -> bool:
    try:
        allowlist.check(method, path, read_only=read_only)
    except ReadOnly:
        return False
    return True


def filled(path: str, filling: str) -> str:
    return re.sub(r"{\w+}", filling, path)


def every_request() -> set[tuple[str, str]]:
    """Every path of the Engine API with every method, the ones it has and the ones it has not."""
    return {(method, path) for _, path in OPERATIONS + UNDOCUMENTED for method in METHODS}


def test_the_written_lists_are_among_the_operations_of_the_engine_api() -> None:
    """No rule for a request that does not exist."""
    assert set(OPERATIONS) >= READS | WRITES
    assert len(allowlist.READS) == len(READS)
    assert len(allowlist.WRITES) == len(WRITES)


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("prefix", ["", "/v1.40", "/v1.51"])
def test_read_only_lets_exactly_the_written_reads_through(prefix: str, filling: str) -> None:
    """Every path of the API with every method: what is not on the list of reads is refused."""
    # `GET /networks/prune` and the like are lookups of something of that name, whatever POST means there.
    lookups = {("GET", path) for path in ("/networks/create", "/networks/prune", "/volumes/create", "/volumes/prune")}
    lookups |= {("GET", "/services/create")}
    passed = {
        (method, path)
        for method, path in every_request()
        if allowed(method, prefix + filled(path, filling), read_only=True)
    }
    assert passed - lookups == READS


@pytest.mark.parametrize("filling", FILLINGS)
def test_otherwise_the_written_writes_pass_too_and_no_more(filling: str) -> None:
    """The second list holds what actions send; nothing else changes an engine, whatever the mode."""
    extra = {
        (method, path)
        for method, path in every_request()
        if allowed(method, filled(path, filling), read_only=False)
        and not allowed(method, filled(path, filling), read_only=True)
    }
    # `DELETE /images/json` and the like are removals of something of that name, whatever GET or POST mean there.
    words = ("create", "json", "prune", "get", "load", "search")
    lookalikes = {("DELETE", f"/{root}/{word}") for root in ("containers", "images", "volumes") for word in words}
    lookalikes |= {("DELETE", path) for _, path in every_request() if path.startswith("/images/{name}/")}
    assert extra - lookalikes == WRITES


@pytest.mark.parametrize("word", WORDS)
def test_a_container_named_like_a_part_of_the_api_opens_no_door(word: str) -> None:
    """With such a name for an id, read-only still lets only lookups through, under the same few roots."""
    roots = {path.split("/")[1] for _, path in READS}
    for method, path in every_request():
        target = filled(path, word)
        if allowed(method, target, read_only=True):
            assert method == "GET" or target == "/_ping"
            assert target.split("/")[1] in roots
            assert target.split("/")[-1] not in ("export", "archive", "ws", "changes", "top", "get", "history") or (
                target.count("/") == 2
            )


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("path", TRICKS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_path_that_could_be_read_in_two_ways_is_refused(method: str, path: str, read_only: bool) -> None:
    """Doubled slashes, dot segments, percent signs, other cases, trailing slashes, whole URLs: not let through."""
    an_image_called_so = (method, path, read_only) == ("DELETE", "/images/a/get", False)
    assert allowed(method, path, read_only=read_only) is an_image_called_so


@pytest.mark.parametrize(("method", "path"), sorted(WRITES))
def test_a_write_in_read_only_mode_is_refused_whatever_the_spelling_of_its_method(method: str, path: str) -> None:
    """Methods compare without regard to case, so that no spelling slips past."""
    target = filled(path, "abc")
    for spelling in (method, method.lower(), method.title(), f" {method}", f"{method}\r\n"):
        assert not allowed(spelling, target, read_only=True)
    assert allowed(method.lower(), target, read_only=False)


def test_a_query_does_not_change_the_verdict() -> None:
    """What stands behind the question mark is not part of the path."""
    assert allowed("GET", "/v1.41/containers/json?all=1&filters=%7B%22id%22%3A%5B%22a%2Fb%22%5D%7D", read_only=True)
    assert not allowed("GET", "/swarm?x=/containers/json", read_only=True)
    assert not allowed("POST", "/containers/create?name=/containers/json", read_only=True)


def test_an_image_may_have_slashes_a_tag_and_a_digest() -> None:
    """Image names are the one part of a path with slashes."""
    for name in ("nginx", "localhost:5000/team/app:1.2", "a/b@sha256:0123", "localhost/bb:1"):
        assert allowed("GET", f"/images/{name}/json", read_only=True)


def test_a_refusal_says_what_was_refused_and_on_which_ground() -> None:
    """In read-only mode a write names the mode; anything else says that no setting changes it."""
    with pytest.raises(ReadOnly, match=r"POST /containers/abc/kill.*read-only") as write:
        allowlist.check("POST", "/v1.41/containers/abc/kill", read_only=True)
    assert "--read-only" in write.value.hint
    with pytest.raises(ReadOnly, match=r"GET.* /swarm") as forbidden:
        allowlist.check("GET", "/v1.41/swarm", read_only=False)
    assert "no setting" in forbidden.value.hint


@given(st.text(), st.text())
def test_no_text_at_all_makes_the_check_fail_otherwise(method: str, path: str) -> None:
    """It answers or raises ReadOnly, whatever it is given."""
    allowed(method, path, read_only=True)
    allowed(method, "/" + path, read_only=False)


@given(st.sampled_from(sorted(READS)), st.text(min_size=1))
def test_an_id_never_carries_a_request_elsewhere(read: tuple[str, str], text: str) -> None:
    """Whatever is put where an id stands: if it passes, the path still has the shape of that read."""
    method, path = read
    target = filled(path, text.replace("\\", r"\\"))
    if allowed(method, target, read_only=True):
        assert not re.search(r"export|archive|attach|/get$|%|\.\.(/|$)", target) or re.fullmatch(
            re.sub(r"{\w+}", r"[A-Za-z0-9_.:@/-]+", path), target.partition("?")[0]
        )
