"""Which API version is spoken with an engine, or in one sentence why none is."""

from __future__ import annotations

import pytest
from fleettop.collectors.engine.versions import at_least, negotiate, refusal
from fleettop.collectors.errors import Malformed, Unsupported


@pytest.mark.parametrize(
    ("offered", "minimum", "spoken"),
    [
        ("1.40", None, "1.40"),
        ("1.41", "1.12", "1.41"),
        ("1.51", "1.24", "1.51"),
        ("1.52", "1.44", "1.51"),
        ("1.55", "1.40", "1.51"),
        ("2.0", "1.44", "1.51"),
    ],
)
def test_the_newest_version_both_speak_is_spoken(offered: str, minimum: str | None, spoken: str) -> None:
    """Docker 29's minimum of 1.44 is no hindrance; versions compare as numbers."""
    assert negotiate("web-1", offered, minimum) == spoken


@pytest.mark.parametrize("offered", ["1.39", "1.9", "1.4", "0.99"])
def test_an_engine_that_is_too_old_is_named_with_what_is_needed_and_offered(offered: str) -> None:
    """In one sentence."""
    with pytest.raises(Unsupported, match=rf"web-1 speaks API {offered} at most; fleettop needs 1\.40") as error:
        negotiate("web-1", offered)
    assert error.value.hint == "Update the engine."


def test_an_engine_that_is_too_new_is_named_with_what_is_needed_and_offered() -> None:
    """Its minimum is above our maximum."""
    with pytest.raises(Unsupported, match=r"web-1 needs API 1\.60 or newer; fleettop offers 1\.40 to 1\.51") as error:
        negotiate("web-1", "1.70", "1.60")
    assert error.value.hint == "Update fleettop."


@pytest.mark.parametrize("offered", ["", "latest", "1", "1.41.2", "1.4x", "١.٤١"[:1] + "x", "9" * 50 + ".1"])
def test_what_is_no_version_makes_no_sense(offered: str) -> None:
    """Neither old nor new."""
    with pytest.raises(Malformed):
        negotiate("web-1", offered)


def test_a_400_about_the_version_is_understood_in_its_plain_text_and_its_json_form() -> None:
    """As dockerd 20.10 and 29 write it; another 400 is another matter."""
    old = refusal(
        "e", "client version 1.11 is too old. Minimum supported API version is 1.12, please upgrade your client"
    )
    new = refusal("e", "client version 1.99 is too new. Maximum supported API version is 1.41")
    assert "needs API 1.12" in str(old)
    assert "speaks API 1.41 at most" in str(new)
    assert refusal("e", "invalid filter") is None


def test_versions_compare_as_numbers() -> None:
    """1.9 is older than 1.41, and what is no version is older than everything."""
    assert at_least("1.41", "1.41")
    assert at_least("1.100", "1.41")
    assert not at_least("1.9", "1.41")
    assert not at_least("", "1.41")
