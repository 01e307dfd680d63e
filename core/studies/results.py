"""The results of a study as rows: one a run and quantity in the CSV file, one a setting in tables. Imports no torch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from core.catalog.model import Model
from core.studies.asked.claim import Value
from core.studies.records import QUANTITIES, Record
from core.studies.spec import Member, StudySpec, in_text
from core.studies.statistics import Summary, summary

COLUMNS = (
    "study",
    "scale",
    "architecture",
    "policy",
    "dataset",
    "task",
    "epochs",
    "replicate",
    "norm_init",
    "weight_init",
    "processes",
    "quantity",
    "value",
    "unit",
    "digest",
)


class Row(Model):
    """One setting of a study: its place in the grid, how many runs are finished of how many, and what they gave."""

    key: dict[str, Value]
    wanted: int
    finished: int
    values: dict[str, Summary]


def in_words(key: Mapping[str, Value]) -> str:
    """A place in a grid for people: `resnet-14, all, init.norm ones`."""
    named = ("architecture", "policy")  # these say by themselves what they are
    return ", ".join(in_text(value) if field in named else f"{field} {in_text(value)}" for field, value in key.items())


def rows(study: StudySpec, records: Iterable[Record]) -> tuple[Row, ...]:
    """A row for each setting of the grid, in its order."""
    by_digest = {record.spec.digest: record for record in records}
    cells: dict[tuple[Value, ...], list[Member]] = {tuple(setting.values()): [] for setting in study.settings}
    for member in study.members:
        cells[tuple(member.key.values())].append(member)
    return tuple(_row(members, by_digest) for members in cells.values())


def _row(members: Sequence[Member], by_digest: Mapping[str, Record]) -> Row:
    found = [by_digest[member.digest] for member in members if member.digest in by_digest]
    values = {}
    for quantity in QUANTITIES.values():
        if told := summary([value for record in found if (value := quantity.of(record)) is not None]):
            values[quantity.name] = told
    return Row(key=dict(members[0].key), wanted=len(members), finished=len(found), values=values)


def long_csv(study: StudySpec, records: Iterable[Record]) -> str:
    """One line for each run and quantity; units as in the figures."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in records:
        spec = record.spec
        what = (spec.architecture, spec.policy, spec.dataset, spec.task, spec.epochs, spec.replicate)
        for quantity in QUANTITIES.values():
            value = quantity.of(record)
            if value is not None:
                unit = quantity.unit.strip().replace("%", "percent")
                how = (spec.init.norm, spec.init.weights, record.processes)
                writer.writerow(
                    (study.study, study.scale, *what, *how, quantity.name, f"{value:.6g}", unit, spec.digest)
                )
    return text.getvalue()
