"""Foreign text is harmless on a terminal, and the secrets in it are gone."""

from __future__ import annotations

import string
import unicodedata

import pytest
from fleettop.collectors.text import HIDDEN, plain, plain_log, redact, redact_arguments, redact_text
from hypothesis import assume, example, given
from hypothesis import strategies as st

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\x1b\x9b\x9d\x90\x07\x00\x7f\r\n\t\u2028\u2029\u202e\u2066\u200b\ufeff\ud800\udfff[]();:?m\\PX^_ "
        ),
    )
)


@given(HOSTILE, st.integers(1, 60), st.booleans())
@example("\x1b\x1b[31m[31mred", 40, False)
@example("a" * 5000, 10, True)
def test_nothing_cleaned_can_act_on_a_terminal(value: str, limit: int, newlines: bool) -> None:
    """No C0, C1, DEL, bidi control, zero-width, surrogate or separator is left, and the length is kept."""
    clean = plain(value, limit, newlines=newlines)
    assert len(clean) <= limit
    for character in clean:
        if newlines and character == "\n":
            continue
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"), ascii(character)
        assert character not in "\u034f\u115f\u3164\ufe0f"


@given(HOSTILE, st.integers(1, 60), st.booleans())
def test_cleaning_twice_changes_nothing(value: str, limit: int, newlines: bool) -> None:
    """What is clean stays as it is."""
    once = plain(value, limit, newlines=newlines)
    assert plain(once, limit, newlines=newlines) == once


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\u3164\uffa0\u115f\u1160\u2800")))
def test_letters_of_any_script_are_kept(value: str) -> None:
    """Cleaning takes nothing from honest text."""
    assert plain(value, 10_000) == value


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("\x1b[38;5;196;48:2::1:2:3mx", "x"),
        ("\x9b31mx", "x"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;ZXZpbA==\x07x", "x"),
        ("\x1bP1$r0m\x1b\\x", "x"),
        ("\x1b(B\x1b7\x1bcx", "x"),
        ("\x1b]0;never ended, all of this is shown", "]0;never ended, all of this is shown"),
        ("tab\there", "tab here"),
        ("one\r\ntwo\nthree\rfour\x85five\u2028six", "one two three four five six"),
        ("non\xa0breaking\u3000wide", "non breaking wide"),
        ("\u202egnp.exe", "gnp.exe"),
        ("z\u200be\u200dr\ufeffo", "zero"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("日本 ünï 😀", "日本 ünï 😀"),
    ],
)
def test_escapes_go_whole_and_breaks_become_spaces(value: str, clean: str) -> None:
    """No `[31m` rubbish stays behind; an unended escape hides nothing of what follows it."""
    assert plain(value) == clean


def test_newlines_are_kept_where_asked() -> None:
    """Every kind of line break becomes one newline."""
    assert plain("a\r\nb\u2029c\td", newlines=True) == "a\nb\nc d"


def test_long_text_is_cut_with_an_ellipsis() -> None:
    """The limit counts the ellipsis; a megabyte that cleans to little is marked as cut too."""
    assert plain("abcdef", 4) == "abc…"
    assert plain("abcd", 4) == "abcd"
    assert plain("\x00" * 1_000_000 + "x", 10) == "…"
    assert len(plain("x" * 1_000_000)) == 4096


def test_a_log_line_loses_its_colours_and_its_secrets() -> None:
    """Logs are cleaned as everything else is."""
    assert plain_log("\x1b[31mERROR\x1b[0m login with password=hunter2\r\n") == f"ERROR login with password={HIDDEN}"


# -- secrets -----------------------------------------------------------------------------------------------------------

TOKEN = st.text(string.ascii_letters + string.digits, min_size=24, max_size=40).filter(
    lambda text: any(c.isdigit() for c in text)
)
UPPER = st.text(string.ascii_uppercase + string.digits, min_size=16, max_size=16)
AROUND = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), max_size=30)


def shapes() -> st.SearchStrategy[tuple[str, str]]:
    """A text that holds a secret, and the secret."""

    def shaped(form: str, secret: st.SearchStrategy[str] = TOKEN) -> st.SearchStrategy[tuple[str, str]]:
        return secret.map(lambda value: (form.replace("%", value), value))

    return st.one_of(
        shaped("postgres://app:%@db:5432/pay"),
        shaped("https://%@github.com/team/app.git"),
        shaped("AKIA%", UPPER),
        shaped("ASIA%", UPPER),
        shaped("eyJhbGciOiJIUzI1NiJ9.%.%"),
        shaped("ghp_%"),
        shaped("github_pat_%"),
        shaped("glpat-%"),
        shaped("xoxb-%"),
        shaped("-----BEGIN RSA PRIVATE KEY-----\n%\n-----END RSA PRIVATE KEY-----"),
        shaped(" --password=%"),
        shaped(" --password %"),
        shaped(" --db-pass=%"),
        shaped(" -token %"),
        shaped("PGPASSWORD=%"),
        shaped("API_KEY='%'"),
        shaped('{"client_secret": "%"}'),
        shaped('"password":"%"'),
        shaped("Authorization: Bearer %"),
        shaped("authorization: Basic %"),
        shaped("bearer %"),
        shaped("Set-Cookie: session=%; Path=/"),
        shaped("mysql -u root -p%"),
        shaped("curl -u me:% http://x"),
        shaped("sshpass -p % ssh host"),
        shaped("password: %"),
        shaped("SWMTKN-1-%"),
    )


@given(shapes(), AROUND, AROUND)
def test_a_secret_of_a_known_shape_survives_nowhere_in_a_longer_text(
    shape: tuple[str, str], before: str, after: str
) -> None:
    """Whatever stands around it."""
    text, secret = shape
    assume(secret not in before and secret not in after)
    assert secret not in redact_text(f"{before} {text} {after}")


@given(
    st.one_of(HOSTILE, AROUND, shapes().map(lambda shape: shape[0])), st.one_of(AROUND, shapes().map(lambda s: s[0]))
)
def test_hiding_twice_changes_nothing(first: str, second: str) -> None:
    """What was hidden is no secret any more."""
    once = redact_text(first + second)
    assert redact_text(once) == once


@given(HOSTILE)
def test_hiding_secrets_makes_clean_text_no_dirtier(value: str) -> None:
    """Redaction adds nothing but the stand-in."""
    clean = redact_text(plain(value))
    assert plain(clean, 1 << 20) == clean


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'LEDGER_URL'",
        "http://localhost:8080/health answered 500",
        "docker run -p 8080:80 nginx",
        "redis://cache:6379/0",
        "user=bob: token expired",
        "authored by bob",
        "sha256:fbea3ea601b2c7532538f8debef6b8b14d62be01b43721f2721de5930db66c94",
        "passed 12 tests",
        "cannot open /run/secrets/db: permission denied",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    """The last words of a dead replica must still say why it died."""
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name",
    [
        *("POSTGRES_PASSWORD", "db-pass", "ClientSecret", "GITHUB_TOKEN", "apiKey", "AUTH_HEADER", "authorization"),
        *("AWS_CREDENTIALS", "SENTRY_DSN", "session.cookie", "MYSQL_PWD", "com.example.secret"),
    ],
)
def test_a_value_whose_name_sounds_secret_is_hidden(name: str) -> None:
    """By name, in any case and anywhere in the name."""
    assert redact(name, "x") == HIDDEN


@pytest.mark.parametrize(
    "name", ["PATH", "PWD", "org.opencontainers.image.authors", "com.docker.compose.service", "USER"]
)
def test_a_value_of_another_name_is_judged_by_its_shape(name: str) -> None:
    """Names that only look alike hide nothing; shapes still do."""
    assert redact(name, "bob") == "bob"
    assert redact(name, "amqp://bob:hunter2@mq") == f"amqp://bob:{HIDDEN}@mq"


def test_an_empty_value_stays_empty() -> None:
    """That a secret is not set is worth knowing, and no secret."""
    assert redact("PASSWORD", "") == ""


def test_the_argument_behind_a_secret_option_is_hidden() -> None:
    """`--password hunter2` is two arguments, and one secret."""
    words = ["app", "--password", "hunter2", "--token=abc", "--verbose", "x", "--auth", "--port", "80"]
    assert redact_arguments(words) == (
        *("app", "--password", HIDDEN, f"--token={HIDDEN}", "--verbose", "x", "--auth", "--port", "80"),
    )


@pytest.mark.parametrize(
    "text",
    ["://a:" * 800, "eyJ" * 1300, "pass" * 1000, "--" * 2000, "\x1b]" * 2000, "mysql " * 600, "a@" * 2000, "'" * 4000],
)
def test_no_text_of_the_usual_length_takes_long(text: str) -> None:
    """No pattern explodes: an exploding one would hang this test."""
    assert len(redact_text(plain(text * 4))) <= 4096 * 2
