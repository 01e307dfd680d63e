"""The preview picture of a shared link: a PNG of 1200×630 of one or several runs. Only draws; reads no store.

Pillow and the fonts come with Gradio. If the fonts cannot be read, Pillow's own font replaces them, which has no Greek
letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from app.web.assets import FONT, STATIC

WIDTH, HEIGHT = 1200, 630
SMOOTH = 2
"""The factor of supersampling: Pillow does not antialias lines."""
REGULAR, BOLD = 400, 650
"""Weights of the letters."""
MARGIN = 64
LONG = 60
"""Titles with more letters are sentences, and drawn smaller."""
GROUND, INK, QUIET, LINE, LIT, FROZEN = "#0e1116", "#e8ecf1", "#9da9b6", "#28303a", "#ff8a4c", "#3a4552"
TILE, WEIGHT = "#171c24", "#56616f"
"""The colours of the logo."""
SERIES = ("#f5853f", "#56b4e9", "#35c493", "#e08cc0", "#a9b5c2", "#d9bf4e")
"""The colours of curves in the dark theme."""
PLOT = (660, 150, 1090, 520)
SPELLED = str.maketrans({"γ": "gamma", "β": "beta", "–": "-", "’": "'", "×": "x", "→": "->", "…": "..."})

Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """Test accuracies (0..1) over the share (0..1) of the run, and the index of the colour."""

    points: tuple[Point, ...]
    color: int = 0


@dataclass(frozen=True)
class Bar:
    """A mean test accuracy (0..1) with its label."""

    words: str
    value: float


@dataclass(frozen=True)
class Card:
    """The picture's content: a small line, the title, lines below, a large number with its label; curves or bars."""

    kind: str
    title: str
    lines: tuple[str, ...] = ()
    number: str = ""
    words: str = ""
    curves: tuple[Curve, ...] = ()
    bars: tuple[Bar, ...] = ()


def draw(card: Card) -> bytes:
    """`card` as PNG."""
    image = Image.new("RGB", (WIDTH * SMOOTH, HEIGHT * SMOOTH), GROUND)
    pen = ImageDraw.Draw(image)
    _brand(pen)
    width = (PLOT[0] - MARGIN - 80) if card.curves or card.bars else WIDTH - 2 * MARGIN
    y = 150.0
    y = _text(pen, (MARGIN, y), card.kind, 26, QUIET, width) + 6
    size, rows = (52, 3) if len(card.title) <= LONG else (40, 5)
    y = _text(pen, (MARGIN, y), card.title, size, INK, width, bold=True, rows=rows) + 14
    several = len(card.curves) > 1
    for place, line in enumerate(card.lines):
        if several:
            _dot(pen, (MARGIN + 8, y + 19), SERIES[place % len(SERIES)])
        y = _text(pen, (MARGIN + 30 * several, y), line, 28, QUIET, width - 30 * several, rows=2) + 4
    if card.number:
        _text(pen, (MARGIN, HEIGHT - 190), card.number, 84, LIT, width, bold=True)
        _text(pen, (MARGIN, HEIGHT - 88), card.words, 26, QUIET, width)
    if card.curves:
        _plot(pen, card.curves)
    elif card.bars:
        _ranking(pen, card.bars)
    elif not card.number:
        _network(pen)
    buffer = BytesIO()
    image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()


def _brand(pen: ImageDraw.ImageDraw) -> None:
    """Draw the logo of static/favicon.svg, two columns of frozen weights and one of lit scales, and the site's name."""
    scale, top = 1.75, 46
    tile = (MARGIN, top, MARGIN + 32 * scale, top + 32 * scale)
    pen.rounded_rectangle([v * SMOOTH for v in tile], radius=8 * scale * SMOOTH, fill=TILE)
    for y in (7, 13.8, 20.6):
        for x in (6, 20):
            _box(pen, (MARGIN + x * scale, top + y * scale, MARGIN + (x + 6) * scale, top + (y + 4.4) * scale), WEIGHT)
        centre = (MARGIN + 16 * scale, top + (y + 2.2) * scale)
        corners = [centre[0] - 2.2 * scale, centre[1] - 2.2 * scale, centre[0] + 2.2 * scale, centre[1] + 2.2 * scale]
        pen.ellipse([v * SMOOTH for v in corners], fill=LIT)
    _text(pen, (MARGIN + 74, 52), "OnlyBN", 34, INK, 300, bold=True)


def _plot(pen: ImageDraw.ImageDraw, curves: Sequence[Curve]) -> None:
    left, top, right, bottom = PLOT
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = bottom - share * (bottom - top)
        _line(pen, ((left, y), (right, y)), LINE, 2)
        _text(pen, (right + 14, y - 14), f"{share:.0%}", 20, QUIET, 90)
    _text(pen, (left, bottom + 14), "test accuracy over the run", 20, QUIET, right - left)
    for curve in curves:
        dots = [(left + x * (right - left), bottom - y * (bottom - top)) for x, y in curve.points]
        color = SERIES[curve.color % len(SERIES)]
        if len(dots) > 1:
            _line(pen, dots, color, 5)
        _dot(pen, dots[-1], color)


def _ranking(pen: ImageDraw.ImageDraw, bars: Sequence[Bar]) -> None:
    """Draw a bar for each kind of run, on an axis from 0 to 100%."""
    left, top, right, bottom = PLOT
    y = 0.0
    for place, bar in enumerate(bars):
        y = top + place * (bottom - top) / max(len(bars), 5)
        _text(pen, (left, y), bar.words, 24, INK, WIDTH - MARGIN / 2 - left)
        _box(pen, (left, y + 34, right, y + 48), LINE)
        _box(pen, (left, y + 34, left + max(6, bar.value * (right - left)), y + 48), SERIES[place % len(SERIES)])
        _text(pen, (right + 14, y + 26), f"{bar.value:.0%}", 24, QUIET, 90)
    _text(pen, (left, y + 62), "mean test accuracy", 20, QUIET, right - left)


def _network(pen: ImageDraw.ImageDraw) -> None:
    """Draw fourteen frozen layers in three stages, each with its norm layer lit."""
    x, middle = MARGIN, 480.0
    _line(pen, ((MARGIN, middle), (WIDTH - MARGIN, middle)), LINE, 3)
    for k in range(14):
        half = (38, 60, 88)[(k - 1) // 5 if k else 0]
        _box(pen, (x, middle - half, x + 46, middle + half), FROZEN)
        _box(pen, (x + 50, middle - half, x + 64, middle + half), LIT)
        x += 77


def _dot(pen: ImageDraw.ImageDraw, at: Point, color: str) -> None:
    x, y = at
    pen.ellipse([v * SMOOTH for v in (x - 7, y - 7, x + 7, y + 7)], fill=color)


def _line(pen: ImageDraw.ImageDraw, dots: Sequence[Point], color: str, width: int) -> None:
    pen.line([(x * SMOOTH, y * SMOOTH) for x, y in dots], fill=color, width=width * SMOOTH, joint="curve")


def _box(pen: ImageDraw.ImageDraw, corners: tuple[float, float, float, float], color: str) -> None:
    pen.rounded_rectangle([v * SMOOTH for v in corners], radius=3 * SMOOTH, fill=color)


def _text(
    pen: ImageDraw.ImageDraw,
    at: tuple[float, float],
    words: str,
    size: int,
    color: str,
    width: float,
    *,
    bold: bool = False,
    rows: int = 1,
) -> float:
    """Draw `words` in at most `rows` lines of `width`; longer text ends in dots. Returns the y of the next line."""
    font = _font(size, bold)
    if not _has_greek(bold):
        words = words.translate(SPELLED)
    x, y = at
    for row in _wrapped(words, font, width * SMOOTH, rows):
        pen.text((x * SMOOTH, y * SMOOTH), row, font=font, fill=color)
        y += size * 1.28
    return y


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _wrapped(words: str, font: Font, width: float, rows: int) -> list[str]:
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    shown = lines[:rows]
    cut = len(lines) > rows
    while shown[-1] and font.getlength(shown[-1] + ("…" if cut else "")) > width:
        shown[-1], cut = shown[-1][:-1].rstrip(), True
    return [*shown[:-1], shown[-1] + "…"] if cut else shown


@cache
def _font(size: int, bold: bool) -> Font:
    try:
        font = ImageFont.truetype(STATIC / FONT, size * SMOOTH)
        font.set_variation_by_axes([BOLD if bold else REGULAR])
        return font
    except OSError:  # without support of WOFF2
        return ImageFont.load_default(size * SMOOTH)


@cache
def _has_greek(bold: bool) -> bool:
    font = _font(26, bold)
    return bytes(font.getmask("γ")) != bytes(font.getmask("\uffff"))
