"""The registries and the form's tables as plain data, which every page has in its head for the scripts."""

from __future__ import annotations

from typing import Any

from app.form import choices
from app.pages.table import PAGES
from app.views import downloads
from core.catalog.architectures import FAMILIES
from core.catalog.datasets import DATASETS, DataSet
from core.catalog.folder import missing
from core.catalog.policies import MAX_PER_CHANNEL, POLICIES, Policy, random_policy, stage_policy, supermask_policy
from core.run.events import DISABLED_BELOW, EDGES, QUANTILES

K = MAX_PER_CHANNEL
GRAMMAR: tuple[tuple[str, Policy, str], ...] = (
    (r"random-(\d+)", random_policy(K), f"{K}"),
    (r"random-(1)-layer", random_policy(1, spread=True), "1"),
    (r"random-(\d+)-layer", random_policy(K, spread=True), f"{K}"),
    (r"supermask-(\d+)", supermask_policy(99), "99"),
    (r"batchnorm-stages?-(\d)", stage_policy(frozenset({5})), "5"),
    (r"batchnorm-stages?-([\d-]+)", stage_policy(frozenset({4, 5})), "4, 5"),
)
"""Policies that are not listed: the pattern of their names, an example, and what its words say for the group."""


def options() -> dict[str, Any]:
    """All of it; JSON has every value."""
    return {
        "families": [
            {
                "name": family.name,
                "title": family.title,
                "sentence": family.sentence,
                "number": family.number,
                "pattern": family.pattern,
                "featured": list(family.featured),
                "open": choices.is_open(family),
                "stages": choices.STAGES_OF[family.name],
            }
            for family in FAMILIES.values()
        ],
        "policies": [{"name": policy.name, **_said(policy)} for policy in POLICIES.values()],
        "grammar": [{"pattern": pattern, **_said(policy, said)} for pattern, policy, said in GRAMMAR],
        "datasets": [
            {
                "name": data.name,
                "title": data.title,
                "sentence": " ".join(filter(None, (data.sentence, _missing(data)))),
                "train": data.train,
                "test": data.test,
                "classes": len(data.classes),
            }
            for data in DATASETS.values()
        ],
        "defaults": choices.DEFAULTS,
        "usual": choices.USUAL,
        "optional": choices.OPTIONAL,
        "titles": choices.TITLES,
        "shown": choices.SHOWN,
        "choices": {
            "norm_part": [value for _, value in choices.NORM_PARTS],
            "layers": [value for _, value in choices.LAYERS],
            "per_channel": list(map(str, choices.PER_CHANNEL)),
            "kept": list(map(str, choices.KEPT)),
            "reference": [value for _, value in choices.REFERENCES],
        },
        "examples": list(choices.EXAMPLES),
        "findings": list(downloads.TABLES),
        "pages": [{"path": page.path, "opens": page.opens} for page in PAGES.values()],
        "edges": list(EDGES),
        "quantiles": list(QUANTILES),
        "disabled_below": DISABLED_BELOW,
    }


def _said(policy: Policy, k: str | None = None) -> dict[str, Any]:
    """What people read of `policy`, with {k} for `k`; and the norm initialiser that it wants (None: the default)."""
    return {
        "title": policy.title.replace(k, "{k}") if k else policy.title,
        "sentence": policy.sentence.replace(k, "{k}") if k else policy.sentence,
        "source": policy.source,
        "norm": policy.norm,
    }


def _missing(data: DataSet) -> str | None:
    """What a data set from a folder needs first, where this server was started without it."""
    problem = missing(data)
    return problem and f"{problem}."
