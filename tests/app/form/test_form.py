"""The form offers what the registries and the schema have, and its examples are valid."""

from __future__ import annotations

import json
import re
from fractions import Fraction

import gradio as gr
import pytest

from app.form import choices, fields
from app.form import components as form
from app.pages.options import options
from core.catalog.architectures import FAMILIES
from core.catalog.normalisation import Normalisation
from core.catalog.policies import POLICIES, POLICY_GROUPS, policy, rules_in
from core.catalog.policy import trainable
from core.run.adaptation import Adaptation
from core.run.recipe import Recipe
from core.run.spec import Init, RunSpec, Seeds


@pytest.fixture(scope="module")
def filled() -> form.Form:
    with gr.Blocks(analytics_enabled=False):
        fields = form.Form()
        for part in (fields.architecture, fields.policy, fields.policy_parts, fields.dataset, fields.numbers):
            part()
        for heading in form.SECTIONS:
            fields.section(heading)
    return fields


def values(filled: form.Form, key: str) -> list[str]:
    return [value for _, value in filled.components[key].choices]  # type: ignore[union-attr]


def test_the_examples_are_valid_and_train_equally_many_parameters() -> None:
    specs = [RunSpec.model_validate(example) for example in fields.EXAMPLES]
    assert {trainable(spec.trains) for spec in specs} == {1120}
    assert [spec.policy for spec in specs] == ["batchnorm", "random-2"]


def test_the_options_are_plain_data() -> None:
    said = json.loads(json.dumps(options()))
    assert [policy["name"] for policy in said["policies"]] == list(POLICIES)
    assert said["grammar"][0]["sentence"].startswith("Trains {k} randomly chosen weights")
    assert {f["name"]: f["open"] for f in said["families"]} == {
        "resnet": True,
        "wrn": True,
        "vgg": False,
        "imagenet-resnet": False,
    }
    assert {f["name"]: f["stages"] for f in said["families"]}["vgg"] == [1, 2, 3, 4, 5], "its stem is of stage 1"


@pytest.mark.parametrize(
    "name",
    [
        *("random-7", "random-1-layer", "random-64-layer", "supermask-30", "batchnorm-stage-4", "batchnorm-stages-2-5"),
        *("supermask-30+batchnorm", "supermask-7+output+shortcut"),
    ],
)
def test_the_words_for_a_rule_are_the_policys(name: str) -> None:
    """What a page makes of the rule is what the policy itself says."""
    assert name not in POLICIES
    words = next(words for words in options()["grammar"] if re.fullmatch(words["pattern"], name))
    match = re.fullmatch(words["pattern"], name)
    assert match
    k = match[1].replace("-", ", ")
    wanted = policy(name)
    assert words["title"].replace("{k}", k) == wanted.title
    assert words["sentence"].replace("{k}", k) == wanted.sentence
    assert {key: words[key] for key in ("source", "norm", "group", "hue")} == {
        "source": wanted.source,
        "norm": wanted.norm,
        "group": wanted.group,
        "hue": wanted.hue,
    }


def test_every_field_has_a_component(filled: form.Form) -> None:
    keys = {fields.key_of(part, field) for part, usual in fields.PARTS.items() for field in type(usual).model_fields}
    keys |= {
        f"{part}.{field}" for part, kind in (("seeds", Seeds), ("adapt", Adaptation)) for field in kind.model_fields
    }
    own = {"architecture", "policy", "seeds", "contents", "copy_of_data", *fields.PARTS}
    assert keys | (set(RunSpec.model_fields) - own) <= set(filled.components)
    assert set(form.POLICY) <= set(filled.components)


def test_a_new_field_of_any_part_appears_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("dropout", "norm.epsilon", "init.scale"):
        monkeypatch.setitem(fields.SCHEMAS, key, {"type": "number", "default": 0.5, "description": "New."})
    with gr.Blocks(analytics_enabled=False):
        filled = form.Form()
        for heading in form.SECTIONS:
            filled.section(heading)
    assert [filled.components[key].value for key in ("dropout", "norm.epsilon", "init.scale")] == [0.5, 0.5, 0.5]


def test_every_policy_can_be_chosen(filled: form.Form) -> None:
    """Each listed policy is a choice of its own or follows from the numbers and ticks of a group."""
    for name, entry in POLICIES.items():
        group = POLICY_GROUPS[entry.group]
        by_rule = [rule for rule in rules_in(group) if rule.policy(name)]
        assert by_rule or name in values(filled, group.key)
        assert all(field.key in filled.components for rule in by_rule for field in rule.fields)
    assert values(filled, "reference") == ["all", "all-but-batchnorm", "bias", "none"]


def test_the_titles_of_values_are_the_registries(filled: form.Form) -> None:
    schedule = filled.components["schedule"]
    assert ("Cosine down to zero", "cosine") in schedule.choices  # type: ignore[union-attr]
    for key, titles in choices.TITLES.items():
        assert values(filled, key) == list(titles)


def test_a_hidden_field_depends_on_fields_and_values_that_there_are(filled: form.Form) -> None:
    for key, conditions in choices.SHOWN.items():
        assert key in filled.components
        for other, value in conditions.items():
            assert isinstance(value, bool) or value in values(filled, other)
        assert f"#{form.elem_id(key)}" in form.style()


def test_defaults_are_the_schemas(filled: form.Form) -> None:
    shown = {key: part.value for key, part in filled.components.items()}
    assert shown["lr"] == Recipe().lr and shown["batch_size"] == Recipe().batch_size
    assert shown["lr_drops"] == "0.5, 0.75" and not shown["train_examples"]
    assert shown["norm.kind"] == Normalisation().kind and shown["norm.affine"] is True
    assert shown["init.weights"] == Init().weights and shown["nesterov"] is False
    assert shown["number"] == str(next(iter(FAMILIES.values())).featured[0])


@pytest.mark.parametrize("title", choices.PRESETS)
def test_a_preset_is_a_valid_recipe(title: str, filled: form.Form) -> None:
    """The paper's: CIFAR-10 as the defaults have it; ImageNet with drops after 30, 60 and 80 of 90 epochs. Ours for any
    number of epochs."""
    typed = form.preset(choices.PRESETS[title])
    assert set(typed) <= set(filled.components)
    epochs = typed.pop("epochs", None)
    typed["lr_drops"] = [float(Fraction(part.strip())) for part in typed["lr_drops"].split(",")]
    recipe = Recipe.model_validate(typed)
    drops = [round(share * epochs) for share in recipe.lr_drops] if epochs else []
    wanted = {
        "Paper, CIFAR": (160, 128, 0.1, 0, [80, 120]),
        "Paper, ImageNet": (90, 1024, 0.4, 5, [30, 60, 80]),
        "Ours, fast": (None, 128, 0.2, 0, []),
    }
    assert (recipe.optimizer, recipe.schedule) == (("adam", "one-cycle") if epochs is None else ("sgd", "step"))
    assert (epochs, recipe.batch_size, recipe.lr, recipe.warmup_epochs, drops) == wanted[title]
