"""The form in depth: every policy, every field, what hides where, and that nothing is lost on the way round."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from core.catalog.policies import policy
from core.catalog.policy import trainable
from core.run.spec import RunSpec
from tests.browser.conftest import Open, Watch
from tests.browser.puppet import SPEC, Puppet
from tests.browser.train_page import choice, depth, kind, lit, more, previewed, query

ALONE, BESIDE = "Nothing: a supermask alone", "Other parameters, too"
POLICIES = {
    "batchnorm": ("Norm layers", ["BatchNorm only"]),
    "gamma": ("Norm layers", ["γ only"]),
    "batchnorm-stages-0-2": ("Norm layers", ["Some stages", "Stem", "2"]),
    "batchnorm-stage-3": ("Norm layers", ["Some stages", "3"]),
    "output": ("Layers", ["Output layer"]),
    "shortcut+output": ("Layers", ["Output layer", "Shortcuts"]),
    "output+batchnorm+shortcut": ("Layers", ["BatchNorm", "Output layer", "Shortcuts"]),
    "random-4": ("Random weights", ["4", "In each channel"]),
    "random-3-layer": ("Random weights", ["Other", "Anywhere in the layer"]),
    "supermask": ("Choose weights", [ALONE, "50"]),
    "supermask-30": ("Choose weights", [ALONE, "30"]),
    "supermask-77": ("Choose weights", [ALONE, "Other"]),
    "supermask+batchnorm": ("Choose weights", [BESIDE, "50", "BatchNorm"]),
    "supermask-77+output+shortcut": ("Choose weights", [BESIDE, "Other", "Output layer", "Shortcuts"]),
    "all-but-batchnorm": ("References", ["All but BatchNorm"]),
    "bias": ("References", ["Biases only"]),
    "none": ("References", ["Nothing"]),
}


def test_every_policy_can_be_shown(open_page: Open) -> None:
    """A link to any policy opens the form with its tiles, says what it is, and means the same policy."""
    page: Page | None = None
    for name, (group, tiles) in POLICIES.items():
        page = open_page(f"/train?architecture=resnet-14&policy={quote(name)}&dataset=digits&epochs=3", page=page)
        wanted = policy(name)
        expect(page.locator('[data-slot="policy-hint"]')).to_contain_text(wanted.sentence)
        expect(page.locator('[data-slot="policy-hint"]')).to_contain_text(f"Source: {wanted.source}.")
        expect(kind(page, group)).to_be_checked()
        checked = page.locator("#policy-parts fieldset:visible label.selected")
        assert sorted(map(str.strip, checked.all_inner_texts())) == sorted(tiles), name
        spec = RunSpec.model_validate(previewed(page))
        assert spec.policy == wanted.name
        expect(page.locator('[data-slot="trainable"]')).to_have_text(f"{trainable(spec.trains):,}")


def test_what_trains_is_two_clicks_away(open_page: Open) -> None:
    page = open_page("/train")
    expect(page.locator('[data-slot="trainable"]')).to_have_text("1,120")
    kind(page, "Layers").check()
    expect(page.locator('[data-slot="trainable"]')).to_have_text("650")
    choice(page, "Shortcuts").check()
    choice(page, "BatchNorm").check()
    expect(page.locator('[data-slot="trainable"]')).to_have_text("4,330")
    assert query(page)["policy"] == "batchnorm+output+shortcut"
    for layer in ("BatchNorm", "Output layer", "Shortcuts"):
        choice(page, layer).uncheck()
    expect(page.locator(".warnings")).to_contain_text("Nothing trains")
    kind(page, "Norm layers").check()
    choice(page, "Some stages").check()
    choice(page, "3").check()
    page.wait_for_url("**policy=batchnorm-stages-1-3**")
    assert previewed(page)["policy"] == "batchnorm-stages-1-3"
    assert lit(page) == {"norm"}
    kind(page, "Random weights").check()
    choice(page, "Anywhere in the layer").check()
    page.wait_for_url("**policy=random-2-layer**")
    kind(page, "Choose weights").check()
    choice(page, "Other").check()
    page.locator("#field-other-kept").get_by_label("Other, 1 to 99").fill("5")
    page.wait_for_url("**policy=supermask-5**")
    expect(page.locator('[data-slot="noun"]')).to_have_text("parameters get a score")
    expect(page.locator(".legend").first).to_contain_text("of these weights are used")
    assert page.locator(".network path.kept").count() == 2 and lit(page) == set()
    choice(page, BESIDE).check()
    page.wait_for_url("**policy=supermask%2Bbatchnorm**")
    expect(page.locator('[data-slot="noun"]')).to_have_text("parameters train or get a score")
    expect(page.locator(".legend").first).to_contain_text("trains")
    assert page.locator(".network path.kept").count() == 2 and lit(page) == {"norm"}


def test_gamma_and_beta_start_as_the_policy_wants_unless_somebody_chose(open_page: Open) -> None:
    page = open_page("/train")
    kind(page, "References").check()
    choice(page, "All but BatchNorm").check()
    expect(page.locator(".warnings")).to_contain_text("γ and β keep their initial values: γ = 1, β = 0.")
    start = more(page).locator("#field-init-norm")
    expect(start.get_by_label("γ = 1, β = 0")).to_be_checked()
    assert "init" not in previewed(page)
    start.get_by_label("γ from U(-1, 1), β = 0").check()
    page.wait_for_url("**init.norm=uniform-signed**")
    kind(page, "Norm layers").check()
    expect(page.locator('[data-slot="trainable"]')).to_have_text("1,120")
    expect(start.get_by_label("γ from U(-1, 1), β = 0")).to_be_checked()
    start.get_by_label("γ from U(0, 1), β = 0").check()
    page.wait_for_function("!location.search.includes('init')")


def test_a_family_offers_only_what_it_has(open_page: Open) -> None:
    page = open_page("/train?architecture=vgg-16&policy=batchnorm&dataset=cifar-10&epochs=2")
    expect(page.locator('[data-slot="title"]')).to_have_text("VGG-16")
    numbers = page.locator("#field-number label")
    assert numbers.all_inner_texts() == ["11", "13", "16", "19"]
    expect(page.locator(".network")).to_have_attribute("aria-label", re.compile("13 convolutions in 5 stages, without"))
    expect(page.locator(".network path.pool")).to_have_count(1)
    choice(page, "Some stages").check()
    assert page.locator("#field-stages label").all_inner_texts() == ["1", "2", "3", "4", "5"]
    page.get_by_label("ImageNet ResNet").check()
    expect(page.locator('[data-slot="architecture-hint"]')).to_contain_text("for large images")
    expect(page.locator(".warnings")).to_contain_text("small for imagenet-resnet-18")
    assert page.locator("#field-stages label").all_inner_texts() == ["Stem", "1", "2", "3", "4"]
    depth(page, "200").check()
    expect(page.locator('[data-slot="title"]')).to_have_text("ImageNet ResNet-200")
    expect(page.locator(".network")).to_have_attribute("aria-label", re.compile("66 residual blocks in 4 stages"))
    assert page.locator(".network *").count() < 20


def test_a_field_is_there_where_it_applies_and_counts_only_there(open_page: Open, watch: Watch) -> None:
    watch.expected.append("422")  # what the last step asks for cannot be
    page = open_page(
        "/train?architecture=resnet-14&policy=batchnorm&dataset=digits&epochs=3&nesterov=true&lr_drops=0.25"
    )
    fields = more(page)
    nesterov, drops, groups = (fields.locator(f"#field-{name}") for name in ("nesterov", "lr-drops", "norm-groups"))
    expect(nesterov.get_by_role("checkbox")).to_be_checked()
    expect(groups).to_be_hidden()
    assert previewed(page)["recipe"] == {"nesterov": True, "lr_drops": [0.25]}
    fields.locator("#field-optimizer").get_by_label("Adam", exact=True).check()
    expect(nesterov).to_be_hidden()
    fields.get_by_label("Cosine down to zero").check()
    expect(drops).to_be_hidden()
    fields.get_by_label("GroupNorm").check()
    groups.get_by_label("Groups of channels").fill("4")
    page.wait_for_url("**norm.groups=4")
    assert query(page)["norm.kind"] == "group" and "nesterov" not in page.url and "lr_drops" not in page.url
    expect(page.locator(".warnings")).to_contain_text("this network has GroupNorm layers")
    assert previewed(page)["recipe"] == {"optimizer": "adam", "schedule": "cosine"}
    expect(page.locator('[data-slot="cli"]')).to_contain_text("--set norm.kind=group --set norm.groups=4")
    fields.get_by_label("With γ and β").uncheck()
    expect(page.locator('[data-slot="problem"]')).to_contain_text("would train nothing")
    expect(fields.locator("#field-init-norm")).to_be_hidden()


def test_gamma_and_beta_may_be_computed_instead(open_page: Open, watch: Watch) -> None:
    watch.expected.append("422")  # the last step asks for what cannot be computed
    page = open_page("/train?architecture=wrn-14-2&policy=batchnorm&dataset=digits&epochs=3&nesterov=true")
    fields = more(page)
    fields.get_by_label("Least squares", exact=True).check()
    page.wait_for_url("**optimizer=least-squares")
    assert previewed(page)["recipe"] == {"optimizer": "least-squares"}
    expect(fields.locator("#field-nesterov")).to_be_hidden()
    expect(page.locator(".warnings")).to_contain_text("SGD trains all parameters of another random resnet-14")
    expect(page.locator('[data-slot="cli"]')).to_contain_text("--set recipe.optimizer=least-squares")
    fields.get_by_label("GroupNorm").check()
    expect(page.locator('[data-slot="problem"]')).to_contain_text("Least-squares needs BatchNorm with γ and β")


def test_one_click_fills_in_the_papers_recipe(open_page: Open) -> None:
    page = open_page("/train?architecture=resnet-14&policy=batchnorm&dataset=fashion-mnist&epochs=3&momentum=0.5")
    more(page)
    page.get_by_role("button", name="Paper, ImageNet").click()
    page.wait_for_url(re.compile("epochs=90.*batch_size=1024"))
    recipe = {"lr": 0.4, "batch_size": 1024, "warmup_epochs": 5, "lr_drops": [1 / 3, 2 / 3, 8 / 9]}
    assert previewed(page)["recipe"] == recipe
    assert query(page)["lr_drops"] == "1/3,2/3,8/9"
    page.reload()
    expect(page.locator('[data-slot="cli"]')).to_contain_text("lr=0.4")
    assert previewed(page)["recipe"] == recipe
    more(page)
    expect(page.locator("#field-lr-drops input")).to_have_value("1/3, 2/3, 8/9")
    page.get_by_role("button", name="Paper, CIFAR").click()
    page.wait_for_url("**epochs=160")
    assert "recipe" not in previewed(page)


SPECIAL: tuple[dict[str, Any], ...] = (
    {
        "architecture": "vgg-13",
        "policy": "supermask-30",
        "dataset": "cifar-10",
        "recipe": {"optimizer": "adamw", "lr": 0.001, "schedule": "one-cycle", "label_smoothing": 0.1},
        "init": {"weights": "binary", "norm": "uniform"},
    },
    {
        "architecture": "resnet-26",
        "policy": "batchnorm-stages-0-2",
        "recipe": {"nesterov": True, "warmup_epochs": 1.5, "lr_drops": [1 / 3], "augmentation": "none"},
        "norm": {"kind": "group", "groups": 4},
        "init": {"weights": "orthogonal", "norm": "ones-shifted"},
        "train_examples": 640,
        "name": "Special",
    },
    {"architecture": "wrn-14-3", "policy": "random-9-layer", "norm": {"kind": "instance", "affine": False}},
    {"architecture": "imagenet-resnet-18", "policy": "all-but-batchnorm", "norm": {"kind": "layer"}, "replicate": 3},
    {"architecture": "resnet-20", "policy": "random-3", "replicate": 2, "seeds": {"init": 7, "choice": 2**32 - 1}},
    {"architecture": "resnet-32", "policy": "supermask-30+batchnorm+output", "init": {"weights": "sparse-3"}},
)


@pytest.mark.parametrize("fields", SPECIAL, ids=lambda fields: fields["architecture"])
def test_a_clone_is_the_same_run(open_page: Open, puppet: Puppet, fields: dict[str, Any]) -> None:
    """Spec -> run page -> Clone -> URL -> form -> spec, for specs that use every field."""
    run_id = puppet.done(**fields)
    run = puppet.store.runs.get(run_id)
    assert run is not None
    page = open_page(f"/run?id={run_id}")
    page.get_by_role("link", name="Change and run again").click()
    page.wait_for_url(re.compile(r"/train\?architecture="))
    page.wait_for_function("document.querySelector('.preview')?.dataset.state === 'ready'")
    said = query(page)
    assert RunSpec.model_validate({**previewed(page), "name": run.spec.name}) == run.spec
    # What the components hold, as a change of any of them would send it.
    page.get_by_label("Replicate").fill("7")
    page.wait_for_url("**replicate=7**")
    after = RunSpec.model_validate({**previewed(page), "name": run.spec.name})
    assert after == RunSpec.model_validate({**fields, **puppet_defaults(fields), "replicate": 7})
    assert {**said, "replicate": "7"} == query(page)


def puppet_defaults(fields: dict[str, Any]) -> dict[str, Any]:
    """What the puppet's runs have where `fields` says nothing."""
    return {key: value for key, value in SPEC.items() if key not in fields}


def test_what_is_wrong_stands_at_its_field(open_page: Open, watch: Watch) -> None:
    watch.expected.append("422")
    page = open_page("/train")
    told = page.locator('[data-slot="problem"]')
    images = page.get_by_label("Training images")
    images.fill("banana")
    expect(page.locator("#field-train-examples .field-problem")).to_have_text(
        "Training images must be a whole number of at least 16, got 'banana'."
    )
    expect(images).to_have_attribute("aria-invalid", "true")
    expect(images).to_have_accessible_description(
        "Training images must be a whole number of at least 16, got 'banana'."
    )
    expect(page.locator("#launch")).to_be_disabled()
    page.get_by_label("Epochs").fill("0")
    expect(page.locator(".field-problem")).to_have_count(2)
    told.get_by_role("button", name="Training images").click()
    expect(images).to_be_focused()
    images.fill("64")
    expect(page.locator(".field-problem")).to_have_count(1)
    expect(images).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("Epochs").fill("2")
    expect(page.locator(".field-problem")).to_have_count(0)
    expect(told).to_be_hidden()
    expect(page.locator("#launch")).to_be_enabled()


def test_a_wrong_field_that_is_folded_away_is_shown(open_page: Open, watch: Watch) -> None:
    watch.expected.append("422")
    page = open_page("/train?lr=-1&lr_drops=0.5,x&policy=random-2&dataset=imagenet")
    expect(page.locator("#field-dataset .field-problem")).to_contain_text("not on this server yet")
    open_page("/train?lr=-1&lr_drops=0.5,x", page=page)
    expect(page.locator("#field-lr .field-problem")).to_have_text(
        "Learning rate must be a number above 0 and at most 1,000,000, got -1."
    )
    expect(page.locator("#field-lr-drops .field-problem")).to_contain_text("Drops at must be a number, got 'x'")
    page.locator('[data-slot="problem"]').get_by_role("button", name="Learning rate").click()
    expect(page.get_by_label("Learning rate")).to_be_focused()


def test_a_copied_form_says_what_it_was_copied_from(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done(name='A first try')}")
    page.get_by_role("link", name="Change and run again").click()
    copied = page.locator('[data-slot="copied"]')
    expect(copied).to_have_text("Copied from “A first try”. Change one thing and launch.")
    expect(copied).to_be_in_viewport()
    page.reload()
    expect(page.locator('[data-slot="trainable"]')).not_to_have_text("–")
    expect(copied).to_be_hidden()
    open_page("/", page=page)
    page.get_by_role("link", name=re.compile("Open in the form.*Does depth help")).click()
    expect(copied).to_have_text(
        "The first of 3 runs of “Does depth help random features?” Change one thing and launch."
    )
