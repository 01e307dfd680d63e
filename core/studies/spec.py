"""StudySpec: a grid of run fields times replicates, and the runs that it stands for. Imports no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, model_validator

from core.catalog.model import Model
from core.run.problems import explain
from core.run.spec import STORED, RunSpec
from core.studies.asked.claim import Asked, Value

Scale = Literal["minutes", "evening", "paper"]
SCALES: tuple[Scale, ...] = ("minutes", "evening", "paper")
MAX_MEMBERS = 1000
SHORT = 24
"""Letters of a question's title in the names of its runs."""
OWN = ("replicate", "seeds", "name")
"""Fields of a run that a study sets itself: with fixed seeds each replicate would be the same run again."""


class StudyUnavailable(ValueError):
    """A study that cannot be made here; the message says what is missing or wrong."""


class Axis(Model):
    """A field of RunSpec (dotted: `init.norm`) and the values that it takes."""

    field: str
    values: tuple[Value, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Member:
    """One run of a study: its place in the grid, its replicate, and its spec."""

    key: Mapping[str, Value]
    replicate: int
    spec: RunSpec

    @property
    def digest(self) -> str:
        """What identifies the run in every study."""
        return self.spec.digest


class StudySpec(Model):
    """One study at one scale. `base` holds the fields of RunSpec that all its runs share."""

    study: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    scale: Scale
    base: dict[str, Any]
    axes: tuple[Axis, ...] = Field(min_length=1)
    replicates: int = Field(ge=1, le=100)
    asked: Asked | None = Field(None, exclude_if=lambda asked: asked is None)
    """Of a question that is in no file of the catalog: its words. A named study is written without the field."""

    @model_validator(mode="after")
    def _keeps_its_draw(self, info: ValidationInfo) -> StudySpec:
        """A study names the version of the draw; one that was kept without is from before there were versions."""
        self.base.setdefault("draw", 1 if info.context == STORED else 2)
        return self

    @model_validator(mode="after")
    def _has_a_grid(self) -> StudySpec:
        fields = [axis.field for axis in self.axes]
        if len(set(fields)) < len(fields):
            raise ValueError(f"each field may vary only once, got {', '.join(fields)}")
        if self.is_paired:
            if len({len(axis.values) for axis in self.axes}) > 1:
                counts = ", ".join(f"{axis.field} {len(axis.values)}" for axis in self.axes)
                raise ValueError(f"side by side, all fields must have the same number of values, got {counts}")
            if len(set(zip(*(axis.values for axis in self.axes), strict=True))) < len(self.axes[0].values):
                raise ValueError("side by side, no two settings may be equal")
            return self
        for axis in self.axes:
            if len(set(axis.values)) < len(axis.values):
                raise ValueError(f"{axis.field} may have each value only once, got {', '.join(map(str, axis.values))}")
        return self

    @property
    def without_words(self) -> StudySpec:
        """Somebody's own study without what that person has written; its runs are the same."""
        claim = self.asked and self.asked.claim and self.asked.claim.model_copy(update={"says": "", "here": ""})
        words = {"title": "A question", "question": "", "claim": claim}
        asked = self.asked and self.asked.model_copy(update=words)
        return self.model_copy(update={"study": "own-question", "asked": asked})

    @property
    def is_paired(self) -> bool:
        """Whether its axes stand side by side instead of making a grid."""
        return self.asked is not None and self.asked.layout == "side by side"

    @property
    def settings(self) -> list[dict[str, Value]]:
        """The places of its grid, in the order in which its axes have them."""
        values = [axis.values for axis in self.axes]
        rows = zip(*values, strict=True) if self.is_paired else product(*values)
        return [dict(zip((axis.field for axis in self.axes), row, strict=True)) for row in rows]

    def values(self, field: str) -> tuple[Value, ...]:
        """The values that `field` (`architecture`, `init.norm`) takes in this study."""
        for axis in self.axes:
            if axis.field == field:
                return axis.values
        found: Any = self.base
        for part in field.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return () if found is None else (found,)

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """Its runs, all settings of replicate 0 first, so that a part of the study covers the whole grid.

        Raises StudyUnavailable where a run cannot be made, for example because its data set is not here.
        """
        for field in (*self.base, *(axis.field for axis in self.axes)):
            if field.partition(".")[0] in OWN:
                raise StudyUnavailable(
                    f"a study sets {', '.join(OWN)} of its runs itself, so {field} cannot be set; use --replicates to "
                    "change their number"
                )
        keys = self.settings
        if len(keys) * self.replicates > MAX_MEMBERS:
            raise StudyUnavailable(
                f"a study may have {MAX_MEMBERS} runs; this one would have {len(keys) * self.replicates}"
            )
        return tuple(
            Member(keys[place], replicate, self._run(keys[place], replicate))
            for replicate in range(self.replicates)
            for place in self._order(replicate, len(keys))
        )

    def _order(self, replicate: int, count: int) -> list[int]:
        """The order of the settings of a replicate: shuffled by the question's seed, if somebody has asked it."""
        if self.asked is None:
            return list(range(count))
        seed = f"onlybn/turn/{self.asked.order}/{replicate}"
        return sorted(range(count), key=lambda place: hashlib.sha256(f"{seed}/{place}".encode()).digest())

    def _run(self, key: Mapping[str, Value], replicate: int) -> RunSpec:
        fields = deepcopy(self.base) | {"replicate": replicate, "name": self._name(key, replicate)}
        for field, value in key.items():
            assign(fields, field, value)
        try:
            return RunSpec.model_validate(fields)
        except ValidationError as error:
            what = f"study {self.study} at scale {self.scale}: " if self.asked is None else ""
            raise StudyUnavailable(f"{what}{explain(error)}") from error

    def _name(self, key: Mapping[str, Value], replicate: int) -> str:
        """A label for lists: `depth: resnet-14, replicate 1`."""
        varying = [in_text(key[axis.field]) for axis in self.axes if len(set(axis.values)) > 1]
        about = self.asked.title.replace("?", "")[:SHORT].strip() or self.study if self.asked else self.study
        return ", ".join([f"{about}: {varying[0]}" if varying else about, *varying[1:], f"replicate {replicate}"])[:64]


def in_text(value: Value) -> str:
    """A value of an axis in the letters that a run's name may have."""
    if isinstance(value, tuple):
        return " ".join(part if isinstance(part, str) else f"{part:g}" for part in value)
    return "all" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def assign(fields: dict[str, Any], field: str, value: Any) -> None:
    """Put `value` into the dotted `field` of `fields`. Raises StudyUnavailable if a value on the way has no parts."""
    *path, last = field.split(".")
    for part in path:
        inner = fields.setdefault(part, {})
        if not isinstance(inner, dict):
            raise StudyUnavailable(f"{field} cannot be set: {part} is {inner!r} and has no parts")
        fields = inner
    fields[last] = value
