"""The digests of what version 2 draws, for every initialiser, purpose and a few shapes.

python -m tests.core.draws.digests            # keeps them in digests.json
python -m tests.core.draws.digests --print    # prints those of this machine
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.catalog.initializers import NORM_INITIALIZERS, WEIGHT_INITIALIZERS
from core.draws.versions import drawn

SHAPES = ((16, 3, 3, 3), (64, 64, 3, 3), (32, 16, 1, 1), (10, 64), (256, 64))


def digests() -> dict[str, str]:
    """The SHA-256 of the bytes of each draw, by its words."""
    found = {}
    for initializer in WEIGHT_INITIALIZERS.values():
        for shape in SHAPES:
            found[f"{initializer.name} {shape}"] = _digest(initializer.values(shape, drawn(2, 1, "weight")))
    for norm in NORM_INITIALIZERS.values():
        found[f"{norm.name} 64"] = _digest(norm.gamma(64, drawn(2, 1, "norm")))
    found["order 1437"] = _digest(drawn(2, 1, 0).order(1437))
    found["mirrored 1000"] = _digest(drawn(2, 1, "augmentation", 0).coins(1000))
    found["shifts 1000 9"] = _digest(drawn(2, 1, "augmentation", 0).below((2, 1000), 9))
    found["choice 64 576"] = _digest(drawn(2, 1, "choice").ranks(64, 576))
    found["scores 64 576"] = _digest(drawn(2, 1, "choice").uniform((64, 576), -1 / 24, 1 / 24))
    return found


def _digest(values: NDArray[np.generic]) -> str:
    exact = values.astype(values.dtype.newbyteorder("<"))
    return hashlib.sha256(np.ascontiguousarray(exact).tobytes()).hexdigest()


if __name__ == "__main__":
    text = json.dumps(digests(), indent=2) + "\n"
    if "--print" in sys.argv:
        print(text)
    else:
        Path(__file__).with_name("digests.json").write_text(text)
