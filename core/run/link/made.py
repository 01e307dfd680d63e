"""The link of a run's network, as trained or with edits of its γ. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.run.edited import edited
from core.run.edits import Edit
from core.run.link.levels import Floats
from core.run.link.link import NoLink, encode
from core.run.link.words import LinkFacts
from core.run.spec import RunSpec


def link_of(spec: RunSpec, tensors: Mapping[str, Floats], top1: float | None, edits: Sequence[Edit] = ()) -> bytes:
    """The bytes of the link of a network after `edits`, which fit it; `top1` is the test accuracy of the run.

    `tensors`: what trained and the running statistics, by name, flat or in their shapes. Raises NoLink.
    """
    if not edits:
        return encode(spec, tensors, LinkFacts(top1))
    names = {norm.name: f"{norm.name}.weight" for norm in spec.plan.norms}
    touched = names if any(edit.layer is None for edit in edits) else {edit.layer or "" for edit in edits}
    if frozen := next((layer for layer in touched if names[layer] not in tensors), None):
        raise NoLink(
            f"under the policy {spec.policy} the γ of {frozen} are those of the seed, and a link has none that differ: "
            "undo the edits there"
        )
    trained = {layer: tensors[name].reshape(-1) for layer, name in names.items() if name in tensors}
    after = edited(trained, edits)
    changed = sum(int((after[layer] != gamma).sum()) for layer, gamma in trained.items())
    changes = {names[layer]: gamma for layer, gamma in after.items()}
    return encode(spec, {**tensors, **changes}, LinkFacts(None if changed else top1, changed))
