"""A study as one HTML file that needs nothing else: claim, verdict, figure, tables, specs and versions.

Its words and its structure are in study.html.j2, the document around it is `core.documents.document`'s, and
static/documents/figure.js draws its figure. Imports no torch.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.catalog.paper import PROVENANCE
from core.documents import document
from core.studies.against import further
from core.studies.asked.question import OwnQuestion
from core.studies.catalog.table import named_of, study_spec
from core.studies.costs import study_cost
from core.studies.figures import Figure, Marks, Series, figure
from core.studies.records import QUANTITIES, Record
from core.studies.results import in_words, rows
from core.studies.spec import StudySpec
from core.studies.verdicts import judge

PACKAGES = ("torch", "torchvision", "numpy", "pydantic")
SERIES = 6
"""How many colours there are for series."""
TITLES = {"study": "{}", "paper": "{}: the paper’s values"}
"""The charts of a report. The paper's values stand apart, unless the study has the paper's own setting."""


@dataclass(frozen=True)
class Page:
    """What a report is about: the study, its finished runs, and why others failed (by digest).

    `link` is the address of the study's page; None if no server has one.
    """

    study: StudySpec
    records: Sequence[Record]
    failures: Mapping[str, str]
    link: str | None = None


def report(about: Page) -> str:
    """The whole report as HTML. The report of an incomplete study says what is missing."""
    study, named = about.study, named_of(about.study)
    quantity = named.criterion.quantity_at(study.scale)
    verdict = judge(named.criterion, study, about.records)
    drawn = figure(named.plot, quantity, study, about.records, named.marks)
    shown = drawings(drawn, f"{verdict.words}. {verdict.sentence}", together=study.scale == "paper")
    tags = dict.fromkeys([*(mark.tag for mark in named.marks), *(quote.tag for quote in named.quotes)])
    return document.page(
        "core/documents/study.html.j2",
        f"Study: {named.title}",
        json.dumps({"figures": shown}, ensure_ascii=False),
        ("figure.js",),
        charts={name: TITLES[name].format(drawn.y_title) for name in shown},
        command=command(study),
        cost=study_cost(study),
        drawn=drawn,
        further=further(study, about.records),
        link=about.link,
        made=datetime.now(UTC),
        missing=_missing(about),
        named=named,
        provenance=[PROVENANCE[tag] for tag in tags],
        quantities=[QUANTITIES[name] for name in named.shown(study.scale)],
        records=about.records,
        results=[(in_words(row.key), row) for row in rows(study, about.records)],
        study=study,
        verdict=verdict,
        versions=_versions(),
        **_settings(study),
    )


def _missing(about: Page) -> list[tuple[str, str | None]]:
    """The runs that are not finished, in words, and why each failed, if it did."""
    finished = {record.spec.digest for record in about.records}
    return [
        (f"{in_words(member.key)}, replicate {member.replicate}", about.failures.get(member.digest))
        for member in about.study.members
        if member.digest not in finished
    ]


def _settings(study: StudySpec) -> dict[str, Any]:
    """The study and its runs as JSON, and whether the study is exactly what its name and scale stand for."""
    specs = [
        member.spec.model_dump(mode="json", exclude={"name"}) | {"digest": member.digest} for member in study.members
    ]
    usual = study if study.asked else study_spec(study.study, study.scale)
    return {
        "settings": OwnQuestion.of(study).text() if study.asked else study.model_dump_json(indent=1),
        "specs": json.dumps(specs, indent=1),
        "as_named": study.model_dump_json() == usual.model_dump_json(),
    }


def command(study: StudySpec) -> str:
    """What trains the study without a server; that of somebody's own question needs its file."""
    if study.asked:
        return f"python -m core studies run {study.study}.yaml"
    return f"python -m core studies run {study.study} --scale {study.scale}"


def _versions() -> list[str]:
    """The versions of Python, its packages, and the system."""
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return [*found, platform.platform()]


def drawings(drawn: Figure, words: str, *, together: bool) -> dict[str, dict[str, Any]]:
    """The charts of a report by their names in TITLES."""
    if together or not drawn.marks:
        return {"study": drawing(drawn, words)}
    ours, papers = drawn.model_copy(update={"marks": ()}), drawn.model_copy(update={"series": ()})
    return {"study": drawing(ours, words), "paper": drawing(papers, f"The paper’s values: {drawn.marks_note}")}


def drawing(drawn: Figure, words: str) -> dict[str, Any]:
    """`drawn` as static/documents/figure.js takes it: our means as filled symbols with intervals, the paper's as
    open."""
    log = drawn.scaling == "log"
    x: dict[str, Any] = {"title": drawn.x_title, "log": log}
    if log:
        x["places"] = list(zip(drawn.ticks, drawn.labels, strict=True))
    else:
        x |= {"names": drawn.ticks, "labels": drawn.labels}
    ours = [_ours(series, 1 + index % SERIES, drawn) for index, series in enumerate(drawn.series)]
    y = {"suffix": drawn.unit, "digits": 1}
    return {"words": words, "x": x, "y": y, "series": [*ours, *map(_papers, drawn.marks)]}


def _ours(series: Series, color: int, drawn: Figure) -> dict[str, Any]:
    points = [
        [place, mean, f"{mean:.1f}{drawn.unit} (n = {len(values)})", low, high]
        for place, mean, values, low, high in zip(
            series.x, series.mean, series.values, series.low, series.high, strict=True
        )
    ]
    line = drawn.scaling == "log"
    return {"name": f"ours: {series.name}", "paint": f"var(--series-{color})", "line": line, "points": points}


def _papers(marks: Marks) -> dict[str, Any]:
    points = [[place, value, text] for place, value, text in zip(marks.x, marks.y, marks.text, strict=True)]
    symbol, _, dot = marks.symbol.partition("-open")
    look = {"paint": "var(--ink)", "symbol": symbol, "open": True, "dot": bool(dot)}
    return {"name": marks.name, **look, "points": points}
