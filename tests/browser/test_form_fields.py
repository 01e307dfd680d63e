"""No field of a spec or of a question is lost in the form: specs and questions with every field off its default go
through it and come back the same. And the fields of an adaptation, one by one."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from app.form.fields import DEFAULTS
from core.run.spec import RunSpec
from tests.app.api.test_starts import file_of
from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet
from tests.browser.train_page import more, previewed, query
from tests.fields import differing, leaves

USUAL = RunSpec.model_validate(DEFAULTS)
START = "start"
OFF: dict[str, dict[str, Any]] = {
    "recipe": {
        "architecture": "resnet-20",
        "policy": "all",
        "epochs": 7,
        "train_examples": 640,
        "recipe": {
            "optimizer": "adam",
            "lr": 0.002,
            "momentum": 0.8,
            "weight_decay": 0.003,
            "batch_size": 64,
            "lr_drops": [1 / 3, 0.9],
            "lr_drop_factor": 0.3,
            "warmup_epochs": 1.5,
            "label_smoothing": 0.1,
            "sync_batchnorm": True,
            "precision": "fp32",
            "lean": False,
            "augmentation": "none",
        },
    },
    "other recipe": {"dataset": "fashion-mnist", "recipe": {"schedule": "cosine", "nesterov": True}},
    "network": {
        "policy": "random-3",
        "task": "permuted-7",
        "norm": {"kind": "group", "affine": False, "groups": 4},
        "init": {"weights": "sparse-3"},
    },
    "seeds": {
        "replicate": 5,
        "draw": 1,
        "seeds": {"init": 1, "order": 2, "augmentation": 3, "choice": 2**32 - 1},
        "init": {"norm": "ones-shifted"},
        "start": START,
        "name": "Another name",
    },
    "adaptation": {
        "test_examples": 300,
        "adapt": {
            "corruptions": ["blur", "rotation"],
            "severities": [0, 2, 5],
            "optimizer": "sgd",
            "lr": 0.01,
            "batch_size": 32,
            "images": 100,
            "seed": 7,
        },
    },
    "adaptation as usual": {"adapt": {}},
}
"""Specs that together set every field."""
IMAGES = {path for path in leaves(RunSpec) if path.startswith(("contents", "copy_of_data"))}
"""Which images a machine has; docs/using.md says that the form takes what is there."""


def spec_of(name: str, puppet: Puppet) -> RunSpec:
    fields = {**DEFAULTS, **OFF[name]}
    if fields.get("start") == START:
        fields["start"] = puppet.store.starts.keep(file_of())
    return RunSpec.model_validate(fields)


def test_the_specs_of_this_test_set_every_field(puppet: Puppet) -> None:
    off = set().union(*(differing(spec_of(name, puppet), USUAL) for name in OFF))
    assert off == set(leaves(RunSpec)) - IMAGES


@pytest.mark.parametrize("name", OFF)
def test_no_field_is_lost_on_the_way_through_the_form(open_page: Open, puppet: Puppet, name: str) -> None:
    """Run page -> Change and run again -> form -> a change -> YAML -> pasted -> form. Only the name is not copied."""
    spec = spec_of(name, puppet)
    unnamed = spec.model_copy(update={"name": None})
    run_id = puppet.done(**spec.model_dump(mode="json"))
    page = open_page(f"/run?id={run_id}")
    page.get_by_role("link", name="Change and run again").click()
    page.wait_for_url(re.compile("/train"))
    assert differing(RunSpec.model_validate(previewed(page)), unnamed) == set()
    page.get_by_label("Epochs").fill("9")
    page.wait_for_url(re.compile("epochs=9"))
    changed = unnamed.model_copy(update={"epochs": 9})
    assert differing(RunSpec.model_validate(previewed(page)), changed) == set(), "as the components have it"
    address = query(page)
    page.get_by_text("The same as YAML or JSON").click()
    written = page.get_by_role("region", name="The spec as text")
    expect(written).to_contain_text("epochs: 9")
    text = written.inner_text()
    open_page("/train", page=page)
    paste(page, text + (f"name: {spec.name}\n" if spec.name else ""))
    page.wait_for_url(re.compile("epochs=9"))
    assert differing(RunSpec.model_validate(previewed(page)), changed.model_copy(update={"name": spec.name})) == set()
    assert {key: value for key, value in query(page).items() if key != "name"} == address


def paste(page: Page, text: str) -> None:
    page.get_by_text("The same as YAML or JSON").click()
    page.get_by_label("Paste a spec").fill(text)
    page.get_by_role("button", name="Fill in the form").click()


def test_images_of_another_machine_are_refused_or_said(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("422")
    copy = {"kind": "JPEG", "fingerprint": "0123456789abcdef"}
    run_id = puppet.done(dataset="cifar-10", epochs=3, copy_of_data=copy, name="JPEG")
    page = open_page(f"/run?id={run_id}")
    page.get_by_role("link", name="Change and run again").click()
    expect(page.locator('[data-slot="copied"]')).to_have_text(
        "Copied from “JPEG”, with the images that are on this server now. Change one thing and launch."
    )
    paste(page, f"{{architecture: resnet-14, policy: all, dataset: cifar-10, epochs: 4, copy_of_data: {copy}}}")
    expect(page.locator(".spec-load [role=alert]:visible")).to_contain_text(
        "copy_of_data: the form takes the images of this server, which are others"
    )


def adaptation(page: Page) -> Locator:
    """The switch, under its heading."""
    return more(page).get_by_label("Adapt to corrupted test images")


def test_an_adaptation_is_off_until_somebody_ticks_it(open_page: Open) -> None:
    page = open_page("/train?epochs=3")
    switch = adaptation(page)
    expect(switch).not_to_be_checked()
    fields = page.locator("#field-adapt-corruptions, #field-adapt-severities, #field-adapt-lr")
    for field in fields.all():
        expect(field).to_be_hidden()
    assert "adapt" not in previewed(page)
    switch.check()
    page.wait_for_url("**adapt=true")
    expect(page.locator(".in-tab")).to_contain_text("A tab cannot adapt to corrupted images.")
    expect(page.locator("#field-adapt-corruptions").get_by_role("checkbox", checked=True)).to_have_count(5)
    assert previewed(page)["adapt"] == {}
    for corruption in ("Gaussian noise", "Brightness", "Low contrast"):
        page.locator("#field-adapt-corruptions").get_by_label(corruption).uncheck()
    page.locator("#field-adapt-corruptions").get_by_label("Gaussian noise").check()
    page.locator("#field-adapt-severities").get_by_label("5").check()
    page.wait_for_url("**adapt.severities=3,5")
    assert previewed(page)["adapt"] == {"corruptions": ["gaussian-noise", "blur", "rotation"], "severities": [3, 5]}
    expect(page.locator('[data-slot="cli"]')).to_contain_text('"severities":[3,5]')
    page.locator("#advanced").get_by_role("button", name="corrupted").click()
    expect(page.get_by_text("A change of the test images, such as noise or blur")).to_be_visible()
    switch.uncheck()
    page.wait_for_function("!location.search.includes('adapt')")
    assert "adapt" not in previewed(page)


def test_a_link_may_name_a_field_of_an_adaptation_alone(open_page: Open) -> None:
    page = open_page("/train?adapt.severities=4&adapt.images=100")
    assert previewed(page)["adapt"] == {"severities": [4], "images": 100}
    open_page("/train?adapt.corruptions=rain", page=page)
    expect(page.locator('[data-slot="link-note"]')).to_contain_text("no adapt.corruptions of “rain”")


def test_what_is_wrong_with_an_adaptation_stands_at_its_field(open_page: Open, watch: Watch) -> None:
    watch.expected.append("422")
    page = open_page("/train?adapt=true&norm.kind=group")
    problem = page.locator("#field-adapt .field-problem")
    expect(problem).to_have_text(re.compile("^Adaptation needs BatchNorm; GroupNorm normalises each image"))
    open_page("/train?adapt=true&adapt.batch_size=64&adapt.images=50", page=page)
    expect(page.locator("#field-adapt-batch-size .field-problem")).to_contain_text(
        "Adaptation batch must be below the 50 test images that are looked at, got 64"
    )
    page.get_by_label("Adaptation images").fill("500")
    expect(page.locator("#field-adapt-images .field-problem")).to_have_text(
        "Adaptation images must be at most 359, got 500."
    )
    page.get_by_label("Adaptation images").fill("")
    page.locator("#field-adapt-severities").get_by_label("3").uncheck()
    expect(page.locator("#field-adapt-severities .field-problem")).to_have_text(
        "Severities must have at least one value."
    )
    expect(page.locator("#launch")).to_be_disabled()
    page.locator("#field-adapt-severities").get_by_label("1").check()
    expect(page.locator(".field-problem")).to_have_count(0)
    expect(page.locator("#launch")).to_be_enabled()
    assert urlsplit(page.url).query == "adapt=true&adapt.severities=1"
