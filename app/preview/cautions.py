"""Warnings about a spec itself before it runs: a table of short functions, one sentence each.

`preview.py` has the warnings that depend on this server (its speed, its data).
"""

from __future__ import annotations

from collections.abc import Callable

from core.catalog.initializers import NORM_INITIALIZERS
from core.catalog.plan import AFFINE
from core.run.computation import LEAST_SQUARES
from core.run.spec import RunSpec

ADAM_LR = 0.01
ADAM_AFFINE_LR = 0.5
"""γ and β tolerate far larger steps than weights do (tests/benchmarks/recipes.py)."""
SMALLEST_PIXELS = 1


def _capped(spec: RunSpec) -> str | None:
    """For random weights: some filters have fewer weights than the policy asks for."""
    wanted = spec.selection.per_channel
    convolutions = spec.plan.convolutions
    capped = [conv for conv in convolutions if conv.fan_in < wanted]
    if not capped:
        return None
    layers = f"{len(capped)} of {len(convolutions)} convolutions have fewer than {wanted} weights per output channel"
    smallest = f"the smallest has {min(conv.fan_in for conv in capped)}"
    return f"{layers} ({smallest}); there, whole {'layers' if spec.selection.spread else 'filters'} train."


def _nothing(spec: RunSpec) -> str | None:
    if spec.selection.name != "none":
        return None
    changes = "only the running statistics change" if spec.norm.kind == "batch" else "the network stays as it is"
    return f"Nothing trains under this policy: {changes}."


def _scores(spec: RunSpec) -> str | None:
    if not spec.selection.keep:
        return None
    if spec.selection.roles:
        return (
            "Every weight that stays frozen has a score and keeps its value. The counts shown include the scores, and "
            "weight decay applies to scores and parameters alike."
        )
    return (
        "Only scores train, one for each weight; no weight changes its value. The counts shown are of scores, and "
        "weight decay applies to them."
    )


def _frozen_norms(spec: RunSpec) -> str | None:
    """For a policy that does not train γ and β: the values at which they stay make a difference."""
    frozen = spec.policy == "all-but-batchnorm" or (spec.selection.keep and not spec.selection.roles & AFFINE)
    if not frozen or not spec.norm.affine:
        return None
    return f"γ and β keep their initial values: {NORM_INITIALIZERS[spec.init.norm].title}."


def _missing_stages(spec: RunSpec) -> str | None:
    there = {norm.stage for norm in spec.plan.norms}
    missing = sorted((spec.selection.stages or frozenset()) - there)
    if not missing:
        return None
    listed, has = " or ".join(map(str, missing)), ", ".join(map(str, sorted(there)))
    return f"{spec.architecture} has no norm layers in stage {listed}; its stages are {has}."


def _missing_shortcuts(spec: RunSpec) -> str | None:
    if "shortcut" not in spec.policy.split("+") or spec.plan.count("shortcut"):
        return None
    return f"{spec.architecture} has no projection shortcuts: only the other parts train."


def _other_norms(spec: RunSpec) -> str | None:
    """Policies say BatchNorm even if the network has another norm layer in its place."""
    if spec.norm.kind == "batch" or not spec.norm.affine or not spec.selection.roles & AFFINE:
        return None
    place = "γ and β without normalisation" if spec.norm.kind == "none" else f"{spec.norm.title} layers"
    return f"Where the policy says BatchNorm, this network has {place}."


def _no_gamma(spec: RunSpec) -> str | None:
    if spec.norm.affine:
        return None
    what = "no norm layers" if spec.norm.kind == "none" else "norm layers without γ and β"
    return f"This network has {what}, so the γ panels are empty."


def _unnormalised(spec: RunSpec) -> str | None:
    if spec.norm.kind != "none":
        return None
    return "Without normalisation the signal may grow or vanish from layer to layer; deep networks often diverge."


def _fewer_groups(spec: RunSpec) -> str | None:
    norms = [unit.norm for unit in spec.plan.units()]
    fewer = [norm for norm in norms if norm.kind == "group" and norm.groups != spec.norm.groups]
    if not fewer:
        return None
    return (
        f"{len(fewer)} of {len(norms)} norm layers have fewer than {spec.norm.groups} groups, because that does not "
        "divide their channels."
    )


def _single_pixel(spec: RunSpec) -> str | None:
    small = [conv for conv in spec.plan.convolutions if conv.size <= SMALLEST_PIXELS and conv.kernel > 1]
    if not small:
        return None
    _, height, width = spec.plan.input_shape
    return (
        f"Images of {height}×{width} pixels are small for {spec.architecture}: {len(small)} of its convolutions see "
        "only one pixel."
    )


def _large_rate(spec: RunSpec) -> str | None:
    roles, scores = spec.selection.roles, spec.selection.keep
    bearable, usual = (ADAM_AFFINE_LR, 0.2) if roles and roles <= AFFINE and not scores else (ADAM_LR, 0.001)
    if spec.recipe.optimizer in ("sgd", LEAST_SQUARES) or spec.recipe.lr <= bearable:
        return None
    return f"Adam's steps are about as long as the learning rate: {spec.recipe.lr:g} is large; {usual:g} is usual."


def _long_warmup(spec: RunSpec) -> str | None:
    if spec.recipe.warmup_epochs < spec.epochs:
        return None
    return f"The warm-up of {spec.recipe.warmup_epochs:g} epochs lasts the whole run, so the learning rate only rises."


def _computed(spec: RunSpec) -> str | None:
    teacher = spec.teacher
    if teacher is None:
        return None
    return (
        f"SGD trains all parameters of another random {teacher.architecture} by this recipe; then γ and β of this "
        "network are computed from it by least squares. Nothing in this network trains."
    )


def _single_step(spec: RunSpec) -> str | None:
    batch, images = spec.recipe.batch_size, spec.images[0]
    if batch <= images:
        return None
    return f"One batch ({batch} images) holds all {images} training images, so an epoch is a single step."


CAUTIONS: tuple[Callable[[RunSpec], str | None], ...] = (
    _computed,
    _nothing,
    _scores,
    _frozen_norms,
    _other_norms,
    _no_gamma,
    _unnormalised,
    _missing_stages,
    _missing_shortcuts,
    _capped,
    _fewer_groups,
    _single_pixel,
    _large_rate,
    _long_warmup,
    _single_step,
)


def cautions(spec: RunSpec) -> list[str]:
    """All warnings that apply to `spec`."""
    return [sentence for caution in CAUTIONS if (sentence := caution(spec))]
