"""What a run is asked to do: RunSpec and its parts, with every bound. The same model serves form, API, CLI and worker.

Imports no torch. A spec is complete: the seeds it derives from its replicate are stored in it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator

from core.architectures import catalog
from core.architectures.plan import Plan
from core.datasets.catalog import DATASETS, DataSet
from core.initializers import NORM_INITIALIZERS, WEIGHT_INITIALIZERS
from core.policies import POLICIES, Policy, policy
from core.registry import Registry

MAX_EPOCHS = 400
PURPOSES = ("init", "order", "augmentation", "choice")


class Model(BaseModel):
    """The settings that all our models share: frozen, no unknown keys, no NaN or infinity, strict types."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _key_of(registry: Registry[Any]) -> Any:
    """A string that must be a key of `registry`; the schema lists the keys."""

    def check(name: str) -> str:
        return str(registry[name].name)

    return Annotated[str, AfterValidator(check), WithJsonSchema({"type": "string", "enum": list(registry)})]


def _architecture(name: str) -> str:
    catalog.parse(name)
    return name


def _policy(name: str) -> str:
    return policy(name).name


Architecture = Annotated[
    str,
    AfterValidator(_architecture),
    WithJsonSchema({"type": "string", "examples": list(catalog.FEATURED), "maxLength": 60}),
]
PolicyName = Annotated[
    str,
    AfterValidator(_policy),
    WithJsonSchema({"type": "string", "examples": list(POLICIES), "maxLength": 60}),
]
DataSetName = _key_of(DATASETS)
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Recipe(Model):
    """How the trainable parameters are updated. The defaults are the paper's for CIFAR-10 (appendix B)."""

    optimizer: Literal["sgd"] = Field("sgd", description="Stochastic gradient descent with momentum.")
    lr: float = Field(0.1, gt=0, le=1e6, description="Learning rate at the start.")
    momentum: float = Field(0.9, ge=0, lt=1, description="SGD momentum (not Nesterov).")
    weight_decay: float = Field(1e-4, ge=0, le=1, description="L2 penalty on what trains, γ and β included.")
    batch_size: int = Field(128, ge=2, le=4096, description="Images a step.")
    lr_drops: tuple[Fraction, ...] = Field(
        (0.5, 0.75), max_length=10, description="Fractions of the run at which the learning rate drops."
    )
    lr_drop_factor: float = Field(0.1, gt=0, le=1, description="What the learning rate is multiplied by at a drop.")
    augmentation: Literal["standard", "none"] = Field(
        "standard", description="standard: the data set's own (mirror and shifted crop); none: images as they are."
    )

    @model_validator(mode="after")
    def _drops_increase(self) -> Recipe:
        if list(self.lr_drops) != sorted(set(self.lr_drops)):
            raise ValueError(f"lr_drops must increase, got {list(self.lr_drops)}")
        return self


class Init(Model):
    """What the random values are drawn from."""

    weights: _key_of(WEIGHT_INITIALIZERS) = Field("he-normal", description="Convolutions and output layer.")  # type: ignore[valid-type]
    norm: _key_of(NORM_INITIALIZERS) = Field("uniform", description="γ and β.")  # type: ignore[valid-type]


def derive_seed(purpose: str, replicate: int) -> int:
    """The seed (32 bits) of replicate number `replicate` for one of PURPOSES."""
    return int.from_bytes(hashlib.sha256(f"onlybn/{purpose}/{replicate}".encode()).digest()[:4], "big")


Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Seeds(Model):
    """One seed for each source of randomness, so that each can be held fixed while another varies."""

    init: Seed
    order: Seed
    augmentation: Seed
    choice: Seed

    @classmethod
    def of(cls, replicate: int) -> Seeds:
        return cls(**{purpose: derive_seed(purpose, replicate) for purpose in PURPOSES})


class RunSpec(Model):
    """One training of one architecture under one policy with one seed."""

    architecture: Architecture
    policy: PolicyName
    dataset: DataSetName  # type: ignore[valid-type]
    epochs: int = Field(ge=1, le=MAX_EPOCHS, description="Passes over the training images.")
    replicate: int = Field(0, ge=0, le=9999, description="Index from which the seeds derive.")
    train_examples: int | None = Field(
        None, ge=16, description="Train on this many images (the same for every replicate); null: all."
    )
    test_examples: int | None = Field(None, ge=16, description="Test on this many images; null: all.")
    recipe: Recipe = Recipe()
    init: Init = Init()
    seeds: Seeds
    name: str | None = Field(
        None, pattern=r"^[\w .,:;()+×=/γβ-]{1,64}$", description="A label; it does not change the run."
    )

    @model_validator(mode="before")
    @classmethod
    def _derive_seeds(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("seeds") is None:
            replicate = data.get("replicate", 0)
            valid = isinstance(replicate, int) and 0 <= replicate <= 9999
            return {**data, "seeds": Seeds.of(replicate if valid else 0)}
        return data

    @model_validator(mode="after")
    def _fits_the_data(self) -> RunSpec:
        for field, have in (("train_examples", self.data.train), ("test_examples", self.data.test)):
            asked = getattr(self, field)
            if asked is not None and asked > have:
                raise ValueError(f"{field} must be 16..{have} for {self.dataset}, got {asked}")
        return self

    @property
    def data(self) -> DataSet:
        return DATASETS[self.dataset]

    @property
    def plan(self) -> Plan:
        return catalog.plan(self.architecture, self.data.shape, len(self.data.classes))

    @property
    def selection(self) -> Policy:
        """The policy itself, not its name."""
        return policy(self.policy)

    @property
    def images(self) -> tuple[int, int]:
        """How many images one epoch trains on, and how many a test looks at."""
        return self.train_examples or self.data.train, self.test_examples or self.data.test

    @property
    def steps_per_epoch(self) -> int:
        """The last, smaller batch of an epoch counts too."""
        return -(-self.images[0] // self.recipe.batch_size)

    @property
    def total_steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    @property
    def digest(self) -> str:
        """SHA-256 of all that determines the result: everything but the name."""
        rows = json.dumps(self.model_dump(mode="json", exclude={"name"}), sort_keys=True)
        return hashlib.sha256(rows.encode()).hexdigest()


def explain(error: ValidationError) -> str:
    """What is wrong with a spec in words for a person: one sentence a field."""
    return "; ".join(_sentence(dict(problem)) for problem in error.errors(include_url=False))


def _sentence(problem: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    kind, context, given = problem["type"], problem.get("ctx", {}), problem.get("input")
    if kind == "value_error":
        message = str(context.get("error", problem["msg"])).rstrip(".")
        return f"{field}: {message}" if field else message
    if kind == "missing":
        return f"{field} is missing"
    if kind == "extra_forbidden":
        return f"{field} is not a field of a run; allowed: {', '.join(_siblings(problem['loc']))}"
    bounds = _bounds(field)
    got = repr(given) if len(repr(given)) <= 60 else f"{repr(given)[:57]}..."
    if bounds:
        return f"{field} must be {bounds}, got {got}"
    return f"{field}: {problem['msg'][:1].lower()}{problem['msg'][1:]}, got {got}"


def _model_at(path: tuple[Any, ...]) -> type[BaseModel]:
    model: type[BaseModel] = RunSpec
    for part in path:
        inner = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
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
