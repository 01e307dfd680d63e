"""What the axes of a study's figure show: where a run stands, and which series it belongs to. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.catalog import architectures
from core.catalog.corruptions import CORRUPTIONS
from core.catalog.initializers import NORM_INITIALIZERS
from core.catalog.normalisation import TITLES
from core.catalog.paper import ALTERNATE, Mark
from core.catalog.plan import NormKind
from core.catalog.policies import policy
from core.catalog.tasks.tasks import WHOLE, task
from core.run.spec import RunSpec
from core.studies.contrasts import title

Place = float | str
Scaling = Literal["log", "category"]


@dataclass(frozen=True)
class Setting:
    """What the axes may show of one of our runs, or of a mark of the paper."""

    architecture: str
    policy: str
    norm: str
    weights: str
    kind: NormKind = "batch"
    spec: RunSpec | None = None

    @classmethod
    def of(cls, spec: RunSpec) -> Setting:
        return cls(spec.architecture, spec.policy, spec.init.norm, spec.init.weights, spec.norm.kind, spec)

    @classmethod
    def of_mark(cls, mark: Mark) -> Setting:
        return cls(mark.architecture, mark.policy, mark.norm, "he-normal")

    @property
    def number(self) -> float:
        """Depth or width."""
        return float(architectures.parse(self.architecture)[1])


@dataclass(frozen=True)
class Horizontal:
    """The horizontal axis: where a setting stands, and which series it belongs to."""

    title: str
    scaling: Scaling
    at: Callable[[Setting], Place]
    series: Callable[[Setting], str]
    fields: tuple[str, ...]
    """The fields of a run that `at` and `series` tell apart; a series' name also has the other fields that vary."""
    ticks: tuple[Place, ...] = ()
    """Where the ticks are; empty: at every place that occurs."""


@dataclass(frozen=True)
class Plot:
    """How a study is drawn: our means over replicates, or one line for each setting, over ε (`ablation`) or over the
    corruptions (`adaptation`)."""

    horizontal: Horizontal
    ablation: bool = False
    adaptation: bool = False


def _net(setting: Setting) -> str:
    return title(setting.architecture)


def _policy(setting: Setting) -> str:
    return policy(setting.policy).title


def _short(setting: Setting) -> Place:
    """`BN`, `BN<br>+output`: the policy as a label under an axis, where <br> begins a new line."""
    name = setting.policy.replace("all-but-batchnorm", "all<br>but BN").replace("batchnorm", "BN")
    return name.replace("+", "<br>+").replace("random-", "random<br>")


def _norm(setting: Setting) -> Place:
    if setting.norm == ALTERNATE:
        return "paper's<br>alternate"
    return NORM_INITIALIZERS[setting.norm].title.replace(", β", "<br>β")


def _weights(setting: Setting) -> Place:
    return setting.weights


def _family(setting: Setting) -> str:
    family, _ = architectures.parse(setting.architecture)
    return {"resnet": "Deeper: ResNet", "wrn": "Wider: WRN-14"}.get(family.name, family.title)


def _count(setting: Setting) -> Place:
    return float(architectures.plan(setting.architecture).count("gamma", "beta"))


def _width(setting: Setting) -> Place:
    return 1.0 if setting.architecture == "resnet-14" else setting.number


DEPTH = Plot(Horizontal("depth (layers)", "log", lambda setting: setting.number, _policy, ("architecture", "policy")))
WIDTH = Plot(Horizontal("width (times 16, 32, 64 channels)", "log", _width, _policy, ("architecture", "policy")))
COUNT = Plot(
    Horizontal("number of γ and β", "log", _count, _family, ("architecture",), (1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5))
)
BY_POLICY = Plot(Horizontal("what trains (BN: BatchNorm)", "category", _short, _net, ("policy", "architecture")))
NORM_INIT = Plot(Horizontal("initial γ and β", "category", _norm, _net, ("init.norm", "architecture")))
NORM_KIND = Plot(
    Horizontal("normalisation", "category", lambda setting: TITLES[setting.kind], _net, ("norm.kind", "architecture"))
)
BY_TASK = Plot(
    Horizontal(
        "task",
        "category",
        lambda setting: task(setting.spec.task).title if setting.spec else task(WHOLE).title,
        lambda setting: f"{_policy(setting)}, {_net(setting)}",
        ("task", "policy", "architecture"),
    )
)
WEIGHT_INIT = Plot(Horizontal("initial weights", "category", _weights, _net, ("init.weights", "architecture")))
ABLATION = Plot(
    Horizontal(
        "ε: every γ with |γ| < ε becomes 0",
        "log",
        lambda setting: 0.0,
        lambda setting: f"{_policy(setting)}, {_net(setting)}",
        ("policy", "architecture"),
        (0.001, 0.01, 0.1, 0.5),
    ),
    ablation=True,
)
ADAPTATION = Plot(
    Horizontal(
        "corruption of the test images",
        "category",
        lambda setting: "",
        lambda setting: f"{_policy(setting)}, {_net(setting)}",
        ("policy", "architecture"),
        tuple(corruption.title for corruption in CORRUPTIONS.values()),
    ),
    adaptation=True,
)

PLOTS: Mapping[str, Plot] = {
    "depth": DEPTH,
    "width": WIDTH,
    "count": COUNT,
    "by-policy": BY_POLICY,
    "norm-init": NORM_INIT,
    "norm-kind": NORM_KIND,
    "weight-init": WEIGHT_INIT,
    "by-task": BY_TASK,
    "ablation": ABLATION,
    "adaptation": ADAPTATION,
}
"""By the name that a question's file has for it."""
