"""The experiments that the Train page offers as sentences: what each asks, the runs that answer it, and their cards.

An experiment is one row of the table. The paper's questions, with replicates and verdicts, are studies (core/studies);
experiments are small, use the smallest data set, and can be watched from the first step to the last. The page's script
adds times and the buttons' actions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from typing_extensions import TypedDict

from app.form.fields import EXAMPLES
from app.preview.estimate import Estimate
from core.catalog.registry import Registry
from core.run.spec import RunSpec

EPOCHS = 30
HEAD = """
<section class="experiments" aria-labelledby="experiments-title">
  <h2 id="experiments-title">Or ask a question</h2>
"""


@dataclass(frozen=True)
class Experiment:
    """`sentence` is the question on the card, `watch` says what to look for; `runs` are specs as the API takes them."""

    name: str
    sentence: str
    watch: str
    runs: tuple[dict[str, Any], ...]


class ExperimentView(TypedDict):
    """An experiment as the page shows it; `estimate_s` is for all its runs, one after the other."""

    name: str
    sentence: str
    watch: str
    runs: list[dict[str, Any]]
    estimate_s: Estimate


def _runs(*variants: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Runs that differ only in the fields of `variants`."""
    usual = {"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": EPOCHS}
    return tuple({**usual, **variant} for variant in variants)


EXPERIMENTS: Registry[Experiment] = Registry(
    "experiment",
    (
        Experiment(
            "random-twin",
            "BatchNorm against the same number of random parameters",
            "Two curves, 1,120 trainable parameters each: only one of them climbs.",
            EXAMPLES,
        ),
        Experiment(
            "depth",
            "Does depth help random features?",
            "The same recipe at three depths. More layers, more γ and β: see whether the accuracy follows.",
            _runs({}, {"architecture": "resnet-32"}, {"architecture": "resnet-56"}),
        ),
        Experiment(
            "off",
            "Is a third of the features really off?",
            "Steps and decay ten times the paper’s switch off about a third, no decay hardly any: is that worse?",
            _runs(
                {"epochs": 60, "recipe": {"lr": 1.0, "weight_decay": 1e-3}},
                {"epochs": 60, "recipe": {"lr": 1.0, "weight_decay": 0.0}},
                {"epochs": 60, "recipe": {"lr": 1.0, "weight_decay": 1e-3}, "policy": "all"},
            ),
        ),
        Experiment(
            "gamma-or-beta",
            "Which does the work, γ or β?",
            "Scales only, shifts only, and both. The halves have half the parameters of the whole.",
            _runs({"policy": "gamma"}, {"policy": "beta"}, {}),
        ),
        Experiment(
            "output",
            "Is it enough to train the output layer?",
            "The last layer alone is the classical use of random features; BatchNorm reaches into every layer.",
            _runs({"policy": "output"}, {}, {"policy": "batchnorm+output"}),
        ),
        Experiment(
            "start",
            "Does it matter where γ starts?",
            "γ drawn from U(0, 1), as in the paper, against γ = 1, as in most networks.",
            _runs({}, {"init": {"norm": "ones"}}),
        ),
        Experiment(
            "supermask",
            "Can choosing weights replace training them?",
            "A supermask keeps half of the random weights and changes none of them.",
            _runs({"policy": "supermask"}, {}),
        ),
    ),
)


def view(experiment: Experiment, estimate: Callable[[RunSpec], Estimate]) -> ExperimentView:
    """`experiment` with its time on this server, computed by `estimate`."""
    return {
        "name": experiment.name,
        "sentence": experiment.sentence,
        "watch": experiment.watch,
        "runs": list(experiment.runs),
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


def skeleton() -> str:
    """The HTML of the cards. The first experiment is not among them, but in the page's greeting."""
    cards = "".join(_card(experiment) for experiment in list(EXPERIMENTS.values())[1:])
    return (
        f'{HEAD}<ul>{cards}</ul><p class="problem" data-slot="experiments-problem" role="alert" hidden></p></section>'
    )


def _card(experiment: Experiment) -> str:
    return (
        f'<li data-experiment="{experiment.name}"><h3>{escape(experiment.sentence)}</h3>'
        f"<p>{escape(experiment.watch)}</p>"
        f'<div class="experiment-actions"><button type="button" class="button small" disabled>'
        f"<span>Run {_number(len(experiment.runs))}</span></button>"
        f'<a href="/">Open in the form</a> <span class="quiet" data-slot="takes">&nbsp;</span></div></li>'
    )


def _number(runs: int) -> str:
    return {2: "both", 3: "all three"}.get(runs, f"all {runs}")
