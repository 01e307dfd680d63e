"""StudySpec: a grid of run fields times replicates, and the runs that it stands for. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from core.catalog.model import Model
from core.run.problems import explain
from core.run.spec import STORED, RunSpec

Scale = Literal["minutes", "evening", "paper"]
SCALES: tuple[Scale, ...] = ("minutes", "evening", "paper")
MAX_MEMBERS = 1000
OWN = ("replicate", "seeds", "name")
"""Fields of a run that a study sets itself: with fixed seeds each replicate would be the same run again."""

Value = str | int | float


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

    @model_validator(mode="after")
    def _keeps_its_draw(self, info: ValidationInfo) -> StudySpec:
        """A study names the version of the draw; one that was kept without is from before there were versions."""
        self.base.setdefault("draw", 1 if info.context == STORED else 2)
        return self

    @field_validator("axes")
    @classmethod
    def _bounded(cls, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
        fields = [axis.field for axis in axes]
        if len(set(fields)) < len(fields):
            raise ValueError(f"each field may have one axis, got {', '.join(fields)}")
        for axis in axes:
            if len(set(axis.values)) < len(axis.values):
                raise ValueError(f"{axis.field} may take each value once, got {', '.join(map(str, axis.values))}")
        return axes

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
        keys = [
            dict(zip((axis.field for axis in self.axes), values, strict=True))
            for values in product(*(axis.values for axis in self.axes))
        ]
        if len(keys) * self.replicates > MAX_MEMBERS:
            raise StudyUnavailable(
                f"a study may have {MAX_MEMBERS} runs; this one would have {len(keys) * self.replicates}"
            )
        return tuple(
            Member(key, replicate, self._run(key, replicate)) for replicate in range(self.replicates) for key in keys
        )

    def _run(self, key: Mapping[str, Value], replicate: int) -> RunSpec:
        fields = deepcopy(self.base) | {"replicate": replicate, "name": self._name(key, replicate)}
        for field, value in key.items():
            assign(fields, field, value)
        try:
            return RunSpec.model_validate(fields)
        except ValidationError as error:
            raise StudyUnavailable(f"study {self.study} at scale {self.scale}: {explain(error)}") from error

    def _name(self, key: Mapping[str, Value], replicate: int) -> str:
        """A label for lists: `depth: resnet-14, replicate 1`."""
        varying = [str(key[axis.field]) for axis in self.axes if len(axis.values) > 1]
        return ", ".join(
            [f"{self.study}: {varying[0]}" if varying else self.study, *varying[1:], f"replicate {replicate}"]
        )[:64]


def assign(fields: dict[str, Any], field: str, value: Any) -> None:
    """Put `value` into the dotted `field` of `fields`. Raises StudyUnavailable if a value on the way has no parts."""
    *path, last = field.split(".")
    for part in path:
        inner = fields.setdefault(part, {})
        if not isinstance(inner, dict):
            raise StudyUnavailable(f"{field} cannot be set: {part} is {inner!r} and has no parts")
        fields = inner
    fields[last] = value
