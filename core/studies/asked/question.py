"""A question of somebody's own: title, claim, grid and order, and the study that it stands for. Imports no torch.

Its file has these words in YAML or JSON; `python -m core studies check FILE` reads one and starts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from math import prod
from typing import Any

from pydantic import Field, ValidationError

from core.run.handwritten import BadText, decoded, read_text, write_yaml
from core.run.problems import Fault, told
from core.run.spec import RunSpec
from core.studies.asked.claim import MAX_WORDS, TITLE, Asked, Claim, Value
from core.studies.asked.words import BadQuestion, GridWords, axes
from core.studies.contrasts import criterion_of
from core.studies.costs import study_cost
from core.studies.records import QUANTITIES, field
from core.studies.spec import OWN, Scale, StudySpec, StudyUnavailable, assign

WRITTEN = ("title", "question", "claim", "preset", "base", "vary", "layout", "replicates", "order")
"""The order in which a file says them."""
PREFIX = "own-"
"""How the names of such studies begin; no question of the catalog has such a name."""
MAX_RUNS = 200
MAX_COMPARISONS = 100
MAX_BYTES = 64 * 1024
MAX_MARKS = 800
ENOUGH = "a question of 200 values has fewer"
MINUTES_S, EVENING_S = 600.0, 9 * 3600.0
"""How long all runs of a scale take at most on two ordinary cores; the catalog's keep to the same."""


class OwnQuestion(GridWords):
    """A question in the words of its file. POST /api/studies takes one, as JSON or as YAML.

    At most 200 runs: settings times replicates. A claim needs three replicates to be decided.
    """

    title: str = Field(pattern=TITLE, description="Shown as the heading, and in the names of the runs.")
    question: str = Field("", max_length=MAX_WORDS, description="The question as a sentence.")
    claim: Claim | None = Field(None, description="What is to be tested; without one, the runs are only compared.")
    base: dict[str, Any] = Field(max_length=20, description="The fields of a run that all runs share.")
    vary: dict[str, tuple[Value, ...]] = Field(
        min_length=1, max_length=6, description="By field, dotted as in recipe.lr, the values that it takes."
    )
    layout: str = Field("grid", pattern="^(grid|side by side)$", description="grid: every combination of values.")
    order: int = Field(0, ge=0, lt=2**32, description="Seed of the order in which the runs are trained.")

    def study(self) -> StudySpec:
        """The study that it stands for, with its values as runs have them. Raises StudyUnavailable."""
        vary = self._checked()
        claim = self._claim(vary)
        try:
            asked = Asked.model_validate(
                {"title": self.title, "question": self.question, "layout": self.layout, "order": self.order}
                | {"claim": claim}
            )
            made = StudySpec(
                study=_name(self.title),
                scale="minutes",
                base=self.shared(),
                axes=axes(vary),
                replicates=self.replicates,
                asked=asked,
            )
        except ValidationError as error:
            raise BadQuestion.of(error, OwnQuestion) from error
        if claim:
            _refuse_undecidable(claim, made)
        return made.model_copy(update={"scale": scale_of(study_cost(made).seconds)})

    def _checked(self) -> dict[str, tuple[Value, ...]]:
        """`vary` with each value as a run has it. Raises BadQuestion."""
        self._refuse_what_is_not_its_own()
        self._refuse_counts()
        side = self.layout == "side by side"
        found: dict[str, list[Value]] = {name: [] for name in self.vary}
        for name, values in self.vary.items():
            for place, value in enumerate(values):
                key = {other: rows[place if side else 0] for other, rows in self.vary.items()} | {name: value}
                found[name].append(self._value(name, key))
        for name, rows in found.items():
            if not side and len(set(rows)) < len(rows):
                raise BadQuestion.at(
                    f"vary.{name}", f"each value may appear only once, got {', '.join(map(str, rows))}"
                )
        return {name: tuple(rows) for name, rows in found.items()}

    def _refuse_what_is_not_its_own(self) -> None:
        for name in (*self.base, *self.vary):
            first, place = name.partition(".")[0], "vary" if name in self.vary else "base"
            if first in OWN:
                raise BadQuestion.at(
                    f"{place}.{name}",
                    f"a question sets {', '.join(OWN)} of its runs itself; `replicates` says how often each setting is "
                    "trained",
                )
            if first in ("contents", "copy_of_data"):
                raise BadQuestion.at(
                    f"{place}.{name}", "a question always uses the images of this machine; remove this field"
                )

    def _refuse_counts(self) -> None:
        counts = [len(values) for values in self.vary.values()]
        side = self.layout == "side by side"
        if not all(counts):
            raise BadQuestion.at(f"vary.{list(self.vary)[counts.index(0)]}", "at least one value is needed")
        if side and len(set(counts)) > 1:
            told = ", ".join(f"{name} {count}" for name, count in zip(self.vary, counts, strict=True))
            raise BadQuestion.at("vary", f"side by side, all fields must have the same number of values, got {told}")
        settings = counts[0] if side else prod(counts)
        if settings * self.replicates > MAX_RUNS:
            raise BadQuestion.at(
                "replicates",
                f"{settings} settings × {self.replicates} replicates are {settings * self.replicates} runs; a question "
                f"may have at most {MAX_RUNS}",
            )

    def _value(self, name: str, key: Mapping[str, Value]) -> Value:
        """The value of field `name` in a run at the place `key` of the grid."""
        fields = deepcopy(self.shared())
        for other, value in key.items():
            assign(fields, other, value)
        try:
            found = field(RunSpec.model_validate(fields), name)
        except ValidationError as error:
            raise BadQuestion(*(_in_question(fault, self.vary) for fault in told(error))) from error
        except AttributeError:
            raise BadQuestion.at(f"vary.{name}", f"{name} is not a field of a run") from None
        if isinstance(found, bool | int | float | str | tuple | None):
            return found
        raise BadQuestion.at(f"vary.{name}", f"{name} is several fields; name one of them, such as {name}.…")

    def _claim(self, vary: Mapping[str, tuple[Value, ...]]) -> Claim | None:
        """The claim with its values as runs have them. Raises StudyUnavailable."""
        claim = self.claim
        if claim is None:
            return None
        if claim.field not in vary:
            raise BadQuestion.at("claim.field", f"{claim.field} does not vary here; these do: {', '.join(vary)}")
        there = vary[claim.field]
        if len(set(there)) < len(there):
            raise BadQuestion.at(
                "claim.field",
                f"side by side, a claim needs a field that has each value once; {claim.field} has "
                f"{', '.join(map(str, there))}",
            )
        named = [("value", claim.value), *(("others", value) for value in (*claim.others, *claim.also))]
        for place, value in named:
            if value is not None and value not in there:
                raise BadQuestion.at(
                    f"claim.{place}",
                    f"{value} is not among the values of {claim.field}: {', '.join(map(str, there))}",
                )
        same = {value: value for value in there}
        return claim.model_copy(
            update={"others": tuple(same[v] for v in claim.others), "also": tuple(same[v] for v in claim.also)}
            | ({"value": same[claim.value]} if claim.value is not None else {})
        )

    def text(self) -> str:
        """Itself as YAML, without what is as usual."""
        said = self.model_dump(mode="json", exclude_defaults=True) | {"replicates": self.replicates}
        return write_yaml({name: said[name] for name in WRITTEN if name in said})

    @classmethod
    def of(cls, study: StudySpec) -> OwnQuestion:
        """The question that a study stands for. Raises StudyUnavailable for a study of the catalog."""
        if study.asked is None:
            raise StudyUnavailable(f"{study.study} is one of the paper's questions, not your own")
        base = {key: value for key, value in study.base.items() if (key, value) != ("draw", 2)}
        vary = {axis.field: axis.values for axis in study.axes}
        fields = {name: getattr(study.asked, name) for name in Asked.model_fields}
        return cls(**fields, base=base, vary=vary, replicates=study.replicates)


def read_question(text: bytes) -> OwnQuestion:
    """The question in a text, YAML or JSON. Raises BadText and BadQuestion, which say where and why."""
    if len(text) > MAX_BYTES:
        raise BadText(f"the text is larger than {MAX_BYTES // 1024} KB; a question is a few lines")
    return question_of(read_text(decoded(text), MAX_MARKS, ENOUGH))


def question_of(fields: Mapping[str, Any]) -> OwnQuestion:
    """The question of `fields`. Raises BadQuestion, which says where and why."""
    try:
        return OwnQuestion.model_validate(fields)
    except ValidationError as error:
        raise BadQuestion.of(error, OwnQuestion) from error


def _in_question(fault: Fault, vary: Mapping[str, object]) -> Fault:
    """What is wrong with a run, at the place where the question says it: a field that varies, or the base."""
    field = next((name for name in vary if fault.field == name or fault.field.startswith(f"{name}.")), None)
    if field is None and fault.field:
        field = next((name for name in vary if name.startswith(f"{fault.field}.")), None)
    place = f"vary.{field}" if field else "base"
    return Fault(place if field or not fault.field else f"base.{fault.field}", f"{place}: {fault.sentence}")


def scale_of(seconds: float) -> Scale:
    """The scale of a study that takes so long on two ordinary cores: it decides who may launch it, and when it runs."""
    return "minutes" if seconds <= MINUTES_S else "evening" if seconds <= EVENING_S else "paper"


def is_own(name: str) -> bool:
    """Whether a study of this name is in no file of the catalog."""
    return name.startswith(PREFIX)


def _name(title: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return f"{PREFIX}{words or 'question'}"[:40].rstrip("-")


def _refuse_undecidable(claim: Claim, study: StudySpec) -> None:
    if QUANTITIES[claim.quantity].adapts and any(member.spec.adapt is None for member in study.members):
        raise BadQuestion.at(
            "claim.quantity",
            f"{claim.quantity} is measured only where runs adapt at their end: give all of them `adapt`, such as "
            "{severities: [3]} in `base`",
        )
    deciding = [contrast for contrast in criterion_of(claim, own=True).contrasts(study) if contrast.decides]
    if not deciding:
        numbers = claim.kind in ("rises", "falls")
        why = (
            "it needs two values that are numbers, or architectures of one family" if numbers else "nothing is compared"
        )
        raise BadQuestion.at("claim", f"nothing in this grid can decide it: {why}")
    if len(deciding) > MAX_COMPARISONS:
        raise BadQuestion.at(
            "claim.value",
            f"it would take {len(deciding):,} comparisons; at most {MAX_COMPARISONS} are allowed. Name the value that "
            "all others are compared with",
        )
