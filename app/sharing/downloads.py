"""A run's points and snapshots as files to download: full precision, a piece at a time. The feed is shorter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from pydantic import create_model
from typing_extensions import TypedDict

from app.views.points import KINDS
from app.views.runs import LayerView, layers
from core.run.events import DISABLED_BELOW, EDGES, QUANTILES, Point
from jobs.store.records import Run
from jobs.store.store import Store

SNAPSHOTS_AT_ONCE = 4


FIELDS: dict[str, Any] = {name: (kind, ...) for name, kind in KINDS.items()}
PointView = create_model(
    "PointView",
    __doc__="train: mean of the batches since the last train point; test: over the test set, without lr.",
    **FIELDS,
)


class Points(TypedDict):
    id: str
    points: list[PointView]


class DistributionView(TypedDict):
    """A row a norm layer: histogram counts (below the first edge, between the edges, above the last), quantiles."""

    counts: list[list[int]]
    quantiles: list[list[float]]


class SnapshotView(TypedDict):
    """`disabled`: features with |γ| < disabled_below, per layer."""

    step: int
    epoch: float
    gamma: DistributionView
    beta: DistributionView
    disabled: list[int]


class Snapshots(TypedDict):
    """`quantiles`: the levels; `layers`: in the order of every row; null before the run has started."""

    id: str
    edges: list[float]
    quantiles: list[float]
    disabled_below: float
    layers: list[LayerView] | None
    snapshots: list[SnapshotView]


def csv(pages: Iterable[list[Point]]) -> Iterator[str]:
    """Lines end with CR LF (RFC 4180); a missing value is empty. No value can hold a comma or start a formula."""
    yield ",".join(Point._fields) + "\r\n"
    for page in pages:
        yield "".join(",".join(map(_cell, point)) + "\r\n" for point in page)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def json(run_id: str, pages: Iterable[list[Point]]) -> Iterator[bytes]:
    """`Points`, a page at a time."""
    views = ([point._asdict() for point in page] for page in pages)
    yield from _with_list({"id": run_id}, "points", views)


def snapshots(store: Store, run: Run) -> Iterator[bytes]:
    """`Snapshots`, a few at a time: those of a deep network are large."""
    head = {
        "id": run.id,
        "edges": EDGES,
        "quantiles": QUANTILES,
        "disabled_below": DISABLED_BELOW,
        "layers": layers(run.started),
    }
    steps = [row.step for row in store.snapshots(run.id)]
    groups = (steps[i : i + SNAPSHOTS_AT_ONCE] for i in range(0, len(steps), SNAPSHOTS_AT_ONCE))
    views = (
        [detail.model_dump(exclude={"event"}) for detail in store.snapshot_detail(run.id, steps=group)]
        for group in groups
    )
    yield from _with_list(head, "snapshots", views)


def _with_list(head: dict[str, object], key: str, pieces: Iterable[list[dict[str, object]]]) -> Iterator[bytes]:
    """The object `head` with one more member, a list that need not be in memory as a whole."""
    yield orjson.dumps(head)[:-1] + b',"' + key.encode() + b'":['
    separator = b""
    for piece in filter(None, pieces):
        yield separator + orjson.dumps(piece)[1:-1]
        separator = b",\n"
    yield b"]}"
