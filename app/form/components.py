"""RunSpec's schema as form components.

Gradio never sends their values to Python: `static/pages/train/form.js` turns them into a spec, shows it in the URL and
posts it to the public API, where RunSpec validates it. `choices.py` has the choices.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gradio as gr

from app.form import choices
from app.form.choices import OTHER, Choices
from app.form.fields import ADAPT, DEFAULTS, PARTS, SCHEMAS, key_of
from core.catalog.architectures import FAMILIES
from core.catalog.datasets import DATASETS
from core.catalog.folder import missing
from core.catalog.grammar import ChoiceField, NumberField, PolicyField, TicksField
from core.catalog.policies import POLICY_GROUPS, rules_in
from core.run.adaptation import Adaptation
from core.run.spec import PURPOSES

Part = gr.Radio | gr.CheckboxGroup | gr.Checkbox | gr.Number | gr.Textbox

LABELS = {
    "lr": "Learning rate",
    "optimizer": "Optimiser",
    "lr_drops": "Drops at",
    "lr_drop_factor": "Drop factor",
    "sync_batchnorm": "Synchronised BatchNorm",
    "nesterov": "Nesterov’s momentum",
    "schedule": "Schedule",
    "warmup_epochs": "Warm-up epochs",
    "task": "Task",
    "train_examples": "Training images",
    "test_examples": "Test images",
    "name": "Name (optional)",
    "start": "Start from",
    "norm.kind": "Norm layers",
    "norm.affine": "With γ and β",
    "norm.groups": "Groups of channels",
    "init.weights": "Initial weights",
    "init.norm": "Initial γ and β",
    "seeds.init": "Weight seed",
    "seeds.order": "Image order seed",
    "seeds.augmentation": "Augmentation seed",
    "seeds.choice": "Selection seed",
    "draw": "Random draw",
    "adapt": "Adapt to corrupted test images",
    "adapt.corruptions": "Corruptions",
    "adapt.severities": "Severities",
    "adapt.optimizer": "Adaptation optimiser",
    "adapt.lr": "Adaptation rate",
    "adapt.batch_size": "Adaptation batch",
    "adapt.images": "Adaptation images",
    "adapt.seed": "Adaptation seed",
}
SEEDS = tuple(key_of("seeds", purpose) for purpose in PURPOSES)
ADAPTATION = tuple(key_of(ADAPT, field) for field in Adaptation.model_fields)
SELF_EVIDENT = (
    *("optimizer", "lr", "batch_size", "nesterov", "schedule"),
    *("norm.affine", "init.weights", "init.norm", "test_examples", "name", "draw", "adapt.corruptions"),
    *SEEDS,
)
"""Fields whose description would repeat the label."""
INFOS = {
    **dict.fromkeys(SELF_EVIDENT),
    "lr_drops": "Fractions of the run, 0 to 1.",
    "lr_drop_factor": "The rate is multiplied by this at each drop.",
    "start": "The id of a finished run, whose trained network replaces random values, or the SHA-256 of a file.",
    "adapt.severities": "1 is mild, 5 is strong; 0 is the clean images.",
    "adapt.lr": "Learning rate of γ and β.",
    "adapt.batch_size": "Test images at a time.",
    "adapt.images": "Evenly spread test images.",
    "adapt.seed": "Of noise and image order.",
}
"""The text under a label in place of the schema's description."""
PLACEHOLDERS = {
    "train_examples": "all",
    "test_examples": "all",
    "name": "shown in lists and titles",
    "start": "random values",
    **dict.fromkeys(SEEDS, "from the replicate"),
    "adapt.images": "as many as time allows",
}
TOP = ("epochs", "replicate", "train_examples")
POLICY = ("group", *choices.POLICY_SHOWN)
"""The components that together give the policy."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "Training": (
        "optimizer",
        "lr",
        "batch_size",
        "momentum",
        "weight_decay",
        "nesterov",
        "schedule",
        "lr_drops",
        "lr_drop_factor",
        "warmup_epochs",
        "label_smoothing",
    ),
    "Network": ("norm.kind", "norm.affine", "norm.groups", "init.weights", "init.norm"),
    "After training": (ADAPT, *ADAPTATION),
    "Seeds": (*SEEDS, "draw"),
    "More": ("task", "augmentation", "test_examples", "name"),
}
"""The rarely needed fields, by heading; a field without a heading here goes under the last one."""


class Form:
    """The components of a run's form, by the key of each in the script and the URL."""

    def __init__(self) -> None:
        self.components: dict[str, Part] = {}

    def architecture(self) -> None:
        """Family, then depth or width: usual values to click, and a field for any other value that exists."""
        families = list(FAMILIES.values())
        first = families[0]
        self._radio("family", "Architecture", [(family.title, family.name) for family in families], first.name)
        self._numbers("number", first.number.capitalize(), first.featured, first.featured[0])
        self._number("other_number", "Other depth or width", 26)

    def policy(self) -> None:
        """The first step of what trains: the kind of parameters. `policy_parts` is the second step."""
        self._radio("group", "What trains", choices.GROUPS, "norm")

    def policy_parts(self) -> None:
        """The second step of what trains: the fields of every group; the page shows those of one group."""
        for group in POLICY_GROUPS.values():
            if offered := choices.MEMBERS.get(group.key):
                self._radio(group.key, group.label, offered, offered[0][1])
            for rule in rules_in(group):
                for field in rule.fields:
                    self._policy_field(field)

    def _policy_field(self, field: PolicyField) -> None:
        match field:
            case NumberField():
                self._numbers(field.key, field.label, field.usual, field.start)
                label = f"Other, {field.low} to {field.high}"
                self._number(f"other_{field.key}", label, field.other, (field.low, field.high))
            case ChoiceField():
                self._radio(field.key, field.label, [option[:2] for option in field.options], field.values[0])
            case TicksField():
                self._ticks(field.key, field.label, field.options, list(field.start))

    def dataset(self) -> None:
        """The data sets that a run can have here: of those in folders only the ones that are there."""
        here = [(data.title, data.name) for data in DATASETS.values() if missing(data) is None]
        self._radio("dataset", "Data set", here, DEFAULTS["dataset"])

    def numbers(self) -> None:
        """The few numbers that people often change."""
        self._add(TOP)

    def section(self, heading: str) -> None:
        """The fields of one of SECTIONS."""
        named = {key for keys in SECTIONS.values() for key in keys}
        rest = [key for key in SCHEMAS if key not in named and key not in TOP]
        self._add([*SECTIONS[heading], *(rest if heading == list(SECTIONS)[-1] else [])])

    def _add(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.components[key] = switch(key) if key == ADAPT else component(key, SCHEMAS[key])

    def _radio(self, key: str, label: str, offered: Iterable[tuple[str, str]], value: str) -> None:
        self.components[key] = gr.Radio(list(offered), value=value, label=label, elem_id=elem_id(key))

    def _numbers(self, key: str, label: str, numbers: Iterable[int], value: int) -> None:
        """Usual numbers to click, and a choice that opens a field for any other number."""
        offered = [*((str(number), str(number)) for number in numbers), ("Other", OTHER)]
        self.components[key] = gr.Radio(
            offered, value=str(value), label=label, elem_id=elem_id(key), elem_classes="chips"
        )

    def _number(self, key: str, label: str, value: int, bounds: tuple[int, int] = (1, 9999)) -> None:
        low, high = bounds
        self.components[key] = gr.Number(
            value=value, precision=0, label=label, minimum=low, maximum=high, elem_id=elem_id(key)
        )

    def _ticks(self, key: str, label: str, offered: Iterable[tuple[str, str]], value: list[str]) -> None:
        self.components[key] = gr.CheckboxGroup(list(offered), value=value, label=label, elem_id=elem_id(key))


def elem_id(key: str) -> str:
    """The id of a component's element: `field-norm-kind`."""
    return "field-" + key.replace(".", "-").replace("_", "-")


def style() -> str:
    """CSS that hides each field where choices.SHOWN says that it does not apply."""
    rules = []
    for key, conditions in choices.SHOWN.items():
        met = "".join(f":has(#{elem_id(other)} {_chosen(value)}:checked)" for other, value in conditions.items())
        rules.append(f"#form:not({met}) #{elem_id(key)}")
    return ",".join(rules) + "{display:none}"


def _chosen(value: str | bool) -> str:
    return "input" if isinstance(value, bool) else f'input[value="{value}"]'


def switch(key: str) -> Part:
    """The component that says whether a spec has an optional part, which is off at first."""
    return gr.Checkbox(value=False, label=LABELS[key], elem_id=elem_id(key), elem_classes="whole")


def component(key: str, schema: dict[str, Any]) -> Part:
    """The component for a property of a JSON schema, with its title, help, bounds and default."""
    label = LABELS.get(key, key.replace("_", " ").capitalize())
    default = DEFAULTS.get(key, schema.get("default"))
    info = None if key in TOP else INFOS.get(key, schema.get("description"))
    kinds = {option.get("type") for option in schema.get("anyOf", [schema])}
    common: dict[str, Any] = {"label": label, "info": info, "elem_id": elem_id(key)}
    offered: Choices
    if key in choices.TICKS:
        offered = tuple((title, name) for name, title in choices.TITLES[key].items())
        return gr.CheckboxGroup(
            list(offered), value=[str(name) for name in default or ()], elem_classes="whole", **common
        )
    if names := schema.get("enum") or schema.get("examples"):
        offered = tuple((_title(key, str(name)), str(name)) for name in names)
        wide = "tiles" if max(len(title) for title, _ in offered) > 16 else "row"
        return gr.Radio(list(offered), value=str(default), elem_classes=f"whole {wide}", **common)
    if kinds == {"boolean"}:
        return gr.Checkbox(value=bool(default), elem_classes="whole", **common)
    if kinds & {"integer", "number"} and "null" not in kinds:
        return gr.Number(
            value=default,
            precision=0 if "integer" in kinds else None,
            minimum=schema.get("minimum"),
            maximum=schema.get("maximum"),
            **common,
        )
    # A list, a name, or an optional number: a Number component would show a missing number as 0.
    return gr.Textbox(value=_typed(default), placeholder=PLACEHOLDERS.get(key), max_lines=1, **common)


def _title(key: str, name: str) -> str:
    return choices.TITLES.get(key, {}).get(name, name.capitalize())


def preset(values: dict[str, Any]) -> dict[str, Any]:
    """The values that a click on one of choices.PRESETS fills in, by key; the rest are the recipe's defaults."""
    recipe = PARTS["recipe"].model_dump(mode="json")
    return {**{key: _typed(value) for key, value in recipe.items()}, **values}


def _typed(value: Any) -> Any:
    """A default in the form that its component takes: a list becomes text with commas."""
    return ", ".join(f"{item:g}" for item in value) if isinstance(value, list | tuple) else value
