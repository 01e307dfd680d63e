"""The picture of a headline has both curves in their place, with names, values and words for who cannot see it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from core.documents.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, curves
from core.studies.headline import Headline, Side

FOUND = Headline(
    "resnet-14",
    "cifar-10",
    None,
    4,
    2,
    1120,
    175_258,
    (
        Side("batchnorm", 0.43, ((0.0, 0.1), (2.0, 0.4), (4.0, 0.43))),
        Side("random-2", 0.2195, ((0.0, 0.1), (2.0, 0.2), (4.0, 0.2195))),
    ),
)


def test_the_curves_lie_where_their_values_are() -> None:
    svg = curves(FOUND, ("scales & shifts", "random weights"), 0.1)
    tree = ElementTree.fromstring(svg)
    first, second = (re.findall(r"[\d.]+", line.attrib["points"]) for line in tree.iter("polyline"))
    for points in (first, second):
        numbers = list(map(float, points))
        assert numbers[0] == LEFT and numbers[-2] == WIDTH - RIGHT
        assert all(TOP <= y <= HEIGHT - BOTTOM for y in numbers[1::2])
    assert float(first[-1]) < float(second[-1]), "more is higher"
    assert float(first[-1]) == round(TOP + (1 - 0.43 / 0.5) * (HEIGHT - TOP - BOTTOM), 1), "the axis ends at 50%"


def test_the_picture_says_what_it_shows() -> None:
    svg = curves(FOUND, ("scales & shifts", "random weights"), 0.1)
    tree = ElementTree.fromstring(svg)
    words = tree.attrib["aria-label"]
    assert "scales & shifts from 10.0% to 43.0%" in words and "random weights from 10.0% to 22.0%" in words
    said = [text.text for text in tree.iter("text")]
    assert {"scales & shifts: 43.0%", "random weights: 22.0%", "0%", "50%", "guessing"} <= set(said)
    assert "style" not in svg and "#" not in svg, "the page's sheet gives the colours"
