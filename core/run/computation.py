"""γ and β that are computed instead of trained: for which networks, from which teacher, and what came of it. No torch.

A run whose recipe says `least-squares` trains a small network, its teacher, and then computes γ and β of its own random
network, so that it answers as the teacher (core/trained/computed.py does that).
"""

from __future__ import annotations

from pydantic import Field

from core.catalog.architectures import parse
from core.catalog.model import Model
from core.catalog.normalisation import Normalisation
from core.catalog.plan import Plan

LEAST_SQUARES = "least-squares"
"""The optimizer of a recipe by which nothing but the teacher trains."""
IMAGES = 2048
"""Training images, without augmentation, that γ and β are computed from, if there are so many and they fit."""
HELD = 1 << 26
"""Numbers of a layer that stay in memory for all images (256 MB)."""
TEACHERS = {"resnet": "resnet-{number}", "wrn": "resnet-14"}
"""By family: the network of width 1."""


class Unlike(ValueError):
    """The student cannot be computed from this teacher; the message says why."""


class ComputedLayer(Model):
    """One solved norm layer: how many of its `channels` are in use, and the share of its target's variance that they
    explain."""

    name: str
    channels: int
    used: int
    explained: float


class Computed(Model):
    """How the γ and β of a run were computed. `images`: how many training images they come from."""

    teacher: str = Field(description="The teacher's architecture.")
    teacher_digest: str = Field(description="SHA-256 of its trained tensors and running statistics.")
    teacher_top1: float = Field(description="The teacher's test accuracy, 0..1.")
    images: int
    layers: tuple[ComputedLayer, ...]


def teacher_of(architecture: str) -> str | None:
    """The network of width 1 that teaches `architecture`; None where none can."""
    family, number = parse(architecture)
    return TEACHERS[family.name].format(number=number) if family.name in TEACHERS else None


def obstacle(architecture: str, policy: str, norm: Normalisation, start: str | None) -> str | None:
    """Why γ and β of a run cannot be computed; None: they can."""
    if policy != "batchnorm":
        return f"{LEAST_SQUARES} computes γ and β and nothing else, so the policy must be batchnorm, got {policy}"
    if norm.kind != "batch" or not norm.affine:
        return f"{LEAST_SQUARES} needs BatchNorm with γ and β"
    if teacher_of(architecture) is None:
        return f"{LEAST_SQUARES} knows resnet-N and wrn-14-N, got {architecture}"
    return f"{LEAST_SQUARES} needs random weights, so the run cannot start from a file" if start else None


def check(teacher: Plan, student: Plan) -> None:
    """Raises Unlike if the student is not the teacher with wider layers."""
    for plan in (teacher, student):
        kinds = {(unit.norm.kind, unit.norm.affine) for unit in plan.units()}
        plain = all(block.residual and len(block.units) == 2 and not block.pool for block in plan.blocks)
        if kinds != {("batch", True)} or not plain or plan.stem.convolution.kernel != 3:
            raise Unlike(f"{plan.architecture}: only resnet-N and wrn-14-N with BatchNorm can be computed")
    if teacher.input_shape != student.input_shape or teacher.output.classes != student.output.classes:
        raise Unlike("teacher and student must be for the same images and classes")
    if [bool(b.shortcut) for b in teacher.blocks] != [bool(b.shortcut) for b in student.blocks] or any(
        own.outputs < other.outputs for own, other in zip(student.convolutions, teacher.convolutions, strict=False)
    ):
        raise Unlike(
            f"{student.architecture} is not {teacher.architecture} with more channels: it needs as many blocks, and no "
            "fewer channels in any layer"
        )


def most_images(teacher: Plan, student: Plan, *, last_only: bool = False) -> int:
    """How many images fit into memory."""
    kept = student if last_only else teacher
    narrow = max(conv.outputs * conv.size**2 for conv in kept.convolutions)
    last = student.blocks[-1].units[-1].convolution
    return int(HELD // max(narrow, last.outputs * last.size**2))
