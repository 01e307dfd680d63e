"""What is wrong with a spec, in words for a person: where it is wrong, what would be right. Imports no torch."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from core.catalog.model import SHOWN, quoted
from core.run.spec import RunSpec

TOLD = 5
"""The most errors of one spec that are told."""


def explain(error: ValidationError) -> str:
    """What is wrong with a spec in words for a person: one sentence a field, at most TOLD of them."""
    problems = error.errors(include_url=False)
    told = [_sentence(dict(problem)) for problem in problems[:TOLD]]
    return "; ".join(told if len(problems) <= TOLD else [*told, f"and {len(problems) - TOLD} more"])


def _sentence(problem: dict[str, Any]) -> str:
    field = ".".join(str(part)[:SHOWN] for part in problem["loc"])
    kind, context, given = problem["type"], problem.get("ctx", {}), problem.get("input")
    if kind == "value_error":
        message = str(context.get("error", problem["msg"])).rstrip(".")
        return f"{field}: {message}" if field else message
    if kind in ("model_type", "model_attributes_type"):
        message = "a spec is an object with the fields of a run" if not field else f"{field} is an object with fields"
        return f"{message}, got {quoted(given)}"
    if kind == "missing":
        return f"{field} is missing"
    if kind == "extra_forbidden":
        return f"{field} is not a field of a run; allowed fields: {', '.join(_siblings(problem['loc']))}"
    bounds = _bounds(field)
    if bounds:
        return f"{field} must be {bounds}, got {quoted(given)}"
    message = f"{problem['msg'][:1].lower()}{problem['msg'][1:]}"
    message += "" if kind == "json_invalid" else f", got {quoted(given)}"  # the input would be the whole file
    return f"{field}: {message}" if field else message


def _model_at(path: tuple[Any, ...]) -> type[BaseModel]:
    model: type[BaseModel] = RunSpec
    for part in path:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        inner = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        models = [kind for kind in inner if issubclass(kind, BaseModel)]
        if not models:
            break
        model = models[0]
    return model


def _siblings(path: tuple[Any, ...]) -> list[str]:
    return list(_model_at(path[:-1]).model_fields)


def _bounds(field: str) -> str:
    """The allowed range of a numeric field as text: `1..400`, `in (0, 1)`; empty where there is none."""
    path = tuple(field.split("."))
    schema = _model_at(path[:-1]).model_json_schema()["properties"].get(path[-1], {})
    options = schema.get("anyOf", [schema])
    for option in options:
        if "enum" in option:
            return "one of " + ", ".join(option["enum"])
        if "const" in option:
            return repr(option["const"])
        kind = {"integer": "a whole number", "number": "a number"}.get(option.get("type", ""))
        if kind is None:
            continue
        if "minimum" in option and "maximum" in option:
            return f"{kind} in {option['minimum']:g}..{option['maximum']:g}"
        low = [f"≥ {option['minimum']:g}"] if "minimum" in option else []
        low += [f"> {option['exclusiveMinimum']:g}"] if "exclusiveMinimum" in option else []
        high = [f"≤ {option['maximum']:g}"] if "maximum" in option else []
        high += [f"< {option['exclusiveMaximum']:g}"] if "exclusiveMaximum" in option else []
        return " and ".join([kind, *low, *high]).replace("number and", "number")
    return ""
