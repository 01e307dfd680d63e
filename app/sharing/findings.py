"""What the analyses of a run found as CSV files to download, one for each kind. As JSON it is `Findings` itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from core.run.findings import Findings

Table = Literal["layers", "ablation", "relus", "channels"]
SPREAD = ("count", "mean", "sd", "negative", "near_zero")


def csv(findings: Findings, table: Table) -> str:
    """`table` of `findings`. Lines end with CR LF (RFC 4180); no value can hold a comma or start a formula."""
    return "".join(",".join(map(_cell, row)) + "\r\n" for row in TABLES[table](findings))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else repr(value)


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


TABLES: dict[Table, Callable[[Findings], Rows]] = {
    "layers": _layers,
    "ablation": _ablation,
    "relus": _relus,
    "channels": _channels,
}
