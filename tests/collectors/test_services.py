"""Which service a container is of."""

from __future__ import annotations

import random

import pytest
from fleettop.collectors.model import Container, ContainerState, Health, ServiceKey
from fleettop.collectors.services import PlaceKind, ServiceRule, place_of
from hypothesis import given
from hypothesis import strategies as st

from .watched import compose, container

ORCHESTRATED = [
    (compose("pay", "api", 2), ("compose", "pay", "api"), "api", "pay", "2"),
    (
        {"io.podman.compose.project": "pay", "io.podman.compose.service": "api"},
        ("podman-compose", "pay", "api"),
        "api",
        "pay",
        "",
    ),
    (
        {
            "com.docker.swarm.service.name": "pay_api",
            "com.docker.stack.namespace": "pay",
            "com.docker.swarm.task.name": "pay_api.3.abc",
            "com.docker.swarm.node.id": "n1",
        },
        ("swarm", "c1", "pay_api"),
        "api",
        "pay",
        "3",
    ),
    (
        {
            "com.hashicorp.nomad.alloc_id": "a-1",
            "com.hashicorp.nomad.job_name": "pay",
            "com.hashicorp.nomad.task_group_name": "api",
            "com.hashicorp.nomad.task_name": "api",
        },
        ("nomad", "pay", "api"),
        "api",
        "pay",
        "",
    ),
    (
        {
            "io.kontena.stack.name": "pay",
            "io.kontena.service.name": "api",
            "io.kontena.grid.name": "prod",
            "io.kontena.service.instance_number": "2",
        },
        ("kontena", "prod/pay", "api"),
        "api",
        "pay",
        "2",
    ),
    (
        {
            "io.kubernetes.pod.namespace": "pay",
            "io.kubernetes.pod.name": "api-7c5ddbdf54-x2xkb",
            "io.kubernetes.container.name": "api",
        },
        ("kubernetes", "pay", "api"),
        "api",
        "pay",
        "",
    ),
    (
        {
            "io.kubernetes.pod.namespace": "pay",
            "io.kubernetes.pod.name": "db-0",
            "io.kubernetes.container.name": "backup",
        },
        ("kubernetes", "pay", "db/backup"),
        "db/backup",
        "pay",
        "0",
    ),
    (
        {"com.amazonaws.ecs.task-definition-family": "pay", "com.amazonaws.ecs.container-name": "api"},
        ("ecs", "pay", "api"),
        "api",
        "pay",
        "",
    ),
    ({"io.rancher.stack_service.name": "pay/api"}, ("rancher", "pay", "api"), "api", "pay", ""),
    ({"service": "pay", "role": "web"}, ("kamal", "pay", "web"), "web", "pay", ""),
    ({"com.dokku.app-name": "pay", "com.dokku.process-type": "web"}, ("dokku", "h1", "pay/web"), "web", "pay", ""),
    ({}, ("container", "h1", "lone"), "lone", "", ""),
    ({"service": "pay"}, ("container", "h1", "lone"), "lone", "", ""),
    ({"com.docker.compose.project": "pay"}, ("container", "h1", "lone"), "lone", "", ""),
]


@pytest.mark.parametrize(("labels", "key", "name", "stack", "number"), ORCHESTRATED)
def test_labels_name_the_service(
    labels: dict[str, str], key: tuple[str, str, str], name: str, stack: str, number: str
) -> None:
    """Each orchestrator writes its own labels; without any the container is its own service, on its own engine."""
    place = place_of(container(name="lone", labels=labels), cluster_of={"n1": "c1"}.get)  # type: ignore[arg-type]
    assert (place.key, place.name, place.stack, place.number) == (ServiceKey(*key), name, stack, number)
    assert place.service == place.key


def test_one_compose_project_on_three_hosts_is_one_service() -> None:
    """The key of a compose service holds no host."""
    keys = {place_of(container(host, labels=compose("pay", "api"))).key for host in ("h1", "h2", "h3")}
    assert len(keys) == 1


def test_the_same_name_on_two_engines_is_two_services_without_labels() -> None:
    """A lone container is of its engine."""
    keys = {place_of(container(host)).key for host in ("h1", "h2")}
    assert len(keys) == 2


@pytest.mark.parametrize("value", ["True", "true", "TRUE", "1"])
def test_a_compose_one_off_is_no_replica(value: str) -> None:
    """`docker compose run` writes "True"; other tools write "true"."""
    place = place_of(container(labels=compose("pay", "api", oneoff=value)))
    assert place.kind is PlaceKind.ONE_OFF
    assert place.service is None
    assert place.key == ServiceKey("compose", "pay", "api")


@pytest.mark.parametrize(
    "labels",
    [
        compose("pay", "api") | {"com.docker.compose.hook": "post_start"},
        {"com.dokku.app-name": "pay", "com.dokku.container-type": "cron"},
        {"io.kontena.service.name": "api", "io.kontena.container.type": "volume"},
    ],
)
def test_hooks_jobs_and_data_containers_are_no_replicas(labels: dict[str, str]) -> None:
    """They end, and nobody misses them."""
    assert place_of(container(labels=labels)).service is None


@pytest.mark.parametrize(
    "one",
    [
        container(labels={"io.kubernetes.docker.type": "podsandbox", "io.kubernetes.pod.name": "api-1"}),
        container(labels={"com.amazonaws.ecs.container-name": "~internal~ecs~pause"}),
        container(name="4f1d-infra", image="localhost/podman-pause:4.3.1"),
    ],
)
def test_a_pod_sandbox_is_of_no_service(one: Container) -> None:
    """It only holds the pod's namespaces."""
    place = place_of(one)
    assert (place.kind, place.key) == (PlaceKind.SANDBOX, None)


def test_a_rule_of_the_config_comes_before_all_labels() -> None:
    """A person's own word wins."""
    rule = ServiceRule(label="com.example.app", template="{com.example.app}")
    one = container(labels=compose("pay", "api") | {"com.example.app": "ledger"})
    assert place_of(one, (rule,)).key == ServiceKey("rule", "", "ledger")


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (ServiceRule(label="app", value="x", template="{app}"), "x"),
        (ServiceRule(label="app", value="y", template="{app}"), ""),
        (ServiceRule(label="gone", template="{gone}"), ""),
        (ServiceRule(name_pattern="web-*", template="front"), "front"),
        (ServiceRule(name_pattern="db-*", template="front"), ""),
        (ServiceRule(label="app", name_pattern="web-*", template="{app}/{name}"), "x/web-1"),
        (ServiceRule(label="app", template="{app}-{missing}"), ""),
        (ServiceRule(label="empty", template="{empty}"), ""),
        (ServiceRule(template="all"), ""),
        (ServiceRule(label="app", template="{{app}}"), "{x}"),
    ],
)
def test_a_rule_matches_by_label_value_and_name_and_needs_all_its_template_names(rule: ServiceRule, name: str) -> None:
    """A rule that cannot name the service, or asks for nothing, does not match."""
    assert rule.name_of(container(name="web-1", labels={"app": "x", "empty": ""})) == name


def test_a_one_off_stays_one_under_a_rule() -> None:
    """What a container is does not depend on who names it."""
    rule = ServiceRule(label="app", template="{app}")
    place = place_of(container(labels=compose("pay", "api", oneoff="True") | {"app": "x"}), (rule,))
    assert (place.key, place.service) == (ServiceKey("rule", "", "x"), None)


def test_a_pod_that_is_made_anew_takes_the_same_replicas_place() -> None:
    """Attempts at one pod's container share its slot, those of another pod do not."""

    def slot(uid: str) -> str:
        labels = {
            "io.kubernetes.pod.namespace": "pay",
            "io.kubernetes.pod.name": "api-0",
            "io.kubernetes.pod.uid": uid,
            "io.kubernetes.container.name": "api",
        }
        return place_of(container(labels=labels)).slot

    assert slot("u1") == slot("u1") != slot("u2")


# -- properties --------------------------------------------------------------------------------------------------------

_NAMES = st.text(alphabet="abc-/.{}_0 ", max_size=6)
_LABELS = st.dictionaries(
    st.sampled_from(sorted({label for labels, *_ in ORCHESTRATED for label in labels} | {"app", "team"})),
    st.one_of(_NAMES, st.sampled_from(["True", "False", "podsandbox", "volume"])),
    max_size=6,
)
_CONTAINERS = st.builds(
    lambda engine, number, name, labels: Container(
        engine=engine,
        id=f"{number:064x}",
        name=name,
        image="x",
        image_id="",
        state=ContainerState.RUNNING,
        health=Health.NONE,
        labels=labels,
    ),
    st.sampled_from(["h1", "h2"]),
    st.integers(0, 50),
    _NAMES,
    _LABELS,
)
_RULES = st.lists(
    st.builds(
        ServiceRule,
        label=st.sampled_from(["", "app", "team", "service"]),
        value=st.one_of(st.none(), _NAMES),
        name_pattern=st.sampled_from(["", "a*", "[", "*"]),
        template=st.sampled_from(["{name}", "{app}", "x-{team}", "", "{", "{}", "{a}{b}"]),
    ),
    max_size=3,
)


@given(st.lists(_CONTAINERS, max_size=12, unique_by=lambda c: (c.engine, c.id)), _RULES, st.randoms())
def test_grouping_is_total_deterministic_and_independent_of_order(
    containers: list[Container], rules: list[ServiceRule], chance: random.Random
) -> None:
    """Every container lands in exactly one place, the same one whatever else there is and in whatever order."""
    first = {one.key: place_of(one, rules) for one in containers}
    chance.shuffle(containers)
    again = {one.key: place_of(one, rules) for one in containers}
    assert first == again
    for place in first.values():
        assert (place.key is None) == (place.kind is PlaceKind.SANDBOX)
        assert place.key is None or (place.key.source and place.key.name)
