"""How a run's trainable parameters are updated: Recipe, a part of RunSpec. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from core.catalog.model import Misfit, Model
from core.catalog.registry import Registry
from core.catalog.schedules import SCHEDULES
from core.run.computation import LEAST_SQUARES

OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", LEAST_SQUARES: "Least squares"}
"""The titles of the optimizers by name."""
Fraction = Annotated[float, Field(gt=0, lt=1)]


def key_of(registry: Registry[Any]) -> Any:
    """A string that must be a key of `registry`; the schema lists the keys."""

    def check(name: str) -> str:
        return str(registry[name].name)

    return Annotated[str, AfterValidator(check), WithJsonSchema({"type": "string", "enum": list(registry)})]


class Recipe(Model):
    """How the trainable parameters are updated. The defaults are the paper's for CIFAR-10 (appendix B)."""

    optimizer: Literal["sgd", "adam", "adamw", "least-squares"] = Field(
        "sgd",
        description="The paper trains with SGD. least-squares: SGD trains a network of width 1, and γ and β are "
        "computed so that the random network answers as that one.",
    )
    lr: float = Field(0.1, gt=0, le=1e6, description="Learning rate at the start.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD; β1 of Adam.")
    nesterov: bool = Field(False, description="Nesterov's momentum (SGD only).")
    weight_decay: float = Field(1e-4, ge=0, le=1, description="L2 penalty on all trained parameters, γ and β included.")
    batch_size: int = Field(128, ge=2, le=4096, description="Images per step.")
    schedule: key_of(SCHEDULES) = Field("step", description="How the learning rate changes.")  # type: ignore[valid-type]
    lr_drops: tuple[Fraction, ...] = Field(
        (0.5, 0.75), max_length=10, description="Fractions of the run at which the rate drops (schedule step)."
    )
    lr_drop_factor: float = Field(0.1, gt=0, le=1, description="The learning rate is multiplied by this at a drop.")
    warmup_epochs: float = Field(
        0, ge=0, le=100, description="Epochs during which the rate rises linearly from 0 (ImageNet: 5)."
    )
    label_smoothing: float = Field(0, ge=0, lt=1, description="Share of each label spread evenly over all classes.")
    sync_batchnorm: bool = Field(
        False,
        description="With several processes: whether BatchNorm uses the statistics of the whole batch, not of each "
        "process's part.",
    )
    precision: Literal["auto", "fp32"] = Field(
        "auto",
        description="auto: our own kernels for each convolution, or PyTorch's where those are clearly faster on "
        "this machine; values in float32, gradients in bfloat16 if the processor supports it; fp32: PyTorch's "
        "convolutions, everything in float32.",
    )
    lean: bool = Field(
        True,
        description="Precision auto, on CPUs: store what the backward pass needs in 8 bits instead of 32, with "
        "unbiased rounding: a quarter of the memory, and a gradient whose cosine with the exact one is above 0.999.",
    )
    augmentation: Literal["standard", "none"] = Field(
        "standard", description="standard: the data set's own (mirror and shifted crop); none: images as they are."
    )

    @model_validator(mode="after")
    def _drops_increase(self) -> Recipe:
        if list(self.lr_drops) != sorted(set(self.lr_drops)):
            raise Misfit("lr_drops", f"lr_drops must increase, got {list(self.lr_drops)}")
        if self.nesterov and not (self.optimizer == "sgd" and self.momentum > 0):
            raise Misfit("nesterov", "nesterov needs the optimizer sgd and a momentum above 0")
        return self
