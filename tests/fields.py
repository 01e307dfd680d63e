"""The fields of a model and of its parts by their dotted names, for tests that must forget none."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any, get_args

from pydantic import BaseModel


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """`epochs`, `recipe.lr`, `adapt.severities`, ...: every field that has no parts of its own."""
    for name, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        parts = [kind for kind in kinds if issubclass(kind, BaseModel)]
        yield from leaves(parts[0], f"{prefix}{name}.") if parts else [f"{prefix}{name}"]


def differing(one: BaseModel, other: BaseModel) -> set[str]:
    """The dotted fields in which two instances of a model differ."""
    return {path for path in leaves(type(one)) if _at(one, path) != _at(other, path)}


def _at(found: Any, path: str) -> Any:
    return reduce(lambda at, part: getattr(at, part, None), path.split("."), found)
