"""The network itself in the share dialog, and that the browser opens links exactly as Python does."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Error, Locator, Page, expect

from core.run.layout import layout
from core.run.link.levels import Floats
from core.run.link.link import decode, encode
from core.run.link.text import base64url, content_of, digits
from core.run.link.words import LinkFacts
from core.run.spec import RunSpec
from tests.browser.conftest import Open, Site
from tests.browser.puppet import Puppet
from tests.browser.states import EVALUATED_WITHIN_MS
from tests.browser.test_surgery import with_capsule
from tests.core.run.link.made import CARRIED, link, spec, tensors

OPEN = "text => import('/static/engine/link/opening.js').then(({ openLink }) => openLink(text))"
TOLD = f"""text => ({OPEN})(text).then(({{ spec, told, tensors, layers, sizeBytes }}) => ({{
    spec, told, layers, sizeBytes,
    tensors: Object.fromEntries(Object.entries(tensors).map(([name, numbers]) => [name, [...numbers]])),
}}))"""


@pytest.fixture(scope="module")
def blank(browser: Any, site: Site) -> Any:
    """A page of the site on which scripts can be imported."""
    page = browser.new_page()
    page.goto(f"{site.url}/about")
    yield page
    page.close()


@pytest.mark.parametrize("form", [base64url, digits])
@pytest.mark.parametrize("kind", CARRIED)
def test_the_browser_opens_what_python_writes(blank: Page, kind: str, form: Any) -> None:
    run = spec(**CARRIED[kind])
    content = link(run, top1=0.8022, edited=3)
    found = blank.evaluate(TOLD, f"https://example.org/player/#{form(content)}")
    there = decode(content)
    flat = flat_of(run, there.tensors)
    assert set(found["tensors"]) == set(flat)
    for group, values in flat.items():
        assert np.array_equal(np.array(found["tensors"][group], np.float32), values), group
    fields = run.model_dump(mode="json", exclude={"name", "adapt"})
    seeds = found["spec"].pop("seeds")
    assert seeds["init"] == run.seeds.init and seeds.items() <= fields.pop("seeds").items()
    assert found["spec"] == fields
    assert found["told"] == {"top1": 0.8022, "edited": 3} and found["sizeBytes"] == len(content)


WRITE = """async ([spec, tensors, top1]) => {
    const { openKernels } = await import('/static/engine/kernels.js');
    const { linkOfCapsule } = await import('/static/engine/link/writing.js');
    for (const [group, numbers] of Object.entries(tensors)) tensors[group] = Float32Array.from(numbers);
    return [...linkOfCapsule(await openKernels(), { spec, result: { top1 }, tensors })];
}"""
WRITTEN: dict[str, dict[str, Any]] = {
    **{kind: fields for kind, fields in CARRIED.items() if {"norm", "architecture"}.isdisjoint(fields)},
    "a wide network": {"architecture": "wrn-14-2", "dataset": "fashion-mnist", "test_examples": 600},
    "a deep network": {"architecture": "resnet-56"},
    "a name": {"name": "Not in the link"},
    "a copy": {"dataset": "cifar-10", "copy_of_data": {"kind": "JPEG", "fingerprint": "0123456789abcdef"}},
}


def flat_of(run: RunSpec, tensors: dict[str, Floats]) -> dict[str, Floats]:
    """The tensors of a capsule, by group."""
    flat: dict[str, list[Floats]] = {}
    for slot in layout(run):
        flat.setdefault(slot.group, []).append(tensors[slot.name].reshape(-1))
    return {group: np.concatenate(parts) for group, parts in flat.items()}


@pytest.mark.parametrize("scale", [1.0, 3e-6, 4000.0])
@pytest.mark.parametrize("kind", WRITTEN)
def test_the_browser_writes_the_bytes_of_python(blank: Page, kind: str, scale: float) -> None:
    run = spec(**WRITTEN[kind])
    made = {name: (values * np.float32(scale)).astype(np.float32) for name, values in tensors(run).items()}
    first = next(iter(made.values())).reshape(-1)
    first[:2] = 0
    sent = {group: values.tolist() for group, values in flat_of(run, made).items()}
    found = blank.evaluate(WRITE, [run.model_dump(mode="json"), sent, 0.80224])
    assert bytes(found) == encode(run, made, LinkFacts(0.80224))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"policy": "all"}, "weights trained too"),
        ({"policy": "supermask-50"}, "scores of its weights trained too"),
        ({"norm": {"kind": "group"}}, "runs networks with BatchNorm"),
        ({"task": "rotated-1"}, "one of its tasks, rotated-1"),
        ({"architecture": "wrn-14-8", "policy": "random-64"}, "100 kB is the most"),
    ],
)
def test_the_browser_says_why_there_is_no_link(blank: Page, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(Error) as refused:
        blank.evaluate(WRITE, [spec(**fields).model_dump(mode="json"), {}, 0.5])
    assert words in str(refused.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_the_browser_writes_no_number_that_8_bits_cannot_hold(blank: Page, value: float) -> None:
    run = spec()
    sent = {group: values.tolist() for group, values in flat_of(run, tensors(run)).items()}
    sent["beta"][3] = value
    with pytest.raises(Error) as refused:
        blank.evaluate(WRITE, [run.model_dump(mode="json"), sent, 0.5])
    assert "This network has numbers" in str(refused.value)


def test_a_deep_network_opens_too(blank: Page) -> None:
    content = link(spec(architecture="resnet-866"))
    found = blank.evaluate(TOLD, base64url(content))
    assert found["sizeBytes"] == len(content) and len(found["layers"]) == 867


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing behind its #"),
        ("https://example.org/player/#", "nothing behind its #"),
        ("Hello, world", "other characters"),
        ("Hello", "letters are not those of whole bytes"),
        ("AR", "letters are not those of whole bytes"),
        ("9" * 53, "digits are not those of whole bytes"),
        ("1" * 54, "digits are not those of whole bytes"),
        (base64url(b"\2" + bytes(20)), "version 2; this page reads version 1"),
        (base64url(link(spec()))[:-8], "damaged or incomplete"),
        ("x" * 400_000, "longer than 100 kB"),
    ],
)
def test_the_browser_refuses_what_is_no_link(blank: Page, text: str, words: str) -> None:
    with pytest.raises(Error) as refused:
        blank.evaluate(OPEN, text)
    assert words in str(refused.value)


def test_the_browser_notices_every_changed_letter(blank: Page) -> None:
    text = base64url(link(spec()))
    opened = blank.evaluate(
        f"""async text => {{
            const opened = [];
            for (let place = 0; place < text.length; place++) {{
                const other = text[place] === "B" ? "C" : "B";
                const changed = text.slice(0, place) + other + text.slice(place + 1);
                await ({OPEN})(changed).then(() => opened.push(place), () => null);
            }}
            return opened;
        }}""",
        text,
    )
    assert opened == []


def share(page: Page) -> Locator:
    """The opened part of the dialog."""
    page.get_by_role("button", name="Share", exact=True).click()
    sheet = page.get_by_role("dialog", name="Share this page")
    sheet.get_by_text("The network itself").click()
    return sheet.locator(".sheet-network")


def test_the_network_is_shared_as_link_and_qr_code(open_page: Open, puppet: Puppet, site: Site) -> None:
    run_id = with_capsule(puppet, name="To give away")
    page = open_page(f"/run?id={run_id}", viewport={"width": 390, "height": 844}, color_scheme="dark")
    part = share(page)
    field = part.get_by_label("Link of the network")
    expect(field).to_have_value(re.compile(f"^{site.url}/player/#A"))
    content = content_of(field.input_value())
    assert decode(content).spec.architecture == "resnet-14"
    expect(part).to_contain_text(f"{len(content):,} bytes; opened in this browser")
    expect(part.locator('[data-slot="cost"]')).to_have_text("What the 8 bits cost in accuracy is not measured yet.")
    source = part.get_by_role("img", name="QR code of the link of the network").get_attribute("src") or ""
    with page.expect_download() as saved:
        part.get_by_role("button", name="Download the QR code (SVG)").click()
    assert saved.value.suggested_filename == "To give away.svg"
    assert saved.value.path().read_text() == unquote(source.partition(",")[2])
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    violations = Axe().run(page).response["violations"]
    assert not violations, [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in violations]

    # Measured by a worker, it stands there at the next look.
    puppet.hello()
    part.get_by_role("button", name="Measure", exact=True).click()
    expect(part.get_by_role("button", name="Cancel")).to_be_visible()
    taken = puppet.measure(run_id)
    assert taken.request.link
    exact, there = ({"loss": 1.0, "top1": top1, "top5": 1.0} for top1 in (0.8162, 0.8134))
    result = {"exact": exact, "link": there, "size_bytes": len(content), "images": 359, "test_images": 359}
    assert puppet.store.evaluations.finish(taken, result)
    words = (
        "Measured on all 359 test images: test accuracy 81.34% from the link, 81.62% without rounding to 8 bits "
        "(−0.28 points)."
    )
    expect(part.locator('[data-slot="cost"]')).to_have_text(words)
    page.reload()
    expect(share(page).locator('[data-slot="cost"]')).to_have_text(words)


def test_a_network_whose_weights_trained_offers_its_capsule(open_page: Open, puppet: Puppet) -> None:
    run_id = with_capsule(puppet, policy="all")
    part = share(open_page(f"/run?id={run_id}"))
    expect(part).to_contain_text("No link can carry this network: its 170,640 weights trained too")
    with part.page.expect_download() as saved:
        part.get_by_role("link", name="Download the capsule").click()
    assert saved.value.suggested_filename == f"onlybn-{run_id}.safetensors"


def test_a_run_without_a_network_shares_its_page_only(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    page = open_page(f"/run?id={run_id}")
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("dialog", name="Share this page")).to_be_visible()
    expect(page.locator(".sheet-network")).to_have_count(0)


def test_a_capsule_that_cannot_be_read_is_told(open_page: Open, puppet: Puppet, watch: Any) -> None:
    watch.expected.append("404")
    part = share(open_page(f"/run?id={puppet.done()}"))
    expect(part.get_by_role("alert")).to_contain_text("is not a safetensors file")


def test_surgery_shares_the_edited_network_and_a_worker_measures_it(
    open_working_page: Open, working_site: Site, trained: str
) -> None:
    page = open_working_page(f"/surgery?run={trained}&edits=zero:stem.norm:1,4")
    part = share(page)
    expect(part).to_contain_text("The link is the network, with 2 edited γ")
    found = decode(content_of(part.get_by_label("Link of the network").input_value()))
    assert found.told.edited == 2 and found.told.top1 is None
    assert [i for i, gamma in enumerate(found.tensors["stem.norm.weight"]) if gamma == 0] == [1, 4]
    part.get_by_role("button", name="Measure", exact=True).click()
    cost = part.locator('[data-slot="cost"]')
    expect(cost).to_contain_text("Measured on all 359 test images", timeout=EVALUATED_WITHIN_MS)
