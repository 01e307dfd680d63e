"""RunSpec's schema as form components, and what the pages' scripts must know of the registries.

The values never reach Python: `static/train/form.js` turns them into a spec, shows it in the URL and sends it to the
same API that everybody else uses, where RunSpec validates it.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from core.architectures.catalog import FAMILIES
from core.datasets.catalog import DATASETS
from core.events import DISABLED_BELOW, EDGES
from core.policies import MAX_PER_CHANNEL, POLICIES, random_policy
from core.spec import Recipe, RunSpec

Part = gr.Radio | gr.Number | gr.Textbox

EXAMPLES: tuple[dict[str, Any], ...] = tuple(
    {"architecture": "resnet-14", "policy": policy, "dataset": "digits", "epochs": 40, "replicate": 0}
    for policy in ("batchnorm", "random-2")
)
"""The two experiments that a first visit offers: the same number of trainable parameters, chosen differently."""

DEFAULTS = EXAMPLES[0]
OTHER, RANDOM = "other", "random"
"""Choices that stand for more: a number typed into the field beside them, and the policies `random-k`."""

LABELS = {
    "lr": "Learning rate",
    "lr_drops": "Drops at (shares of the run)",
    "lr_drop_factor": "Drop factor",
    "train_examples": "Training images",
    "test_examples": "Test images",
    "name": "Name (optional)",
}
PLACEHOLDERS = {"train_examples": "all", "test_examples": "all", "name": "shown in lists and titles"}
TOP = ("epochs", "replicate", "train_examples")
FIXED = ("optimizer",)
"""Fields of the recipe that have a single value so far and need no control."""


def options() -> dict[str, Any]:
    """The registries and defaults as plain data, for the scripts of every page."""
    k = MAX_PER_CHANNEL
    return {
        "families": [
            {
                "name": family.name,
                "title": family.title,
                "sentence": family.sentence,
                "number": family.number,
                "pattern": family.pattern,
                "featured": list(family.featured),
            }
            for family in FAMILIES.values()
        ],
        "policies": [
            {"name": p.name, "title": p.title, "sentence": p.sentence, "per_channel": p.per_channel}
            for p in POLICIES.values()
        ],
        "random_policy": {
            "title": random_policy(k).title.replace(str(k), "{k}"),
            "sentence": random_policy(k).sentence.replace(str(k), "{k}"),
        },
        "datasets": [
            {"name": d.name, "title": d.title, "sentence": d.sentence, "train": d.train, "test": d.test}
            for d in DATASETS.values()
        ],
        "defaults": DEFAULTS,
        "recipe": Recipe().model_dump(mode="json", exclude=set(FIXED)),
        "examples": list(EXAMPLES),
        "edges": list(EDGES),
        "disabled_below": DISABLED_BELOW,
    }


class Form:
    """The components of a run's form, by the key under which the script and the URL know each."""

    def __init__(self) -> None:
        self.components: dict[str, Part] = {}

    def architecture(self) -> None:
        """Family, then depth or width: the usual ones to click, any other to type."""
        families = list(FAMILIES.values())
        self.components["family"] = gr.Radio(
            [(family.title, family.name) for family in families], value=families[0].name, label="Architecture"
        )
        numbers = [str(number) for number in families[0].featured]
        self.components["number"] = gr.Radio(
            [*numbers, ("Other", OTHER)],
            value=numbers[0],
            label=families[0].number.capitalize(),
            elem_id="number",
            elem_classes="chips",
        )
        self.components["other_number"] = gr.Number(
            value=26, precision=0, label="Other depth or width", elem_id="other-number"
        )

    def policy(self) -> None:
        """What trains: one choice a policy, one for all `random-k` and then its k."""
        listed = [(p.title, p.name) for p in POLICIES.values() if not p.per_channel and p.roles]
        rest = [(p.title, p.name) for p in POLICIES.values() if not p.per_channel and not p.roles]
        self.components["policy"] = gr.Radio(
            [*listed, ("Random weights", RANDOM), *rest],
            value=DEFAULTS["policy"],
            label="What trains",
            elem_id="policy",
        )
        self.components["per_channel"] = gr.Radio(
            [*(str(p.per_channel) for p in POLICIES.values() if p.per_channel), ("Other", OTHER)],
            value="2",
            label="Weights per output channel",
            elem_id="per-channel",
            elem_classes="chips",
        )
        self.components["other_per_channel"] = gr.Number(
            value=32, precision=0, label=f"Other, 1 to {MAX_PER_CHANNEL}", elem_id="other-per-channel"
        )

    def dataset(self) -> None:
        self.components["dataset"] = gr.Radio(
            [(d.title, d.name) for d in DATASETS.values()], value=DEFAULTS["dataset"], label="Data set"
        )

    def numbers(self) -> None:
        """The few numbers that people change."""
        for key in TOP:
            self._add(key, RunSpec.model_json_schema()["properties"][key])

    def advanced(self) -> None:
        """The recipe, and what is rarely needed."""
        for key, schema in Recipe.model_json_schema()["properties"].items():
            if key not in FIXED:
                self._add(key, schema)
        for key in ("test_examples", "name"):
            self._add(key, RunSpec.model_json_schema()["properties"][key])

    def _add(self, key: str, schema: dict[str, Any]) -> None:
        self.components[key] = component(key, schema)


def component(key: str, schema: dict[str, Any]) -> Part:
    """The component for one property of a JSON schema: its title, its help, its bounds and its default."""
    label = LABELS.get(key, key.replace("_", " ").capitalize())
    default = DEFAULTS.get(key, schema.get("default"))
    info = None if key in TOP else schema.get("description")
    kinds = {option.get("type") for option in schema.get("anyOf", [schema])}
    if "enum" in schema:
        return gr.Radio([(name.capitalize(), name) for name in schema["enum"]], value=default, label=label, info=info)
    if kinds & {"integer", "number"} and "null" not in kinds:
        return gr.Number(
            value=default,
            label=label,
            info=info,
            precision=0 if "integer" in kinds else None,
            minimum=schema.get("minimum"),
            maximum=schema.get("maximum"),
        )
    # A list, a name, or a number that may be left out: a Number component would show a missing one as 0.
    text = ", ".join(f"{item:g}" for item in default) if isinstance(default, list | tuple) else default
    return gr.Textbox(value=text, label=label, info=info, placeholder=PLACEHOLDERS.get(key), max_lines=1)
