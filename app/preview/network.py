"""A network as a page draws it and lists its parts: its layers, and how much of each trains.

From its plan and what trains in it (`RunSpec.plan`, `RunSpec.trains`), without torch.
"""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict

from core.catalog.normalisation import Normalisation
from core.catalog.plan import AFFINE, ROLES, Parameter, Plan, Role, Unit, parameters_of
from core.catalog.policy import Policy, Trains


class UnitPicture(TypedDict):
    """A convolution and its norm, by their names in the module.

    The shares (0..1) that train: `trained` of the convolution's weights (of their scores, if it is `scored`),
    `bias_trained` of its biases (null if it has none), `norm_trained` of γ and β together.
    """

    conv: str
    norm: str
    channels: int
    kernel: int
    stride: int
    size: int
    trained: float
    scored: bool
    bias_trained: float | None
    norm_trained: float


class BlockPicture(TypedDict):
    """Units in a row. `pool`: a max-pool comes first; `residual`: the block has a shortcut (null: the identity)."""

    stage: int
    residual: bool
    pool: bool
    units: list[UnitPicture]
    shortcut: UnitPicture | None


class OutputPicture(TypedDict):
    features: int
    classes: int
    trained: float
    scored: bool


class NormPicture(TypedDict):
    """The norm layers: their kind in words, whether they have γ and β, and whether the policy trains either."""

    title: str
    affine: bool
    gamma: bool
    beta: bool


class Picture(TypedDict):
    """A network as a page draws it. `keep`: the share (0..1) of the scored weights that is used; 0: no scores."""

    input_shape: tuple[int, int, int]
    norm: NormPicture
    keep: float
    stem: UnitPicture
    blocks: list[BlockPicture]
    output: OutputPicture


class PartView(TypedDict):
    """One part: its role, its title, how many parameters it has and how many of them train, or have a score if it is
    `scored`."""

    role: Role
    title: str
    total: int
    trainable: int
    scored: bool


TITLES: dict[Role, str] = {
    "convolution": "Convolutions",
    "convolution-bias": "Convolution biases",
    "shortcut": "Shortcut convolutions",
    "gamma": "γ of the norm layers",
    "beta": "β of the norm layers",
    "output": "Output layer",
    "output-bias": "Output biases",
}
"""The title of a parameter's role."""


def picture(plan: Plan, trains: Trains, chosen: Policy, normalisation: Normalisation) -> Picture:
    """The network of `plan` with norm layers as in `normalisation`; `trains` is what the policy `chosen` trains."""
    return {
        "input_shape": plan.input_shape,
        "norm": {
            "title": normalisation.title,
            "affine": normalisation.affine,
            "gamma": "gamma" in chosen.roles,
            "beta": "beta" in chosen.roles,
        },
        "keep": chosen.keep,
        "stem": _unit(plan.stem, trains),
        "blocks": [
            {
                "stage": block.stage,
                "residual": block.residual,
                "pool": block.pool is not None,
                "units": [_unit(unit, trains) for unit in block.units],
                "shortcut": _unit(block.shortcut, trains) if block.shortcut else None,
            }
            for block in plan.blocks
        ],
        "output": {
            "features": plan.output.features,
            "classes": plan.output.classes,
            "trained": _share(plan.parameters[-2:], trains),
            "scored": _scored(plan.parameters[-2], trains),
        },
    }


def parts(plan: Plan, trains: Trains) -> list[PartView]:
    """The parts that `plan` has, with what trains in each; the sums are those of `cost.counts`."""
    members = {role: [p for p in plan.parameters if p.role == role] for role in ROLES}
    return [
        {
            "role": role,
            "title": TITLES[role],
            "total": plan.count(role),
            "trainable": _trained(those, trains),
            "scored": _scored(those[0], trains),
        }
        for role, those in members.items()
        if those
    ]


def _unit(unit: Unit, trains: Trains) -> UnitPicture:
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
        "trained": _share([weight], trains),
        "scored": _scored(weight, trains),
        "bias_trained": _share(bias, trains) if bias else None,
        "norm_trained": _share([p for p in rest if p.role in AFFINE], trains),
    }


def _trained(parameters: Sequence[Parameter], trains: Trains) -> int:
    return sum(trains[p.name].count for p in parameters if p.name in trains)


def _scored(weight: Parameter, trains: Trains) -> bool:
    """Whether the entries of `weight` have scores that train, and not the weight itself."""
    return weight.name in trains and trains[weight.name].how == "scores"


def _share(parameters: Sequence[Parameter], trains: Trains) -> float:
    size = sum(parameter.size for parameter in parameters)
    return _trained(parameters, trains) / size if size else 0.0
