"""The files of one run in a frozen site: what the API answers about it, made by the same functions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import TypeAdapter

from app.api.capsules import capsule_of
from app.api.common import Services
from app.api.errors import Problem
from app.api.preview import look_ahead
from app.api.runs import schedule_of
from app.freeze.folder import file_of, packed
from app.live.messages import Cursors, Question
from app.sharing import script as scripts
from app.sharing.report import Report, html
from app.views import downloads
from app.views.runs import run_url
from app.views.summaries import summaries
from core.run.findings import Findings
from jobs.store.records import Run

SITE = "https://frozen.onlybn.invalid"
"""Stands for the address of the frozen site, which nobody knows before it is served; the browser puts it in."""
ALL = Cursors(points=0, snapshots=0, log=0, disabled=0, speeds=0)
RUN_BYTES = 100_000
"""The most that the files of a run should have."""
CAPSULE_BYTES = 40_000
"""A larger trained network stays out."""
SNAPSHOTS_BYTES = 40_000
"""With more, every second snapshot loses its single layers, and again. All layers together keep all snapshots."""
FINDINGS = TypeAdapter(Findings)


@dataclass(frozen=True)
class FrozenRun:
    """`summary`: as lists have it; `files`: the packed files by name; `thinned`: not each snapshot has its layers."""

    id: str
    summary: dict[str, Any]
    files: dict[str, bytes]
    thinned: bool

    @property
    def size(self) -> int:
        return sum(map(len, self.files.values()))


def frozen(run: Run, here: Services, others: Collection[str]) -> FrozenRun:
    """The files of the finished `run`; `others`: the ids of all runs of the site."""
    base = f"/api/runs/{run.id}"
    snapshots, thinned = _snapshots(run, here)
    files = {f"{base}/snapshots": snapshots} if snapshots else {}
    missing = [] if (capsule := _capsule(run, here)) else ["capsule"]
    if capsule:
        files[f"{base}/capsule"] = packed(capsule)
    summary: dict[str, Any] = {**summaries([run], here.store)[0], "missing": missing}
    answer = here.feed.answer(Question(runs={run.id: ALL}))["runs"][run.id]
    assert answer is not None, "a run that was just read"
    seen: dict[str, Any] = {**answer["run"], "missing": missing}
    here.feed.forget(run.id)
    told = {
        "run": {**summary, "layers": seen["layers"]},
        "feed": {**answer, "run": seen},
        "outlook": _outlook(run, here, others),
        "schedule": schedule_of(run.spec),
        "preview": look_ahead(run.spec, here),
    }
    files[base] = packed(orjson.dumps(told))
    files |= {f"{base}/{name}": packed(body) for name, body in _downloads(run, here)}
    return FrozenRun(run.id, summary, {file_of(address): body for address, body in files.items()}, thinned)


def _downloads(run: Run, here: Services) -> Iterator[tuple[str, bytes]]:
    """The files that the page offers, by the end of their address."""
    link = run_url(run.id, SITE)
    if run.evicted_at is None:
        points = "".join(downloads.points_csv(here.store.curves.pages(run.id)))
        yield "points?format=csv", points.encode()
        yield "points?format=json", b"".join(downloads.points_json(run.id, here.store.curves.pages(run.id)))
        yield "script", scripts.script(run, [points], link).encode()
        yield "script?format=ipynb", json.dumps(scripts.notebook(run, [points], link), ensure_ascii=False).encode()
    if report := Report.of(run.id, here.store, link):
        yield "report", html(report).encode()
    if findings := here.store.results.findings(run.id):
        yield "findings", FINDINGS.dump_json(findings)
        for table in downloads.TABLES:
            if table != "adapted" or run.spec.adapt:
                yield f"findings?format=csv&table={table}", downloads.findings_csv(findings, table).encode()


def _snapshots(run: Run, here: Services) -> tuple[bytes, bool]:
    """All snapshots with their layers, packed, or as many as there is room for; and whether some were left out."""
    if run.evicted_at is not None:
        return b"", False
    whole = b"".join(downloads.snapshots(here.store, run))
    body = packed(whole)
    if len(body) <= SNAPSHOTS_BYTES:
        return body, False
    content = orjson.loads(whole)
    rows = content["snapshots"]
    while len(body) > SNAPSHOTS_BYTES and len(rows) > 2:
        rows = rows[:-1][::2] + rows[-1:]
        body = packed(orjson.dumps({**content, "snapshots": rows}))
    return body, True


def _capsule(run: Run, here: Services) -> bytes | None:
    try:
        found = capsule_of(run, here)
        return found.content(here) if found.size_bytes <= CAPSULE_BYTES else None
    except Problem:
        return None


def _outlook(run: Run, here: Services, others: Collection[str]) -> dict[str, Any]:
    """The run to compare it with; none that the frozen site does not have."""
    outlook = here.outlooks.outlook(run)
    twin = outlook["twin"]
    return {**outlook, "twin": twin if twin and twin["id"] in others else None}
