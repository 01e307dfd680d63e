"""The preview of a spec before it runs: its counts, its command line, and warnings.

It uses only plans and the file system, builds no network and imports no torch. `estimate.py` estimates the time.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from app.preview.cautions import cautions
from app.preview.estimate import Estimate
from app.preview.images import changed_folder, data_is_here
from app.preview.network import PartView, Picture, parts, picture
from app.preview.spec_text import as_yaml, shortened
from core.catalog.normalisation import Normalisation
from core.catalog.tasks.tasks import WHOLE
from core.machine.files import START
from core.run import cost
from core.run.recipe import Recipe
from core.run.spec import Init, RunSpec
from jobs.quotas import Cap
from jobs.store.shares.prices import too_expensive

LONG_S = 3600.0
FREE = Cap()


class Preview(TypedDict):
    """All that is known about a run before it runs. `share` is trainable / total; `steps` is for the whole run.

    `price`: what it is expected to take, in `processor_s`, `memory_bytes` and `disk_bytes`; `cap`: the most that this
    server allows of each, 0: no limit; `refusal`: why it costs more than that, and what would fit; null: it does not.

    `spec` has what differs from the defaults, ready for POST /api/runs; `yaml` is the same as text.
    """

    counts: dict[str, int]
    parts: list[PartView]
    share: float
    macs_per_image: int
    steps: int
    price: dict[str, float]
    cap: dict[str, float]
    refusal: str | None
    estimate_s: Estimate
    cli: str
    spec: dict[str, Any]
    yaml: str
    plan: Picture
    warnings: list[str]


def preview(spec: RunSpec, estimate: Estimate, data: Path, cap: Cap = FREE) -> Preview:
    """The preview of `spec`; `data` is the folder of ONLYBN_DATA."""
    plan, trains = spec.plan, spec.trains
    counts = cost.counts(plan, trains)
    return {
        "counts": counts.model_dump(),
        "parts": parts(plan, trains),
        "share": counts.trainable / counts.total,
        "macs_per_image": plan.macs,
        "steps": spec.total_steps,
        "price": {name: round(value) for name, value in cost.price(spec).as_dict().items()},
        "cap": {"processor_s": cap.processor_s, "memory_bytes": cap.memory_bytes, "disk_bytes": cap.disk_bytes},
        "refusal": too_expensive(spec, cap),
        "estimate_s": estimate,
        "cli": command_line(spec),
        "spec": shortened(spec),
        "yaml": as_yaml(spec),
        "plan": picture(plan, trains, spec.selection, spec.norm),
        "warnings": warnings(spec, estimate, here=data_is_here(spec.dataset, data)),
    }


def command_line(spec: RunSpec) -> str:
    """The command that runs `spec` without the site; it sets only what differs from the defaults."""
    words = ["python", "-m", "core", "train"]
    words += ["--architecture", spec.architecture, "--policy", spec.policy, "--dataset", spec.dataset]
    words += ["--epochs", str(spec.epochs), "--replicate", str(spec.replicate)]
    for field in ("task", "train_examples", "test_examples"):
        if (value := getattr(spec, field)) not in (None, WHOLE):
            words += [f"--{field.replace('_', '-')}", str(value)]
    if spec.name is not None:
        words += ["--name", spec.name]
    if spec.start is not None:
        words += ["--start", START]
    for setting in _settings(spec):
        words += ["--set", setting]
    words += ["--out", f"runs/{spec.architecture}-{spec.policy}-{spec.dataset}-{spec.replicate}"]
    return shlex.join(words)


def _settings(spec: RunSpec) -> Iterator[str]:
    """What --set takes: the other fields that differ from the defaults."""
    usual_init = Init(norm=spec.selection.norm or Init().norm)
    usual_parts = (
        ("recipe", Recipe()),
        ("init", usual_init),
        ("norm", Normalisation()),
    )
    for part, usual in usual_parts:
        chosen = getattr(spec, part)
        for key, value in chosen.model_dump(mode="json").items():
            if value != usual.model_dump(mode="json")[key]:
                yield f"{part}.{key}={_value(value)}"
    if spec.draw != RunSpec.model_fields["draw"].default:
        yield f"draw={spec.draw}"
    for purpose, seed in spec.own_seeds.items():
        yield f"seeds.{purpose}={seed}"
    if spec.adapt:
        yield f"adapt={_value(spec.adapt.model_dump(mode='json', exclude_defaults=True))}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def warnings(spec: RunSpec, estimate: Estimate, *, here: bool) -> list[str]:
    """Warnings before the launch, one sentence each; `here`: whether the images are on this machine."""
    said: list[str] = []
    if not here and (download := spec.data.download):
        said.append(f"{spec.data.title} is not on this server yet: the run downloads it first ({download.size}).")
    if problem := changed_folder(spec):
        said.append(problem)
    if estimate["low"] > LONG_S:
        said.append(
            f"This takes {duration(estimate['low'])} or more here; fewer epochs or training images would shorten it."
        )
    return said + cautions(spec)


def duration(seconds: float) -> str:
    """`seconds` as a person writes it, in one unit: 40 s, 12 min, 3.5 h, 2.1 days."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h")):
        if seconds < limit:
            amount = seconds / unit
            return f"{amount:.1f} {name}" if name == "h" and amount < 10 else f"{amount:.0f} {name}"
    return f"{seconds / 86_400:.1f} days"
