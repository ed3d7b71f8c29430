"""Fixtures for every test: a home of its own, real engines, and waiting with a deadline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.fleet import Fleet, debian13, missing, waiting
from tests.fleet.keeper import KeptFleet, claim_number

REQUIRED = "FLEETTOP_REQUIRE_FLEET"
FLEET_FIXTURES = {"fleet", "swarm_fleet", "newer_fleet"}
AGAIN = "FLEETTOP_TRY_AGAIN"
"""With 1 a test of real processes that fails is tried once more, and the summary names it (`RERUN`): a dozen daemons
on two cores can be late for a reason that is not in the code. A test that fails twice has failed."""
REAL_PROCESSES = {*FLEET_FIXTURES, "start"}

FOREIGN_SETTINGS = (
    *("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION"),
    *("SSH_AUTH_SOCK", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "NO_COLOR", "COLORTERM", "TERM_PROGRAM"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a real fleet, and run it last: quick tests tell first."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if FLEET_FIXTURES.intersection(fixtures):
            item.add_marker(pytest.mark.fleet)
        if os.environ.get(AGAIN) == "1" and REAL_PROCESSES.intersection(fixtures):
            item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(key=lambda item: item.get_closest_marker("fleet") is not None)


@pytest.fixture(scope="session")
def _empty_home(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, _empty_home: str) -> None:
    """Nothing of who runs the tests reaches them: no home, agent, docker context, proxy or colour setting."""
    monkeypatch.setenv("HOME", _empty_home)
    for name in FOREIGN_SETTINGS:
        monkeypatch.delenv(name, raising=False)


def _need(*, podman: bool) -> None:
    """Without what a fleet needs: skip with the reason, or fail where CI asks for it."""
    reasons = missing(podman=podman)
    if reasons:
        why = f"no real engines here: {'; '.join(reasons)}"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{why} (and {REQUIRED}=1)", pytrace=False)
        pytest.skip(why)


@pytest.fixture(scope="session")
def _session_fleet() -> Iterator[Fleet]:
    """One fleet for the whole run."""
    _need(podman=True)
    kept = KeptFleet(*claim_number())
    try:
        kept.up()
        yield kept.fleet
    finally:
        kept.close()


@pytest.fixture
def fleet(_session_fleet: Fleet) -> Fleet:
    """Real engines, nothing running on them: h1, h2 (forwards no sockets), h3 (behind jump), pod1; h1 to h3 a swarm."""
    _session_fleet.wipe()
    return _session_fleet


@pytest.fixture
def swarm_fleet(fleet: Fleet) -> Fleet:
    """The fleet, for tests that are about its swarm: h1 is the manager, h2 and h3 are workers."""
    return fleet


@pytest.fixture(scope="session")
def _session_newer_fleet() -> Iterator[Fleet]:
    """One fleet with a newer Docker for the whole run. Where that was not fetched: skipped with the reason."""
    _need(podman=False)
    if why := debian13.lacking():
        pytest.skip(why)
    kept = KeptFleet(*claim_number(second=True))
    try:
        kept.up_newer()
        yield kept.fleet
    finally:
        kept.close()


@pytest.fixture
def newer_fleet(_session_newer_fleet: Fleet) -> Fleet:
    """Docker 26 on Debian 13: n1, a swarm of one, nothing running; `bare`, where `newer_fleet.engine` runs another."""
    _session_newer_fleet.wipe()
    return _session_newer_fleet


@pytest.fixture
def eventually() -> Callable[..., object]:
    """``await eventually(condition, timeout=30)``: its first true answer; the condition may be a coroutine function."""
    return waiting.eventually


@pytest.fixture
def eventually_sync() -> Callable[..., object]:
    """The same without an event loop."""
    return waiting.eventually_sync
