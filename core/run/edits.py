"""A request for surgery on a trained network: edits of γ, and what to look at. Imports no torch.

`core/trained/surgery.py` does it. It makes the edits one after another, each on the result of those before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from math import prod
from typing import Literal

from pydantic import Field, model_validator

from core.catalog.model import Misfit, Model
from core.catalog.tasks.tasks import task
from core.run.adaptation import Adaptation, CorruptionName, enough, obstacle
from core.run.cost import analysed_images
from core.run.link.link import obstacle as no_link
from core.run.names import TaskName
from core.run.pack import MOST
from core.run.spec import RunSpec

MAX_EDITS = 200
MAX_FEATURES = 20_000
"""The most single features that all edits together may name."""
MAX_MAPS = 64
"""The most feature maps that one look at an image gives."""
MAX_PIXELS = 196_608
"""The most bytes of an image: three channels of 256 × 256."""
MODEST_MACS = 1.6e12
"""The most multiply-adds of an evaluation, about 40 s on two ordinary cores; it looks at fewer images if necessary."""
LOOKED_AT_LEAST = 100
MAX_SIGHTS = 12
"""The most test images of which one request shows the corruptions."""
FAR = 2_000
"""A streamed data set opens its images one after another, so those from this number on are out of reach."""

Action = Literal["zero", "flip", "reset"]


def _unset(value: object) -> bool:
    """A request without the field keeps its digest."""
    return value is None


class BadEdits(ValueError):
    """Edits that do not fit the network; the message says which and what would be right. `field`: the dotted one to
    change, where it is a single one."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Edit(Model):
    """One edit: γ of some features becomes 0, changes its sign, or is again as trained.

    Of all layers, or of `layer`, or of its `features` alone. With `below`, of those features only whose γ, as it is at
    that moment, has |γ| < below.
    """

    action: Action = Field(description="zero: γ := 0; flip: γ := -γ; reset: as trained.")
    layer: str | None = Field(None, max_length=60, description="A norm layer, such as stage1.0.norm1; null: all.")
    features: tuple[int, ...] | None = Field(
        None, min_length=1, max_length=4096, description="Channels of `layer`, from 0; null: all."
    )
    below: float | None = Field(None, ge=0, le=100, description="Only where |γ| is below this.")

    @model_validator(mode="after")
    def _features_have_a_layer(self) -> Edit:
        if self.features is not None and self.layer is None:
            raise ValueError("features belong to a layer: name the layer, too")
        if self.features is not None and (min(self.features) < 0 or len(set(self.features)) < len(self.features)):
            raise ValueError("features must be distinct numbers, 0 or more")
        return self


class Look(Model):
    """An image to show to the network: number `index` of the test set, or `pixels`; and of which layer to show maps."""

    index: int | None = Field(None, ge=0, lt=10_000_000, description="Its number in the test set, from 0.")
    pixels: str | None = Field(
        None,
        max_length=MAX_PIXELS * 4 // 3 + 4,
        description="Base64 of its bytes, one per pixel: channels × height × width of the data set's images.",
    )
    task: TaskName | None = Field(
        None,
        exclude_if=_unset,
        description="As which task to see it; null: a test image as the run’s own task, pixels as they are.",
    )
    views: tuple[TaskName, ...] = Field(
        (), max_length=MOST, exclude_if=lambda views: not views, description="Show it as each of these tasks, too."
    )
    layer: str = Field(max_length=60, description="The norm layer whose feature maps to show.")
    first: int = Field(0, ge=0, le=100_000, description=f"The first of at most {MAX_MAPS} features to show.")

    @model_validator(mode="after")
    def _one_image(self) -> Look:
        if (self.index is None) == (self.pixels is None):
            raise ValueError("an image is either index, its number in the test set, or pixels")
        return self

    def raw(self) -> bytes | None:
        """The bytes of `pixels`. Raises BadEdits."""
        if self.pixels is None:
            return None
        try:
            return base64.b64decode(self.pixels, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadEdits("look.pixels is not valid base64") from error


class Sight(Model):
    """Some test images under a corruption, at every severity."""

    corruption: CorruptionName = Field(description="Which corruption.")
    count: int = Field(6, ge=1, le=MAX_SIGHTS, description="How many test images, evenly spread.")
    seed: int = Field(0, ge=0, lt=2**32, description="That of the adaptation.")


class SurgeryRequest(Model):
    """An evaluation of an edited network: over test images, or, with `look`, on a single image. With `adapt`, of the
    network as trained under corruptions and adapted to them; with `sight`, only what these look like; with `link`, of
    the network that its link opens."""

    edits: tuple[Edit, ...] = Field((), max_length=MAX_EDITS, description="Applied one after another.")
    look: Look | None = Field(None, description="Show a single image instead of measuring the accuracy.")
    adapt: Adaptation | None = Field(
        None, exclude_if=_unset, description="Adapt to corrupted test images without their labels instead."
    )
    sight: Sight | None = Field(None, exclude_if=_unset, description="Show corrupted test images instead.")
    link: Literal[True] | None = Field(
        None, exclude_if=_unset, description="Measure what the 8 bits of a link cost instead, after the edits."
    )

    @model_validator(mode="after")
    def _asks_one_thing(self) -> SurgeryRequest:
        asked = [name for name in ("look", "adapt", "sight", "link") if getattr(self, name)]
        if len(asked) > 1:
            raise Misfit(asked[1], f"one evaluation does one thing: leave out {' or '.join(asked)}")
        if self.edits and asked and asked[0] in ("adapt", "sight"):
            raise Misfit("edits", f"{asked[0]} works on the network as trained: leave out the edits")
        return self

    @property
    def digest(self) -> str:
        """SHA-256: equal digests, equal results."""
        rows = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(rows.encode()).hexdigest()


def check(request: SurgeryRequest, spec: RunSpec) -> None:
    """Raises BadEdits where `request` does not fit the network of `spec`."""
    channels = {norm.name: norm.channels for norm in spec.plan.norms}
    if not channels and (request.edits or request.look):
        raise BadEdits("this network's norm layers have no γ: there is nothing to edit and no layer to look at")
    if sum(len(edit.features or ()) for edit in request.edits) > MAX_FEATURES:
        raise BadEdits(f"all edits together may name {MAX_FEATURES:,} features; name whole layers instead")
    for number, edit in enumerate(request.edits):
        if edit.layer is None:
            continue
        _check_layer(f"edits.{number}.layer", edit.layer, spec, channels)
        wrong = [feature for feature in edit.features or () if feature >= channels[edit.layer]]
        if wrong:
            last = channels[edit.layer] - 1
            raise BadEdits(f"edits.{number}.features must be 0..{last} in {edit.layer}, got {wrong[0]}")
    if request.look:
        _check_look(request.look, spec, channels)
    if request.adapt:
        _check_adaptation(request.adapt, spec)
    if request.link and (reason := no_link(spec)):
        raise BadEdits(reason, "link")


def _check_look(look: Look, spec: RunSpec, channels: dict[str, int]) -> None:
    _check_layer("look.layer", look.layer, spec, channels)
    if look.first >= channels[look.layer]:
        raise BadEdits(f"look.first must be 0..{channels[look.layer] - 1} in {look.layer}, got {look.first}")
    reachable = min(spec.images[1], FAR) if spec.data.streamed else spec.images[1]
    if look.index is not None and look.index >= reachable:
        raise BadEdits(f"look.index must be 0..{reachable - 1}, got {look.index}")
    for name in filter(None, (look.task, *look.views)):
        try:
            task(name).check(spec.data)
        except Misfit as error:
            raise BadEdits(f"look.{error}", "look.task") from error
    raw = look.raw()
    if raw is not None and len(raw) != prod(spec.data.shape):
        shape = " × ".join(map(str, spec.data.shape))
        raise BadEdits(f"look.pixels must have {prod(spec.data.shape):,} bytes ({shape}), got {len(raw):,}")


def _check_adaptation(adaptation: Adaptation, spec: RunSpec) -> None:
    if reason := obstacle(spec.norm):
        raise BadEdits(reason, "adapt")
    most = _affordable_for(adaptation, spec)
    if adaptation.images is not None and adaptation.images > most:
        why = "" if most == spec.images[1] else " so that this does not take too long"
        raise BadEdits(f"adapt.images must be at most {most:,}{why}, got {adaptation.images:,}", "adapt.images")
    try:
        enough(adaptation, adaptation.images or most)
    except Misfit as error:
        raise BadEdits(f"adapt.{error}", f"adapt.{error.field}") from error


def _check_layer(field: str, name: str, spec: RunSpec, channels: dict[str, int]) -> None:
    if name not in channels:
        names = list(channels)
        some = ", ".join(names if len(names) <= 6 else [*names[:3], "...", names[-1]])
        raise BadEdits(f"{field} must be a norm layer of {spec.architecture} ({some}), got {name[:60]!r}")


def evaluated_images(spec: RunSpec) -> int:
    """How many test images an evaluation looks at: those of the analyses, so that accuracies can be compared with the
    stored ablation, or fewer of them where that would take too long."""
    affordable = max(LOOKED_AT_LEAST, int(MODEST_MACS / (2 * spec.plan.macs)))
    return min(analysed_images(spec), affordable)


def adapted_images(adaptation: Adaptation, spec: RunSpec) -> int:
    """How many test images an evaluation with `adaptation` looks at: as many as it asks for, or as time allows."""
    return adaptation.images or _affordable_for(adaptation, spec)


def _affordable_for(adaptation: Adaptation, spec: RunSpec) -> int:
    each = adaptation.macs(spec.plan, 1)
    return min(spec.images[1], max(LOOKED_AT_LEAST, int(MODEST_MACS / each)))
