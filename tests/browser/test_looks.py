"""How curves of a comparison are told apart: by the field that differs, by names at their ends, and by touch."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.puppet import Puppet

PLOT = "document.querySelector('.overlay .plot')"
LINES = f"{PLOT}?.data?.filter(({{mode}}) => mode === 'lines+markers')"
NAMES = f"{PLOT}.layout.annotations.map(({{text}}) => text.replace(/<[^>]*>/g, '').replace('● ', ''))"


def lines(page: Page, count: int) -> list[dict[str, Any]]:
    """Colour, dash, symbol and width of each drawn line, in the order of the legend."""
    page.locator(".overlay .plot").scroll_into_view_if_needed()
    page.wait_for_function(f"{LINES}?.length === {count}")
    found: list[dict[str, Any]] = page.evaluate(
        f"{LINES}.map(({{line: {{color, dash, width}}, marker: {{symbol}}}}) => ({{color, dash, width, symbol}}))"
    )
    return found


def token(page: Page, name: str) -> str:
    value: str = page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()")
    return value


def compared(ids: list[str], wishes: str = "") -> str:
    return f"/compare?runs={','.join(ids)}{wishes}"


def test_depths_of_one_policy_have_a_ramp_and_names_at_their_ends(open_page: Open, puppet: Puppet) -> None:
    ids = [puppet.done(architecture=f"resnet-{depth}", epochs=3) for depth in (32, 14, 20)]
    page = open_page(compared(ids))
    found = lines(page, 3)
    assert [one["color"] for one in found] == [token(page, f"ramp-{step}") for step in (7, 1, 4)], "ordered by size"
    assert len({one["symbol"] for one in found}) == 3
    assert sorted(page.evaluate(NAMES)) == ["ResNet-14", "ResNet-20", "ResNet-32"]
    swatches = page.locator(".legend-row svg line").evaluate_all("all => all.map(one => one.getAttribute('stroke'))")
    assert swatches == [one["color"] for one in found], "the legend and the table have the same colours"
    cells = page.locator(".compare-table .run-name svg line").evaluate_all(
        "all => all.map(one => one.getAttribute('stroke'))"
    )
    assert sorted(cells) == sorted(swatches)


def test_policies_keep_their_hues_and_their_kin_differ(open_page: Open, puppet: Puppet) -> None:
    policies = ("batchnorm", "random-1", "random-4", "random-16")
    ids = [puppet.done(policy=policy, epochs=3) for policy in policies]
    page = open_page(compared(ids))
    found = lines(page, 4)
    assert found[0]["color"] == token(page, "series-1") and found[1]["color"] == token(page, "series-2")
    assert len({(one["color"], one["symbol"]) for one in found}) == len({one["color"] for one in found}) == 4
    alike = lines(open_page(compared(ids[1:])), 3)
    assert len({one["color"] for one in alike}) == 3 and alike[0]["color"] != found[1]["color"], "a ramp within one hue"


def test_two_fields_that_differ_are_colour_and_dash(open_page: Open, puppet: Puppet) -> None:
    ids = [
        puppet.done(policy=policy, architecture=net, epochs=3)
        for policy in ("batchnorm", "all")
        for net in ("resnet-14", "resnet-20")
    ]
    found = lines(open_page(compared(ids)), 4)
    assert found[0]["color"] == found[1]["color"] != found[2]["color"] == found[3]["color"]
    assert found[0]["dash"] == found[2]["dash"] != found[1]["dash"] == found[3]["dash"]


def test_replicates_one_by_one_can_be_told_apart(open_page: Open, puppet: Puppet) -> None:
    ids = [puppet.done(policy=policy, replicate=k, epochs=3) for policy in ("batchnorm", "output") for k in range(3)]
    found = lines(open_page(compared(ids, "&group=run")), 6)
    assert len({(one["color"], one["dash"], one["symbol"]) for one in found}) == 6
    assert len({one["color"] for one in found}) == 6


def test_what_the_eye_cannot_hold_is_grey_until_it_is_touched(open_page: Open, puppet: Puppet) -> None:
    ids = [puppet.done(policy=f"random-{k}", epochs=2) for k in range(1, 12)]
    page = open_page(compared(ids))
    grey = token(page, "line-firm")
    found = lines(page, 11)
    assert sum(one["color"] == grey for one in found) == 3
    assert len(page.evaluate(NAMES)) == 8
    expect(page.get_by_role("note").first).to_contain_text("Point at a name below")
    last = page.locator(".legend-list > li").last
    last.hover()
    page.wait_for_function(f"{LINES}.filter(({{line}}) => line.color === '{grey}').length === 2")
    page.mouse.move(5, 5)
    page.wait_for_function(f"{LINES}.filter(({{line}}) => line.color === '{grey}').length === 3")
    last.locator("a").first.focus()
    page.wait_for_function(f"{LINES}.filter(({{line}}) => line.color === '{grey}').length === 2")


@pytest.mark.parametrize("dark", [False, True])
def test_every_step_of_the_ramp_can_be_seen(open_page: Open, dark: bool) -> None:
    page = open_page("/runs", color_scheme="dark" if dark else "light")
    names = ["surface", *(f"ramp-{step}" for step in range(1, 8))]
    ground, *ramp = page.evaluate(
        "names => { const style = getComputedStyle(document.querySelector('.dark') ?? document.documentElement);"
        " return names.map(name => style.getPropertyValue(`--${name}`).trim()) }",
        names,
    )
    assert [colour for colour in ramp if contrast(colour, ground) < 3] == [] and len(set(ramp)) == 7


def contrast(one: str, other: str) -> float:
    """The contrast of two colours #rrggbb after WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
