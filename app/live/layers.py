"""The histograms of single layers of a watched run, which are read when a panel shows that layer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from typing_extensions import TypedDict

from app.live.messages import SnapshotRow
from app.views.runs import short
from core.run.events import BINS, Snapshot
from jobs.store.breaker import Breaker
from jobs.store.store import Store

KEPT_LAYERS = 4
MAX_CELLS = 8_000_000
"""Numbers that are read for one answer at most: a snapshot is stored with the histograms of all its layers."""


class _OfLayer(TypedDict):
    """What a snapshot's row says of one layer only."""

    gamma: list[int]
    beta: list[int]
    gamma_quantiles: list[float]
    beta_quantiles: list[float]


class LayerHistograms:
    """Of one run; keeps those of the layers that were asked for last. May be used by many threads."""

    def __init__(self, store: Store, run_id: str, breaker: Breaker) -> None:
        self._store, self._id, self._breaker = store, run_id, breaker
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, dict[int, _OfLayer]] = OrderedDict()

    def fitting(self, layer: int, rows: list[SnapshotRow]) -> list[SnapshotRow]:
        """As many of `rows` as one answer may read; none where the network has no such layer."""
        count = len(rows[0]["disabled"]) if rows else 0
        return rows[: max(1, MAX_CELLS // (2 * (BINS + 2) * count))] if layer < count else []

    def of(self, layer: int, rows: Sequence[SnapshotRow], shown: Sequence[SnapshotRow]) -> list[SnapshotRow]:
        """`rows` with the counts of one layer in place of the sums over all. Forgets what is not in `shown`."""
        with self._lock:
            kept = self._kept.setdefault(layer, {})
            self._kept.move_to_end(layer)
            while len(self._kept) > KEPT_LAYERS:
                self._kept.popitem(last=False)
            if missing := [row["step"] for row in rows if row["step"] not in kept]:
                with self._breaker.reading():
                    for detail in self._store.curves.details(self._id, steps=missing):
                        kept[detail.step] = _of_layer(detail, layer)
            # A snapshot that a run does not keep may be gone by now: the next one has replaced it.
            found: list[SnapshotRow] = [{**row, **kept[row["step"]]} for row in rows if row["step"] in kept]
            for step in kept.keys() - {row["step"] for row in shown}:
                del kept[step]
            return found


def _of_layer(detail: Snapshot, layer: int) -> _OfLayer:
    return {
        "gamma": list(detail.gamma.counts[layer]),
        "beta": list(detail.beta.counts[layer]),
        "gamma_quantiles": [short(value) for value in detail.gamma.quantiles[layer]],
        "beta_quantiles": [short(value) for value in detail.beta.quantiles[layer]],
    }
