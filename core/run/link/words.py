"""The line of text in a link: the spec as words, `resnet-14 batchnorm digits epochs=20 seeds.init=7`. No torch.

What a line leaves out has the value of OMITTED, for ever: a later program may change its defaults, but not these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from core.run.problems import explain
from core.run.spec import STORED, RunSpec, Seeds

FIRST = ("architecture", "policy", "dataset")
OMITTED: Mapping[str, Any] = {
    "adapt": None,
    "contents": None,
    "copy_of_data": None,
    "draw": 2,
    "init.norm": "uniform",
    "init.weights": "he-normal",
    "name": None,
    "norm.affine": True,
    "norm.groups": 8,
    "norm.kind": "batch",
    "recipe.augmentation": "standard",
    "recipe.batch_size": 128,
    "recipe.label_smoothing": 0,
    "recipe.lean": True,
    "recipe.lr": 0.1,
    "recipe.lr_drop_factor": 0.1,
    "recipe.lr_drops": [0.5, 0.75],
    "recipe.momentum": 0.9,
    "recipe.nesterov": False,
    "recipe.optimizer": "sgd",
    "recipe.precision": "auto",
    "recipe.schedule": "step",
    "recipe.sync_batchnorm": False,
    "recipe.warmup_epochs": 0,
    "recipe.weight_decay": 1e-4,
    "replicate": 0,
    "start": None,
    "test_examples": None,
    "train_examples": None,
}
WORD = re.compile(r"[!-~]+")
KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


class BadWords(ValueError):
    """A line that is no spec; the message is the rest of a sentence that begins with the link."""


@dataclass(frozen=True)
class LinkFacts:
    """What the maker of a link says of it: the test accuracy of the run (0..1), and how many γ were edited since."""

    top1: float | None = None
    edited: int = 0


def written(spec: RunSpec, told: LinkFacts) -> str:
    """The line of `spec`, in ASCII."""
    rows = dict(_dotted(spec.model_dump(mode="json", exclude={"name", "adapt"})))
    for key in FIRST:
        del rows[key]
    # The seed that the network needs is always there, so that no reader has to derive it.
    derived = {f"seeds.{purpose}": seed for purpose, seed in Seeds.of(spec.replicate).model_dump().items()}
    del derived["seeds.init"]
    omitted = {**OMITTED, **derived}
    rows = {key: value for key, value in rows.items() if key not in omitted or omitted[key] != value}
    if told.top1 is not None:
        rows["top1"] = round(told.top1, 4)
    if told.edited:
        rows["edited"] = told.edited
    named = (f"{key}={_text(value)}" for key, value in sorted(rows.items()))
    return " ".join([spec.architecture, spec.policy, spec.dataset, *named])


def read(line: str) -> tuple[RunSpec, LinkFacts]:
    """The spec that `line` means. Raises BadWords."""
    words = line.split(" ")
    if len(words) < len(FIRST) or not all(map(WORD.fullmatch, words)):
        raise BadWords("does not name an architecture, a policy and a data set")
    fields: dict[str, Any] = {**dict(zip(FIRST, words, strict=False)), "draw": 2, "copy_of_data": None}
    told: dict[str, Any] = {}
    for key, value in {**OMITTED, **dict(map(_assignment, words[len(FIRST) :]))}.items():
        if key in ("top1", "edited"):
            told[key] = value
        else:
            _assign(fields, key, value)
    try:
        spec = RunSpec.model_validate(fields, context=STORED)
    except ValidationError as error:
        raise BadWords(f"describes a network that cannot be built here: {explain(error)}") from error
    return spec, _told(**told)


def _told(top1: Any = None, edited: Any = 0) -> LinkFacts:
    if not (top1 is None or (isinstance(top1, int | float) and 0 <= top1 <= 1)):
        raise BadWords("has an accuracy that is not from 0 to 1")
    if not (type(edited) is int and edited >= 0):
        raise BadWords("has a number of edits that is not a number")
    return LinkFacts(top1, edited)


def _dotted(fields: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in fields.items():
        if isinstance(value, dict):
            yield from _dotted(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _text(value: Any) -> str:
    """A name as it is, anything else as JSON; a text that would read as JSON has quotation marks."""
    if isinstance(value, str) and WORD.fullmatch(value) and _value(value) == value:
        return value
    return json.dumps(value, separators=(",", ":"))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _assignment(word: str) -> tuple[str, Any]:
    key, _, value = word.partition("=")
    if not (KEY.fullmatch(key) and value):
        raise BadWords(f"has the word {word[:40]!r}, which is no key=value")
    return key, _value(value)


def _assign(fields: dict[str, Any], key: str, value: Any) -> None:
    """Put `value` at the dotted `key`."""
    *path, last = key.split(".")
    for part in path:
        inner = fields.setdefault(part, {})
        if inner is None:
            inner = fields[part] = {}
        if not isinstance(inner, dict):
            raise BadWords(f"has the word {key}, which does not belong to a spec")
        fields = inner
    fields[last] = value
