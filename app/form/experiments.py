"""The questions that a visitor can ask with one click: the runs that answer each, and how the answer is put in words.

A question is one row of the table. The paper's questions, with replicates and verdicts, are studies (core/studies);
these are small, use the smallest data set, and can be watched from the first step to the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from app.form.fields import EXAMPLES
from core.catalog.paper import MARKS, PROVENANCE, QUOTES
from core.catalog.registry import Registry

EPOCHS = 30
TWIN = "random-twin"
"""The question of the landing page."""


@dataclass(frozen=True)
class Meaning:
    """What the difference means: if the first of the two deciding runs has more, less, or about the same."""

    more: str
    less: str
    same: str


@dataclass(frozen=True)
class Claim:
    """What the paper says about a question; `source` is empty if it says nothing that could be checked."""

    text: str
    source: str = ""


@dataclass(frozen=True)
class Experiment:
    """`sentence` is the question, `watch` says what to look for; `runs` are specs as the API takes them, `names` how an
    answer calls them. `decides`: the two runs whose difference in `quantity` is the answer."""

    name: str
    sentence: str
    watch: str
    runs: tuple[dict[str, Any], ...]
    names: tuple[str, ...]
    decides: tuple[int, int]
    meaning: Meaning
    claim: Claim
    quantity: Literal["test", "disabled"] = "test"


def _runs(*variants: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Runs that differ only in the fields of `variants`."""
    usual = {"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": EPOCHS}
    return tuple({**usual, **variant} for variant in variants)


def _quoted(name: str) -> Claim:
    quote = QUOTES[name]
    return Claim(quote.text, f"{quote.source}; {PROVENANCE[quote.tag].words}")


def _depths(*architectures: str) -> Claim:
    """The paper's accuracies of BatchNorm alone at some depths."""
    found = [
        mark
        for name in architectures
        for mark in MARKS
        if (mark.architecture, mark.policy, mark.quantity, mark.norm) == (name, "batchnorm", "top1", "uniform")
    ]
    values = ", ".join(f"{mark.value:.1f}% with ResNet-{mark.architecture.rpartition('-')[2]}" for mark in found)
    return Claim(f"γ and β alone reach {values} on CIFAR-10.", f"{found[0].source}; {PROVENANCE[found[0].tag].words}")


SILENT = Claim("We know of no number in the paper for this question that we could check.")
BEYOND = Claim("The paper does not ask this question.")
UNDECIDED = "With one run each, a difference this small may be chance."

EXPERIMENTS: Registry[Experiment] = Registry(
    "experiment",
    (
        Experiment(
            TWIN,
            "BatchNorm against the same number of random weights",
            "Two curves with 1,120 trainable parameters each: only one of them climbs.",
            EXAMPLES,
            ("scales and shifts", "random weights"),
            (0, 1),
            Meaning(
                "Both train the same number of parameters, so it matters which ones: scales and shifts select among "
                "the random features of every layer.",
                "Here the random weights did better, which is not what we expect. Look at both runs.",
                UNDECIDED,
            ),
            _quoted("abstract"),
        ),
        Experiment(
            "depth",
            "Does depth help random features?",
            "The same recipe at three depths. More layers, more γ and β: see whether the accuracy follows.",
            _runs({}, {"architecture": "resnet-32"}, {"architecture": "resnet-56"}),
            ("ResNet-14", "ResNet-32", "ResNet-56"),
            (2, 0),
            Meaning(
                "Deeper was better here: there are more random features, and more γ and β to select among them.",
                "Deeper was not better here: on a small data set and a few epochs, depth does not pay off.",
                UNDECIDED,
            ),
            _depths("resnet-14", "resnet-32", "resnet-56"),
        ),
        Experiment(
            "off",
            "Is a third of the features really off?",
            "With ten times the paper’s learning rate and weight decay, about a third of the features switch off; "
            "without decay hardly any do. Does it cost accuracy?",
            _runs(
                {"epochs": 60, "recipe": {"lr": 1.0, "weight_decay": 1e-3}},
                {"epochs": 60, "recipe": {"lr": 1.0, "weight_decay": 0.0}},
                {"epochs": 60, "recipe": {"lr": 1.0, "weight_decay": 1e-3}, "policy": "all"},
            ),
            ("with decay", "without decay", "all weights, with decay"),
            (0, 1),
            Meaning(
                "Weight decay switches features off; the accuracies show what that costs.",
                "Weight decay did not switch more features off here.",
                "Weight decay made no clear difference to how many features are off.",
            ),
            _quoted("third"),
            "disabled",
        ),
        Experiment(
            "gamma-or-beta",
            "Which does the work, γ or β?",
            "Scales only, shifts only, and both. Each alone has half as many parameters.",
            _runs({"policy": "gamma"}, {"policy": "beta"}, {}),
            ("γ only", "β only", "both"),
            (0, 1),
            Meaning(
                "The scales did more than the shifts, with the same number of parameters.",
                "The shifts did more than the scales, with the same number of parameters.",
                UNDECIDED,
            ),
            SILENT,
        ),
        Experiment(
            "output",
            "Is it enough to train the output layer?",
            "The last layer alone is the classical use of random features; BatchNorm reaches into every layer.",
            _runs({"policy": "output"}, {}, {"policy": "batchnorm+output"}),
            ("output layer", "γ and β", "both"),
            (1, 0),
            Meaning(
                "γ and β reach into every layer and did more than the last layer alone.",
                "The last layer alone did more than γ and β here.",
                UNDECIDED,
            ),
            SILENT,
        ),
        Experiment(
            "start",
            "Does the starting value of γ matter?",
            "γ drawn from U(0, 1), as in the paper, versus γ = 1, as in most networks.",
            _runs({}, {"init": {"norm": "ones"}}),
            ("γ from U(0, 1)", "γ = 1"),
            (1, 0),
            Meaning(
                "Starting from γ = 1 was better here.",
                "Starting from random γ was better here.",
                UNDECIDED,
            ),
            _quoted("alternate"),
        ),
        Experiment(
            "supermask",
            "Can selecting weights replace training them?",
            "A supermask keeps half of the random weights and changes none of them.",
            _runs({"policy": "supermask"}, {}),
            ("supermask", "γ and β"),
            (0, 1),
            Meaning(
                "Selecting random weights did better than training γ and β.",
                "Training γ and β did better than selecting random weights.",
                UNDECIDED,
            ),
            BEYOND,
        ),
    ),
)
