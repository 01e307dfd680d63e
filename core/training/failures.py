"""What can go wrong with a training, as the Failed event that tells a person."""

from __future__ import annotations

from math import log

import torch

from core.data.memory import DataUnavailable
from core.network.group import Group
from core.network.scores import Scores
from core.run.events import EVENT, Failed
from core.run.recipe import Recipe
from core.run.spec import RunSpec
from core.trained.start import BadStart

FAR = 100
"""A loss this many times that of guessing is one of a training that has diverged."""


class Diverged(Exception):
    """The loss is no longer a finite number."""

    def __init__(self, step: int, recipe: Recipe) -> None:
        super().__init__(f"The loss became infinite or NaN by step {step}. Try a smaller lr than {recipe.lr:g}.")
        self.step = step


def far_off(spec: RunSpec, train: Scores, test: Scores) -> str | None:
    """What a person should know of the losses that a run ends with; None where they are of a usual size."""
    guessing = log(len(spec.data.classes))
    if train.loss is not None and train.loss > FAR * guessing:
        return (
            f"The training diverged: its loss ended at {train.loss:.2g}; guessing gives {guessing:.2g}. "
            f"Try a smaller lr than {spec.recipe.lr:g}."
        )
    if test.loss is None:
        return "The test loss is not finite: for some test images the network's output is infinite or NaN."
    return None


def failure(spec: RunSpec, step: int, error: Exception) -> Failed | None:
    """The event for `error` after `step` steps; None where it is a bug of ours, whose traceback must be seen."""
    if isinstance(error, DataUnavailable):
        return Failed(step=step, kind="data_unavailable", message=str(error))
    if isinstance(error, BadStart):
        return Failed(step=step, kind="error", message=f"{str(error)[:1].upper()}{str(error)[1:]}.")
    if isinstance(error, Diverged):
        return Failed(step=error.step, kind="diverged", message=str(error))
    # The CPU allocator reports a lack of memory as a plain RuntimeError.
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
        return Failed(
            step=step,
            kind="out_of_memory",
            message=f"{spec.architecture} at batch size {spec.recipe.batch_size} does not fit into memory. "
            "Try a smaller batch_size or a smaller network.",
        )
    if isinstance(error, OSError):
        return Failed(step=step, kind="storage", message=f"Cannot write the run's files: {error.strerror or error}.")
    return None


def failure_elsewhere(group: Group, error: Exception) -> Failed:
    """The failure of another process, for which this one waited in vain. Raises `error` where there is none."""
    words = group.last_words() if isinstance(error, RuntimeError) else None
    failed = EVENT.validate_json(words) if words else None
    if not isinstance(failed, Failed):
        raise error
    return failed
