"""What is drawn can be read: contrast, states apart for every eye, and no colours where a terminal has none."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from fleettop.tui.theme import (
    DARK,
    LIGHT,
    ROLES,
    SERVICE_STATES,
    Palette,
    register_themes,
    styles_for,
    styles_of,
    theme_name,
)
from textual.app import App

Rgb = tuple[float, float, float]
THEMES = ("fleettop-dark", "fleettop-light", "fleettop-ansi-dark", "fleettop-ansi-light", "fleettop-mono")

# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency (2009),
# severity 1.0, to be applied to linear RGB.
EYES = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}


def linear(colour: str) -> Rgb:
    """`#rrggbb` as linear light, 0…1 (IEC 61966-2-1)."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))

    def one(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return one(red), one(green), one(blue)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1…21 (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(light: Rgb) -> Rgb:
    """CIE L*a*b* under D65."""
    red, green, blue = light
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883

    def bend(value: float) -> float:
        return value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116

    return 116 * bend(y) - 16, 500 * (bend(x) - bend(y)), 200 * (bend(y) - bend(z))


def seen(colour: str, eye: str) -> Rgb:
    """A colour as L*a*b*, as that eye sees it."""
    light = linear(colour)
    red, green, blue = (
        min(1.0, max(0.0, sum(factor * value for factor, value in zip(row, light, strict=True)))) for row in EYES[eye]
    )
    return lab((red, green, blue))


def difference(one: Rgb, other: Rgb) -> float:
    """CIEDE2000 (Sharma, Wu, Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean**7 / (mean**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    dh = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    d_hue = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(dh / 2))
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    if c1 * c2 == 0:
        hm = h1 + h2
    elif abs(h1 - h2) <= 180:
        hm = (h1 + h2) / 2
    else:
        hm = (h1 + h2 + 360) / 2 if h1 + h2 < 360 else (h1 + h2 - 360) / 2
    t = (
        1
        - 0.17 * math.cos(math.radians(hm - 30))
        + 0.24 * math.cos(math.radians(2 * hm))
        + 0.32 * math.cos(math.radians(3 * hm + 6))
        - 0.20 * math.cos(math.radians(4 * hm - 63))
    )
    sl = 1 + 0.015 * (lm - 50) ** 2 / math.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rc = 2 * math.sqrt(cm**7 / (cm**7 + 25.0**7))
    rt = -math.sin(math.radians(60 * math.exp(-(((hm - 275) / 25) ** 2)))) * rc
    dl, dc, dd = (l2 - l1) / sl, (c2 - c1) / sc, d_hue / sh
    return math.sqrt(dl**2 + dc**2 + dd**2 + rt * dc * dd)


def test_the_measure_of_difference_is_the_published_one() -> None:
    """Two pairs of the reference data of Sharma, Wu and Dalal."""
    assert difference((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert difference((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387)) == pytest.approx(1.2644, abs=1e-4)


def text_colours(palette: Palette) -> dict[str, str]:
    """Every colour that a text of that theme can have, by role."""
    found = {"": palette.text}
    for role, style in styles_for(palette.name).items():
        if style.color is not None and style.color.triplet is not None and role != "line":
            found[role] = style.color.triplet.hex
    return found


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda palette: palette.name)
def test_every_text_can_be_read_on_every_background(palette: Palette) -> None:
    """4.5:1 at least (WCAG 2.2, 1.4.3), dim text and the line under the cursor too."""
    faint = {
        (role, colour, ground): round(contrast(colour, ground), 2)
        for role, colour in text_colours(palette).items()
        for ground in palette.backgrounds
        if contrast(colour, ground) < 4.5
    }
    assert not faint
    assert contrast(palette.text, palette.gap) >= 4.5


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda palette: palette.name)
def test_badges_and_lines_can_be_made_out(palette: Palette) -> None:
    """Reversed badges keep 4.5:1; borders, which are no text, 3:1 (WCAG 2.2, 1.4.11)."""
    for role in ("insecure", "read-only"):
        style = styles_for(palette.name)[role]
        assert style.reverse
        assert style.color is not None
        assert style.color.triplet is not None
        assert contrast(style.color.triplet.hex, palette.panel) >= 4.5
    assert min(contrast(palette.line, palette.background), contrast(palette.line, palette.panel)) >= 2.8


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda palette: palette.name)
def test_no_two_states_look_alike_to_any_eye(palette: Palette, eye: str) -> None:
    """Each pair of state colours differs by 10 (CIEDE2000), whichever cones are missing."""
    alike = {
        (one, other): round(difference(seen(getattr(palette, one), eye), seen(getattr(palette, other), eye)), 1)
        for one, other in combinations(SERVICE_STATES, 2)
        if difference(seen(getattr(palette, one), eye), seen(getattr(palette, other), eye)) < 10
    }
    assert not alike


@pytest.mark.parametrize("name", THEMES)
def test_every_theme_draws_every_role(name: str) -> None:
    """A role that a theme forgets would be plain where it should stand out."""
    assert set(styles_for(name)) == set(ROLES)


def test_without_colour_nothing_has_a_colour_and_all_can_still_be_told() -> None:
    """Bold, dim, underline and reverse alone; the cursor, the head and badges stand out by them."""
    styles = styles_for("fleettop-mono")
    assert all(style.color is None and style.bgcolor is None for style in styles.values())
    assert styles["cursor"].reverse
    assert styles["insecure"].reverse
    assert styles["head"].underline
    assert styles["cursor"] != styles["cursor-blurred"] != styles["marked"]


@pytest.mark.parametrize("name", ["fleettop-ansi-dark", "fleettop-ansi-light"])
def test_with_sixteen_colours_only_those_are_used(name: str) -> None:
    """By number, so that the terminal's own palette decides."""
    for style in styles_for(name).values():
        for colour in (style.color, style.bgcolor):
            assert colour is None or (colour.number is not None and colour.number < 16)


@pytest.mark.parametrize(
    ("dark", "colours", "name"),
    [
        (True, None, "fleettop-dark"),
        (False, None, "fleettop-light"),
        (True, 256, "fleettop-dark"),
        (True, 16, "fleettop-ansi-dark"),
        (False, 8, "fleettop-ansi-light"),
        (False, 0, "fleettop-mono"),
    ],
)
def test_a_terminal_gets_the_theme_it_can_show(dark: bool, colours: int | None, name: str) -> None:
    """As many colours as it has, and none where none are wanted."""
    assert theme_name(dark=dark, colours=colours) == name


async def test_all_themes_can_be_put_on_and_a_foreign_one_keeps_our_roles() -> None:
    """Textual accepts each of them; in a theme that is not ours the roles are those of its kind."""

    class Bare(App[None]):
        def on_mount(self) -> None:
            register_themes(self)

    app = Bare()
    async with app.run_test() as pilot:
        for name in THEMES:
            app.theme = name
            await pilot.pause()
            assert styles_of(app) == styles_for(name)
            if "ansi" in name or "mono" in name:
                assert {app.current_theme.variables[part] for part in ("border", "scrollbar")} == {"ansi_default"}
        app.theme = "textual-light"
        assert styles_of(app) == styles_for("fleettop-light")
        app.theme = "nord"
        assert styles_of(app) == styles_for("fleettop-dark")
        app.theme = "ansi-light"
        assert styles_of(app) == styles_for("fleettop-ansi-light")
