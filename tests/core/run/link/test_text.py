"""Bytes as letters and as digits, and QR codes that a reader of QR codes reads."""

from __future__ import annotations

import re

import pytest
import segno
import zxingcpp
from PIL import Image, ImageDraw

from core.run.link.link import BadLink, decode
from core.run.link.qr import TooLarge, most_bytes, qr
from core.run.link.text import address, base64url, content_of, digits
from tests.core.run.link.made import link, spec

SITE = "https://onlybn.example.org"


@pytest.mark.parametrize("size", [1, 2, 21, 22, 23, 44, 1326])
def test_both_forms_give_the_bytes_back(size: int) -> None:
    for content in (b"\1" + bytes(size - 1), b"\1" + b"\xff" * (size - 1), b"\0" * size):
        assert content_of(digits(content)) == content
        if content[0] == 1:
            assert content_of(base64url(content)) == content


def test_digits_are_as_many_as_docs_say() -> None:
    assert digits(b"\0" * 21 + b"\7") == "7".zfill(53)
    assert digits(b"\xff") == "255" and digits(b"\0\xff") == "00255"
    assert len(digits(bytes(2200))) == 5300


def test_a_whole_link_is_taken_as_people_paste_it() -> None:
    content = link(spec())
    whole = address(SITE, base64url(content))
    assert whole.startswith(f"{SITE}/player/#AU")
    broken = "\n  ".join([whole[:70], whole[70:200], whole[200:]])
    assert content_of(f"  {broken} \n") == content_of(base64url(content)) == content
    assert address(f"{SITE}/", "x") == f"{SITE}/player/#x"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing behind its #"),
        ("https://example.org/player/#", "nothing behind its #"),
        ("https://example.org/run?id=1", "other characters"),
        ("AQé", "other characters"),
        ("AQ==", "other characters"),
        ("Hello", "damaged or incomplete"),
        ("AR", "damaged or incomplete"),
        ("9" * 53, "not those of whole bytes"),
        ("1" * 54, "not those of whole bytes"),
        ("x" * 400_000, "longer than 100 kB"),
    ],
)
def test_foreign_text_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(BadLink, match=words):
        content_of(text)


def test_every_changed_letter_is_noticed() -> None:
    text = base64url(link(spec()))
    for place in range(len(text)):
        other = "B" if text[place] != "B" else "C"
        with pytest.raises(BadLink):
            decode(content_of(text[:place] + other + text[place + 1 :]))


def read_code(svg: str, modules: int) -> str:
    """What a reader of QR codes sees in the SVG picture, whose path has strokes of one module's height."""
    size = modules + 8
    image = Image.new("L", (size, size), 255)
    pen = ImageDraw.Draw(image)
    x, y = 0, 0.0
    for kind, numbers in re.findall(r"([Mmh])([^Mmh]+)", svg.partition('stroke="#000" d="')[2].partition('"')[0]):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if kind == "h":
            pen.line([(x, int(y)), (x + values[0] - 1, int(y))], fill=0)
            x += int(values[0])
        else:
            x, y = (int(values[0]), values[1]) if kind == "M" else (x + int(values[0]), y + values[1])
    found = zxingcpp.read_barcodes(image.resize((4 * size, 4 * size), Image.Resampling.NEAREST))
    assert len(found) == 1
    return str(found[0].text)


@pytest.mark.parametrize(("architecture", "version"), [("resnet-14", 27), ("resnet-32", 40)])
def test_a_qr_code_is_read_again_and_opens_the_network(architecture: str, version: int) -> None:
    run = spec(architecture=architecture, dataset="cifar-10", epochs=160)
    content = link(run)
    code = qr(content, SITE)
    assert code.version <= version and code.modules == 17 + 4 * code.version
    text = read_code(code.svg, code.modules)
    assert text == address(SITE, digits(content))
    assert decode(content_of(text)).spec == run


@pytest.mark.parametrize("site", ["http://a.b", SITE, f"https://example.org/{'long/' * 20}"])
def test_the_largest_code_is_used_to_its_last_byte(site: str) -> None:
    most = most_bytes(site)
    code = qr(b"\xff" * most, site)
    assert code.version == 40
    with pytest.raises(TooLarge, match=f"the largest holds {most:,} behind this address"):
        qr(b"\xff" * (most + 1), site)
    with pytest.raises(segno.DataOverflowError):
        segno.make((f"{site}/player/#", digits(b"\xff" * (most + 1))), error="l", micro=False)
