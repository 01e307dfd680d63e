"""The small figure of a verdict: every deciding difference is where its value belongs, and nothing else is."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from core.documents.forest import Ruler, forest
from core.studies.against import paper_differences
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.verdicts import judge
from tests.core.studies.made import record

SVG = "{http://www.w3.org/2000/svg}"
DEPTH = STUDIES["depth"]


def drawn(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def test_ours_and_the_papers_stand_where_their_values_are() -> None:
    study = study_spec("depth", "minutes")
    top1 = {"resnet-14": 0.4, "resnet-32": 0.5, "resnet-56": 0.65}
    records = [record(m, top1[m.spec.architecture] + m.replicate / 1000) for m in study.members]
    verdict = judge(DEPTH.criterion, study, records)
    svg = drawn(forest(DEPTH.criterion, verdict, paper_differences("depth")))
    dots = svg.findall(f".//{SVG}circle")
    ticks = {text.text: float(text.attrib["x"]) for text in svg.findall(f".//{SVG}text")}
    ten = ticks["+10"] - ticks["0"]
    assert [float(dot.attrib["cx"]) - ticks["0"] for dot in dots] == pytest.approx([ten, 1.5 * ten], abs=0.2)
    said = [title.text for title in svg.findall(f".//{SVG}g/{SVG}title")]
    assert said[0] == "ours: ResNet-32 minus ResNet-14: +10.0 (+9.8 to +10.2), n = 5"
    assert len(svg.findall(f".//{SVG}path")) == len(paper_differences("depth")) == 6
    names = [title.text for title in svg.findall(f".//{SVG}path/{SVG}title")]
    assert names[0] == "the paper: ResNet-32 minus ResNet-14: +9.7"


def test_without_runs_it_has_the_papers_alone_and_without_both_nothing() -> None:
    svg = drawn(forest(DEPTH.criterion, None, paper_differences("depth")))
    assert not svg.findall(f".//{SVG}circle") and len(svg.findall(f".//{SVG}path")) == 6
    threshold = STUDIES["threshold"]
    assert forest(threshold.criterion, None, paper_differences("threshold")) == ""


def test_a_file_of_its_own_has_its_colours() -> None:
    assert "prefers-color-scheme" in forest(DEPTH.criterion, None, paper_differences("depth"), alone=True)
    assert "<style>" not in forest(DEPTH.criterion, None, paper_differences("depth"))


@pytest.mark.parametrize("values", [[0.001], [-0.4, 23.3], [3.0, 97.0], [-1e-6], [1e4], [0.0]])
def test_an_axis_has_zero_its_values_and_few_round_numbers(values: list[float]) -> None:
    axis = Ruler.around(values)
    assert axis.low <= min(0, *values) and axis.high >= max(0, *values)
    assert 0.0 in axis.ticks and 1 <= len(axis.ticks) <= 4
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
