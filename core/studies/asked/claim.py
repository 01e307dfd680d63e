"""What a question claims, in the words of its file: which values of which field are compared, and by what rule.

`criterion.py` makes the comparisons. Imports no torch.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from core.catalog.model import Misfit, Model
from core.run.recipe import key_of
from core.studies.records import QUANTITIES

Kind = Literal["beats", "rises", "falls", "same", "some-beat", "zero"]
KINDS: dict[Kind, str] = {
    "beats": "`value` is above each of `others` by more than `margin`",
    "rises": "with each step of `field` from one value to the next larger one, the result rises by more than `margin`",
    "falls": "with each such step, the result falls by more than `margin`",
    "same": "no two values (or none and `value`) differ by more than `margin`",
    "some-beat": "at least one other value is above `value` by more than `margin`, wherever it is compared",
    "zero": "the result itself is at most `margin` away from 0",
}
NEED_MARGIN: tuple[Kind, ...] = ("same", "zero")
NEED_VALUE: tuple[Kind, ...] = ("beats", "some-beat")
Value = bool | int | float | str | tuple[int | float | str, ...] | None
"""A value of a field of a run; a list of numbers or names where the field is one."""
MAX_WORDS = 200
TITLE = r"^[\w .,:;()+×=/γβ?-]{1,60}$"
"""What the title of a question may look like: the letters of a run's name, and a question mark."""


class Claim(Model):
    """A claim about the runs of a question. `margin` is in points (or in the unit of `quantity`).

    `value`, `others`: values of `field`; without `others` all other ones. `also`: values that are compared and shown
    but do not decide. `couples`: pairs to compare instead. `at`: values of further fields at which alone is compared;
    `only`: at which alone it decides. `by_scale`: another quantity at a scale. `says`: the claim as a sentence; `here`:
    what exactly the test asks for.
    """

    kind: Kind = Field(description="; ".join(f"{kind}: {words}" for kind, words in KINDS.items()))
    field: str = Field("policy", max_length=60, description="The field of a run whose values are compared.")
    value: Value = None
    others: tuple[Value, ...] = ()
    also: tuple[Value, ...] = ()
    couples: dict[str, str] = Field({}, max_length=20)
    at: dict[str, Value] = Field({}, max_length=6)
    only: dict[str, Value] = Field({}, max_length=6)
    quantity: key_of(QUANTITIES) = Field("top1", description="What is compared.")  # type: ignore[valid-type]
    by_scale: dict[str, key_of(QUANTITIES)] = Field({}, max_length=3)  # type: ignore[valid-type]
    margin: float = Field(0.0, ge=0, le=100, description="In points; same and zero need more than 0.")
    says: str = Field("", max_length=MAX_WORDS, description="The claim as a sentence; empty: made from the rest.")
    here: str = Field("", max_length=MAX_WORDS)

    @field_validator("says", "here")
    @classmethod
    def _one_line(cls, words: str) -> str:
        return one_line(words)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Claim:
        if self.kind in NEED_MARGIN and not self.margin:
            raise Misfit("margin", "must be above 0, since no difference is exactly 0")
        if self.kind in NEED_VALUE and self.value is None and not self.couples:
            raise Misfit("value", f"the claim {self.kind} needs the value of {self.field} that it is about")
        if self.value is not None and self.value in (*self.others, *self.also):
            raise Misfit("others", f"must not have the value itself, got {self.value}")
        return self


class Asked(Model):
    """What a question of somebody says beside its grid. `layout` side by side: the first values of all fields make the
    first setting, the second ones the next; `order`: the seed of the order in which its runs are trained."""

    title: str = Field(pattern=TITLE)
    question: str = Field("", max_length=MAX_WORDS)
    claim: Claim | None = None
    layout: Literal["grid", "side by side"] = "grid"
    order: int = Field(0, ge=0, lt=2**32)

    @field_validator("question")
    @classmethod
    def _one_line(cls, words: str) -> str:
        return one_line(words)


def one_line(words: str) -> str:
    """`words` as they were given. Raises ValueError if they have a line break or a control character."""
    if not words.isprintable():
        raise ValueError("must be one line without control characters")
    return words
