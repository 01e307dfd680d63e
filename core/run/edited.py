"""γ after edits, on arrays: what surgery and the link of an edited network compute alike. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.run.edits import Edit

Floats = NDArray[np.float32]


def edited(trained: Mapping[str, Floats], edits: Sequence[Edit]) -> dict[str, Floats]:
    """The γ of every norm layer by its name, (channels,), after `edits`, one after another, on the `trained` ones."""
    gammas = {name: gamma.copy() for name, gamma in trained.items()}
    for edit in edits:
        for name in gammas if edit.layer is None else (edit.layer,):
            gammas[name] = _after(edit, gammas[name], trained[name])
    return gammas


def _after(edit: Edit, gamma: Floats, trained: Floats) -> Floats:
    chosen = np.ones(len(gamma), bool)
    if edit.features is not None:
        chosen[:] = False
        chosen[list(edit.features)] = True
    if edit.below is not None:
        chosen &= np.abs(gamma) < np.float32(edit.below)
    becomes = {"zero": np.zeros_like(gamma), "flip": -gamma, "reset": trained}[edit.action]
    return np.where(chosen, becomes, gamma)
