"""Runs as the API and the feed show them: the JSON shapes, and functions that fill them. No database, no requests."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from app.views.browser import BrowserView, browser
from app.views.cleaned import cleaned
from app.views.phase import Phase, phase_of, waits_for
from core.run.events import Finished, Started
from jobs.store.records import Run, Unreadable

DIGITS = 5
"""Significant digits of the numbers in the feed and in lists; downloads of points and snapshots are not rounded."""


class LayerView(TypedDict):
    """A norm layer."""

    name: str
    channels: int
    stage: int
    shortcut: bool


class ProgressView(TypedDict):
    """The progress of a run.

    `phase`: what a running run does now, else null. `share` is step / total_steps; `tested` is the share of the test
    set that the test under way has seen, null while the run trains; `analysed` is the finished share of the analyses at
    the end, null before them. Speeds and times are null until the trainer has reported them.
    """

    phase: Phase | None
    step: int
    total_steps: int
    share: float
    tested: float | None
    analysed: float | None
    images_per_s: float | None
    elapsed_s: float | None
    eta_s: float | None


class ErrorView(TypedDict):
    kind: str | None
    message: str | None


class ExampleView(TypedDict):
    """Marks a run that came with the project: what it shows, in a sentence, and the machine that trained it."""

    shows: str
    machine: str


class UsageView(TypedDict):
    """Memory of the training in bytes: of its (first) process, now and at most, and the same on its GPU; null if
    unknown. For a run that has ended, these are the last values.
    """

    memory_bytes: int | None
    peak_bytes: int | None
    gpu_bytes: int | None
    gpu_peak_bytes: int | None


class PlaceView(TypedDict):
    """Where a run trains: `processor` names the CPU, null if unknown; `threads` is the number for each process."""

    processor: str | None
    threads: int
    processes: int


class LostView(TypedDict):
    """What of a run was deleted, and when: its trained network, and with `curves` its curves and snapshots, too."""

    at: float
    curves: bool


class RunSummary(TypedDict):
    """A run as lists and the feed show it. Times are Unix seconds; `position` is 1 for the next run in the queue.

    `own_seeds`: the spec's seeds that do not derive from the replicate, by purpose. `findings`: whether GET
    /api/runs/{id}/findings has results. `study`: the study that launched the run, whose owner token can also cancel
    it; null for a single run. `example`: null for a run that was trained here. `unattended`: it runs on a worker that
    has not been heard of for a while; another one takes it over. `pinned`: nothing of it is ever deleted.
    `lost`: what of it was deleted to make room; null: nothing. `in_study`: a study needs it, so it cannot be deleted.
    `study_name`: what that study studies. `question`: the one of the first page that it was launched for. `note` and
    `tags`: what its owner says about it. `began_at`: the step at which this attempt began; null: it has not. `label`:
    only a worker with it takes the run; `waits_for`: why no worker takes it now, in a sentence; null: it has its turn.
    `disabled`: the share of disabled features in the newest snapshot; null before the first. `browser`: a browser
    trained it, and a worker here verifies it; null: a worker trains it.
    """

    id: str
    name: str | None
    url: str
    spec: dict[str, Any]
    own_seeds: dict[str, int]
    state: str
    progress: ProgressView
    attempt: int
    counts: dict[str, int]
    position: int | None
    created_at: float
    started_at: float | None
    finished_at: float | None
    checkpoint_step: int | None
    began_at: int | None
    device: str | None
    engine: str | None
    place: PlaceView | None
    usage: UsageView | None
    top1: float | None
    disabled: float | None
    result: dict[str, Any] | None
    findings: bool
    study: str | None
    example: ExampleView | None
    error: ErrorView | None
    cancel_requested: bool
    unattended: bool
    pinned: bool
    lost: LostView | None
    in_study: bool
    study_name: str | None
    question: str | None
    note: str | None
    tags: list[str]
    label: str | None
    waits_for: str | None
    browser: BrowserView | None


class RunView(RunSummary):
    """A run with its norm layers (null until it has started), in the order in which snapshots list them."""

    layers: list[LayerView] | None


class UnreadableView(TypedDict):
    """A run that this version cannot read, with the `reason`. The fields that lists sort by are known even so."""

    id: str
    name: str | None
    url: str
    state: str
    created_at: float
    architecture: str
    policy: str
    dataset: str
    epochs: int
    replicate: int
    reason: str


class RunsPage(TypedDict):
    """One page of a list; `total` counts all matches. `unreadable`: runs on this page that cannot be shown."""

    runs: list[RunSummary]
    unreadable: list[UnreadableView]
    total: int


class Launched(TypedDict):
    """A new run. `owner_token` is shown only once; it lets its holder cancel the run. `webhook_secret`: with which the
    receiver of its webhook checks messages; null: it has none."""

    id: str
    url: str
    owner_token: str
    webhook_secret: str | None


def run_url(run_id: str, public_url: str | None = None) -> str:
    """The link of a run; an absolute path if the public address is unknown."""
    return f"{public_url or ''}/run?id={run_id}"


def summary(run: Run, public_url: str | None = None, disabled: float | None = None) -> RunSummary:
    """`run` without its layers; `disabled` is for summaries.py."""
    return {
        "id": run.id,
        "name": run.spec.name,
        "url": run_url(run.id, public_url),
        "spec": run.spec.model_dump(mode="json"),
        "own_seeds": run.spec.own_seeds,
        "state": run.state,
        "progress": {
            "phase": phase_of(run),
            "step": run.step,
            "total_steps": run.total_steps,
            "share": short(run.step / run.total_steps) if run.total_steps else 0.0,
            "tested": maybe_short(run.tested),
            "analysed": maybe_short(run.analysed),
            "images_per_s": maybe_short(run.images_per_s),
            "elapsed_s": maybe_short(run.elapsed_s),
            "eta_s": maybe_short(run.eta_s),
        },
        "attempt": run.attempt,
        "counts": run.counts.model_dump(),
        "position": run.position,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "checkpoint_step": run.checkpoint_step,
        "began_at": run.started.resumed_from or 0 if run.started and run.started.attempt == run.attempt else None,
        "device": run.started.device if run.started else None,
        "engine": run.started.engine or None if run.started else None,
        "place": place(run.started),
        "usage": usage(run),
        "top1": run.top1,
        "disabled": maybe_short(disabled),
        "result": result(run.result),
        "findings": run.has_findings,
        "study": run.study,
        "example": {"shows": run.example.shows, "machine": run.example.machine} if run.example else None,
        "error": {"kind": run.error_kind, "message": cleaned(run.error_message or "")} if run.error_kind else None,
        "cancel_requested": run.cancel_requested,
        "unattended": run.unattended,
        "pinned": run.pinned,
        "lost": lost(run),
        "in_study": run.in_study,
        "study_name": run.study_name,
        "question": run.question,
        "note": cleaned(run.note) if run.note else None,
        "tags": list(run.tags),
        "label": run.label,
        "waits_for": waits_for(run),
        "browser": browser(run),
    }


def unreadable(run: Unreadable, public_url: str | None = None) -> UnreadableView:
    return {
        "id": run.id,
        "name": run.name,
        "url": run_url(run.id, public_url),
        "state": run.state,
        "created_at": run.created_at,
        "architecture": run.architecture,
        "policy": run.policy,
        "dataset": run.dataset,
        "epochs": run.epochs,
        "replicate": run.replicate,
        "reason": cleaned(run.reason),
    }


def place(started: Started | None) -> PlaceView | None:
    if started is None:
        return None
    return {
        "processor": started.processor or None,
        "threads": started.threads,
        "processes": started.processes,
    }


def usage(run: Run) -> UsageView | None:
    if run.usage is None:
        return None
    return {
        "memory_bytes": run.usage.memory_bytes,
        "peak_bytes": run.usage.peak_bytes,
        "gpu_bytes": run.usage.gpu_bytes,
        "gpu_peak_bytes": run.usage.gpu_peak_bytes,
    }


def lost(run: Run) -> LostView | None:
    at = run.evicted_at or run.dropped_at
    return None if at is None else {"at": at, "curves": run.evicted_at is not None}


def layers(run: Run) -> list[LayerView] | None:
    if (found := run.layers) is None:
        return None
    return [
        {"name": layer.name, "channels": layer.channels, "stage": layer.stage, "shortcut": layer.shortcut}
        for layer in found
    ]


def result(finished: Finished | None) -> dict[str, Any] | None:
    return finished.model_dump(exclude={"event"}) if finished else None


def short(value: float) -> float:
    """`value` to five significant digits, which halves what the feed sends."""
    return float(f"{value:.{DIGITS}g}")


def maybe_short(value: float | None) -> float | None:
    return None if value is None else short(value)
