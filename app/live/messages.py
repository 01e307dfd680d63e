"""What live panels ask the feed, and what it answers: the JSON shapes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter, WithJsonSchema
from typing_extensions import TypedDict

from app.views.address import Id
from app.views.points import KINDS
from app.views.runs import RunSummary, RunView
from core.catalog.model import Model
from jobs.store.records import Mode

MAX_RUNS = 20

Cursor = Annotated[int, Field(ge=0, lt=2**53)]


class Cursors(Model):
    """The last id that the asker has of each kind, 0 for none; null: not wanted."""

    points: Cursor | None = 0
    snapshots: Cursor | None = None
    log: Cursor | None = None
    disabled: Cursor | None = None
    speeds: Cursor | None = None


class Question(Model):
    """`layer`: index of the norm layer whose histograms are wanted; null: those of all layers together."""

    runs: dict[Id, Cursors] = Field(max_length=MAX_RUNS)
    layer: int | None = Field(None, ge=0, lt=10_000)


PointRow = Annotated[
    tuple[Any, ...], WithJsonSchema(TypeAdapter(tuple[(int, *KINDS.values())]).json_schema())  # type: ignore[misc]
]
"""Cursor id, and the fields of a point in their order."""


class SnapshotRow(TypedDict):
    """`gamma`, `beta`: histogram counts; `disabled`: features per layer; `kept`: false where the next snapshot takes
    the place of this one. `gamma_quantiles`, `beta_quantiles`: of the asked layer, null for all layers together."""

    id: int
    step: int
    epoch: float
    gamma: list[int]
    beta: list[int]
    gamma_quantiles: list[float] | None
    beta_quantiles: list[float] | None
    disabled: list[int]
    kept: bool


SpeedRow = tuple[int, float, float]
"""Cursor id, epoch, images a second."""

DisabledRow = tuple[int, int, float, float]
"""Of a snapshot only: cursor id, step, epoch, share of all features that are disabled."""


class LogLine(TypedDict):
    """`at` in Unix seconds."""

    id: int
    at: float
    attempt: int
    kind: str
    message: str


class RunDelta(TypedDict):
    """What is new of one run, which has its layers when the snapshots are asked for from the start.

    A run that has ended is complete when an answer brings nothing new. `points`: those of a long run are `thinned`,
    that is, only some are sent; `latest` is then its newest train point, which is not among them yet and only there
    until the next answer.
    """

    run: RunSummary | RunView
    points: list[PointRow]
    latest: PointRow | None
    thinned: bool
    snapshots: list[SnapshotRow]
    log: list[LogLine]
    disabled: list[DisabledRow]
    speeds: list[SpeedRow]
    cursor: dict[str, int | None]


class ServerState(TypedDict):
    queued: int
    running: int
    workers: int
    mode: Mode


class Answer(TypedDict):
    """An unknown run is null. Come again after `interval_ms`."""

    runs: dict[str, RunDelta | None]
    interval_ms: int
    server: ServerState
