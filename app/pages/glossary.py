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
            "adaptation",
            "Adaptation",
            "The network follows other test images without their labels: their statistics, then steps of γ and β "
            "towards certain predictions.",
        ),
        Term(
            "architecture", "Architecture", "The structure of a network: its layers, their widths and how they connect."
        ),
        Term(
            "batchnorm",
            "BatchNorm",
            "A layer that normalises every channel to mean 0 and variance 1 over a batch, then scales it by γ "
            "and adds β.",
        ),
        Term("beta", "β (beta)", "The shift of a norm layer: one number per channel, which it adds."),
        Term(
            "capsule",
            "Capsule",
            "A trained network in kilobytes: the seed that reproduces its random weights, and the few trained values.",
        ),
        Term(
            "pack",
            "Pack",
            "Several tasks over one random network in one file: each has only its own γ, β and statistics.",
        ),
        Term(
            "task",
            "Task",
            "A variant of a data set: rotated images, permuted pixels, or half of the classes.",
        ),
        Term("channel", "Channel", "One feature map of a layer: the output of one filter."),
        Term(
            "corruption",
            "Corruption",
            "A change of the test images, such as noise or blur, at one of five severities. The stored images stay.",
        ),
        Term("convolution", "Convolution", "A layer of small filters, each applied at every position of an image."),
        Term(
            "disabled",
            "Disabled feature",
            f"A channel whose |γ| is below {DISABLED_BELOW}: it passes on almost nothing, whatever its filter sees.",
        ),
        Term(
            "condition",
            "Condition number",
            "How much stronger the network’s answer follows γ in its best direction than in its worst; 1 is even.",
        ),
        Term("epoch", "Epoch", "One pass over all training images."),
        Term("gamma", "γ (gamma)", "The scale of a norm layer: one number per channel, by which it multiplies."),
        Term(
            "macs",
            "Multiply-adds",
            "The number of multiply-and-add operations per image: a machine-independent measure of work.",
        ),
        Term(
            "norm", "Norm layer", "BatchNorm or one of its relatives: a layer that normalises, then scales and shifts."
        ),
        Term(
            "parameters", "Trainable parameters", "The numbers that training may change; all others keep their values."
        ),
        Term(
            "policy",
            "Policy",
            "Which parameters may train. “BatchNorm only” trains γ and β and leaves every other weight random.",
        ),
        Term(
            "random-k",
            "Random weights",
            "For comparison: the same number of trainable parameters, picked at random among the filters’ weights.",
        ),
        Term(
            "relu",
            "ReLU",
            "A function that sets everything below 0 to 0. A channel that it sets to 0 for every image is off.",
        ),
        Term(
            "replicate",
            "Replicate",
            "A repetition of a run with other random draws; several show how much of a result is luck.",
        ),
        Term("run", "Run", "One training of one architecture under one policy, with one set of random draws."),
        Term("seed", "Seed", "The number that determines all random draws: the same seed gives the same network."),
        Term(
            "shortcut",
            "Shortcut",
            "The path of a residual network that bypasses a block; where sizes change, it has a small convolution.",
        ),
        Term(
            "sparse",
            "Sparse weights",
            "Initial weights of which each output has only a few at random places; all others are 0.",
        ),
        Term("snapshot", "Snapshot", "A summary of all γ and β at one moment of a run."),
        Term("study", "Study", "A grid of runs with replicates that answers one question."),
        Term(
            "supermask",
            "Supermask",
            "A choice of which random weights are used. These weights never change; the choice is trained, alone or "
            "beside other parameters such as γ and β.",
        ),
        Term("test-accuracy", "Test accuracy", "The share of unseen images the network classifies correctly."),
        Term(
            "worker",
            "Worker",
            "A program that trains runs, on this machine or another. It may have labels, such as gpu; a run that asks "
            "for a label waits for a worker that has it.",
        ),
    ),
)


def marked(name: str, words: str) -> str:
    """HTML of `words` as a button that explains the term `name`. Raises UnknownName."""
    return f'<button type="button" class="term" data-term="{GLOSSARY[name].name}">{words}</button>'
