"""The questions as a table, in the order of the page: what the paper claims, what we run at each scale, what decides.

Each has a file of its own; those that the paper leaves open are in beyond/. Imports no torch.
"""

from __future__ import annotations

from functools import lru_cache

from core.catalog.registry import Registry
from core.studies.catalog import (
    chance,
    depth,
    depth_or_width,
    gamma,
    imagenet,
    norm_init,
    output_and_depth,
    random_k,
    relu_off,
    subsets,
    threshold,
    vgg,
    weight_init,
    wide_subsets,
    width,
    without_batchnorm,
)
from core.studies.catalog.beyond import biases, lumped, norm_kind
from core.studies.named import NamedStudy
from core.studies.spec import Axis, Scale, StudySpec

STUDIES: Registry[NamedStudy] = Registry(
    "study",
    tuple(
        module.STUDY
        for module in (
            depth,
            width,
            depth_or_width,
            random_k,
            subsets,
            without_batchnorm,
            gamma,
            threshold,
            relu_off,
            norm_init,
            weight_init,
            imagenet,
            chance,
            output_and_depth,
            wide_subsets,
            vgg,
            norm_kind,
            biases,
            lumped,
        )
    ),
)


@lru_cache(64)
def study_spec(name: str, scale: Scale) -> StudySpec:
    """Named study `name` at `scale`. Raises UnknownName."""
    grid = STUDIES[name].grids[scale]
    axes = tuple(Axis(field=field, values=values) for field, values in grid.axes.items())
    return StudySpec(study=name, scale=scale, base=dict(grid.base), axes=axes, replicates=grid.replicates)
