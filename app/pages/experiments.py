"""The questions as the landing page shows them: their cards, and their answers' words for the scripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from typing_extensions import TypedDict

from app.form.experiments import EXPERIMENTS, TWIN, Experiment
from app.preview.estimate import Estimate
from core.run.spec import RunSpec


class ExperimentView(TypedDict):
    """A question with the words of its answer; `estimate_s` is for all its runs, one after the other."""

    name: str
    sentence: str
    watch: str
    runs: list[dict[str, Any]]
    names: list[str]
    decides: list[int]
    quantity: str
    meaning: dict[str, str]
    claim: dict[str, str]
    estimate_s: Estimate


def view(experiment: Experiment, estimate: Callable[[RunSpec], Estimate]) -> ExperimentView:
    """`experiment` with its time on this server, computed by `estimate`."""
    return {
        "name": experiment.name,
        "sentence": experiment.sentence,
        "watch": experiment.watch,
        "runs": list(experiment.runs),
        "names": list(experiment.names),
        "decides": list(experiment.decides),
        "quantity": experiment.quantity,
        "meaning": asdict(experiment.meaning),
        "claim": asdict(experiment.claim),
        "estimate_s": together([estimate(RunSpec.model_validate(run)) for run in experiment.runs]),
    }


def together(estimates: Sequence[Estimate]) -> Estimate:
    """The range of several runs one after the other; its basis is the weakest of theirs."""
    return {
        "low": round(sum(one["low"] for one in estimates), 1),
        "high": round(sum(one["high"] for one in estimates), 1),
        "basis": "assumed" if any(one["basis"] == "assumed" for one in estimates) else "measured here",
        "runs": min(one["runs"] for one in estimates),
    }


def cards() -> str:
    """The HTML of the cards. The twin's question is not among them, but in the page's greeting."""
    return "".join(_card(experiment) for experiment in EXPERIMENTS.values() if experiment.name != TWIN)


def _card(experiment: Experiment) -> str:
    return (
        f'<li data-experiment="{experiment.name}"><h3>{escape(experiment.sentence)}</h3>'
        f"<p>{escape(experiment.watch)}</p>"
        f'<div class="experiment-actions"><button type="button" class="button small" disabled>'
        f"<span>Run {_number(len(experiment.runs))}</span></button>"
        f'<a href="/train">Open in the form</a> <span class="quiet" data-slot="takes">&nbsp;</span></div></li>'
    )


def _number(runs: int) -> str:
    return {2: "both", 3: "all three"}.get(runs, f"all {runs}")
