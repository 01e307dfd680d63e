"""A network as a page draws it: its layers, and how much of each trains. From plans alone, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from typing_extensions import TypedDict

from core.catalog import architectures as catalog
from core.catalog.normalisation import BATCH, Normalisation
from core.catalog.plan import AFFINE, Parameter, Unit, parameters_of
from core.catalog.policies import Policy, policy
from core.catalog.residual import Shape


class UnitPicture(TypedDict):
    """A convolution and its norm, by their names in the module.

    The shares (0..1) that train: `trained` of the convolution's weights (of their scores, where the picture has
    `keep`), `bias_trained` of its biases (null where it has none), `norm_trained` of γ and β together.
    """

    conv: str
    norm: str
    channels: int
    kernel: int
    stride: int
    size: int
    trained: float
    bias_trained: float | None
    norm_trained: float


class BlockPicture(TypedDict):
    """Units in a row, after a max-pool where `pool`; where `residual`, with a shortcut (null: the identity)."""

    stage: int
    residual: bool
    pool: bool
    units: list[UnitPicture]
    shortcut: UnitPicture | None


class OutputPicture(TypedDict):
    features: int
    classes: int
    trained: float


class NormPicture(TypedDict):
    """The norm layers: their kind in words, whether they have γ and β, and whether the policy trains either."""

    title: str
    affine: bool
    gamma: bool
    beta: bool


class Picture(TypedDict):
    """A network as a page draws it. `keep`: the share (0..1) of the scored weights that is used; 0: without scores."""

    input_shape: tuple[int, int, int]
    norm: NormPicture
    keep: float
    stem: UnitPicture
    blocks: list[BlockPicture]
    output: OutputPicture


@lru_cache(maxsize=64)
def picture(
    architecture: str, policy_name: str, input_shape: Shape, classes: int, normalisation: Normalisation = BATCH
) -> Picture:
    """The network of `architecture` for images of `input_shape`, with what `policy_name` trains in it.

    Callers must not change the answer: it is kept.
    """
    plan = catalog.plan(architecture, input_shape, classes, normalisation)
    chosen = policy(policy_name)
    extra = {f"{name}.weight": count for name, count in chosen.scattered(plan).items()} | chosen.scored(plan)
    return {
        "input_shape": plan.input_shape,
        "norm": {
            "title": normalisation.title,
            "affine": normalisation.affine,
            "gamma": "gamma" in chosen.roles,
            "beta": "beta" in chosen.roles,
        },
        "keep": chosen.keep,
        "stem": _unit(plan.stem, chosen, extra),
        "blocks": [
            {
                "stage": block.stage,
                "residual": block.residual,
                "pool": block.pool is not None,
                "units": [_unit(unit, chosen, extra) for unit in block.units],
                "shortcut": _unit(block.shortcut, chosen, extra) if block.shortcut else None,
            }
            for block in plan.blocks
        ],
        "output": {
            "features": plan.output.features,
            "classes": plan.output.classes,
            "trained": _share(plan.parameters[-2:], chosen, extra),
        },
    }


def _unit(unit: Unit, chosen: Policy, extra: dict[str, int]) -> UnitPicture:
    conv = unit.convolution
    weight, *rest = parameters_of(unit)
    bias = [parameter for parameter in rest if parameter.role == "convolution-bias"]
    return {
        "conv": conv.name,
        "norm": unit.norm.name,
        "channels": conv.outputs,
        "kernel": conv.kernel,
        "stride": conv.stride,
        "size": conv.size,
        "trained": _share([weight], chosen, extra),
        "bias_trained": _share(bias, chosen, extra) if bias else None,
        "norm_trained": _share([p for p in rest if p.role in AFFINE], chosen, extra),
    }


def _share(parameters: Sequence[Parameter], chosen: Policy, extra: dict[str, int]) -> float:
    """The share of the values of `parameters` that train; `extra` are those that train as a part of a tensor."""
    size = sum(parameter.size for parameter in parameters)
    trained = sum(p.size if chosen.trains(p) else extra.get(p.name, 0) for p in parameters)
    return trained / size if size else 0.0
