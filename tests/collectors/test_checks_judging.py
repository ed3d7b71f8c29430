"""Waivers, what is new, and equal findings in one group."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from fleettop.collectors.checks.finding import Finding, Report, Severity
from fleettop.collectors.checks.judging import Verdict, judge
from fleettop.collectors.checks.sightings import FORGOTTEN, Sightings, beside
from fleettop.collectors.config import load_config
from fleettop.collectors.config.waivers import Waiver
from fleettop.collectors.errors import ConfigError
from hypothesis import given
from hypothesis import strategies as st

from .checks_facts import CONTAINER, ENGINE, NOW, facts, holding, looked

TODAY = NOW.date()


def finding(name: str = "pay-api-1", check: str = "C09", **changes: object) -> Finding:
    """A finding at a container."""
    known: dict[str, object] = {
        "check": check,
        "severity": Severity.HIGH,
        "engine": "web-1",
        "kind": "container",
        "object": name,
        "service": "pay/api",
        "sentence": "no memory limit",
        "evidence": "HostConfig.Memory = 0",
        "remedy": "mem_limit: 512m",
    }
    return Finding(**{**known, **changes})  # type: ignore[arg-type]


def judged(*findings: Finding, waivers: tuple[Waiver, ...] = ()) -> Verdict:
    """These findings, with waivers and without a past."""
    return judge(Report(findings=findings, at=NOW), waivers, {}, TODAY)


def waiver(**changes: object) -> Waiver:
    """A waiver that holds today."""
    known: dict[str, object] = {"check": "C09", "reason": "batch job, watched by ops1", "until": date(2026, 9, 30)}
    return Waiver(**{**known, **changes})  # type: ignore[arg-type]


def test_three_hundred_equal_findings_are_one_group_with_a_count() -> None:
    """Of the same check and as severe; worst first."""
    equal = [finding(f"pay-api-{number}") for number in range(300)]
    found = judged(*equal, finding(check="C01", severity=Severity.CRITICAL, sentence="privileged container"))
    assert [(group.check.id, len(group.counting), group.title) for group in found.groups] == [
        ("C01", 1, "privileged container"),
        ("C09", 300, "no memory limit"),
    ]
    names = [one.finding.object for one in found.groups[1].findings]
    assert names[:3] == ["pay-api-0", "pay-api-1", "pay-api-2"]


def test_a_group_of_different_sentences_is_called_by_its_check() -> None:
    """Where all say the same, that is what it is called."""
    found = judged(finding(sentence="a port is taken", check="C13"), finding("x", sentence="another", check="C13"))
    assert found.groups[0].title == "published on every address"


def test_a_waived_finding_is_shown_and_does_not_count() -> None:
    """With its reason; what is not waived stands before it."""
    found = judged(finding("pay-api-1"), finding("pay-api-2"), waivers=(waiver(object="*-1"),))
    [group] = found.groups
    assert [(one.finding.object, one.counts) for one in group.findings] == [("pay-api-2", True), ("pay-api-1", False)]
    assert (found.waived, len(found.counting)) == (1, 1)
    assert group.findings[1].waiver is not None
    assert group.findings[1].waiver.reason == "batch job, watched by ops1"


def test_a_waiver_that_is_over_is_said_and_the_finding_counts_again() -> None:
    """It holds through its last day."""
    for until, counts in ((TODAY, False), (TODAY - timedelta(days=1), True)):
        [group] = judged(finding(), waivers=(waiver(until=until),)).groups
        [one] = group.findings
        assert one.counts is counts
        assert (one.over is not None) is counts


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"check": "C08"}, False),
        ({"object": "pay/*"}, True),
        ({"object": "shop-*"}, False),
        ({"host": "web-*"}, True),
        ({"host": "db-*"}, False),
    ],
)
def test_a_waiver_is_for_a_check_an_object_and_a_host(changes: dict[str, object], fits: bool) -> None:
    """A container is meant by its own name or by that of its service."""
    assert (judged(finding(), waivers=(waiver(**changes),)).waived == 1) is fits


def test_waivers_are_read_from_the_config(tmp_path: Path) -> None:
    """With a reason and a last day; the day bare or in quotes."""
    file = tmp_path / "fleettop.toml"
    file.write_text(
        """
        [[waivers]]
        check = "c02"
        object = "agents/*"
        reason = "reads events"
        until = 2027-03-31
        [[waivers]]
        check = "E04"
        host = "edge-*"
        reason = "no state there"
        until = "2027-01-01"
        """
    )
    first, second = load_config(file, home=tmp_path).waivers
    assert (first.check, first.object, first.host, first.until) == ("C02", "agents/*", "*", date(2027, 3, 31))
    assert (second.check, second.host, second.until) == ("E04", "edge-*", date(2027, 1, 1))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('check = "C02"\nreason = " "\nuntil = 2027-03-31', "has no reason"),
        ('check = "C02"\nuntil = 2027-03-31', "has no 'reason'"),
        ('check = "C02"\nreason = "x"', "has no 'until'"),
        ('check = "C02"\nreason = "x"\nuntil = "soon"', "'soon' is no day"),
        ('check = "C02"\nreason = "x"\nuntil = 7', "is no day"),
        ('check = "socket"\nreason = "x"\nuntil = 2027-03-31', "'socket' is no check"),
        ('check = "C02"\nreasons = "x"\nuntil = 2027-03-31', "Did you mean 'reason'"),
    ],
)
def test_a_waiver_that_says_too_little_is_refused(tmp_path: Path, lines: str, words: str) -> None:
    """In one sentence that names the line, before anything is looked at."""
    file = tmp_path / "fleettop.toml"
    file.write_text(f"[[waivers]]\n{lines}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file, home=tmp_path)
    assert words in f"{caught.value} {caught.value.hint}"


# -- since when


def test_what_was_not_there_yesterday_is_new(tmp_path: Path) -> None:
    """Over runs: what the first look finds is of unknown age, what a later one finds first is new for a day."""
    file, old, fresh = tmp_path / "state/checks.json", finding("old"), finding("fresh")

    def look(*findings: Finding, hours: float) -> dict[str, bool | None]:
        now = NOW + timedelta(hours=hours)
        sightings = Sightings(file).take(findings, ["web-1"], now)
        found = judge(Report(findings=findings, at=now), (), sightings, TODAY)
        return {one.finding.object: one.new for one in found.counting}

    assert look(old, hours=0) == {"old": None}
    assert look(old, fresh, hours=2) == {"old": None, "fresh": True}
    assert look(old, fresh, hours=25) == {"old": False, "fresh": True}
    assert look(old, fresh, hours=27) == {"old": False, "fresh": False}


def test_a_finding_that_comes_again_soon_is_the_same(tmp_path: Path) -> None:
    """A container away during a deploy does not make it new; after a week it is."""
    file, one = tmp_path / "checks.json", finding()
    sightings = Sightings(file)
    sightings.take([one], ["web-1"], NOW)
    sightings.take([], ["web-1"], NOW + timedelta(days=2))
    again = NOW + timedelta(days=3)
    assert sightings.take([one], ["web-1"], again)[one.identity].first == NOW
    later = again + FORGOTTEN + timedelta(hours=1)
    sightings.take([], ["web-1"], later)
    assert sightings.take([one], ["web-1"], later)[one.identity].is_new(later) is True


def test_a_host_that_is_looked_at_first_has_nothing_new(tmp_path: Path) -> None:
    """What a new host brings along may be old."""
    sightings = Sightings(tmp_path / "checks.json")
    sightings.take([finding()], ["web-1"], NOW)
    later, other = NOW + timedelta(hours=3), finding(engine="web-2")
    assert sightings.take([other], ["web-1", "web-2"], later)[other.identity].is_new(later) is None


def test_a_container_made_anew_keeps_its_findings() -> None:
    """A finding is of a name, not of an id; that of a service is of no host."""
    first, second = (finding(container=key) for key in (CONTAINER.key, None))
    assert first.identity == second.identity
    assert finding(kind="service").identity == finding(kind="service", engine="web-2").identity


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"watched":{"a":"b"},"seen":[]}', b'{"watched":1,"seen":2}'])
def test_a_file_that_makes_no_sense_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    """It is said once, nothing raises, and the next look is kept."""
    file = tmp_path / "checks.json"
    file.write_bytes(content)
    sightings = Sightings(file)
    assert sightings.take([finding()], ["web-1"], NOW)[finding().identity].is_new(NOW) is None
    assert "cannot be read" in sightings.trouble
    again = Sightings(file)
    assert again.take([finding()], ["web-1"], NOW + timedelta(days=2))[finding().identity].first == NOW
    assert again.trouble == ""


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The look itself goes on."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    sightings = Sightings(blocked / "checks.json")
    assert sightings.take([finding()], ["web-1"], NOW)
    assert sightings.trouble


def test_the_file_lies_beside_the_trail_and_is_ours_alone(tmp_path: Path) -> None:
    """What is badly set up is nobody else's business."""
    file = beside(tmp_path / "fleettop" / "trail")
    assert file == tmp_path / "fleettop" / "trail-checks.json"
    Sightings(file).take([finding()], ["web-1"], NOW)
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["C09", "C01", "C08"]), st.sampled_from(list(Severity))),
        max_size=30,
    )
)
def test_every_finding_stands_in_exactly_one_group(rows: list[tuple[str, str, Severity]]) -> None:
    """Nothing is lost and nothing is counted twice; groups stand worst first."""
    findings = [finding(name, check=check, severity=severity) for name, check, severity in rows]
    found = judged(*findings)
    members = [one.finding for group in found.groups for one in group.findings]
    assert sorted(members, key=repr) == sorted(findings, key=repr)
    ranks = [Severity(group.key.severity).rank for group in found.groups]
    assert ranks == sorted(ranks)


def test_what_could_not_be_told_stands_last() -> None:
    """Grouped by its check, with the places."""
    bad = msgspec.structs.replace(holding(memory=0), name="web-2")
    found = judge(looked(facts(ENGINE, bad)), (), {}, datetime(2026, 9, 1, tzinfo=UTC).date())
    assert [(group.key.check, group.key.severity) for group in found.groups] == [("C09", "high"), ("E19", "unknown")]
    assert found.groups[-1].hosts == ("web-1", "web-2")
