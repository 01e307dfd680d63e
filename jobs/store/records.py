"""What the store hands out and takes in: frozen records of a run, its curves and its log. No SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.run.events import Analysed, Checkpointed, Counts, Finished, Layer, Point, Progress, Snapshot, Started, Warned
from core.run.spec import RunSpec

ID_PATTERN = r"^[A-Za-z0-9_-]{6,40}$"
"""What the id of a run, a study or an evaluation may look like. static/server/catalog.js has it, too."""

Group = Literal["study", "question"]
"""What a list of runs can keep together."""
Mode = Literal["open", "paused", "drained"]
"""Of the queue. Paused: no run begins. Drained: nothing new is accepted, and the queue is worked off."""
State = Literal["queued", "running", "finished", "failed", "cancelled"]
STATES: tuple[State, ...] = ("queued", "running", "finished", "failed", "cancelled")
TERMINAL: frozenset[State] = frozenset({"finished", "failed", "cancelled"})
RESUMABLE: frozenset[State] = frozenset({"failed", "cancelled"})
"""States from which who launched the run may have it go on."""

LogKind = Literal[
    "submitted",
    "claimed",
    "started",
    "resumed",
    "requeued",
    "checkpoint",
    "warning",
    "crashed",
    "lost",
    "released",
    "cancelling",
    "cancelled",
    "finished",
    "failed",
]
Verdict = Literal["ok", "cancel", "lost"]
"""What the store answers to a supervisor: go on; stop, somebody cancelled; stop, the run is no longer yours."""


@dataclass(frozen=True, slots=True)
class ExampleMark:
    """That a run came with the project: the name of its files, what it shows, and the machine that trained it."""

    name: str
    shows: str
    machine: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What the trainer of a run takes: now and at most, of the memory and of its GPU. None: it did not say."""

    memory_bytes: int | None
    peak_bytes: int | None
    gpu_bytes: int | None
    gpu_peak_bytes: int | None


@dataclass(frozen=True, slots=True)
class Machine:
    """What a worker says of its machine: free bytes are those of its data folder; `load` as the system counts it, the
    mean number of busy threads within a minute. None: the system does not say.
    """

    processor: str
    cores: int
    load: float | None
    memory_bytes: int | None
    disk_bytes: int | None
    disk_free_bytes: int | None


@dataclass(frozen=True, slots=True)
class WorkerNow:
    """A worker that lives: how many runs it can hold and holds. `machine`: None of a worker of an older version.
    `trouble`: why it takes no runs; `note`: what works worse than it should; None: nothing. `labels`: what it offers to
    runs that ask for it."""

    host: str
    slots: int
    running: int
    machine: Machine | None
    trouble: str | None = None
    note: str | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the store knows it now. Times are Unix seconds; `position` is 1 for the next in the queue.

    `study` is the id of the study that launched it, whose owner is the run's; `study_name` names what it studies.
    `unattended`: it runs on a worker that has not been heard of for a while. `pinned`: nothing of it is ever deleted.
    `evicted_at`: when its curves, snapshots and trained network were deleted; `dropped_at`: when only the network was.
    `in_study`: a study needs it, so it cannot be removed. `note`, `tags`: what its owner says about it; `question`: the
    one that it was launched for. `label`: only a worker with it takes the run; `no_worker`: it waits and no such worker
    takes runs now. `claimed`: the result as the browser that trained it says; None: it is trained here.
    """

    id: str
    spec: RunSpec
    state: State
    attempt: int
    worker: str | None
    created_at: float
    started_at: float | None
    finished_at: float | None
    cancel_requested: bool
    step: int
    total_steps: int
    tested: float | None
    analysed: float | None
    images_per_s: float | None
    elapsed_s: float | None
    eta_s: float | None
    checkpoint_step: int | None
    counts: Counts
    started: Started | None
    result: Finished | None
    error_kind: str | None
    error_message: str | None
    top1: float | None
    has_findings: bool
    position: int | None
    study: str | None
    study_name: str | None
    example: ExampleMark | None
    usage: Usage | None
    unattended: bool = False
    pinned: bool = False
    evicted_at: float | None = None
    dropped_at: float | None = None
    in_study: bool = False
    note: str | None = None
    tags: tuple[str, ...] = ()
    question: str | None = None
    label: str | None = None
    no_worker: bool = False
    claimed: Finished | None = None

    @property
    def layers(self) -> tuple[Layer, ...] | None:
        """Its norm layers; None until it has started, or has the curves of a browser."""
        if self.started or not self.claimed:
            return self.started.layers if self.started else None
        norms = self.spec.plan.norms
        return tuple(Layer(name=n.name, channels=n.channels, stage=n.stage, shortcut=n.shortcut) for n in norms)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A run that the models of this version refuse, with what its row says beside them, and `reason`: why."""

    id: str
    name: str | None
    state: State
    attempt: int
    created_at: float
    architecture: str
    policy: str
    dataset: str
    epochs: int
    replicate: int
    reason: str


@dataclass(frozen=True, slots=True)
class StoredSpeed:
    """How fast a run trained at `step`: a moving average over some 50 steps. `id` is a cursor."""

    id: int
    step: int
    images_per_s: float


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A snapshot without its layers: `gamma` and `beta` are counts summed over them, `disabled` is per layer."""

    id: int
    step: int
    epoch: float
    gamma: list[int]
    beta: list[int]
    disabled: list[int]


@dataclass(frozen=True, slots=True)
class LogRow:
    """A thing that happened to a run, in words."""

    id: int
    at: float
    attempt: int
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A run at one moment, with what is new of its curves, and its whole log. Each point comes with its cursor."""

    run: Run
    points: list[tuple[int, Point]]
    snapshots: list[StoredSnapshot]
    speeds: list[StoredSpeed]
    log: list[LogRow]


@dataclass(frozen=True, slots=True)
class Health:
    """What the installation does now. `workers`: those that live and take runs. `macs_per_s`: multiply-adds a second of
    recent runs, None before the first. `troubles`: what is wrong with workers, in sentences. `mode`: of the queue."""

    workers: int
    queued: int
    running: int
    macs_per_s: float | None
    troubles: tuple[str, ...] = ()
    mode: Mode = "open"


@dataclass(frozen=True, slots=True)
class Managed:
    """A run as the operator sees it; also removed ones, and such that cannot be read."""

    id: str
    name: str | None
    state: State
    architecture: str
    policy: str
    dataset: str
    created_at: float
    pinned: bool
    removed_at: float | None
    evicted_at: float | None
    example: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """What a trainer said since the last flush. An empty batch is a mere sign of life."""

    points: tuple[Point, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    progress: Progress | None = None
    started: Started | None = None
    checkpointed: Checkpointed | None = None
    warned: tuple[Warned, ...] = ()
    analysed: Analysed | None = None
