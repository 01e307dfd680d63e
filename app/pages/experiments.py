"""The Train page's experiments as a list of cards; the script beside it adds times and lets people run them."""

from __future__ import annotations

from html import escape

from app.pages.questions import EXPERIMENTS, Experiment

HEAD = """
<section class="experiments" aria-labelledby="experiments-title">
  <h2 id="experiments-title">Or ask a question</h2>
"""


def skeleton() -> str:
    """The cards. The first experiment stands above them, in the page's greeting."""
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
