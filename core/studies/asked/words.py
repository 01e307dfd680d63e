"""What the files of questions share, the catalog's and anybody's own: the grid in words, and errors in sentences.

Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from core.catalog.model import Misfit, Model, quoted
from core.catalog.presets import PRESETS
from core.run.problems import Fault
from core.run.recipe import key_of
from core.studies.asked.claim import Value
from core.studies.spec import Axis, StudyUnavailable

TOLD = 3
"""The most errors of one question that are told."""
KINDS_OF_VALUE = ("bool", "int", "float", "str", "tuple[union[int,float,str], ...]", "none")
Values = tuple[Value, ...]


class GridWords(Model):
    """Runs in words. `preset`: a whole recipe to begin with; `base`: the fields of a run that all share; `vary`: by
    dotted field (`recipe.lr`) the values that it takes; `replicates`: how often each setting is trained."""

    preset: key_of(PRESETS) | None = None  # type: ignore[valid-type]
    base: dict[str, Any] = Field({}, max_length=20)
    vary: dict[str, Values] = Field({}, max_length=6)
    replicates: int = Field(3, ge=1, le=100)

    def shared(self) -> dict[str, Any]:
        """The fields that all runs share, those of the preset among them."""
        if self.preset is None:
            return dict(self.base)
        preset = PRESETS[self.preset]
        recipe = {key: list(value) if isinstance(value, tuple) else value for key, value in preset.recipe.items()}
        own = self.base.get("recipe", {})
        recipe = {**recipe, **(own if isinstance(own, dict) else {})}
        epochs = {} if preset.epochs is None else {"epochs": preset.epochs}
        first = {key: self.base[key] for key in ("dataset",) if key in self.base}
        return {**first, **epochs, **self.base, **({"recipe": recipe} if recipe else {})}


def axes(vary: Mapping[str, Values]) -> tuple[Axis, ...]:
    """The axes of `vary`, in its order."""
    return tuple(Axis(field=field, values=values) for field, values in vary.items())


class BadQuestion(StudyUnavailable):
    """A question that cannot be asked; `faults`: what is wrong, by the dotted place in its file."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(sentence for _, sentence in faults))
        self.faults = faults

    @classmethod
    def at(cls, place: str, words: str) -> BadQuestion:
        """One fault; its sentence begins with its place."""
        return cls(Fault(place, f"{place}: {words}"))

    @classmethod
    def of(cls, error: ValidationError, model: type[BaseModel]) -> BadQuestion:
        """What is wrong with the words of `model`, one sentence for each place."""
        told: dict[str, Fault] = {}
        for problem in error.errors(include_url=False):
            place = _place(dict(problem))
            told.setdefault(place, Fault(place, _sentence(dict(problem), place, model)))
        faults = list(told.values())
        more = [Fault("", f"and {len(faults) - TOLD} more")] if len(faults) > TOLD else []
        return cls(*faults[:TOLD], *more)


def _place(problem: dict[str, Any]) -> str:
    cause = problem.get("ctx", {}).get("error")
    parts = [str(part)[:60] for part in problem["loc"] if part not in KINDS_OF_VALUE]
    return ".".join([*parts, cause.field] if isinstance(cause, Misfit) else parts)


def _sentence(problem: dict[str, Any], place: str, model: type[BaseModel]) -> str:
    kind, given = problem["type"], problem.get("input")
    at = f"{place}: " if place else ""
    if kind == "missing":
        return f"{place} is missing"
    if kind == "extra_forbidden":
        known = "" if "." in place else f"; a question has {', '.join(model.model_fields)}"
        return f"{place} is not a field of a question{known}"
    if kind == "string_pattern_mismatch":
        return f"{at}must be 1 to 60 letters, digits, spaces and .,:;()+×=/γβ?-, got {quoted(given)}"
    if problem["loc"][-1] in KINDS_OF_VALUE:
        return f"{at}must be a number, text, true, false, null or a list of numbers or names, got {quoted(given)}"
    if kind == "value_error":
        return f"{at}{str(problem['ctx']['error']).rstrip('.')}"
    message = problem["msg"].replace("Input should be", "must be").replace("should", "must")
    message = message.replace("a valid integer", "a whole number")
    return f"{at}{message[:1].lower()}{message[1:]}, got {quoted(given)}"
