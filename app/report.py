"""A run as one HTML file that needs nothing else: facts, charts that live in the file, tables, and the log.

Here is the document and what it carries; its sections are in `report_sections`, its look and its script in
static/report/. What strangers wrote is escaped, and the page's own policy lets nothing run but that script.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import orjson

from app import report_sections as sections
from app.assets import STATIC
from app.thinning import PointRow, Thinning
from app.views import maybe_short
from app.wording import name_of
from core.events import DISABLED_BELOW, EDGES, Snapshot
from core.findings import Findings
from jobs.rows import LogRow, Run, StoredSnapshot
from jobs.store import Store


@dataclass(frozen=True)
class Report:
    """All that the file tells of a run. `last`: its newest snapshot with all layers; `link`: where it came from."""

    run: Run
    points: Sequence[PointRow]
    snapshots: Sequence[StoredSnapshot]
    last: Snapshot | None
    findings: Findings | None
    log: Sequence[LogRow]
    link: str
    version: str
    made: datetime

    @classmethod
    def of(cls, run_id: str, store: Store, link: str, version: str) -> Report | None:
        """The run as it is now; None: there is no such run."""
        watch = store.watch(run_id, 0, 0, 0)
        if watch is None:
            return None
        thinning = Thinning(watch.run.spec)
        points = [*thinning.add(watch.points), *thinning.end()]
        newest = [watch.snapshots[-1].step] if watch.snapshots else []
        details = store.snapshot_detail(run_id, steps=newest)
        findings = store.findings(run_id)
        last = details[0] if details else None
        return cls(watch.run, points, watch.snapshots, last, findings, watch.log, link, version, datetime.now(UTC))


def html(report: Report) -> str:
    """The whole file."""
    look, script = style(), _file("report/report.js")
    policy = (
        f"default-src 'none'; script-src {_allowed(script)}; style-src {_allowed(look)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    title = escape(f"{name_of(report.run)} · OnlyBN")
    body = "\n".join(
        (
            sections.head(report.run, report.last, report.link, report.version, report.made),
            sections.charts(report.run, report.snapshots, report.findings),
            sections.tables(report.points, report.snapshots, report.last, report.run),
            sections.findings(report.findings),
            sections.specification(report.run),
            sections.log(report.log),
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f'<link rel="icon" href="data:,"><title>{title}</title><style>{look}</style></head>'
        f'<body><main>{body}</main><script id="report-data" type="application/json">{data(report)}</script>'
        f"<script>{script}</script></body></html>\n"
    )


def data(report: Report) -> str:
    """What report.js draws, as JSON that cannot end its element."""
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
    return orjson.dumps(numbers).decode().replace("<", "\\u003c")


def _curve(points: Sequence[PointRow], split: str) -> dict[str, list[Any]]:
    rows = [row for row in points if row[3] == split]
    return {"epoch": [row[2] for row in rows], "loss": [row[4] for row in rows], "top1": [row[5] for row in rows]}


@lru_cache(1)
def style() -> str:
    """The report's style sheet with the site's colours; dark where the reader's system is."""
    site = _file("sheets/tokens.css")
    light, dark = (re.search(rf"^{name} {{\n(.*?)^}}", site, re.DOTALL | re.MULTILINE) for name in (":root", r"\.dark"))
    assert light and dark
    return f":root {{\n{light[1]}}}\n@media (prefers-color-scheme: dark) {{ :root {{\n{dark[1]}}} }}\n" + _file(
        "report/report.css"
    )


@lru_cache(4)
def _file(name: str) -> str:
    text = Path(STATIC / name).read_text(encoding="utf-8")
    assert "</" not in text, f"{name} would end its element in the report"
    return text


def _allowed(text: str) -> str:
    """The source expression of exactly this script or style sheet."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
