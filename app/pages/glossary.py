"""The words of this field and of this site, each explained once, for the hints on all pages and for About."""

from __future__ import annotations

from dataclasses import dataclass

from core.catalog.registry import Registry
from core.run.events import DISABLED_BELOW


@dataclass(frozen=True)
class Term:
    """A word with its explanation. Pages mark words with `name`; About lists `title`."""

    name: str
    title: str
    sentence: str


GLOSSARY: Registry[Term] = Registry(
    "term",
    (
        Term(
            "architecture", "Architecture", "The plan of a network: its layers, how wide they are and how they connect."
        ),
        Term(
            "batchnorm",
            "BatchNorm",
            "A layer that brings every channel to mean 0 and variance 1 in a batch, then scales it by γ and adds β.",
        ),
        Term("beta", "β (beta)", "What a norm layer adds to a channel: its shift, one number a channel."),
        Term(
            "capsule",
            "Capsule",
            "A trained network in kilobytes: the seed that draws its random weights again, and the few values that "
            "were trained.",
        ),
        Term("channel", "Channel", "One feature map of a layer: what one filter makes of the image."),
        Term("convolution", "Convolution", "A layer of small filters that look at every place of an image alike."),
        Term(
            "disabled",
            "Disabled feature",
            f"A channel whose |γ| is below {DISABLED_BELOW}: whatever its filter sees, almost nothing is passed on.",
        ),
        Term("epoch", "Epoch", "One pass over all training images."),
        Term("gamma", "γ (gamma)", "What a norm layer multiplies a channel by: its scale, one number a channel."),
        Term(
            "macs",
            "Multiply-adds",
            "How many multiplications with an addition one image needs: a measure of work that no machine changes.",
        ),
        Term(
            "norm", "Norm layer", "BatchNorm or one of its relatives: a layer that normalises, then scales and shifts."
        ),
        Term(
            "parameters", "Trainable parameters", "The numbers that training may change; all others keep their value."
        ),
        Term(
            "policy",
            "Policy",
            "Which parameters may train. “BatchNorm only” trains γ and β and leaves every other weight random.",
        ),
        Term(
            "random-k",
            "Random parameters",
            "A twin for comparison: as many trainable parameters, but picked by chance among the filters’ weights.",
        ),
        Term(
            "relu",
            "ReLU",
            "A function that replaces everything below 0 with 0. A channel that it makes 0 for every image is off.",
        ),
        Term(
            "replicate",
            "Replicate",
            "The same run once more with other random draws; several show how much of a result is luck.",
        ),
        Term("run", "Run", "One training of one architecture under one policy, with one set of random draws."),
        Term("seed", "Seed", "The number from which random draws follow: the same seed, the same network."),
        Term(
            "shortcut",
            "Shortcut",
            "The path of a residual network that passes a block by; where sizes change it has a small convolution.",
        ),
        Term("snapshot", "Snapshot", "A summary of all γ and β at one moment of a run."),
        Term("study", "Study", "A grid of runs with replicates that answers one question."),
        Term(
            "supermask",
            "Supermask",
            "A choice of the random weights that are used; the weights never change, only the choice trains.",
        ),
        Term(
            "test-accuracy", "Test accuracy", "The share of images, never trained on, that the network names rightly."
        ),
    ),
)


def marked(name: str, words: str) -> str:
    """HTML of `words` as a button that explains the term `name`. Raises UnknownName."""
    return f'<button type="button" class="term" data-term="{GLOSSARY[name].name}">{words}</button>'
