"""The claims of a question of one's own: every kind from the form, and any of a text, which goes back unchanged."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import yaml
from playwright.sync_api import Locator, Page, expect

from core.studies.asked.claim import KINDS
from core.studies.asked.question import OwnQuestion, question_of
from core.studies.asked.words import GridWords
from tests.app.api.test_starts import file_of
from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet
from tests.browser.test_asking import FORM, asking, told
from tests.fields import leaves

BASE = {"architecture": "resnet-8", "policy": "all", "dataset": "digits", "epochs": 2}
RATES = {"recipe.lr": [0.01, 0.1, 0.5]}
WRITTEN: dict[str, dict[str, Any]] = {
    "beats": {"claim": {"kind": "beats", "field": "recipe.lr", "value": 0.1, "others": [0.01], "also": [0.5]}},
    "some-beat": {
        "claim": {"kind": "some-beat", "field": "recipe.lr", "value": 0.01, "margin": 2, "quantity": "train"}
    },
    "rises": {"claim": {"kind": "rises", "field": "recipe.lr", "says": "Larger rates learn more.", "here": "At once."}},
    "falls": {"claim": {"kind": "falls", "field": "recipe.lr", "by_scale": {"paper": "train"}}},
    "same": {"claim": {"kind": "same", "field": "recipe.lr", "value": 0.5, "margin": 30}},
    "zero": {
        "claim": {"kind": "zero", "field": "adapt.severities", "value": [1], "margin": 1, "quantity": "entropy-gain"},
        "vary": {"adapt.severities": [[1], [3, 5]], "adapt.corruptions": [["blur"], ["blur", "rotation"]]},
    },
    "couples": {
        "claim": {"kind": "beats", "couples": {"all": "output"}, "at": {"draw": 2}, "only": {"task": "whole"}},
        "vary": {"policy": ["all", "output", "none"], "draw": [1, 2], "task": ["whole", "rotated-1"]},
    },
    "no claim": {
        "preset": "fast",
        "question": "Do two halves learn alike?",
        "vary": {"task": ["half-0", "half-1"], "start": [None, hashlib.sha256(file_of()).hexdigest()]},
        "layout": "side by side",
        "replicates": 2,
        "order": 9,
    },
}


def question(name: str) -> OwnQuestion:
    return question_of({"title": "Rates", "base": BASE, "vary": RATES, **WRITTEN[name]})


def test_the_questions_of_this_test_have_every_field() -> None:
    kinds = {said["claim"]["kind"] for said in WRITTEN.values() if "claim" in said}
    assert kinds == set(KINDS)
    said = {f"claim.{key}" for written in WRITTEN.values() for key in written.get("claim", {})}
    said |= {key for written in WRITTEN.values() for key in written} | {"title", "base"}
    assert {path for path in leaves(OwnQuestion) if not path.startswith("base.")} <= said
    assert set(GridWords.model_fields) <= said


def texts(block: Locator) -> Locator:
    return block.get_by_role("region", name="The question as YAML")


@pytest.mark.parametrize("name", WRITTEN)
def test_a_pasted_question_comes_back_unchanged(open_page: Open, puppet: Puppet, name: str) -> None:
    puppet.store.starts.keep(file_of())
    wanted = yaml.safe_load(OwnQuestion.of(question(name).study()).text())
    page = open_page(FORM)
    block = asking(page)
    block.get_by_text("The same as YAML, or paste your own").click()
    block.get_by_label("Paste a question").fill(question(name).text())
    block.get_by_role("button", name="Fill in the question").click()
    page.wait_for_url("**architecture=resnet-8*")
    block = page.locator("#ask")
    expect(told(block)).to_contain_text("settings")
    block.get_by_text("The same as YAML, or paste your own").click()
    back = yaml.safe_load(texts(block).inner_text())
    assert _plain(back) == _plain(wanted)


def _plain(written: dict[str, Any]) -> dict[str, Any]:
    """A question without what means the same when it is left out: usual values of a run, and values of what varies."""
    usual = {"task": "whole", "replicate": 0, "draw": 2}
    base = {
        key: value for key, value in written["base"].items() if usual.get(key) != value and key not in written["vary"]
    }
    return {**written, "base": base}


def choose(page: Page, kind: str) -> Locator:
    block = asking(page)
    block.get_by_label("Field", exact=True).select_option("recipe.lr")
    block.get_by_label("Values").fill("0.01, 0.1")
    block.get_by_label("Claim", exact=True).select_option(kind)
    return block


SAID = {
    "beats": "Test accuracy: recipe.lr 0.1 beats every other value of recipe.lr by more than 4 points.",
    "some-beat": "Test accuracy: some other value of recipe.lr beats recipe.lr 0.1 by more than 4 points.",
    "rises": "Test accuracy rises with recipe.lr by more than 4 points at each step.",
    "falls": "Test accuracy falls with recipe.lr by more than 4 points at each step.",
    "same": "Test accuracy: no other value of recipe.lr differs from recipe.lr 0.1 by more than 4 points.",
    "zero": "Test accuracy with recipe.lr 0.1 is within 4 points of 0.",
}


def test_every_kind_is_asked_from_the_form(open_page: Open) -> None:
    assert SAID.keys() == KINDS.keys()
    block = choose(open_page(FORM), "beats")
    block.get_by_label("Margin (points)").fill("4")
    for kind, words in SAID.items():
        block.get_by_label("Claim", exact=True).select_option(kind)
        value = block.get_by_label("Value", exact=True)
        if kind in ("rises", "falls"):
            expect(value).to_be_hidden()
        else:
            value.select_option("0.1")
        expect(told(block)).to_contain_text(f"To be tested: {words}")


def test_a_claim_about_adaptation_asks_for_it(open_page: Open, watch: Watch) -> None:
    watch.expected.append("422")
    page = open_page(FORM)
    block = choose(page, "zero")
    margin = block.locator(".asking-field", has=page.get_by_label("Margin (points)"))
    expect(margin.locator(".asking-problem")).to_contain_text("must be above 0")
    block.get_by_label("Margin (points)").fill("2")
    block.get_by_label("Measured by").select_option("entropy-gain")
    measured = block.locator(".asking-field", has=page.get_by_label("Measured by"))
    expect(measured.locator(".asking-problem")).to_contain_text("measured only where runs adapt at their end")
    page.get_by_role("button", name="Recipe and more").click()
    page.get_by_label("Adapt to corrupted test images").check()
    expect(told(block)).to_contain_text("is within 2 points of 0")
    block.get_by_role("button", name="Add a field").click()
    row = block.locator(".asking-row").last
    row.get_by_label("Field").select_option("adapt.corruptions")
    expect(row).to_contain_text("Lists of names, separated by semicolons: gaussian-noise, blur; contrast")
    row.get_by_label("Values").fill("blur; blur, rotation")
    expect(told(block)).to_contain_text("12 runs: 4 settings × 3 replicates.")
    row.get_by_label("Values").fill("blur; rain")
    expect(row.locator(".asking-problem:visible")).to_contain_text("unknown corruption 'rain'")


def test_what_a_text_says_beyond_the_controls_is_shown_and_can_be_left_out(open_page: Open) -> None:
    page = open_page(FORM)
    block = asking(page)
    block.get_by_text("The same as YAML, or paste your own").click()
    block.get_by_label("Paste a question").fill(question("beats").text())
    block.get_by_role("button", name="Fill in the question").click()
    page.wait_for_url("**architecture=resnet-8*")
    block = page.locator("#ask")
    kept = block.get_by_text("Also from the text: others: 0.01; also: 0.5")
    expect(kept).to_be_visible()
    expect(told(block)).to_contain_text("recipe.lr 0.1 beats recipe.lr 0.01")
    block.get_by_label("Margin (points)").fill("3")
    expect(told(block)).to_contain_text("recipe.lr 0.1 beats recipe.lr 0.01 by more than 3 points")
    block.get_by_role("button", name="Leave it out").click()
    expect(kept).to_be_hidden()
    expect(told(block)).to_contain_text("beats every other value of recipe.lr by more than 3 points")
