"""The base of all our pydantic models, and their errors in words. Imports nothing else of ours."""

from __future__ import annotations

from reprlib import Repr
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError


class Model(BaseModel):
    """The settings that all our models share: frozen, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Misfit(ValueError):
    """A value that does not fit the others; `field`, dotted within its model, is the one to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


SHOWN = 60
_REPR = Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother, _REPR.maxlong = 6, 4 * SHOWN, 4 * SHOWN, 4 * SHOWN
_REPR.maxdict = _REPR.maxlist = _REPR.maxtuple = _REPR.maxset = SHOWN


def quoted(given: Any) -> str:
    """What somebody gave, as Python writes it, within SHOWN letters, however deep and long it is."""
    shown = _REPR.repr(given)
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 3]}..."


def first_fault(error: ValidationError, *path: str) -> str:
    """The first error with its place, which starts with `path`: `recipe.lr: Input should be greater than 0`."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in (*path, *first["loc"]))
    return f"{place}: " * bool(place) + first["msg"].removeprefix("Value error, ")
