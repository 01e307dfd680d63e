"""The figure of a study as plain data: our means with intervals, and the paper's marks apart from them.

The page and the report draw the same figure; axes.py says what its axes show. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean

from core.catalog.corruptions import CORRUPTIONS
from core.catalog.model import Model
from core.catalog.paper import PROVENANCE, Mark, Tag
from core.catalog.policies import policy
from core.run.findings import Findings
from core.studies.axes import Place, Plot, Scaling, Setting
from core.studies.contrasts import title, value_title
from core.studies.records import QUANTITIES, Record, field
from core.studies.spec import StudySpec
from core.studies.statistics import Summary, summary

SYMBOLS = ("diamond-open", "square-open", "triangle-up-open")


class Series(Model):
    """Some of our settings: for each place the mean, its interval (None with one run), and the single values."""

    name: str
    policy: str
    architecture: str
    x: tuple[Place, ...]
    mean: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    values: tuple[tuple[float, ...], ...]


class Marks(Model):
    """The paper's values that share a provenance and, along an axis of numbers, a series.

    `text` says of each what it is; `symbol` is Plotly's name of an open one, with a dot where it was said in words.
    """

    tag: Tag
    words: str
    name: str
    symbol: str
    x: tuple[Place, ...]
    y: tuple[float, ...]
    text: tuple[str, ...]


class Figure(Model):
    """Everything that a drawing needs. `ticks` are the places on the horizontal axis and `labels` their words."""

    x_title: str
    scaling: Scaling
    ticks: tuple[Place, ...]
    labels: tuple[str, ...]
    y_title: str
    unit: str
    series: tuple[Series, ...]
    marks: tuple[Marks, ...]
    marks_note: str


def figure(plot: Plot, quantity: str, study: StudySpec, records: Sequence[Record], marks: Sequence[Mark]) -> Figure:
    """The figure of a study with its finished runs; the axis has all places of the grid from the start.

    It leaves out those `marks` that are of another quantity: the paper's top-5 has no place on an axis of top-1.
    """
    shown = _shown(plot, study, [mark for mark in marks if mark.quantity == quantity])
    if plot.ablation or plot.adaptation:
        drawn = _lines(plot, study, records, _ablation if plot.ablation else _adaptation)
    else:
        drawn = _means(plot, quantity, study, records)
    places = _places(plot, study, shown)
    measured = QUANTITIES[quantity]
    return Figure(
        x_title=plot.horizontal.title,
        scaling=plot.horizontal.scaling,
        ticks=places,
        labels=tuple(
            place if isinstance(place, str) else f"{place:g}" if place < 1 else f"{place:,.0f}" for place in places
        ),
        y_title="Change of test accuracy" if plot.ablation else measured.title,
        unit=measured.unit,
        series=drawn,
        marks=tuple(_grouped(plot, shown)),
        marks_note=_note(shown),
    )


def _name(plot: Plot, study: StudySpec, record: Record) -> str:
    """The series that `record` belongs to; runs that differ in more than the axes show never share a mean."""
    varying = [axis.field for axis in study.axes if len(axis.values) > 1 and axis.field not in plot.horizontal.fields]
    words = [value_title(key, field(record.spec, key)) for key in varying]
    return ", ".join([plot.horizontal.series(Setting.of(record.spec)), *words])


def _means(plot: Plot, quantity: str, study: StudySpec, records: Sequence[Record]) -> tuple[Series, ...]:
    found: dict[str, dict[Place, list[float]]] = {}
    first: dict[str, Setting] = {}
    for record in records:
        value, setting = QUANTITIES[quantity].of(record), Setting.of(record.spec)
        if value is not None:
            name = _name(plot, study, record)
            first.setdefault(name, setting)
            found.setdefault(name, {}).setdefault(plot.horizontal.at(setting), []).append(value)
    return tuple(_series(name, first[name], cells) for name, cells in found.items())


def _lines(
    plot: Plot, study: StudySpec, records: Sequence[Record], values: Callable[[Findings], Iterator[tuple[Place, float]]]
) -> tuple[Series, ...]:
    """A line for each setting through several `values` of each of its runs."""
    found: dict[str, dict[Place, list[float]]] = {}
    first: dict[str, Setting] = {}
    for record in records:
        for place, value in values(record.findings) if record.findings else ():
            name = _name(plot, study, record)
            first.setdefault(name, Setting.of(record.spec))
            found.setdefault(name, {}).setdefault(place, []).append(value)
    return tuple(_series(name, first[name], cells) for name, cells in found.items())


def _ablation(findings: Findings) -> Iterator[tuple[Place, float]]:
    """The change of accuracy at each threshold."""
    for row in findings.ablation:
        if row.epsilon > 0:  # a logarithmic axis has no place for 0, where nothing changes
            yield row.epsilon, 100 * row.change


def _adaptation(findings: Findings) -> Iterator[tuple[Place, float]]:
    """The gain by adaptation for each corruption, as the mean over its severities."""
    gains: dict[str, list[float]] = {}
    for row in findings.adapted:
        if row.corruption:
            gains.setdefault(row.corruption, []).append(100 * (row.entropy.share - row.trained.share))
    for name, values in gains.items():
        yield CORRUPTIONS[name].title, fmean(values)


def _series(name: str, setting: Setting, cells: dict[Place, list[float]]) -> Series:
    if all(isinstance(place, float) for place in cells):
        cells = dict(sorted(cells.items(), key=lambda cell: float(cell[0])))
    rows = [(place, values, _summary(values)) for place, values in cells.items()]
    return Series(
        name=name,
        policy=setting.policy,
        architecture=setting.architecture,
        x=tuple(place for place, _, _ in rows),
        mean=tuple(row.mean for _, _, row in rows),
        low=tuple(row.low for _, _, row in rows),
        high=tuple(row.high for _, _, row in rows),
        values=tuple(tuple(values) for _, values, _ in rows),
    )


def _summary(values: list[float]) -> Summary:
    found = summary(values)
    assert found is not None
    return found


def _shown(plot: Plot, study: StudySpec, marks: Sequence[Mark]) -> list[Mark]:
    """The marks to draw: along an axis of numbers all; else those of the grid's networks, or all if there are none."""
    if plot.horizontal.scaling == "log":
        return list(marks)
    same = [mark for mark in marks if mark.architecture in study.values("architecture")]
    return same or list(marks)


def _places(plot: Plot, study: StudySpec, shown: Iterable[Mark]) -> tuple[Place, ...]:
    if plot.horizontal.ticks:
        return plot.horizontal.ticks
    ours = [plot.horizontal.at(Setting.of(member.spec)) for member in study.members]
    places = list(dict.fromkeys([*ours, *(plot.horizontal.at(Setting.of_mark(mark)) for mark in shown)]))
    if plot.horizontal.scaling == "log":
        return tuple(sorted(places, key=float))
    return tuple(places)


def _grouped(plot: Plot, shown: Sequence[Mark]) -> Iterable[Marks]:
    apart = plot.horizontal.scaling == "log"
    groups: dict[tuple[str, Tag], list[Mark]] = {}
    for mark in shown:
        series = plot.horizontal.series(Setting.of_mark(mark)) if apart else ""
        groups.setdefault((series, mark.tag), []).append(mark)
    names = list(dict.fromkeys(series for series, _ in groups))
    for (series, tag), rows in groups.items():
        words = PROVENANCE[tag].words
        yield Marks(
            tag=tag,
            words=words,
            name=f"{words}: {series}" if len(names) > 1 else words,
            symbol=SYMBOLS[names.index(series) % len(SYMBOLS)] + ("-dot" if tag == "F" else ""),
            x=tuple(plot.horizontal.at(Setting.of_mark(mark)) for mark in rows),
            y=tuple(mark.value for mark in rows),
            text=tuple(map(_words, rows)),
        )


def _words(mark: Mark) -> str:
    measured = f"{mark.value:g}% {QUANTITIES[mark.quantity].short}"
    text = f"paper: {title(mark.architecture)}, {policy(mark.policy).title}, {measured} ({mark.source})"
    return f"{text}; {mark.note}" if mark.note else text


def _note(shown: Sequence[Mark]) -> str:
    names = {"cifar-10": "CIFAR-10, 160 epochs", "imagenet": "ImageNet, 90 epochs"}
    settings = "; ".join(dict.fromkeys(names[mark.dataset] for mark in shown))
    nets = {mark.architecture for mark in shown}
    return f"{title(nets.pop())}, {settings}" if len(nets) == 1 else settings
