"""A run's points, snapshots and findings as files to download: full precision, a piece at a time.

The feed is shorter. As JSON, findings are `Findings` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import orjson
from pydantic import create_model
from typing_extensions import TypedDict

from app.views.points import KINDS
from app.views.runs import LayerView, layers
from core.run.adaptation import PREDICTIONS
from core.run.events import DISABLED_BELOW, EDGES, QUANTILES, Point
from core.run.findings import Findings
from jobs.store.records import Run
from jobs.store.store import Store

SNAPSHOTS_AT_ONCE = 4
Table = Literal["layers", "ablation", "relus", "channels", "adapted", "jacobians"]
SPREAD = ("count", "mean", "sd", "negative", "near_zero")


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


def points_csv(pages: Iterable[list[Point]]) -> Iterator[str]:
    """Lines end with CR LF (RFC 4180); a missing value is empty. No value can hold a comma or start a formula."""
    yield ",".join(Point._fields) + "\r\n"
    for page in pages:
        yield "".join(",".join(map(_cell, point)) + "\r\n" for point in page)


def points_json(run_id: str, pages: Iterable[list[Point]]) -> Iterator[bytes]:
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
        "layers": layers(run),
    }
    steps = [row.step for row in store.curves.snapshots(run.id)]
    groups = (steps[i : i + SNAPSHOTS_AT_ONCE] for i in range(0, len(steps), SNAPSHOTS_AT_ONCE))
    views = (
        [detail.model_dump(exclude={"event"}) for detail in store.curves.details(run.id, steps=group)]
        for group in groups
    )
    yield from _with_list(head, "snapshots", views)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else repr(value)


def _with_list(head: dict[str, object], key: str, pieces: Iterable[list[dict[str, object]]]) -> Iterator[bytes]:
    """The object `head` with one more member, a list that need not be in memory as a whole."""
    yield orjson.dumps(head)[:-1] + b',"' + key.encode() + b'":['
    separator = b""
    for piece in filter(None, pieces):
        yield separator + orjson.dumps(piece)[1:-1]
        separator = b",\n"
    yield b"]}"


def findings_csv(findings: Findings, table: Table) -> str:
    """`table` of `findings`. Lines end with CR LF (RFC 4180); no value can hold a comma or start a formula."""
    return "".join(",".join(map(_cell, row)) + "\r\n" for row in TABLES[table](findings))


Rows = Iterator[tuple[Any, ...]]


def _layers(findings: Findings) -> Rows:
    columns = [f"{which}_{part}" for which in ("gamma", "beta") for part in SPREAD]
    yield ("layer", "stage", "shortcut", *columns)
    for row in findings.layers:
        yield (row.name, row.stage, row.shortcut, *(getattr(s, part) for s in (row.gamma, row.beta) for part in SPREAD))


def _ablation(findings: Findings) -> Rows:
    yield ("epsilon", "zeroed", "top1", "change")
    for row in findings.ablation:
        yield (row.epsilon, row.zeroed, row.top1, row.change)


def _relus(findings: Findings) -> Rows:
    yield ("relu", "stage", "position", "after_addition", "channels", "mostly_off", "always_off")
    for row in findings.relus:
        yield (
            row.name,
            row.stage,
            row.position,
            row.after_addition,
            row.channels,
            row.mostly_off,
            row.always_off,
        )


def _channels(findings: Findings) -> Rows:
    yield ("relu", "stage", "position", "after_addition", "channel", "zero_share")
    for row in findings.relus:
        for channel, share in enumerate(row.zero_shares):
            yield (row.name, row.stage, row.position, row.after_addition, channel, share)


def _adapted(findings: Findings) -> Rows:
    columns = [f"{name}{end}" for name in PREDICTIONS for end in ("", "_low", "_high")]
    yield ("corruption", "severity", "images", *columns)
    for row in findings.adapted:
        shares = [getattr(row, name) for name in PREDICTIONS]
        values = [value for share in shares for value in (share.share, share.low, share.high)]
        yield (row.corruption or "none", row.severity, row.images, *values)


def _jacobians(findings: Findings) -> Rows:
    parts = ("rank", "greatest", "least", "number")
    yield ("layer", "stage", "shortcut", "channels", *(f"{when}_{part}" for when in ("start", "end") for part in parts))
    for row in findings.jacobian.layers if findings.jacobian else ():
        found = [getattr(one, part, None) for one in (row.start, row.end) for part in parts]
        yield (row.name, row.stage, row.shortcut, row.channels, *found)


TABLES: dict[Table, Callable[[Findings], Rows]] = {
    "layers": _layers,
    "ablation": _ablation,
    "relus": _relus,
    "channels": _channels,
    "adapted": _adapted,
    "jacobians": _jacobians,
}
