"""A run as one HTML file that needs nothing else: facts, charts that live in the file, tables, and the log.

Here is what the file carries; its words and its structure are in report.html.j2, the document around it is
`core.documents.document`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import orjson

from app.preview.spec_text import as_yaml
from app.sharing.wording import name_of, sentence
from app.views.cleaned import cleaned
from app.views.points import Thinning
from app.views.runs import maybe_short
from core.catalog.policies import policy
from core.documents.document import page
from core.run.events import DISABLED_BELOW, EDGES, QUANTILES, Layer, Point, Snapshot
from core.run.findings import Findings
from jobs.store.records import LogRow, Run, StoredSnapshot
from jobs.store.store import Store

SHOWN = (0.05, 0.5, 0.95)
"""The quantiles of γ and β that the table of layers has."""
ANALYSED = {
    "ablation": "Accuracy with small γ removed",
    "relus": "ReLU channels that are zero for more than 99% of all pixels",
}
"""The charts of the findings, each named as the field that it draws."""


@dataclass(frozen=True)
class Report:
    """All that the file tells of a run. `last`: its newest snapshot with all layers; `link`: where it came from."""

    run: Run
    points: Sequence[Point]
    snapshots: Sequence[StoredSnapshot]
    last: Snapshot | None
    findings: Findings | None
    log: Sequence[LogRow]
    link: str
    made: datetime

    @classmethod
    def of(cls, run_id: str, store: Store, link: str) -> Report | None:
        """The run as it is now; None: there is no such run."""
        watch = store.curves.delta(run_id, 0, 0, 0)
        if watch is None:
            return None
        thinning = Thinning(watch.run.spec)
        points = [point for _, point in (*thinning.add(watch.points), *thinning.end())]
        newest = [watch.snapshots[-1].step] if watch.snapshots else []
        details = store.curves.details(run_id, steps=newest)
        findings = store.results.findings(run_id)
        last = details[0] if details else None
        return cls(watch.run, points, watch.snapshots, last, findings, watch.log, link, datetime.now(UTC))


def html(report: Report) -> str:
    """The whole file."""
    run, last, found = report.run, report.last, report.findings
    return page(
        "app/sharing/report.html.j2",
        name_of(run),
        data(report),
        ("run.js",),
        analysed={name: title for name, title in ANALYSED.items() if found and getattr(found, name)},
        disabled_below=DISABLED_BELOW,
        features=sum(layer.channels for layer in _norms(run)),
        findings=found,
        histogram=_histogram(report.snapshots[-1]) if report.snapshots else (),
        last=last,
        layers=_layers(_norms(run), last) if last else (),
        link=report.link,
        error=cleaned(run.error_message or "no reason was recorded"),
        log=[replace(row, message=cleaned(row.message)) for row in report.log],
        made=report.made,
        quantiles=[f"{letter}, {'median' if level == 0.5 else f'{level:.0%}'}" for letter in "γβ" for level in SHOWN],
        run=run,
        seeds=run.spec.seeds.model_dump().values(),
        sentence=sentence(run),
        snapshots=report.snapshots,
        tests=list(_tests(report.points)),
        trains=policy(run.spec.policy).title,
        yaml=as_yaml(run.spec),
    )


def _norms(run: Run) -> Sequence[Layer]:
    return run.layers or ()


def _layers(norms: Sequence[Layer], last: Snapshot) -> list[tuple[Layer, int, list[float]]]:
    """Each norm layer with how many of its features are disabled and the quantiles of γ and β that are shown."""
    shown = [QUANTILES.index(level) for level in SHOWN]
    return [
        (layer, off, [row[level] for row in (gamma, beta) for level in shown])
        for layer, off, gamma, beta in zip(norms, last.disabled, last.gamma.quantiles, last.beta.quantiles, strict=True)
    ]


def _histogram(snapshot: StoredSnapshot) -> Iterator[tuple[str, int, int]]:
    """Each bin in words with its counts of γ and β."""
    bins = [f"below {EDGES[0]}", *(f"{a:.2f} to {b:.2f}" for a, b in pairwise(EDGES)), f"above {EDGES[-1]}"]
    return zip(bins, snapshot.gamma, snapshot.beta, strict=True)


def _tests(points: Sequence[Point]) -> Iterator[tuple[Point, Point | None]]:
    """Each test with the last train point before it."""
    train = None
    for point in sorted(points, key=lambda point: (point.step, point.split == "test")):
        if point.split == "train":
            train = point
        else:
            yield point, train


def data(report: Report) -> str:
    """What static/documents/run.js draws, as JSON."""
    found = report.findings
    numbers = {
        "epochs": report.run.spec.epochs,
        "train": _curve(report.points, "train"),
        "test": _curve(report.points, "test"),
        "edges": EDGES,
        "disabled_below": DISABLED_BELOW,
        "layers": [{"name": row.name, "channels": row.channels} for row in _norms(report.run)],
        "moments": [
            {"epoch": row.epoch, "gamma": row.gamma, "beta": row.beta, "disabled": row.disabled}
            for row in report.snapshots
        ],
        "ablation": [row.model_dump() for row in (found.ablation if found else ())],
        "relus": [
            {"name": row.name, "mostly_off": maybe_short(row.mostly_off)} for row in (found.relus if found else ())
        ],
    }
    return orjson.dumps(numbers).decode()


def _curve(points: Sequence[Point], split: str) -> dict[str, list[Any]]:
    rows = [row for row in points if row.split == split]
    return {name: [getattr(row, name) for row in rows] for name in ("epoch", "loss", "top1")}
