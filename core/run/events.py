"""What a training says while it runs: one model an event, one JSON object a line. Imports no torch.

The numbers in Measured, Snapshot, Checkpointed and Finished depend on the spec, the machine and the thread count
only; everything that depends on the clock is in Progress and Warned, so that a resumed run repeats the rest to the bit.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, TypeAdapter, model_serializer, model_validator

from core.catalog.model import Model
from core.run.findings import Findings

BIN_WIDTH = 0.06
BINS = 65
EDGES: tuple[float, ...] = tuple(round((i - BINS / 2) * BIN_WIDTH, 4) for i in range(BINS + 1))
"""Edges of the γ and β histograms: 65 bins of 0.06 from -1.95 to 1.95, the middle one centred on zero.
Counts have two more entries, one below the first edge and one above the last."""

DISABLED_BELOW = 0.01
"""A feature is disabled where |γ| < 0.01, strictly (paper section 5)."""

QUANTILES: tuple[float, ...] = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

Split = Literal["train", "test"]
FailureKind = Literal[
    "diverged", "data_unavailable", "out_of_memory", "error", "crash_loop", "time_limit", "storage", "unverified"
]


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
    """The first event of an attempt. `resumed_from` is the step of the checkpoint that it goes on from.

    `taken`: what the run took from the file that it starts from, in a sentence; `engine`: what computes it, in words.
    `threads` are those of each of the `processes`; `processor` is the name of the CPU, empty where nobody says it.
    `verifies`: a browser has trained it, and this attempt verifies what it says.
    """

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
    processes: int = 1
    torch: str
    engine: str = ""
    processor: str = ""
    taken: str | None = None
    verifies: bool = Field(False, exclude_if=lambda verifies: not verifies)


class Point(NamedTuple):
    """What is measured after `step` optimiser steps: the one list of quantities, from which events, table, feed and
    downloads take theirs.

    train: mean cross-entropy and accuracy of the batches since the last train point, in train mode, and the lr of the
    last step; at the end of an epoch, of the whole epoch. test: mean over the whole test set in evaluation mode; `lr`
    is null. At step 0 the running statistics have seen nothing, so the first training batch's take their place. `top1`
    and `top5` are shares in 0..1. A test's `loss` is null where it is no finite number.
    """

    step: int
    epoch: float
    split: Split
    loss: float | None
    top1: float
    top5: float | None = None
    lr: float | None = None


class Measured(Model):
    """A point of the curves, whose fields stand beside `event` in the line."""

    event: Literal["point"] = "point"
    point: Point

    @property
    def step(self) -> int:
        return self.point.step

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, said: dict[str, Any]) -> dict[str, Any]:
        if "point" in said:
            return said
        fields = dict(said)
        return {"event": fields.pop("event", "point"), "point": fields}

    @model_serializer
    def _spread(self) -> dict[str, Any]:
        return {"event": self.event, **self.point._asdict()}


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
    """How far the run is, how fast it goes and what it takes, about once a second.

    `memory_bytes`, `peak_bytes`: memory of the (first) process that trains, now and at most so far, without those that
    open its images; `gpu_bytes`, `gpu_peak_bytes`: what it has taken of its GPU. None where nobody says it.

    `tested` is the share of the test set that the test under way has seen, 0..1; None while it trains. `analysed` is
    how much of the analyses at the end is done, 0..1; None before.
    """

    event: Literal["progress"] = "progress"
    step: int
    total_steps: int
    tested: float | None = None
    analysed: float | None = None
    images_per_s: float
    elapsed_s: float
    eta_s: float | None
    memory_bytes: int | None = None
    peak_bytes: int | None = None
    gpu_bytes: int | None = None
    gpu_peak_bytes: int | None = None


class Checkpointed(Model):
    """A checkpoint was written, or found and resumed from; `file` is its name in the run's folder."""

    event: Literal["checkpointed"] = "checkpointed"
    step: int
    file: str
    sha256: str
    size_bytes: int


class Analysed(Model):
    """What the analyses of the trained network found, just before Finished."""

    event: Literal["analysed"] = "analysed"
    step: int
    findings: Findings


class Finished(Model):
    """The run is complete. `top1` and `loss` are those of the last epoch on the test set, never of the best;
    `train_top1` and `train_loss` are means over the whole last epoch.

    `digest` is the SHA-256 over the trained tensors and running statistics: equal digests, equal networks.
    """

    event: Literal["finished"] = "finished"
    step: int
    epoch: float
    top1: float
    loss: float | None
    train_top1: float
    train_loss: float
    top5: float | None = None
    trainable: int
    disabled: float
    digest: str
    seconds: float


class Warned(Model):
    """The run goes on, but a person should know this; `message` says it in words. Said once an attempt."""

    event: Literal["warned"] = "warned"
    step: int
    message: str


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
    Started | Measured | Snapshot | Progress | Warned | Checkpointed | Analysed | Finished | Stopped | Failed,
    Field(discriminator="event"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""`EVENT.validate_json(line)` reads one line."""
