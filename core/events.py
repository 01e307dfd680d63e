"""What a training says while it runs: one model an event, one JSON object a line. Imports no torch.

The numbers in Point, Snapshot, Checkpointed and Finished depend on the spec, the machine and the thread count
only; everything that depends on the clock is in Progress, so that a resumed run repeats the rest to the bit.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from core.spec import Model

BIN_WIDTH = 0.06
BINS = 65
EDGES: tuple[float, ...] = tuple(round((i - BINS / 2) * BIN_WIDTH, 4) for i in range(BINS + 1))
"""Edges of the γ and β histograms: 65 bins of 0.06 from -1.95 to 1.95, the middle one centred on zero.
Counts have two more entries, one below the first edge and one above the last."""

DISABLED_BELOW = 0.01
"""A feature is disabled where |γ| < 0.01, strictly (paper section 5)."""

QUANTILES: tuple[float, ...] = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

Split = Literal["train", "test"]
FailureKind = Literal["diverged", "data_unavailable", "out_of_memory", "error", "crash_loop"]


class Layer(Model):
    """A norm layer, as Started lists them; snapshots follow the same order."""

    name: str
    channels: int
    stage: int
    shortcut: bool


class Counts(Model):
    """Numbers of parameters."""

    total: int
    trainable: int
    batchnorm: int
    output: int
    shortcut: int


class Started(Model):
    """The first event of an attempt. `resumed_from` is the step of the checkpoint that it goes on from."""

    event: Literal["started"] = "started"
    spec_digest: str
    attempt: int
    resumed_from: int | None
    total_steps: int
    steps_per_epoch: int
    train_examples: int
    test_examples: int
    counts: Counts
    layers: tuple[Layer, ...]
    device: str
    threads: int
    torch: str


class Point(Model):
    """A value of the curves after `step` optimiser steps.

    train: mean loss and top-1 of the batches since the last train point, in train mode, and the lr of the last
    step. test: mean over the whole test set in evaluation mode; `lr` is null. `top1` is a share in 0..1.
    """

    event: Literal["point"] = "point"
    step: int
    epoch: float
    split: Split
    loss: float
    top1: float
    lr: float | None = None


class Distribution(Model):
    """γ (or β) of every norm layer: per layer BINS + 2 counts and one value for each of QUANTILES."""

    counts: tuple[tuple[int, ...], ...]
    quantiles: tuple[tuple[float, ...], ...]


class Snapshot(Model):
    """γ and β at one moment; `disabled` is the number of disabled features per layer."""

    event: Literal["snapshot"] = "snapshot"
    step: int
    epoch: float
    gamma: Distribution
    beta: Distribution
    disabled: tuple[int, ...]


class Progress(Model):
    """How far the run is and how fast it goes, about once a second. `phase` says what it does now."""

    event: Literal["progress"] = "progress"
    step: int
    total_steps: int
    phase: Split
    images_per_s: float
    elapsed_s: float
    eta_s: float | None


class Checkpointed(Model):
    """A checkpoint was written, or found and resumed from; `file` is its name in the run's folder."""

    event: Literal["checkpointed"] = "checkpointed"
    step: int
    file: str
    sha256: str
    size_bytes: int


class Finished(Model):
    """The run is complete. `top1` and `loss` are those of the last epoch on the test set, never of the best.

    `digest` is the SHA-256 over the trained tensors and running statistics: equal digests, equal networks.
    """

    event: Literal["finished"] = "finished"
    step: int
    epoch: float
    top1: float
    loss: float
    train_top1: float
    train_loss: float
    trainable: int
    disabled: float
    digest: str
    seconds: float


class Stopped(Model):
    """The run was asked to stop after `step` steps; its checkpoint is written, and it can go on later."""

    event: Literal["stopped"] = "stopped"
    step: int


class Failed(Model):
    """The run cannot go on; `message` says why in words for a person."""

    event: Literal["failed"] = "failed"
    step: int
    kind: FailureKind
    message: str


Event = Annotated[
    Started | Point | Snapshot | Progress | Checkpointed | Finished | Stopped | Failed,
    Field(discriminator="event"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""`EVENT.validate_json(line)` reads one line."""
