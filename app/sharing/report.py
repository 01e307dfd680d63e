"""A run as one HTML file that needs nothing else: facts, charts that live in the file, tables, and the log.

Here is what the file carries; its sections are in `report_sections`, the document around them in
`core.documents.document`. What strangers wrote is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from app.sharing import report_sections as sections
from app.sharing.wording import name_of
from app.views.points import Thinning
from app.views.runs import maybe_short
from core.documents.document import page
from core.run.events import DISABLED_BELOW, EDGES, Point, Snapshot
from core.run.findings import Findings
from jobs.store.records import LogRow, Run, StoredSnapshot
from jobs.store.store import Store


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
        watch = store.watch(run_id, 0, 0, 0)
        if watch is None:
            return None
        thinning = Thinning(watch.run.spec)
        points = [point for _, point in (*thinning.add(watch.points), *thinning.end())]
        newest = [watch.snapshots[-1].step] if watch.snapshots else []
        details = store.snapshot_detail(run_id, steps=newest)
        findings = store.findings(run_id)
        last = details[0] if details else None
        return cls(watch.run, points, watch.snapshots, last, findings, watch.log, link, datetime.now(UTC))


def html(report: Report) -> str:
    """The whole file."""
    body = "\n".join(
        (
            sections.head(report.run, report.last, report.link, report.made),
            sections.charts(report.run, report.snapshots, report.findings),
            sections.tables(report.points, report.snapshots, report.last, report.run),
            sections.findings(report.findings),
            sections.specification(report.run),
            sections.log(report.log),
        )
    )
    return page(name_of(report.run), body, data(report), ("run.js",))


def data(report: Report) -> str:
    """What static/documents/run.js draws, as JSON."""
    started, found = report.run.started, report.findings
    numbers = {
        "epochs": report.run.spec.epochs,
        "train": _curve(report.points, "train"),
        "test": _curve(report.points, "test"),
        "edges": EDGES,
        "disabled_below": DISABLED_BELOW,
        "layers": [{"name": row.name, "channels": row.channels} for row in (started.layers if started else ())],
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
