"""The Train page as tests handle it: its tiles, its fields, what it asks the server about."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect


def query(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def depth(page: Page, number: str) -> Locator:
    """The tile of a depth or width."""
    return page.locator("#field-number").get_by_label(number, exact=True)


def kind(page: Page, title: str) -> Locator:
    """The tile of a kind of parameters: the first step of what trains."""
    return page.locator("#field-group").get_by_label(title, exact=True)


def choice(page: Page, title: str) -> Locator:
    """A tile of the second step of what trains, of those that are shown."""
    return page.locator("#policy-parts fieldset:visible").get_by_label(title, exact=True)


def more(page: Page) -> Locator:
    """The fields under "Recipe and more", which is opened if it is closed."""
    field = page.locator("#advanced")
    if not field.get_by_label("Batch size").is_visible():
        page.get_by_role("button", name="Recipe and more").click()
    expect(field.get_by_label("Batch size")).to_be_visible()
    return field


def previewed(page: Page) -> dict[str, Any]:
    """The spec that the page asks the server about next, and has heard about."""
    page.wait_for_function("document.querySelector('.preview')?.dataset.state === 'ready'")
    spec: dict[str, Any] = page.evaluate("import('/static/pages/train/form.js').then((form) => form.current)")
    return spec


def lit(page: Page) -> set[str]:
    """The kinds of shapes in the network's picture that are lit."""
    classes = page.eval_on_selector_all(".network path.lit", "paths => paths.map(path => path.className.baseVal)")
    return {name.split()[0] for name in classes}
