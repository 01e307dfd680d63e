"""A study as one HTML file that needs nothing else: claim, verdict, figure, tables, specs and versions.

The document around it is `core.documents.document`'s, its figure drawn by static/documents/figure.js. Imports no torch.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.catalog.paper import PROVENANCE
from core.documents import document
from core.studies.catalog import STUDIES, study_spec
from core.studies.costs import study_cost
from core.studies.figures import Figure, Marks, Series, figure
from core.studies.named import NamedStudy
from core.studies.records import QUANTITIES, Record
from core.studies.results import Row, in_words, rows
from core.studies.spec import StudySpec
from core.studies.statistics import Summary
from core.studies.verdicts import Verdict, judge

PACKAGES = ("torch", "torchvision", "numpy", "pydantic")
SERIES = 6
"""So many colours there are for series."""
CHART = "study"


@dataclass(frozen=True)
class Page:
    """What a report is about: the study, its finished runs, and why others failed (by digest).

    `link` is where the study can be looked at, None where no server knows it.
    """

    study: StudySpec
    records: Sequence[Record]
    failures: Mapping[str, str]
    link: str | None = None


def report(about: Page) -> str:
    """The whole report as HTML. A study that is not complete is reported as far as it is, and says what is missing."""
    study, named = about.study, STUDIES[about.study.study]
    quantity = named.criterion.quantity_at(study.scale)
    verdict = judge(named.criterion, study, about.records)
    drawn = figure(named.plot, quantity, study, about.records, named.marks)
    parts = [
        f"<header><h1>{escape(named.title)}: {escape(named.question)}</h1>",
        f"<p>Scale: {study.scale}. {len(about.records)} of {len(study.members)} runs are finished.</p>",
        f"{document.origin(datetime.now(UTC), about.link)}</header>",
        f"<p><strong>The paper:</strong> {escape(named.claim)} <span class='quiet'>({escape(named.source)})</span></p>",
        _verdict(verdict),
        document.NOSCRIPT,
        f"<h2>Figure</h2>{document.figures({CHART: drawn.y_title}, wide=True)}",
        f'<p class="quiet">{escape(_legend(drawn))}</p>',
        "<h2>Results</h2>",
        _results(rows(study, about.records), named.shown(study.scale)),
        "<h2>Comparisons</h2>",
        _comparisons(verdict),
        *_missing(about),
        "<h2>Where the paper's numbers come from</h2>",
        _provenance(named),
        "<h2>What was run</h2>",
        _settings(study),
        _versions(),
    ]
    shown = drawing(drawn, f"{verdict.words}. {verdict.sentence}")
    data = json.dumps({"figures": {CHART: shown}}, ensure_ascii=False)
    return document.page(f"Study: {named.title}", "\n".join(parts), data, ("figure.js",))


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


def _legend(drawn: Figure) -> str:
    text = "Filled circles: our runs, mean and 95 % t-interval over replicates."
    if drawn.marks:
        text += f" Open symbols: the paper's values ({drawn.marks_note}), never mixed with ours."
    else:
        text += " The paper's values of what is shown are not known here, so none is drawn."
    return text


def _verdict(verdict: Verdict) -> str:
    return f'<div class="card verdict {verdict.outcome}"><b>{verdict.words}</b>{escape(verdict.sentence)}</div>'


def _results(found: Iterable[Row], shown: Sequence[str]) -> str:
    head = ["setting", "runs", *(QUANTITIES[name].title for name in shown)]
    body = [
        [
            in_words(row.key),
            f"{row.finished} of {row.wanted}",
            *(_cell(row.values.get(name), name) for name in shown),
        ]
        for row in found
    ]
    return _card(head, body)


def _cell(found: Summary | None, quantity: str) -> str:
    if found is None:
        return "–"
    unit = QUANTITIES[quantity].unit
    if found.sd is None:
        return f"{found.mean:.2f}{unit}"
    return f"{found.mean:.2f}{unit} (sd {found.sd:.2f}; {found.low:.2f} to {found.high:.2f})"


def _comparisons(verdict: Verdict) -> str:
    body = []
    for row in verdict.comparisons:
        found = row.difference
        interval = "–" if found is None or found.low is None else f"{found.low:+.2f} to {found.high:+.2f}"
        mean = "–" if found is None else f"{found.mean:+.2f}"
        told = f"{row.method}, {100 * row.confidence:.4g} %"
        body.append([row.label, mean, interval, str(found.n if found else 0), told, "yes" if row.decides else "no"])
    return _card(["comparison", verdict.unit, "t-interval", "n", "method", "decides"], body)


def _missing(about: Page) -> list[str]:
    finished = {record.spec.digest for record in about.records}
    missing = [member for member in about.study.members if member.digest not in finished]
    if not missing:
        return []
    lines = "".join(
        f"<li>{escape(f'{in_words(member.key)}, replicate {member.replicate}')}"
        + (f": failed. {escape(about.failures[member.digest])}" if member.digest in about.failures else "")
        + "</li>"
        for member in missing
    )
    return [f"<h2>Missing: {len(missing)} runs</h2><ul>{lines}</ul>"]


def _provenance(named: NamedStudy) -> str:
    tags = dict.fromkeys([mark.tag for mark in named.marks] + [quote.tag for quote in named.quotes])
    lines = [f"<li><b>{PROVENANCE[tag].words}</b>: {PROVENANCE[tag].sentence}</li>" for tag in tags]
    lines += [
        f"<li>{escape(quote.text)} <span class='quiet'>({escape(quote.source)})</span></li>" for quote in named.quotes
    ]
    lines += [f"<li class='quiet'>{escape(source)}</li>" for source in dict.fromkeys(m.source for m in named.marks)]
    return f"<ul>{''.join(lines)}</ul>" if lines else "<p>No number of the paper is shown for this question.</p>"


def _settings(study: StudySpec) -> str:
    cost = study_cost(study)
    told = (
        f"{cost.runs} runs, {study.replicates} replicates, {cost.macs:.2g} multiply-adds; expected on two cores: "
        f"{_duration(cost.seconds)}."
    )
    specs = [
        member.spec.model_dump(mode="json", exclude={"name"}) | {"digest": member.digest} for member in study.members
    ]
    command = f"python -m core studies run {study.study} --scale {study.scale}"
    again = f"The same again: <code>{escape(command)}</code>"
    if study.model_dump_json() != study_spec(study.study, study.scale).model_dump_json():
        again = f"Its settings are not those of <code>{escape(command)}</code>; they stand below."
    return (
        f"<p>{told} {again}</p>"
        + document.folded("The study", _code(study.model_dump_json(indent=1)))
        + document.folded("The specs of all runs", _code(json.dumps(specs, indent=1)))
    )


def _code(text: str) -> str:
    return f'<pre tabindex="0">{escape(text)}</pre>'


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"about {seconds / size:,.0f} {unit}"
    return f"about {seconds:.0f} seconds"


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f'<p class="quiet">{escape(", ".join([*found, platform.platform()]))}</p>'


def _card(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    return f'<div class="card">{document.table(head, body)}</div>'
