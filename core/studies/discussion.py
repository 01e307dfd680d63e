"""What we make of the shipped results, a paragraph a question: how they differ from the paper, and what may explain it.

The numbers beside it are computed. This is written by hand and read again whenever the results change. Imports no
torch.
"""

from __future__ import annotations

from collections.abc import Mapping

DISCUSSION: Mapping[str, str] = {
    "depth": (
        "Accuracy grows with depth in our runs too, but four epochs of 8,000 images are too noisy to decide each "
        "step: replicates of ResNet-14 differ by more than six points. The steps between 16 epochs of CIFAR-10 are of "
        "the paper's size. All our accuracies lie below the paper's at the same depth, since its networks trained ten "
        "times as long."
    ),
    "width": (
        "Wider networks do better on the digits, and the gain shrinks with each doubling, as in the paper. The last "
        "step is too small to decide with three replicates: with 90 % of the digits right, little room is left."
    ),
    "depth-or-width": (
        "With about as many γ and β, the deeper network is ahead, by a margin near the paper's. This is one pair of "
        "networks on one small data set, and the deep one has 10 % more γ and β."
    ),
    "random-k": (
        "The clearest result of all: two random weights of each channel learn a fraction of what γ and β learn, on "
        "Fashion-MNIST and on CIFAR-10. Even 16 random weights a channel, eight times as many parameters, stay below. "
        "The random weights trained with the paper's rate, which suits γ and β; a larger one may narrow the gap."
    ),
    "subsets": (
        "The output layer and the shortcuts add about ten points to BatchNorm. Each of the two alone adds nearly as "
        "much as both together, and without BatchNorm they learn far less: what is trained matters more than how much."
    ),
}
