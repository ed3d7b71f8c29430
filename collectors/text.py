"""Foreign text made safe: cleaned for a terminal (`plain`), and its secrets hidden (`redact`). Pure and fast.

Everything an engine, a container or a person on another host wrote passes through here once, where it is decoded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

LIMIT = 4096
"""Characters kept of one foreign text where the caller names no other limit."""

HIDDEN = "***"
"""What stands where a secret stood."""

# -- cleaning ----------------------------------------------------------------------------------------------------------

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"  # CSI: colours, cursor, modes
    r"|(?:\x1b[\]P^_X]|[\x9d\x90\x9e\x9f\x98])[^\x07\x1b\x9c\r\n]*+(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, PM, APC, SOS
    r"|\x1b[ -/]*+[0-Z\\^-~]"  # two characters: charsets, save and restore, reset
)
# An OSC or DCS that is not ended on its line loses only its ESC: a program could else hide what follows it.

_BREAKS = re.compile(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")

_INVISIBLE = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0000, 0xE1000),
    )
)
# Assigned as letters or marks, drawn as nothing (Unicode's Default_Ignorable_Code_Point), or as a blank (Braille).


class _Cleaner(dict[int, str | None]):
    """What `str.translate` puts for each character, worked out when it is first met."""

    def __missing__(self, code: int) -> str | None:
        kind = unicodedata.category(chr(code))
        value: str | None
        if code in _INVISIBLE or kind in ("Cc", "Cf"):
            value = None
        elif kind in ("Zs", "Zl", "Zp"):
            value = " "
        elif kind in ("Cs", "Co", "Cn"):
            value = "\ufffd"
        else:
            value = chr(code)
        if code < 0x10000:
            self[code] = value
        return value


_CLEAN = _Cleaner({0x09: " "})
_CLEAN_LINES = _Cleaner({0x09: " ", 0x0A: "\n"})


def plain(value: str, limit: int = LIMIT, *, newlines: bool = False) -> str:
    """`value` as one line that can be put on any terminal, at most `limit` characters (the last then is `…`).

    Escape sequences go whole; C0, C1, DEL, bidi controls, zero-width and other invisible characters go; tabs, line
    breaks and odd blanks become spaces (with `newlines` every kind of break becomes a newline); lone surrogates and
    characters of no known width become U+FFFD. Never raises; cleaning twice changes nothing.
    """
    if len(value) <= limit and value.isascii() and value.isprintable():
        return value
    cut = len(value) > limit * 8
    if cut:
        value = value[: limit * 8]
    if not value.isprintable() or not value.isascii():
        if "\x1b" in value or not value.isascii():
            value = _ESCAPES.sub("", value)
        value = _BREAKS.sub("\n" if newlines else " ", value)
        value = value.translate(_CLEAN_LINES if newlines else _CLEAN)
    if len(value) > limit:
        return value[: limit - 1] + "…"
    return value[: limit - 1] + "…" if cut else value


def plain_log(line: str, limit: int = LIMIT) -> str:
    """One line of a log: cleaned as by `plain`, and its secrets hidden by shape. Colours go too."""
    return redact_text(plain(line.rstrip("\r\n"), limit))


# -- secrets -----------------------------------------------------------------------------------------------------------

_WORDS = r"pass|pwd|secret|token|key|auth(?!ors?(?![a-z]))|credential|creds|dsn|cookie"
_NAME = re.compile(_WORDS, re.IGNORECASE)
_HARMLESS_NAMES = frozenset({"PWD", "OLDPWD"})

_VALUE = r"""(?:"[^"]*+"|'[^']*+'|\S++)"""


@cache
def _shapes() -> tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]:
    """Each shape of a secret, and what stands in its place, in the order in which they are looked for.

    Made when a suspect text comes: to compile them takes 5 ms of a start, which meets none.
    """
    tokens = re.compile(
        r"-----BEGIN [^-]*+-----(?s:.*?)(?:-----END [^-]*+-----|\Z)"  # PEM
        r"|(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA)[A-Z0-9]{16,}+"  # AWS access keys
        r"|eyJ[\w-]{6,}+\.[\w-]{6,}+(?:\.[\w-]*+)*+"  # JWT
        r"|gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_\w{16,}+"  # GitHub
        r"|glpat-[\w-]{16,}+|xox[abeoprs]-[\w-]{10,}+|[sr]k_(?:live|test)_\w{10,}+"  # GitLab, Slack, Stripe
        r"|AIza[\w-]{30,}+|npm_\w{30,}+|hv[sb]\.[\w-]{20,}+|SWMTKN-[\w-]{10,}+|dckr_pat_[\w-]{10,}+"
    )
    url = re.compile(r"(://[^\s:/@?#]*+):[^\s@]*+@(?:[^\s@]*+@)*+")
    url_token = re.compile(r"://[^\s:/@?#]{20,}+@")
    option = re.compile(rf"(?i)((?<!\S)--?[\w-]*?(?:{_WORDS})[\w.-]*+)(=|\s++)(?!-){_VALUE}")
    assigned = re.compile(rf"(?i)((?:{_WORDS})[\w.-]*+[\"']?\s*+=\s*+){_VALUE}")
    quoted = re.compile(rf"(?i)((?:{_WORDS})[\w.-]*+(\\?[\"'])\s*+:\s*+)(?:\\?\"[^\"]*+\"|'[^']*+'|[^\s,}}]++)")
    colon = re.compile(
        r"(?i)((?:password|passwd|passphrase|secret|api[-_]?key|(?:secret|access|private)[-_]key|[-_]token)\s*+:\s*+)"
        rf"{_VALUE}"
    )
    header = re.compile(
        r"(?i)((?:authorization|x-auth-token|set-cookie|cookie)[\"']?\s*+:\s*+[\"']?)(?!\*\*\*)[^\"'\r\n]++"
    )
    bearer = re.compile(r"(?i)(bearer\s++)(?:(?=\S*?\d)[\w.~+/=-]{8,}+|[\w.~+/=-]{20,}+)")
    short = re.compile(
        r"((?:mysql|mariadb)[\w-]*+\s(?:[^|;&\n]*?\s)?-p)(?=\S)\S++"
        r"|((?:redis-cli|sshpass|curl|wget)\s(?:[^|;&\n]*?\s)?-(?:[ap]|u\s*+[^\s:]*+:)\s*+)\S++"
    )
    return (
        (tokens, HIDDEN),
        (url, rf"\1:{HIDDEN}@"),
        (url_token, f"://{HIDDEN}@"),
        (header, rf"\1{HIDDEN}"),
        (bearer, rf"\1{HIDDEN}"),
        (short, lambda found: (found[1] or found[2]) + HIDDEN),
        (option, rf"\1\2{HIDDEN}"),
        (assigned, rf"\1{HIDDEN}"),
        (quoted, rf"\1\2{HIDDEN}\2"),
        (colon, rf"\1{HIDDEN}"),
    )


_SUSPECT = (
    *("pass", "pwd", "secret", "token", "key", "auth", "cred", "dsn", "cookie", "bearer", "://", "-----begin"),
    *("akia", "asia", "aroa", "aida", "agpa", "anpa", "aiza", "eyj", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    *("github_pat", "glpat", "xox", "k_live_", "k_test_", "npm_", "hvs.", "hvb.", "swmtkn", "dckr_pat"),
    *("mysql", "mariadb", "redis-cli", "curl", "wget"),
)
# One of these is in every text that holds a secret of a known shape: 1 µs, where one pattern of them all takes 15.


def redact(name: str, value: str) -> str:
    """`value` of the variable, label or field `name`, hidden if the name sounds secret, else as by `redact_text`."""
    if not value:
        return value
    if _NAME.search(name) and name not in _HARMLESS_NAMES:
        return HIDDEN
    return redact_text(value)


def redact_text(value: str) -> str:
    """`value` with every part hidden that has the shape of a secret, wherever it stands in the text.

    Known: URLs with a password, keys of AWS, GitHub, GitLab, Slack, Stripe and Google, JWT, PEM, bearer and other
    authorization headers, `--password=…` and its kin, `…TOKEN=…`, `"secret": "…"`, `mysql -p…`, `curl -u user:…`.
    Hides too much rather than too little. Doing it twice changes nothing.
    """
    lowered = value.lower()
    if not any(map(lowered.__contains__, _SUSPECT)):
        return value
    for _ in range(8):
        before = value
        value = _once(value)
        if value == before:
            break
    return value


def _once(value: str) -> str:
    for shape, instead in _shapes():
        value = shape.sub(instead, value)
    return value


_SECRET_OPTION = re.compile(rf"(?i)--?[\w-]*?(?:{_WORDS})[\w.-]*")


def redact_arguments(arguments: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """A command's arguments, each as by `redact_text`, and what stands behind an option that sounds secret hidden."""
    result: list[str] = []
    secret_next = False
    for argument in arguments:
        if secret_next and not argument.startswith("-"):
            result.append(HIDDEN)
        else:
            result.append(redact_text(argument))
        secret_next = _SECRET_OPTION.fullmatch(argument) is not None
    return tuple(result)
