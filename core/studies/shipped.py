"""Results that come with the project: finished runs of the questions, trained by tests/benchmarks/findings.py.

Each data set has a file DATASET.jsonl in static/examples/results with a run a line. A study takes them like runs of its
own, by the digest of their specs, so a fresh installation has figures and verdicts. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.catalog.model import Model
from core.machine.files import write_atomically
from core.run.events import Finished, Point, Started
from core.run.findings import Findings
from core.run.spec import RunSpec
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.records import Record
from core.studies.spec import SCALES, StudySpec

FOLDER = Path(__file__).parents[2] / "static" / "examples" / "results"


class ShippedRun(Model):
    """A finished run: what was measured, and what computed it.

    `points`: those at the end of each epoch; `findings` has no single layers, which the capsule would give again;
    `started` neither. `finished_at`: seconds since 1970.
    """

    spec: RunSpec
    started: Started
    result: Finished
    findings: Findings | None
    points: tuple[Point, ...]
    finished_at: float

    @classmethod
    def of(
        cls,
        spec: RunSpec,
        started: Started,
        result: Finished,
        findings: Findings | None,
        points: Iterable[Point],
        at: float,
    ) -> ShippedRun:
        """Of a whole run, what is shipped."""
        ends = (point for point in points if point.step % started.steps_per_epoch == 0)
        return cls(
            spec=spec,
            started=started.model_copy(update={"layers": ()}),
            result=result,
            findings=findings and _without_layers(findings),
            points=tuple(ends),
            finished_at=at,
        )

    @property
    def record(self) -> Record:
        """As verdicts take it."""
        return Record(self.spec, self.result, self.findings, self.started.processes, self.started.engine)


def _without_layers(findings: Findings) -> Findings:
    jacobian = findings.jacobian and findings.jacobian.model_copy(update={"layers": ()})
    return findings.model_copy(update={"layers": (), "relus": (), "jacobian": jacobian})


@dataclass(frozen=True)
class ShippedStudy:
    """A study of which at least one run is shipped; `runs` stand in the order of its members."""

    spec: StudySpec
    runs: tuple[ShippedRun, ...]

    @property
    def id(self) -> str:
        return f"shipped-{self.spec.study}-{self.spec.scale}"

    @property
    def records(self) -> list[Record]:
        return [run.record for run in self.runs]

    @property
    def hours(self) -> float:
        """Of training, all runs together."""
        return sum(run.result.seconds for run in self.runs) / 3600

    @property
    def machines(self) -> tuple[str, ...]:
        """What trained them, in words."""
        return tuple(dict.fromkeys(run.started.processor or run.started.device for run in self.runs))


def read(folder: Path = FOLDER) -> dict[str, ShippedRun]:
    """All shipped runs by the digest of their spec."""
    found = {}
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            run = ShippedRun.model_validate_json(line)
            found[run.spec.digest] = run
    return found


def write(runs: Iterable[ShippedRun], folder: Path = FOLDER) -> None:
    """Write all files anew, the runs of each in the order of their end."""
    files: dict[str, list[ShippedRun]] = {}
    for run in sorted(runs, key=lambda run: run.finished_at):
        files.setdefault(run.spec.dataset, []).append(run)
    folder.mkdir(parents=True, exist_ok=True)
    for dataset, rows in files.items():
        lines = "".join(f"{run.model_dump_json()}\n" for run in rows)
        write_atomically(folder / f"{dataset}.jsonl", lines.encode())


def studies(runs: Mapping[str, ShippedRun]) -> Iterator[ShippedStudy]:
    """Every question and scale of which `runs` has a run, on the copy of the data set that it was trained on."""
    copies = {(run.spec.dataset, run.spec.copy_of_data) for run in runs.values()}
    for name in STUDIES:
        for scale in SCALES:
            for dataset, copy in sorted(copies, key=str):
                if study_spec(name, scale).base["dataset"] != dataset:
                    continue
                study = with_copy(study_spec(name, scale), copy.model_dump() if copy else None)
                members = [runs[member.digest] for member in study.members if member.digest in runs]
                if members:
                    yield ShippedStudy(study, tuple(members))


def with_copy(study: StudySpec, copy: Mapping[str, object] | None) -> StudySpec:
    """`study` on a given copy of its data set; None: on the original."""
    if copy is None:
        return study
    # Not model_copy, which would take over the members that the study has made on the original.
    return StudySpec.model_validate({**study.model_dump(), "base": {**study.base, "copy_of_data": copy}})
