"""The names that a spec may have for entries of tables, each checked and described in the schema. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema

from core.catalog import architectures
from core.catalog.datasets import DATASETS
from core.catalog.initializers import WEIGHT_INITIALIZERS, weight_initializer
from core.catalog.policies import POLICIES, policy
from core.catalog.tasks.tasks import TASKS, task
from core.run.recipe import key_of


def _name(examples: Iterable[str], check: Callable[[str], str]) -> Any:
    """A string that `check` returns as it should be written, or refuses; the schema lists `examples`."""
    schema = {"type": "string", "examples": list(examples), "maxLength": 60}
    return Annotated[str, AfterValidator(check), WithJsonSchema(schema)]


def _architecture(name: str) -> str:
    architectures.parse(name)
    return name


Architecture = _name(architectures.FEATURED, _architecture)
PolicyName = _name(POLICIES, lambda name: policy(name).name)
WeightInitializerName = _name(WEIGHT_INITIALIZERS, lambda name: weight_initializer(name).name)
TaskName = _name(TASKS, lambda name: task(name).name)
DataSetName = key_of(DATASETS)
