"""Runs and kinds of runs in words, outside the pages: for previews of links and reports."""

from __future__ import annotations

from collections.abc import Sequence

from app.views.browser import browser
from core.catalog.datasets import DATASETS
from core.catalog.policies import policy
from jobs.store.records import Run
from jobs.store.tallies import Tally

TOLD = 6
"""The most kinds of runs that are listed one by one."""


def name_of(run: Run) -> str:
    return run.spec.name or " · ".join(facts(run))


def sentence(run: Run) -> str:
    """The run in a sentence."""
    counts = run.counts
    trained = f"{counts.trainable:,} of {counts.total:,} parameters train ({counts.trainable / counts.total:.2%})"
    return f"{' · '.join(facts(run))}: {outcome(run)}. {trained}; the rest stay random.{from_browser(run)}"


def from_browser(run: Run) -> str:
    """Where it was trained, if in a browser, with both test accuracies, as a sentence behind others; else empty."""
    found = browser(run)
    if found is None or run.result is None:
        return "" if found is None else " Trained in a browser, not verified here."
    return (
        f" Trained in a browser, verified here: {found['correct']:,} of {found['images']:,} test images correct in the "
        f"browser, {found['found']:,} here."
    )


def facts(run: Run) -> tuple[str, str, str]:
    """Architecture, what trains, data set."""
    spec = run.spec
    return architecture_title(spec.architecture), policy(spec.policy).title, spec.data.title


def architecture_title(name: str) -> str:
    """resnet-14 -> ResNet-14; imagenet-resnet-50 -> ImageNet ResNet-50; the same as in static/server/catalog.js."""
    return name.upper().replace("RESNET", "ResNet").replace("IMAGENET-", "ImageNet ")


def outcome(run: Run) -> str:
    if run.top1 is None:
        return {"queued": "in the queue", "running": "training now"}.get(run.state, run.state)
    now = "" if run.state == "finished" else f" so far ({run.state})"
    return f"{run.top1:.1%} test accuracy{now}"


def count(kinds: Sequence[Tally]) -> str:
    runs = sum(kind.runs for kind in kinds)
    return f"{runs:,} {'run' if runs == 1 else 'runs'}"


def standing(kinds: Sequence[Tally]) -> str:
    """How many of the runs have finished."""
    finished, runs = sum(kind.finished for kind in kinds), sum(kind.runs for kind in kinds)
    return f"{count(kinds)}, all finished" if finished == runs else f"{finished:,} of {count(kinds)} finished"


def best(kinds: Sequence[Tally]) -> str:
    """The best accuracy of all in words; empty while there is none."""
    known = [kind.best for kind in kinds if kind.best is not None]
    return f"best {max(known):.1%}" if known else ""


def numbers(kinds: Sequence[Tally]) -> str:
    """How many finished, and the mean accuracy of each kind of run."""
    told = [f"{kind_of(kind, kinds)} {kind.mean:.1%}" for kind in kinds if kind.mean is not None]
    if not told:
        return f"{standing(kinds)}."
    more = f", and {len(told) - TOLD} more" if len(told) > TOLD else ""
    return f"{standing(kinds)}. Mean test accuracy: {', '.join(told[:TOLD])}{more}; {best(kinds)}."


def kind_of(kind: Tally, among: Sequence[Tally]) -> str:
    """The words that distinguish this kind from the others; without others, what trains."""
    said = (
        (policy(kind.policy).title, {one.policy for one in among}),
        (architecture_title(kind.architecture), {one.architecture for one in among}),
        (DATASETS[kind.dataset].title, {one.dataset for one in among}),
    )
    return " · ".join([words for words, values in said if len(values) > 1] or [said[0][0]])
