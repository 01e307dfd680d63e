"""The paper's questions before anything runs: what each claims, costs and plots at each scale. No requests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from typing_extensions import TypedDict

from core.catalog.copies import CopyUnusable, copy_of
from core.catalog.datasets import DATASETS
from core.catalog.paper import PROVENANCE
from core.documents.forest import forest
from core.studies import costs
from core.studies.against import paper_differences, paper_in_words, paper_setting, setting_in_words
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.figures import figure
from core.studies.spec import SCALES, Scale, StudyUnavailable


class ScaleView(TypedDict):
    """A question at one scale before anything runs. `unavailable` says why it cannot run here, else null.

    `seconds` is the expected time on two ordinary cores, or corrected by this server's last runs (see `basis`).
    `figure` has the paper's marks and none of our runs.
    """

    runs: int
    macs: float
    seconds: float | None
    basis: str
    unavailable: str | None
    figure: dict[str, Any] | None
    setting: str


class QuestionView(TypedDict):
    """A question: its claim, where the paper says it, and its three scales. `here`: what exactly our test asks for.

    `checked`: whether somebody has compared the wording of the claim with the paper; `own`: the question is ours.
    `paper`: its differences in words, or a dash; `paper_setting`: on what data, empty where they are not known;
    `drawing`: an SVG of them, for as long as there are none of ours.
    `words` of a quote explain its tag, which tells how the paper says it.
    """

    name: str
    title: str
    question: str
    claim: str
    here: str
    checked: bool
    own: bool
    source: str
    paper: str
    paper_setting: str
    drawing: str
    quotes: list[dict[str, str]]
    scales: dict[str, ScaleView]


def refusal(name: str, scale: Scale, largest: Scale) -> str | None:
    """Why visitors may not launch study `name` at `scale` on a server that allows scales up to `largest`, or None."""
    if SCALES.index(scale) <= SCALES.index(largest):
        return None
    return (
        f"This server runs studies up to the scale {largest}. On a machine of your own: "
        f"python -m core studies run {name} --scale {scale}"
    )


def question(name: str, pace: float | None, largest: Scale) -> QuestionView:
    """Study `name` at all scales. `pace`: seconds here per estimated second; `largest`: see `refusal`."""
    named = STUDIES[name]
    return {
        "name": name,
        "title": named.title,
        "question": named.question,
        "claim": named.claim,
        "here": named.here,
        "checked": named.checked,
        "own": named.own,
        "source": named.source,
        "paper": paper_in_words(named),
        "paper_setting": paper_setting(named),
        "drawing": forest(named.criterion, None, paper_differences(name)),
        "quotes": [
            {"text": quote.text, "source": quote.source, "tag": quote.tag, "words": PROVENANCE[quote.tag].words}
            for quote in named.quotes
        ],
        "scales": {scale: _scale(name, scale, pace, largest) for scale in SCALES},
    }


def _scale(name: str, scale: Scale, pace: float | None, largest: Scale) -> ScaleView:
    try:
        cost, drawn, setting = _before(name, scale)
    except StudyUnavailable as error:
        # Not cached: the data set may be there at the next request.
        return {
            "runs": 0,
            "macs": 0.0,
            "seconds": None,
            "basis": "",
            "unavailable": str(error),
            "figure": None,
            "setting": "",
        }
    training = cost.seconds - cost.runs * costs.START_S
    return {
        "runs": cost.runs,
        "macs": cost.macs,
        "seconds": round(cost.runs * costs.START_S + training * (pace or 1.0)),
        "basis": "on two ordinary cores" if pace is None else "at the speed of this server's last runs",
        "unavailable": refusal(name, scale, largest),
        "figure": drawn,
        "setting": setting,
    }


@cache  # as many as there are questions and scales
def _before(name: str, scale: Scale) -> tuple[costs.Cost, dict[str, Any], str]:
    """The cost of a study at a scale, its figure without runs, and its setting in words. Raises StudyUnavailable."""
    named, study = STUDIES[name], study_spec(name, scale)
    cost = costs.study_cost(study)
    drawn = figure(named.plot, named.criterion.quantity_at(scale), study, [], named.marks)
    return cost, drawn.model_dump(mode="json"), setting_in_words(study, study.replicates)


def prepare(should_stop: Callable[[], bool] = lambda: False) -> None:
    """Compute in advance what no visitor should wait seconds for: which copies of data sets are here, and the constant
    parts of all questions."""
    for data in DATASETS.values():
        with suppress(CopyUnusable):  # who asks for it is told
            copy_of(data)
    for name in STUDIES:
        for scale in SCALES:
            if should_stop():
                return
            with suppress(StudyUnavailable):
                _before(name, scale)
