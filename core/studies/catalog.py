"""The paper's questions as a table: what the paper claims, what we run at each scale, and what decides.

minutes: digits, or a part of Fashion-MNIST; evening: a tenth of the paper's epochs on CIFAR-10, or on a copy of it;
paper: the paper's nets, epochs and replicates on CIFAR-10 and ImageNet. The recipe is the paper's at every scale.
Imports no torch.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from core.catalog.initializers import NORM_INITIALIZERS, WEIGHT_INITIALIZERS
from core.catalog.paper import ALTERNATE, QUOTES, marks
from core.catalog.presets import PRESETS
from core.catalog.registry import Registry
from core.studies.contrasts import alone, alternatives, couples, policies, steps
from core.studies.figures import ABLATION, BY_POLICY, COUNT, DEPTH, NORM_INIT, WEIGHT_INIT, WIDTH
from core.studies.named import NamedStudy, grids
from core.studies.spec import Axis, Scale, StudySpec
from core.studies.verdicts import Criterion

RESNETS = tuple(f"resnet-{depth}" for depth in (14, 32, 56, 110, 218, 434, 866))
WIDE = tuple(f"wrn-14-{width}" for width in (1, 2, 4, 8, 16, 32))
COUPLES = dict(zip(RESNETS[1:6], WIDE[1:], strict=True))
"""Deep and wide networks with about the same number of γ and β (paper table 1): 2,464 and 2,240, ... 32,480 and
35,840."""
IMAGENET = tuple(f"imagenet-resnet-{depth}" for depth in (18, 34, 50, 101, 200))
RANDOMS = tuple(f"random-{k}" for k in (1, 2, 4, 8, 16))
SUBSETS = (
    "output",
    "shortcut",
    "output+shortcut",
    "batchnorm",
    "batchnorm+output",
    "batchnorm+shortcut",
    "batchnorm+output+shortcut",
    "all",
)
UNCHECKED = (
    "Neither the wording nor the numbers of this claim have been checked against the paper, so no mark stands here."
)


# These functions give the fields that all runs of a study share at a scale.
def _paper(preset: str, dataset: str) -> dict[str, Any]:
    found = PRESETS[preset]
    recipe = {key: list(value) if isinstance(value, tuple) else value for key, value in found.recipe.items()}
    return {"dataset": dataset, "epochs": found.epochs, **({"recipe": recipe} if recipe else {})}


PAPER_CIFAR, PAPER_IMAGENET = _paper("paper-cifar", "cifar-10"), _paper("paper-imagenet", "imagenet")


def _small(train: int, epochs: int, test: int = 2000) -> dict[str, Any]:
    """A part of Fashion-MNIST."""
    return {"dataset": "fashion-mnist", "epochs": epochs, "train_examples": train, "test_examples": test}


PHOTOGRAPHS = {"dataset": "cifar-10", "epochs": 16}
"""The paper's data set for a tenth of its epochs, the same for all that are compared."""


def _digits(epochs: int) -> dict[str, Any]:
    return {"dataset": "digits", "epochs": epochs}


ALL_AND_BATCHNORM = grids(
    {"policy": ("batchnorm", "all")},
    minutes=(_small(10_000, 11), RESNETS[:1], 3),
    evening=(PHOTOGRAPHS, RESNETS[2:3], 3),
    paper=(PAPER_CIFAR, RESNETS, 5),
)
"""The same runs answer three questions; they are trained once."""

STUDIES: Registry[NamedStudy] = Registry(
    "study",
    (
        NamedStudy(
            "depth",
            "Depth",
            "Does a deeper network learn more when only BatchNorm trains?",
            "With only γ and β trained, accuracy rises with depth (here: at each step from one depth to the next).",
            "Section 4; v1, main figure; abstract",
            DEPTH,
            Criterion("top1", "above", steps("batchnorm")),
            grids(
                {"policy": ("batchnorm",)},
                minutes=(_small(8_000, 4), RESNETS[:3], 5),
                evening=(PHOTOGRAPHS, RESNETS[:4], 3),
                paper=(PAPER_CIFAR, RESNETS, 5),
            ),
            marks("top1", {"batchnorm"}, {"resnet"}),
            (QUOTES["abstract"],),
        ),
        NamedStudy(
            "width",
            "Width",
            "Does a wider network learn more when only BatchNorm trains?",
            "With only γ and β trained, accuracy rises with width (here: at each step from one width to the next).",
            "Section 4; v1, main figure",
            WIDTH,
            Criterion("top1", "above", steps("batchnorm")),
            grids(
                {"policy": ("batchnorm",)},
                minutes=(_digits(30), WIDE[:4], 3),
                evening=(PHOTOGRAPHS, WIDE[:3], 3),
                paper=(PAPER_CIFAR, WIDE, 5),
            ),
            (
                *marks("top1", {"batchnorm"}, {"wrn"}),
                *(m for m in marks("top1", {"batchnorm"}, {"resnet"}) if m.architecture == "resnet-14"),
            ),
        ),
        NamedStudy(
            "depth-or-width",
            "Depth or width",
            "With the same number of γ and β, is it better to be deep or to be wide?",
            "At about the same number of BatchNorm parameters the deeper network is more accurate.",
            "Section 4; v1, main figure",
            COUNT,
            Criterion("top1", "above", couples("batchnorm", COUPLES)),
            grids(
                {"policy": ("batchnorm",)},
                minutes=(_small(8_000, 5), (RESNETS[1], WIDE[1]), 3),
                evening=(PHOTOGRAPHS, (*RESNETS[1:3], *WIDE[1:3]), 3),
                paper=(PAPER_CIFAR, (*RESNETS[1:6], *WIDE[1:]), 5),
            ),
            marks("top1", {"batchnorm"}, {"resnet", "wrn"}),
        ),
        NamedStudy(
            "random-k",
            "BatchNorm or random weights",
            "Is there something special about γ and β, or would any few parameters do?",
            "γ and β learn far more than the same number of randomly chosen weights, two of every channel (here: at "
            "least 5 points more).",
            "Section 4; its numbers for random weights have not been checked, so none stands here",
            BY_POLICY,
            Criterion(
                "top1",
                "above",
                policies("batchnorm", ("random-2",), [name for name in RANDOMS if name != "random-2"]),
                margin=5.0,
            ),
            grids(
                {"policy": ("batchnorm", *RANDOMS)},
                minutes=(_small(8_000, 4), RESNETS[:1], 3),
                evening=(PHOTOGRAPHS, RESNETS[:1], 3),
                paper=(PAPER_CIFAR, RESNETS, 5),
            ),
            marks("top1", {"batchnorm"}, {"resnet"}),
        ),
        NamedStudy(
            "subsets",
            "Subsets of the parameters",
            "Which of the small parts of a network are worth training: BatchNorm, the output layer, the shortcuts?",
            "Training output layer and shortcuts besides BatchNorm adds to BatchNorm alone.",
            "Section 4; v1, main figure",
            BY_POLICY,
            Criterion(
                "top1",
                "above",
                policies("batchnorm+output+shortcut", ("batchnorm",), ("output+shortcut", "batchnorm+output")),
            ),
            grids(
                {"policy": SUBSETS},
                minutes=(_digits(30), RESNETS[1:2], 3),
                evening=(PHOTOGRAPHS, RESNETS[1:2], 3),
                paper=(PAPER_CIFAR, RESNETS, 5),
            ),
            marks("top1", set(SUBSETS), {"resnet"}),
        ),
        NamedStudy(
            "without-batchnorm",
            "All but BatchNorm",
            "How much do γ and β add when everything else trains?",
            "Training γ and β besides everything else improves accuracy (here: where "
            "both networks start from γ = 1, β = 0, so that the other is as good as without them; the same from γ of "
            "U(0, 1) is shown and does not decide, for it is not known here from which the paper's figure starts).",
            "Section 1, figure 1",
            BY_POLICY,
            Criterion("top1", "above", policies("all", ("all-but-batchnorm",), decisive={"init.norm": "ones"})),
            grids(
                {"policy": ("all", "all-but-batchnorm"), "init.norm": ("ones", "uniform")},
                minutes=(_small(6_000, 4, 4000), RESNETS[:1], 5),
                evening=(PHOTOGRAPHS, RESNETS[:1], 5),
                paper=(PAPER_CIFAR, RESNETS, 5),
            ),
            marks("top1", {"all"}, {"resnet"}),
            (QUOTES["gain"],),
        ),
        NamedStudy(
            "gamma",
            "The distribution of γ",
            "Does BatchNorm-only training switch features off?",
            "Trained alone, γ piles up at zero: it disables many more features than when everything trains (here: at "
            "least 10 points more of all features).",
            "Section 5; abstract",
            BY_POLICY,
            Criterion("disabled", "above", policies("batchnorm", ("all",)), margin=10.0),
            ALL_AND_BATCHNORM,
            marks("disabled", {"batchnorm", "all"}, {"resnet"}),
            (QUOTES["third"],),
            ("gamma-mean", "gamma-sd", "gamma-negative"),
        ),
        NamedStudy(
            "threshold",
            "Threshold ablation",
            "Are features with a small γ really disabled: can it be set to zero?",
            "Setting every γ with |γ| < 0.01 to zero, without retraining, leaves the accuracy as it is (here: within "
            "one point).",
            f"Section 5. {UNCHECKED}",
            ABLATION,
            Criterion("ablated", "within", alone("batchnorm"), margin=1.0),
            ALL_AND_BATCHNORM,
        ),
        NamedStudy(
            "relu-off",
            "Channels that ReLU switches off",
            "Does BatchNorm-only training make ReLU channels that are almost always zero?",
            "More ReLU channels are off for over 99 % of the pixels than when everything trains.",
            f"Section 5. {UNCHECKED}",
            BY_POLICY,
            Criterion("relu-off", "above", policies("batchnorm", ("all",))),
            ALL_AND_BATCHNORM,
        ),
        NamedStudy(
            "norm-init",
            "Initialisation of BatchNorm",
            "Does it matter from where γ and β start?",
            "An alternate initialisation of γ and β gives BatchNorm-only training more accuracy (here: the same "
            "alternate on every network).",
            "Appendix; v1, main figure (which alternate it is, the figure does not say)",
            NORM_INIT,
            Criterion("top1", "any-above", alternatives("batchnorm", "init.norm", "uniform")),
            grids(
                {"policy": ("batchnorm",), "init.norm": tuple(NORM_INITIALIZERS)},
                minutes=(_small(8_000, 5), RESNETS[:1], 5),
                evening=(PHOTOGRAPHS, RESNETS[1:2], 5),
                paper=(PAPER_CIFAR, RESNETS, 5),
            ),
            marks("top1", {"batchnorm"}, {"resnet"}, ("uniform", ALTERNATE)),
            (QUOTES["alternate"],),
        ),
        NamedStudy(
            "weight-init",
            "Initialisation of the weights",
            "Does it matter from which distribution the frozen weights are drawn?",
            "The distribution of the random weights matters little (here: all within 5 points of He normal).",
            f"Appendix. {UNCHECKED}",
            WEIGHT_INIT,
            Criterion("top1", "within", alternatives("batchnorm", "init.weights", "he-normal"), margin=5.0),
            grids(
                {"policy": ("batchnorm",), "init.weights": tuple(WEIGHT_INITIALIZERS)},
                minutes=(_small(8_000, 5), RESNETS[:1], 5),
                evening=(PHOTOGRAPHS, RESNETS[1:2], 5),
                paper=(PAPER_CIFAR, RESNETS, 5),
            ),
        ),
        NamedStudy(
            "imagenet",
            "The ImageNet family",
            "Do large ImageNet networks learn, too, when only BatchNorm trains?",
            "They do (here: more than two random weights of every channel give).",
            "Section 4; abstract",
            DEPTH,
            Criterion("top1", "above", policies("batchnorm", ("random-2",)), by_scale={"paper": "top5"}),
            grids(
                {"policy": ("batchnorm", "random-2")},
                minutes=(_small(5_000, 4), IMAGENET[:2], 3),
                evening=(PHOTOGRAPHS, IMAGENET[:3], 3),
                paper=(PAPER_IMAGENET, IMAGENET, 3),
            ),
            marks("top5", {"batchnorm"}, {"imagenet-resnet"}),
            (QUOTES["abstract"],),
        ),
    ),
)


@lru_cache(64)
def study_spec(name: str, scale: Scale) -> StudySpec:
    """Named study `name` at `scale`. Raises UnknownName."""
    grid = STUDIES[name].grids[scale]
    axes = tuple(Axis(field=field, values=values) for field, values in grid.axes.items())
    return StudySpec(study=name, scale=scale, base=dict(grid.base), axes=axes, replicates=grid.replicates)
