"""Runs that come with the project, so that a fresh installation shows real results before anything has run there.

Each lies in static/examples/ as NAME.json and NAME.safetensors; tests/benchmarks/examples.py makes them. A server
stores them in its database when it starts, each name only once: also if much has run there already, and never again
after it has been removed. From then on they are runs like all others, but nobody owns them, and they say nothing about
the speed of this machine.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field, PlainSerializer, ValidationError
from sqlalchemy import Connection

from core.catalog.model import Model, first_fault
from core.run.events import Analysed, Finished, Point, Progress, Snapshot, Started
from core.run.findings import Findings
from core.run.spec import RunSpec
from jobs.store import curves, results
from jobs.store.database import Database
from jobs.store.mapping import readable, select_runs
from jobs.store.records import Run
from jobs.store.submission import row_of
from jobs.store.tables import EXAMPLES, LOG, RUNS

FOLDER = Path(__file__).parents[2] / "static" / "examples"
EXAMPLES_LOCK = 0x6F6E6C79627A
"""PostgreSQL's advisory locks are numbers."""
NOBODY = ""
"""No token has this hash."""


class BadExample(ValueError):
    """A file of the folder is not what it should be; the message says which and why."""


def _without_nulls(point: Point) -> dict[str, Any]:
    return {name: value for name, value in point._asdict().items() if value is not None}


PointInFile = Annotated[Point, PlainSerializer(_without_nulls)]


class Speed(Model):
    """How fast the run trained at `step`."""

    step: int
    images_per_s: float = Field(gt=0)


class Example(Model):
    """A finished run as it lies in the folder, without its capsule. `shows`: a sentence; `machine`: what trained it."""

    shows: str = Field(max_length=200)
    machine: str = Field(max_length=200)
    started_at: float
    finished_at: float
    spec: RunSpec
    started: Started
    points: tuple[PointInFile, ...]
    snapshots: tuple[Snapshot, ...]
    speeds: tuple[Speed, ...]
    findings: Findings
    result: Finished


@dataclass(frozen=True)
class Shipped:
    """An example with the name of its files and its capsule."""

    name: str
    example: Example
    capsule: bytes


def names(folder: Path = FOLDER) -> list[str]:
    """The names of all examples, without reading them."""
    return sorted(path.stem for path in folder.glob("*.json"))


def shipped(folder: Path = FOLDER) -> list[Shipped]:
    """All examples, in the order of their names. Raises BadExample."""
    return [_read(folder / f"{name}.json") for name in names(folder)]


def _read(path: Path) -> Shipped:
    try:
        example = Example.model_validate_json(path.read_bytes())
        return Shipped(path.stem, example, path.with_suffix(".safetensors").read_bytes())
    except ValidationError as error:
        raise BadExample(f"{path}: {first_fault(error)}") from error
    except OSError as error:
        raise BadExample(f"cannot read {error.filename}: {error.strerror}") from error


@dataclass(eq=False)
class Examples:
    """Stores and finds examples."""

    database: Database

    def unseen(self, names: Collection[str]) -> set[str]:
        """Those of `names` that were never stored here."""
        with self.database.reading() as connection:
            return set(names) - _seen(connection)

    def all(self) -> list[Run]:
        """The examples that are still here, in the order of their names."""
        marked = select_runs().where(RUNS.c.example.is_not(None)).order_by(RUNS.c.example)
        with self.database.reading() as connection:
            return readable(connection.execute(marked))

    def take_in(self, examples: list[Shipped]) -> list[str]:
        """Store those that were never stored here as finished runs, all or none. Several processes may do so at once.

        Returns the names of those that this process has stored.
        """
        with self.database.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(EXAMPLES_LOCK)))
            seen = _seen(connection)
            new = [given for given in examples if given.name not in seen]
            for given in new:
                _insert(connection, given)
        return [given.name for given in new]


def _seen(connection: Connection) -> set[str]:
    """The names of all examples that are or were here."""
    return set(connection.scalars(sa.select(EXAMPLES.c.name)))


def _insert(connection: Connection, given: Shipped) -> None:
    example = given.example
    row = {
        **row_of(example.spec, NOBODY),
        "state": "finished",
        "attempt": 1,
        "created_at": example.started_at,
        "started_at": example.started_at,
        "finished_at": example.finished_at,
        "step": example.result.step,
        "elapsed_s": example.result.seconds,
        "top1": example.result.top1,
        "started": example.started.model_dump_json(),
        "result": example.result.model_dump_json(),
        "example": given.name,
        "example_shows": example.shows,
        "example_machine": example.machine,
    }
    number = connection.scalars(sa.insert(RUNS).values(row).returning(RUNS.c.number)).one()
    curves.insert_points(connection, number, sorted(example.points, key=lambda point: (point.step, point.split)))
    curves.insert_snapshots(connection, number, example.spec, example.snapshots)
    for speed in example.speeds:
        curves.insert_speed(connection, number, _progress(example, speed))
    results.insert_findings(connection, number, Analysed(step=example.result.step, findings=example.findings))
    results.insert_capsule(connection, number, given.capsule)
    told = (
        ("started", example.started_at, f"Trained on {example.machine}, torch {example.started.torch}, and shipped."),
        ("finished", example.finished_at, f"Finished with {example.result.top1:.1%} test accuracy."),
    )
    lines = [{"run": number, "at": at, "attempt": 1, "kind": kind, "message": message} for kind, at, message in told]
    connection.execute(sa.insert(LOG), lines)
    connection.execute(sa.insert(EXAMPLES).values(name=given.name))


def _progress(example: Example, speed: Speed) -> Progress:
    return Progress(**speed.model_dump(), total_steps=example.spec.total_steps, elapsed_s=0, eta_s=None)
