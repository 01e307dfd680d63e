"""A study as one HTML file that needs nothing else: claim, verdict, figure, tables, specs and versions.

Plotly.js is written into it as the plotly package brings it, so the figure works without a network. Imports no torch.
"""

from __future__ import annotations

import importlib.util
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from importlib.metadata import PackageNotFoundError, version
from math import log10
from pathlib import Path
from typing import Any

from core.paper import PROVENANCE
from core.studies.catalog import STUDIES, Study, study_spec
from core.studies.costs import study_cost
from core.studies.figures import Figure, Marks, Series, figure
from core.studies.records import QUANTITIES, Record
from core.studies.results import Row, in_words, rows
from core.studies.spec import StudySpec
from core.studies.statistics import Summary
from core.studies.verdicts import Verdict, judge

PACKAGES = ("torch", "torchvision", "numpy", "pydantic", "plotly")
COLORS = ("#d55e00", "#0072b2", "#008763", "#b0508c", "#56616f", "#8a6d00")
PAPER_COLOR = "#161b22"
STYLE = """
body { font: 16px/1.55 system-ui, sans-serif; color: #161b22; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem; line-height: 1.2; margin-bottom: .3rem } h2 { font-size: 1.1rem; margin-top: 2.2rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid #e0e5ea; vertical-align: top }
td.number, th.number { text-align: right } .quiet { color: #535e6b } .scroll { overflow-x: auto }
.verdict { border-left: 5px solid #828d9a; background: #f6f7f9; padding: .8rem 1rem; margin: 1.2rem 0 }
.verdict b { display: block; font-size: 1.15rem } .holds { border-color: #0b6e4f } .fails { border-color: #b3261e }
#figure { height: 440px } pre { font-size: .8rem; overflow-x: auto; background: #f6f7f9; padding: .8rem }
"""


@dataclass(frozen=True)
class Page:
    """What a report is about: the study, its finished runs, and why others failed (by digest)."""

    study: StudySpec
    records: Sequence[Record]
    failures: Mapping[str, str]


def report(page: Page) -> str:
    """The whole report as HTML. A study that is not complete is reported as far as it is, and says what is missing."""
    named = STUDIES[page.study.study]
    quantity = named.criterion.quantity_at(page.study.scale)
    verdict = judge(named.criterion, page.study, page.records)
    drawn = figure(named.plot, quantity, page.study, page.records, named.marks)
    wanted = len(page.study.members)
    parts = [
        f"<h1>{escape(named.title)}: {escape(named.question)}</h1>",
        f'<p class="quiet">Scale: {page.study.scale}. {len(page.records)} of {wanted} runs are finished. '
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC.</p>",
        f"<p><strong>The paper:</strong> {escape(named.claim)} <span class='quiet'>({escape(named.source)})</span></p>",
        _verdict(verdict),
        '<h2>Figure</h2><div id="figure" role="img" aria-label="Figure; the table below has its numbers"></div>',
        f'<p class="quiet">{escape(_legend(drawn))}</p>',
        "<h2>Results</h2>",
        _results(rows(page.study, page.records), named.shown(page.study.scale)),
        "<h2>Comparisons</h2>",
        _comparisons(verdict),
        *_missing(page),
        "<h2>Where the paper's numbers come from</h2>",
        _provenance(named),
        "<h2>What was run</h2>",
        _settings(page.study),
        _versions(),
    ]
    script = json.dumps(plotly_figure(drawn), ensure_ascii=False).replace("<", "\\u003c")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>OnlyBN study: {escape(named.title)}</title><style>{STYLE}</style></head><body><main>"
        + "\n".join(parts)
        + f"</main><script>{_plotly()}</script><script>const figure = {script};"
        "Plotly.newPlot('figure', figure.data, figure.layout, {displaylogo: false, responsive: true})</script>"
        "</body></html>\n"
    )


def plotly_figure(drawn: Figure) -> dict[str, Any]:
    """`drawn` as Plotly takes it: our means as filled circles with intervals, the paper's values as open symbols."""
    ours = [_trace(series, COLORS[index % len(COLORS)], drawn) for index, series in enumerate(drawn.series)]
    log = drawn.scaling == "log"
    axis: dict[str, Any] = {
        "title": {"text": drawn.x_title},
        "type": drawn.scaling,
        "automargin": True,
        "gridcolor": "#e0e5ea",
    }
    axis |= {"tickvals": drawn.ticks, "ticktext": drawn.labels, "range": _range(drawn)}
    axis |= {} if log else {"categoryarray": drawn.ticks}
    return {
        "data": [*ours, *map(_marks_trace, drawn.marks)],
        "layout": {
            "xaxis": axis,
            "yaxis": {
                "title": {"text": drawn.y_title},
                "automargin": True,
                "ticksuffix": drawn.unit,
                "gridcolor": "#e0e5ea",
            },
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "showlegend": True,
            "margin": {"t": 30, "r": 10},
            "plot_bgcolor": "#ffffff",
        },
    }


def _trace(series: Series, color: str, drawn: Figure) -> dict[str, Any]:
    up = [high - mean if high is not None else 0 for high, mean in zip(series.high, series.mean, strict=True)]
    return {
        "x": series.x,
        "y": series.mean,
        "name": f"ours: {series.name}",
        "mode": "lines+markers" if drawn.scaling == "log" else "markers",
        "marker": {"color": color, "size": 9},
        "line": {"color": color},
        "error_y": {"type": "data", "array": up, "color": color},
        "customdata": [f"n = {len(values)}" for values in series.values],
        "hovertemplate": "%{y:.1f}" + drawn.unit + " (%{customdata})<extra>%{fullData.name}</extra>",
    }


def _range(drawn: Figure) -> tuple[float, float]:
    """The whole axis, also while there are no runs; of a logarithmic one the exponents."""
    if drawn.scaling == "category":
        return -0.5, len(drawn.ticks) - 0.5
    low, high = log10(float(drawn.ticks[0])), log10(float(drawn.ticks[-1]))
    room = max(0.08, (high - low) * 0.06)
    return low - room, high + room


def _marks_trace(marks: Marks) -> dict[str, Any]:
    return {
        "x": marks.x,
        "y": marks.y,
        "text": marks.text,
        "name": marks.name,
        "mode": "markers",
        "marker": {"symbol": marks.symbol, "size": 11, "color": PAPER_COLOR, "line": {"width": 1.5}},
        "hovertemplate": "%{text}<extra></extra>",
    }


def _legend(drawn: Figure) -> str:
    text = "Filled circles: our runs, mean and 95 % t-interval over replicates."
    if drawn.marks:
        text += f" Open symbols: the paper's values ({drawn.marks_note}), never mixed with ours."
    else:
        text += " The paper's values of what is shown are not known here, so none is drawn."
    return text


def _verdict(verdict: Verdict) -> str:
    return f'<div class="verdict {verdict.outcome}"><b>{verdict.words}</b>{escape(verdict.sentence)}</div>'


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
    return _table(head, body)


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
    return _table(["comparison", verdict.unit, "t-interval", "n", "method", "decides"], body)


def _missing(page: Page) -> list[str]:
    finished = {record.spec.digest for record in page.records}
    missing = [member for member in page.study.members if member.digest not in finished]
    if not missing:
        return []
    lines = "".join(
        f"<li>{escape(f'{in_words(member.key)}, replicate {member.replicate}')}"
        + (f": failed. {escape(page.failures[member.digest])}" if member.digest in page.failures else "")
        + "</li>"
        for member in missing
    )
    return [f"<h2>Missing: {len(missing)} runs</h2><ul>{lines}</ul>"]


def _provenance(named: Study) -> str:
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
        f"<details><summary>The study</summary><pre>{escape(study.model_dump_json(indent=1))}</pre></details>"
        f"<details><summary>The specs of all runs</summary><pre>{escape(json.dumps(specs, indent=1))}</pre></details>"
    )


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


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>'


@lru_cache(1)
def _plotly() -> str:
    """Plotly.js; found without importing the package, which takes long."""
    spec = importlib.util.find_spec("plotly")
    assert spec is not None and spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return file.read_text(encoding="utf-8").replace("</script", "<\\/script")
