"""The images that ship for browsers, which train and test without a server: `python -m core.data.browser`.

A file is compressed by gzip: N bytes of labels, then N × H × W × C bytes of pixels. The images of a smaller set are the
first ones of the order by which a spec with `train_examples` or `test_examples` takes its own (docs/draw.md), so a spec
trains on the same images here and there.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from core.data.memory import Split, load
from core.draws.versions import Version

FOLDER = Path(__file__).parents[2] / "static" / "engine" / "data"
SHIPPED: dict[str, tuple[int | None, int | None]] = {"digits": (None, None), "fashion-mnist": (2500, 600)}
"""How many images of each data set ship, to train and to test; None: all."""
DRAW: Version = 2


def files(datasets: Path) -> dict[str, bytes]:
    """The files by their names. `datasets`: the folder of data sets. Raises DataUnavailable."""
    found = {}
    for name, counts in SHIPPED.items():
        for kind, split, count in zip(("train", "test"), load(name, datasets), counts, strict=True):
            found[f"{name}-{kind}.bin.gz"] = _packed(split.first(count, DRAW))
    return found


def _packed(split: Split) -> bytes:
    pixels = split.images.permute(0, 2, 3, 1).contiguous().numpy().tobytes()
    return gzip.compress(bytes(split.labels.tolist()) + pixels, 9, mtime=0)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, body in files(Path("data/datasets")).items():
        (FOLDER / name).write_bytes(body)
        print(f"{name}: {len(body):,} bytes")
