"""The data of a study as a table: every run with its spec, its result, and the interval of its setting. No requests."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from core.run.spec import RunSpec
from core.studies.catalog.table import named_of
from core.studies.records import QUANTITIES, Record
from core.studies.results import Row, rows
from core.studies.spec import StudySpec
from core.studies.verdicts import Verdict, judge

UNSAID = {"name", "contents", "seeds"}
"""Fields of a spec that are no column: a name is somebody's text, and seeds derive from the replicate."""


class IntervalView(TypedDict):
    """Of the finished runs of a setting: how many, their mean, standard deviation and 95% t-interval, or null."""

    n: int
    mean: float
    sd: float | None
    low: float | None
    high: float | None


class RunData(TypedDict):
    """A run of a study. `key`: its place in the grid; `spec`: as POST /api/runs takes it; `digest`: equal digests,
    equal results; `result`: null before its end; `values`: by quantity, in its unit; `interval`: of the quantity that
    decides, over all replicates of its setting."""

    id: str | None
    state: str
    key: dict[str, Any]
    replicate: int
    digest: str
    spec: dict[str, Any]
    result: dict[str, Any] | None
    values: dict[str, float]
    interval: IntervalView | None


class StudyData(TypedDict):
    """All runs of a study, and its verdict. `quantity` is the one that decides; `units`: of the values."""

    id: str
    title: str
    question: str
    claim: str
    quantity: str
    units: dict[str, str]
    verdict: dict[str, Any]
    runs: list[RunData]


def study_data(
    study_id: str, spec: StudySpec, states: Sequence[tuple[str | None, str, RunSpec]], records: Sequence[Record]
) -> StudyData:
    """`states`: id (None: no run of this server), state and spec of each run; `records`: those that have finished."""
    named = named_of(spec)
    quantity = named.criterion.quantity_at(spec.scale)
    finished = {record.spec.digest: record for record in records}
    by_key = {_place(row.key): row for row in rows(spec, records)}
    fields = [axis.field for axis in spec.axes]
    verdict: Verdict = judge(named.criterion, spec, records)
    return {
        "id": study_id,
        "title": named.title,
        "question": named.question,
        "claim": named.claim,
        "quantity": quantity,
        "units": {one.name: one.unit.strip() for one in QUANTITIES.values()},
        "verdict": verdict.model_dump(mode="json"),
        "runs": [_run(*state, finished, by_key, fields, quantity) for state in states],
    }


def _run(
    run_id: str | None,
    state: str,
    spec: RunSpec,
    finished: Mapping[str, Record],
    by_key: Mapping[str, Row],
    fields: Iterable[str],
    quantity: str,
) -> RunData:
    key = {name: _at(spec, name) for name in fields}
    record, row = finished.get(spec.digest), by_key.get(_place(key))
    found = row.values.get(quantity) if row else None
    values = {one.name: one.of(record) for one in QUANTITIES.values()} if record else {}
    interval: IntervalView | None = None
    if found:
        interval = {"n": found.n, "mean": found.mean, "sd": found.sd, "low": found.low, "high": found.high}
    return {
        "id": run_id,
        "state": state,
        "key": key,
        "replicate": spec.replicate,
        "digest": spec.digest,
        "spec": spec.model_dump(mode="json", exclude={"name", "contents"}),
        "result": record.result.model_dump(mode="json") if record else None,
        "values": {name: value for name, value in values.items() if value is not None},
        "interval": interval,
    }


def _at(spec: RunSpec, name: str) -> Any:
    found: Any = spec
    for part in name.split("."):
        found = getattr(found, part)
    return list(found) if isinstance(found, tuple) else found


def _place(key: Mapping[str, Any]) -> str:
    return json.dumps(list(key.values()))


def as_csv(data: StudyData, specs: Sequence[RunSpec]) -> str:
    """One line a run: its place, its state, every field of its spec, its results, and the interval of its setting."""
    text = io.StringIO()
    lines = [_line(data, run, spec) for run, spec in zip(data["runs"], specs, strict=True)]
    columns = list(dict.fromkeys(name for line in lines for name in line))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _line(data: StudyData, run: RunData, spec: RunSpec) -> dict[str, Any]:
    found: dict[str, Any] = {**(run["interval"] or {})}
    plain = {
        "study": data["id"],
        "run": run["id"],
        "state": run["state"],
        "replicate": run["replicate"],
        "digest": run["digest"],
    }
    fields = _flat(spec.model_dump(mode="json", exclude=UNSAID | {"replicate"}))
    values = {one: run["values"].get(one) for one in QUANTITIES}
    result = run["result"] or {}
    more = {name: result.get(name) for name in ("loss", "train_loss", "trainable", "step", "seconds")}
    ends = {f"{data['quantity']}_{end}": found.get(end) for end in ("n", "mean", "sd", "low", "high")}
    return {**plain, **fields, **values, **more, **ends}


def _flat(fields: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """`{"recipe": {"lr": 0.1}}` -> `{"recipe.lr": 0.1}`"""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[f"{before}{name}"] = json.dumps(value) if isinstance(value, list) else value
    return flat
