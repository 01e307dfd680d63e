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
        "step is too small to decide with three replicates: with 90% of the digits right, little room is left."
    ),
    "depth-or-width": (
        "With about the same number of γ and β, the deeper network is ahead, by a margin near the paper's. This is "
        "one pair of "
        "networks on one small data set, and the deep one has 10% more γ and β."
    ),
    "random-k": (
        "This is our clearest result. Two random weights per channel learn a fraction of what γ and β learn, on "
        "Fashion-MNIST and, in one run each, on CIFAR-10. Sixteen of them are eight times as many parameters and still "
        "learn less. Both trained with the paper's learning rate. Another rate may suit random weights better; we "
        "have not searched for one."
    ),
    "subsets": (
        "The output layer and the shortcuts add about ten points to BatchNorm. Each of the two alone adds nearly as "
        "much as both together, and without BatchNorm they learn far less: what is trained matters more than how much."
    ),
    "without-batchnorm": (
        "After four epochs, training γ and β in addition to all weights makes no difference that we can see: 0.6 "
        "points at "
        "most, where both start from γ = 1. The paper's gain of 0.5 to 2 points comes after 160 epochs, when a "
        "network fits its images closely; ours is far from that."
    ),
    "gamma": (
        "Not in runs of this length. After eleven epochs three per cent of all γ are below 0.01, about as few as when "
        "everything trains. In the paper a quarter to a third are. Weight decay may be what drives γ there, a little "
        "with every step, and our runs take a seventieth of the paper's steps; only longer runs can tell."
    ),
    "biases": (
        "Scales and shifts need each other: γ alone stays fourteen points below both together, β alone twenty. All "
        "biases of the network do no better than β. The three trained with the same learning rate and for four epochs "
        "only."
    ),
    "adapt": (
        "The opposite: the wholly trained network gains more, and nearly all of it by the statistics of the corrupted "
        "images, which need no training at all. The steps on γ and β cost the networks of γ and β alone about a point, "
        "and give the others nothing. But their accuracy on clean images differs, 49% to 57% against 78%, so there is "
        "less to win back; a share of what was lost may be the fairer measure. Short trainings, one severity."
    ),
    "mask-and-scale": (
        "Choosing weights learns more than scaling features: the mask alone is ten to twenty-four points ahead of γ "
        "and β. Both together do no better than the better of the two: from γ = 1 as well as the mask alone, from "
        "random γ seven points better in the mean, which the spread of three replicates does not separate from "
        "nothing. A mask has a score for each of 175,000 weights, γ and β are 1,120 numbers, so this does not say "
        "that choosing is the better use of a number."
    ),
    "sparse-weights": (
        "The other way round: the fewer weights an output has, the less γ and β learn, from 47% with eight down to 13% "
        "with one, where He normal reaches 54%. It stays undecided because eight weights are only six points "
        "behind, which three replicates do not separate from nothing. The best start here are binary weights: all of "
        "one size, none near 0. We have read only the abstract that claims the opposite, and its networks may differ."
    ),
    "many-tasks": (
        "On every task γ and β of its own are 21 to 41 points ahead of an output layer of its own, and no task costs "
        "another one anything, since the weights stay as they are. Turned images are as easy as upright ones. Permuted "
        "pixels cost γ and β twelve points, and a wholly trained network two: without neighbours that belong together, "
        "random filters find less. A network trained for the task alone is ahead everywhere, by 7 to 29 points."
    ),
    "computed": (
        "Mostly the optimiser. With the same rate, schedule and steps, Adam makes up 62, 80 and 89% of what SGD lacks, "
        "so the random weights explain at most the rest, and less the wider the network. Least squares is no better "
        "optimiser, though its teacher gets 97% of the digits right: it ends 8 points below SGD at width 1, level at "
        "width 2, and 7 above at width 4, which three replicates do not separate. It gains most from width, and it is "
        "fragile: a teacher that two threads had rounded otherwise gave 45% instead of 57% at width 2. The "
        "constructions in theory need far wider networks, so this does not test them."
    ),
    "lumped": (
        "Two random weights in each channel, or as many anywhere in the layer: the accuracies lie within a point and a "
        "half of each other, though single pairs of networks range from 13% to 28%. The choice of the network matters "
        "more than the place of the weights. Both learn little here, so a difference may still show where random "
        "weights learn more."
    ),
    "norm-kind": (
        "BatchNorm is ahead of every other choice by ten points or more on average, so the two numbers are not all of "
        "it: the statistics of a batch seem to help. But replicates without normalisation differ by more than ten "
        "points, and three of them decide nothing. All used the learning rate of BatchNorm, which may not suit the "
        "others."
    ),
    "vgg": (
        "Residual connections are not what makes it work: in a VGG of eleven layers, γ and β are as far ahead of two "
        "random weights per channel as in our ResNet-14. We have no number of the paper to set beside it."
    ),
    "wide-subsets": (
        "In this wide network the output layer and the shortcuts add twelve points, a little less than in the paper. "
        "There is little room above: the last step reaches 95.5% of the digits. The two subsets without BatchNorm "
        "differ by more than ten points between replicates, so we draw no comparison with them."
    ),
    "threshold": (
        "Setting γ below 0.01 to zero costs nothing. But only three per cent of all γ are that small in these runs, so "
        "this is a weaker test than the paper's, where a quarter of them are removed."
    ),
    "relu-off": (
        "Ten points more of all ReLU channels are zero for nearly every pixel when only γ and β train. So channels do "
        "switch off in short runs, although few γ are near zero."
    ),
    "norm-init": (
        "In five epochs no alternative beats γ from U(0, 1); a fixed γ of 1 does worse by about five points. The "
        "paper's better line is from 160 epochs, and the paper does not say which initialisation it uses."
    ),
    "weight-init": (
        "Four distributions lie within seven points. The intervals are as wide as the margin, because replicates of a "
        "short run differ by as much: undecided."
    ),
    "imagenet": (
        "On small grey images, not on ImageNet: the networks of the ImageNet family learn far more from γ and β than "
        "from two random weights per channel, and the gap is larger for the deeper one."
    ),
    "chance": (
        "Two of three networks guess to within half a point. One replicate of ResNet-14 is at 14%: a random network "
        "answers with few classes, so its accuracy depends on which, and three replicates do not average that out."
    ),
    "output-and-depth": (
        "As the paper's figure shows: where only the output layer and the shortcuts train, each step in depth costs "
        "accuracy, while it gains some where γ and β train."
    ),
}
