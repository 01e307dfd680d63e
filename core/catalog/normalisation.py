"""The kind of normalisation that a network uses in all its norm layers: a part of RunSpec. Imports no torch."""

from __future__ import annotations

from math import gcd

from pydantic import Field

from core.catalog.model import Model
from core.catalog.plan import Norm, NormKind

TITLES: dict[NormKind, str] = {
    "batch": "BatchNorm",
    "instance": "InstanceNorm",
    "group": "GroupNorm",
    "layer": "LayerNorm",
    "none": "no normalisation",
}


class Normalisation(Model):
    """Which statistics a norm layer uses, and whether it has γ and β."""

    kind: NormKind = Field(
        "batch",
        description="batch: over the batch; instance: each channel of an image; group: groups of channels of an "
        "image; layer: a whole image; none: γ and β without normalisation.",
    )
    affine: bool = Field(True, description="Whether norm layers have γ and β; false: normalisation only.")
    groups: int = Field(
        8, ge=1, le=512, description="Groups of channels (kind group); fewer where this does not divide the channels."
    )

    def layer(self, name: str, channels: int, stage: int, *, shortcut: bool = False) -> Norm:
        """The norm layer of this kind for `channels` channels."""
        groups = {"group": gcd(self.groups, channels), "layer": 1}.get(self.kind, 1)
        return Norm(name, channels, stage, shortcut, self.kind, self.affine, groups)

    @property
    def title(self) -> str:
        """In words: `BatchNorm`, `GroupNorm without γ and β`."""
        return TITLES[self.kind] + ("" if self.affine else " without γ and β")


BATCH = Normalisation()
