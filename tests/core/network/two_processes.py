"""What two processes make of some specs: `torchrun --nproc-per-node 2 -m tests.core.network.two_processes FILE`.

The first writes to FILE, as JSON, the points of each run, by how much the gradients differ from those of torch's
DistributedDataParallel, and what it says when the second one fails.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from core.network.builder import build
from core.network.group import Group, join
from core.run.events import Finished, Measured
from core.run.spec import RunSpec
from core.training.loop import train

LAST_BATCH_OF_TWO = 130
"""Images in batches of 64: the second process has no image of the last batch."""


def spec(policy: str, kind: str = "batch", **recipe: Any) -> RunSpec:
    """A small run whose last batch is very small."""
    return RunSpec.model_validate(
        {
            "architecture": "resnet-8",
            "policy": policy,
            "dataset": "digits",
            "epochs": 2,
            "train_examples": LAST_BATCH_OF_TWO,
            "test_examples": 65,
            "recipe": {"batch_size": 64, "lr": 0.02, **recipe},
            "norm": {"kind": kind},
        }
    )


SPECS = {
    "layer": spec("all", "layer"),
    "group, smoothed": spec("batchnorm", "group", label_smoothing=0.1),
    "batch": spec("batchnorm"),
    "batch, synchronised": spec("all", sync_batchnorm=True, precision="fp32"),
    "nothing trains": spec("none", "layer"),
}


def difference_to_ddp(group: Group) -> float:
    """The largest difference of a gradient, relative to the largest gradient, on a batch that divides."""
    run = spec("all", "group")
    images = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(16) % 10
    rows = group.part.cut(0, 16)
    ours, theirs = (build(run.plan, run.init, seed=1) for _ in range(2))
    (F.cross_entropy(ours(images[rows]), labels[rows], reduction="sum") / 16).backward()
    group.add_gradients(ours.parameters())
    parallel = nn.parallel.DistributedDataParallel(theirs)
    F.cross_entropy(parallel(images[rows]), labels[rows]).backward()
    pairs = [(a.grad, b.grad) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)]
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs if a is not None and b is not None)


def one_fails(group: Group) -> dict[str, Any]:
    """The last event where the second process runs out of memory at its third step, and how long that took."""
    asked = iter(range(10))

    def out_of_memory() -> bool:
        if next(asked) == 2:
            raise MemoryError
        return False

    began = time.monotonic()
    own = {} if group.part.first else {"should_stop": out_of_memory}
    *_, last = train(SPECS["layer"], device="cpu", group=group, analyses=False, **own)
    return {"event": last.model_dump(), "seconds": time.monotonic() - began}


def main() -> None:
    torch.set_num_threads(1)
    group = join(torch.device("cpu"))
    assert group is not None
    found: dict[str, Any] = {"difference to DDP": difference_to_ddp(group)}
    for name, run in SPECS.items():
        events = list(train(run, device="cpu", group=group, analyses=False))
        assert isinstance(events[-1], Finished), events[-1]
        digests = [None, None]
        torch.distributed.all_gather_object(digests, events[-1].digest)
        points = [event.model_dump() for event in events if isinstance(event, Measured)]
        found[name] = {"points": points, "digests": digests}
    group.wait()
    found["one fails"] = one_fails(group)
    if group.part.first:
        Path(sys.argv[1]).write_text(json.dumps(found))
    os._exit(0)  # as `python -m core`, which says why


if __name__ == "__main__":
    main()
