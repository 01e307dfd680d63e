"""Summaries of many runs, with what their newest snapshots say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.views.runs import RunSummary, RunView, layers, summary
from jobs.store.records import Run
from jobs.store.store import Store


def summaries(runs: Iterable[Run], store: Store, public_url: str | None = None) -> list[RunSummary]:
    """A summary of each of `runs`, in their order."""
    runs = list(runs)
    newest = store.curves.newest_disabled([run.id for run in runs if run.result is None and run.layers])
    return [summary(run, public_url, disabled_share(run, newest.get(run.id))) for run in runs]


def whole(run: Run, store: Store, public_url: str | None = None) -> RunView:
    """`run` with its layers."""
    return {**summaries([run], store, public_url)[0], "layers": layers(run)}


def disabled_share(run: Run, newest: Sequence[int] | None) -> float | None:
    """The share of disabled features at the end of `run`, or before that in its `newest` snapshot.

    `newest` has the disabled features of each norm layer. None where neither is known.
    """
    if run.result is not None:
        return run.result.disabled
    features = sum(layer.channels for layer in run.layers or ())
    return sum(newest) / features if newest and features else None
