"""What a spec means before it runs: its counts, the picture of its network, its command line, and warnings.

From plans and the file system alone; nothing is built and no torch is imported. `estimate.py` says how long it takes.
"""

from __future__ import annotations

import json
import shlex
from functools import lru_cache
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from app.estimate import Estimate
from core import cost
from core.architectures import catalog
from core.architectures.plan import Plan, Unit
from core.datasets.catalog import DATASETS
from core.policies import Policy, policy
from core.spec import Init, Recipe, RunSpec, Seeds

LONG_S = 3600.0
DOWNLOADS = {"fashion-mnist": "31 MB", "cifar-10": "170 MB"}
DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


class UnitPicture(TypedDict):
    """A convolution and its norm: `trained` and `norm_trained` are the shares (0..1) of their values that train."""

    conv: str
    channels: int
    kernel: int
    stride: int
    size: int
    trained: float
    norm_trained: float


class BlockPicture(TypedDict):
    """A residual block; `shortcut` is null where it is the identity."""

    stage: int
    units: list[UnitPicture]
    shortcut: UnitPicture | None


class OutputPicture(TypedDict):
    features: int
    classes: int
    trained: float


class Picture(TypedDict):
    """A network as a page draws it."""

    input_shape: tuple[int, int, int]
    stem: UnitPicture
    blocks: list[BlockPicture]
    output: OutputPicture


class Preview(TypedDict):
    """All that can be said of a run before it runs. `share` is trainable / total; `steps` of the whole run."""

    counts: dict[str, int]
    share: float
    macs_per_image: int
    steps: int
    estimate_s: Estimate
    cli: str
    plan: Picture
    warnings: list[str]


def preview(spec: RunSpec, estimate: Estimate, data: Path, fashion_mnist: Path | None = None) -> Preview:
    """The preview of `spec`; `data` and `fashion_mnist` are folders where images may lie (see `data_is_here`)."""
    plan = spec.plan
    counts = cost.counts(plan, spec.selection)
    return {
        "counts": counts.model_dump(),
        "share": counts.trainable / counts.total,
        "macs_per_image": plan.macs,
        "steps": spec.total_steps,
        "estimate_s": estimate,
        "cli": command_line(spec),
        "plan": picture(spec.architecture, spec.policy, spec.dataset),
        "warnings": warnings(spec, estimate, here=data_is_here(spec.dataset, data, fashion_mnist)),
    }


@lru_cache(maxsize=64)
def picture(architecture: str, policy_name: str, dataset: str) -> Picture:
    """The network of `architecture` for the images of `dataset`, with what `policy_name` trains in it.

    Callers must not change the answer: it is kept.
    """
    data = DATASETS[dataset]
    plan, chosen = catalog.plan(architecture, data.shape, len(data.classes)), policy(policy_name)
    return {
        "input_shape": plan.input_shape,
        "stem": _unit(plan.stem, chosen, plan),
        "blocks": [
            {
                "stage": block.stage,
                "units": [_unit(unit, chosen, plan) for unit in block.units],
                "shortcut": _unit(block.shortcut, chosen, plan) if block.shortcut else None,
            }
            for block in plan.blocks
        ],
        "output": {
            "features": plan.output.features,
            "classes": plan.output.classes,
            "trained": float("output" in chosen.roles),
        },
    }


def _unit(unit: Unit, chosen: Policy, plan: Plan) -> UnitPicture:
    conv = unit.convolution
    scattered = min(chosen.per_channel, conv.fan_in) / conv.fan_in
    return {
        "conv": conv.name,
        "channels": conv.outputs,
        "kernel": conv.kernel,
        "stride": conv.stride,
        "size": conv.size,
        "trained": 1.0 if conv.role in chosen.roles else round(scattered, 5),
        "norm_trained": len(chosen.roles & {"gamma", "beta"}) / 2,
    }


def command_line(spec: RunSpec) -> str:
    """The command that runs `spec` without the page; only what differs from the defaults is set."""
    words = ["python", "-m", "core", "train"]
    words += ["--architecture", spec.architecture, "--policy", spec.policy, "--dataset", spec.dataset]
    words += ["--epochs", str(spec.epochs), "--replicate", str(spec.replicate)]
    for field in ("train_examples", "test_examples"):
        if (value := getattr(spec, field)) is not None:
            words += [f"--{field.replace('_', '-')}", str(value)]
    if spec.name is not None:
        words += ["--name", spec.name]
    for part, usual in (("recipe", Recipe()), ("init", Init()), ("seeds", Seeds.of(spec.replicate))):
        chosen = getattr(spec, part)
        for key, value in chosen.model_dump(mode="json").items():
            # Of seeds the command line takes all or none.
            if value != usual.model_dump(mode="json")[key] or (part == "seeds" and chosen != usual):
                words += ["--set", f"{part}.{key}={_value(value)}"]
    words += ["--out", f"runs/{spec.architecture}-{spec.policy}-{spec.dataset}-{spec.replicate}"]
    return shlex.join(words)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def data_is_here(dataset: str, data: Path, fashion_mnist: Path | None = None) -> bool:
    """Whether the images of `dataset` are on this machine; if not, a run downloads them when it starts.

    `data` is the folder of ONLYBN_DATA and `fashion_mnist` the one that ONLYBN_FASHION_MNIST names.
    Looks for names only: a run that finds a file damaged says so itself.
    """
    if dataset == "cifar-10":
        return (data / "datasets" / "cifar-10-batches-py" / "test_batch").is_file()
    if dataset == "fashion-mnist":
        folders = (fashion_mnist or DEBIAN_FASHION_MNIST, data / "datasets" / "FashionMNIST" / "raw")
        names = ("train-images-idx3-ubyte.gz", "train-images-idx3-ubyte")
        return any((folder / name).is_file() for folder in folders for name in names)
    return True


def warnings(spec: RunSpec, estimate: Estimate, *, here: bool) -> list[str]:
    """What a person should know before the launch, one sentence each; `here`: the images are on this machine."""
    said: list[str] = []
    title = spec.data.title
    if not here:
        said.append(f"{title} is not on this server yet: the run downloads it first ({DOWNLOADS[spec.dataset]}).")
    wanted = spec.selection.per_channel
    capped = [c for c in spec.plan.convolutions if c.fan_in < wanted]
    if capped:
        layers = f"{len(capped)} of {len(spec.plan.convolutions)} convolutions"
        said.append(
            f"{layers} have fewer than {wanted} weights per output channel (the smallest has "
            f"{min(c.fan_in for c in capped)}): those train whole filters."
        )
    if spec.selection.name == "none":
        said.append("Nothing trains under this policy: only the running statistics change.")
    if estimate["low"] > LONG_S:
        said.append(
            f"This takes {duration(estimate['low'])} or more here; fewer epochs or fewer training images shorten it."
        )
    if spec.recipe.batch_size > spec.images[0]:
        said.append(
            f"One batch ({spec.recipe.batch_size} images) holds all {spec.images[0]} training images: "
            "an epoch is a single step."
        )
    return said


def duration(seconds: float) -> str:
    """`seconds` as a person says it, in one unit: 40 s, 12 min, 3.5 h, 2.1 days."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h")):
        if seconds < limit:
            amount = seconds / unit
            return f"{amount:.1f} {name}" if name == "h" and amount < 10 else f"{amount:.0f} {name}"
    return f"{seconds / 86_400:.1f} days"
