"""The form offers what the registries and the schema have, and its examples are valid."""

from __future__ import annotations

import json

import gradio as gr
import pytest

from app import form
from app.pages import run, runs, site, train
from core.policies import POLICIES
from core.spec import Recipe, RunSpec


@pytest.fixture(scope="module")
def filled() -> form.Form:
    with gr.Blocks(analytics_enabled=False):
        fields = form.Form()
        for part in (fields.architecture, fields.policy, fields.dataset, fields.numbers, fields.advanced):
            part()
    return fields


def test_the_examples_are_valid_and_train_equally_many_parameters() -> None:
    specs = [RunSpec.model_validate(example) for example in form.EXAMPLES]
    assert {spec.selection.trainable(spec.plan) for spec in specs} == {1120}
    assert [spec.policy for spec in specs] == ["batchnorm", "random-2"]


def test_the_options_are_plain_data() -> None:
    options = json.loads(json.dumps(form.options()))
    assert [policy["name"] for policy in options["policies"]] == list(POLICIES)
    assert options["random_policy"]["sentence"].startswith("Trains {k} randomly chosen weights")


def test_every_field_of_a_recipe_has_a_component(filled: form.Form) -> None:
    assert set(Recipe.model_fields) - set(form.FIXED) <= set(filled.components)


def test_every_policy_can_be_chosen(filled: form.Form) -> None:
    listed = {value for _, value in filled.components["policy"].choices}  # type: ignore[union-attr]
    assert listed - {form.RANDOM} == {policy.name for policy in POLICIES.values() if not policy.per_channel}


def test_defaults_are_the_schemas(filled: form.Form) -> None:
    values = {key: part.value for key, part in filled.components.items()}
    assert values["lr"] == Recipe().lr and values["batch_size"] == Recipe().batch_size
    assert values["lr_drops"] == "0.5, 0.75" and not values["train_examples"]


def test_templates_hold_nothing_that_gradio_would_evaluate() -> None:
    templates = (site.HEADER, site.FOOTER, train.HERO, train.PREVIEW, train.LAUNCH_PROBLEM, train.CLI, train.LATEST)
    for html in (*templates, run.SKELETON, runs.SKELETON):
        assert not any(sign in html for sign in ("${", "{{", "`"))


def test_the_site_has_its_pages() -> None:
    pages = site.build(None, None).pages
    assert [path for path, *_ in pages] == ["", "runs", "run"]
