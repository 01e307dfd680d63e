"""A study's report: one document that names where it came from, with the figure as data and everything escaped."""

from __future__ import annotations

import json
import re

from markupsafe import escape

from core.documents.study import Page, report
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.figures import figure
from core.version import VERSION
from tests.core.studies.made import record


def test_the_report_is_a_document_with_a_figure() -> None:
    study, named = study_spec("depth", "minutes"), STUDIES["depth"]
    records = [record(m, 0.5 + m.replicate / 100) for m in study.members]
    link = "http://here/paper?study=<abc>"
    page = report(Page(study, records[:-1], {study.members[-1].digest: "</script><img src=x>"}, link))
    assert "default-src 'none'" in page and "prefers-color-scheme: dark" in page
    assert f"by OnlyBN {VERSION} from" in page and f'href="{escape(link)}"' in page
    assert "<img" not in page and escape("</script><img src=x>") in page
    found = re.search(r'type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found and len(page) < 100_000, "no Plotly of 5 MB"
    shown, theirs = json.loads(found[1])["figures"].values()
    drawn = figure(named.plot, "top1", study, records[:-1], named.marks)
    (ours,), papers = shown["series"], theirs["series"]
    assert [point[:2] for point in ours["points"]] == [
        list(pair) for pair in zip(drawn.series[0].x, drawn.series[0].mean, strict=True)
    ]
    assert ours["points"][0][3] < ours["points"][0][1] < ours["points"][0][4] and "n = 5" in ours["points"][0][2]
    assert sum(len(one["points"]) for one in papers) == sum(len(marks.x) for marks in drawn.marks)
    assert [place for place, _ in shown["x"]["places"]] == list(drawn.ticks) and shown["x"]["log"]
