"""What a running run does at the moment."""

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
    return "training" if run.step else "preparing"
