"""What is wrong with a spec, in words for a person: where it is wrong, what would be right. Imports no torch."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError

from core.catalog.model import SHOWN, Misfit, quoted
from core.run.spec import RunSpec

TOLD = 5
"""The most errors of one spec that are told."""
LIMITS = {
    "minimum": "of at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
"""The limits of a number in JSON Schema, in words."""
KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list", "tuple": "a list"}
"""What a value should have been, by the beginning of the error's type."""
PATTERNS = {
    "name": "may have 64 letters, digits, spaces and . , : ; ( ) + × = / -",
    "start": "must be the id of a finished run, or the SHA-256 of an uploaded file",
}
"""What a field with a pattern may be."""


class Fault(NamedTuple):
    """What is wrong in a sentence, and the dotted field to change; "" for the whole."""

    field: str
    sentence: str


def explain(error: ValidationError) -> str:
    """What is wrong with a spec in words for a person: one sentence a field, at most TOLD of them."""
    return "; ".join(sentence for _, sentence in told(error))


def told(error: ValidationError) -> list[Fault]:
    """What is wrong with a spec, field by field; the last entry counts those beyond TOLD."""
    problems = error.errors(include_url=False)
    found = [Fault(_field(dict(problem)), _sentence(dict(problem))) for problem in problems[:TOLD]]
    return found if len(problems) <= TOLD else [*found, Fault("", f"and {len(problems) - TOLD} more")]


def _field(problem: dict[str, Any]) -> str:
    cause = problem.get("ctx", {}).get("error")
    path = [str(part)[:SHOWN] for part in problem["loc"]]
    return ".".join([*path, cause.field] if isinstance(cause, Misfit) else path)


def _sentence(problem: dict[str, Any]) -> str:
    field = ".".join(str(part)[:SHOWN] for part in problem["loc"])
    kind, context, given = problem["type"], problem.get("ctx", {}), problem.get("input")
    if kind == "value_error":
        message = str(context.get("error", problem["msg"])).rstrip(".")
        return f"{field}: {message}" if field else message
    if kind in ("model_type", "model_attributes_type"):
        message = "a spec is an object with the fields of a run" if not field else f"{field} is an object with fields"
        return f"{message}, got {quoted(given)}"
    if kind == "string_pattern_mismatch" and field in PATTERNS:
        return f"{field} {PATTERNS[field]}, got {quoted(given)}"
    if kind == "missing":
        return f"{field} is missing"
    if kind == "extra_forbidden":
        return f"{field} is not a field of a run; allowed fields: {', '.join(_siblings(problem['loc']))}"
    bounds = _bounds(field) or KINDS.get(kind.partition("_")[0], "")
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
    """What a field may be: `a whole number from 1 to 400`, `one of sgd, adam`; empty where its schema does not say."""
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
            return f"{kind} from {option['minimum']:,.10g} to {option['maximum']:,.10g}"
        limits = [f"{words} {option[key]:,.10g}" for key, words in LIMITS.items() if key in option]
        return f"{kind} {' and '.join(limits)}".rstrip()
    return ""
