"""What a running run does at the moment, and why a queued one waits."""

from __future__ import annotations

from typing import Literal, TypeAlias

from jobs.store.records import Run

Phase: TypeAlias = Literal["preparing", "training", "testing", "analysing"]


def phase_of(run: Run) -> Phase | None:
    """What `run` does now; None unless it runs."""
    if run.state != "running":
        return None
    if run.analysed is not None:
        return "analysing"
    if run.tested is not None:
        return "testing"
    return "training" if run.step and run.claimed is None else "preparing"


def waits_for(run: Run) -> str | None:
    """Why no worker takes a queued `run`, whatever its place in the queue; None: it has its turn."""
    return f"Needs a worker with the label {run.label}; none is here." if run.no_worker else None
