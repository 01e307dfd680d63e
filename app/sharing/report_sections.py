"""The sections of a run's report as HTML; `report` puts them together. All text goes through `escape`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

from app.preview.spec_text import as_yaml
from app.sharing.wording import name_of, sentence
from core.catalog.policies import policy
from core.documents.document import NOSCRIPT, figures, folded, origin, table
from core.run.events import DISABLED_BELOW, EDGES, QUANTILES, Point, Snapshot
from core.run.findings import Findings
from jobs.store.records import LogRow, Run, StoredSnapshot

NONE = "–"
SHOWN = (0.05, 0.5, 0.95)
CURVES = {"accuracy": "Accuracy", "loss": "Loss"}
FEATURES = {
    "histogram": "Histogram of all layers",
    "layers": "Disabled features by layer",
    "disabled": "Disabled features over the training",
}
FOUND = {"ablation": "Without the smallest γ", "relus": "ReLU channels that are 0 for more than 99 % of all pixels"}


def head(run: Run, last: Snapshot | None, link: str, made: datetime) -> str:
    """What the run is, how it stands, where the file came from, and the main numbers."""
    counts, result = run.counts, run.result
    features = sum(layer.channels for layer in run.started.layers) if run.started else 0
    facts = {
        "Test accuracy": _percent(result.top1 if result else run.top1),
        "Top-5 test accuracy": _percent(result.top5) if result and result.top5 is not None else None,
        "Train accuracy": _percent(result.train_top1) if result else None,
        "Disabled features": _percent(sum(last.disabled) / features) if last and features else None,
        "Trainable parameters": f"{counts.trainable:,}",
        "All parameters": f"{counts.total:,}",
        "Seconds": f"{result.seconds:,.1f}" if result else None,
    }
    stats = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items() if value is not None
    )
    return (
        f"<header><h1>{escape(name_of(run))}</h1><p>{escape(sentence(run))}</p>{_standing(run)}"
        f'{origin(made, link)}<dl class="stats">{stats}</dl></header>'
    )


def _standing(run: Run) -> str:
    """Why this is not a finished run; nothing if it is one."""
    at = f"at step {run.step:,} of {run.total_steps:,}"
    words = {
        "queued": "This run was still waiting in the queue when this file was made.",
        "running": f"This run was not finished when this file was made: it was {at}. The numbers are of that moment.",
        "failed": f"This run failed {at}: {run.error_message or 'no reason was stored'}",
        "cancelled": f"This run was cancelled {at}.",
    }.get(run.state)
    if words is None:
        return ""
    return f'<p class="notice{" bad" if run.state == "failed" else ""}">{escape(words)}</p>'


def charts(run: Run, snapshots: Sequence[StoredSnapshot], findings: Findings | None) -> str:
    """Places that static/documents/run.js draws into."""
    parts = [NOSCRIPT]
    if run.top1 is not None or run.step:
        parts.append(f"<h2>Curves</h2>{figures(CURVES)}")
    else:
        parts.append("<p>No number of this run is known yet, so there is nothing to draw.</p>")
    if snapshots:
        parts.append(f"<h2>γ and β, the scale and shift of each feature</h2>{_player()}{figures(FEATURES)}")
    if findings:
        shown = {"ablation": bool(findings.ablation), "relus": bool(findings.relus)}
        there = {name: title for name, title in FOUND.items() if shown[name]}
        parts.append(f"<h2>The trained network, analysed</h2>{figures(there)}")
    return "".join(parts)


def _player() -> str:
    letters = "".join(
        f'<label><input type="radio" name="of" value="{name}"{" checked" if name == "gamma" else ""}> {letter}</label>'
        for name, letter in (("gamma", "γ"), ("beta", "β"))
    )
    return (
        '<div class="moment" hidden><button type="button">Play</button>'
        '<input type="range" min="0" max="0" value="0" aria-label="Moment of the training"><output></output>'
        f'<fieldset aria-label="γ or β">{letters}</fieldset></div>'
    )


def tables(points: Sequence[Point], snapshots: Sequence[StoredSnapshot], last: Snapshot | None, run: Run) -> str:
    """The numbers behind the charts."""
    parts = ["<h2>The numbers</h2>", folded("Accuracy and loss at each test", _tests(points), open_=True)]
    layers = run.started.layers if run.started else ()
    if last and layers:
        levels = [QUANTILES.index(level) for level in SHOWN]
        words = ["median" if level == 0.5 else f"{level:.0%}" for level in SHOWN]
        rows = [
            [
                layer.name,
                f"{layer.channels:,}",
                f"{off:,}",
                _percent(off / layer.channels),
                *(f"{row[level]:.3f}" for row in (gamma, beta) for level in levels),
            ]
            for layer, off, gamma, beta in zip(
                layers, last.disabled, last.gamma.quantiles, last.beta.quantiles, strict=True
            )
        ]
        heads = ["Layer", "Features", f"|γ| < {DISABLED_BELOW}", "Share"]
        heads += [f"{letter}, {word}" for letter in "γβ" for word in words]
        parts.append(folded(f"Layer by layer at epoch {last.epoch:.1f}", table(heads, rows)))
        parts.append(folded(f"Histogram of all layers at epoch {last.epoch:.1f}", _histogram(snapshots[-1])))
    if snapshots:
        features = sum(layer.channels for layer in layers) or 1
        moments = [
            [f"{row.epoch:.2f}", f"{row.step:,}", f"{sum(row.disabled):,}", _percent(sum(row.disabled) / features)]
            for row in snapshots
        ]
        heads = ["Epoch", "Step", "Disabled features", "Share"]
        parts.append(folded("Disabled features over the training", table(heads, moments)))
    return "".join(parts)


def _tests(points: Sequence[Point]) -> str:
    """Each test, with the last train point before it."""
    train: Point | None = None
    rows = []
    for point in sorted(points, key=lambda point: (point.step, point.split == "test")):
        if point.split == "train":
            train = point
            continue
        before = (_percent(train.top1), f"{train.loss:.4f}") if train else (NONE, NONE)
        test = (_percent(point.top1), f"{point.loss:.4f}", _percent(point.top5))
        rows.append([f"{point.epoch:.2f}", f"{point.step:,}", *test, *before])
    heads = ["Epoch", "Step", "Test accuracy", "Test loss", "Top-5", "Train accuracy", "Train loss"]
    return table(heads, rows) if rows else "<p>It has not been tested yet.</p>"


def _histogram(snapshot: StoredSnapshot) -> str:
    bins = [f"below {EDGES[0]}", *(f"{a:.2f} to {b:.2f}" for a, b in pairwise(EDGES))]
    rows = [
        [name, f"{gamma:,}", f"{beta:,}"]
        for name, gamma, beta in zip([*bins, f"above {EDGES[-1]}"], snapshot.gamma, snapshot.beta, strict=True)
        if gamma or beta
    ]
    return table(["Value", "Features by γ", "Features by β"], rows)


def findings(found: Findings | None) -> str:
    """What the analyses of a finished run found, as numbers; nothing where there are none."""
    if found is None:
        return ""
    ablation = [
        [f"{row.epsilon:g}", _percent(row.zeroed), _percent(row.top1), f"{100 * row.change:+.2f}"]
        for row in found.ablation
    ]
    relus = [[row.name, f"{row.channels:,}", _percent(row.mostly_off), _percent(row.always_off)] for row in found.relus]
    words = (
        f"{_percent(found.relu_always_off)} of all ReLU channels are 0 for every test image, "
        f"{_percent(found.relu_mostly_off)} for more than 99 % of their pixels. {found.unused_parameters:,} parameters "
        f"feed or read only channels that are always off. Measured on {found.test_examples:,} test images."
    )
    parts = [f"<p>{words}</p>"]
    if ablation:
        heads = ["γ := 0 where |γ| is below", "Share of γ", "Test accuracy", "Change (points)"]
        parts.append(folded("Threshold ablation", table(heads, ablation)))
    if relus:
        heads = ["ReLU", "Channels", "Off for > 99 % of pixels", "Always off"]
        parts.append(folded("ReLUs that are off", table(heads, relus)))
    return "".join(parts)


def specification(run: Run) -> str:
    """What was asked for and what computed it."""
    spec, started = run.spec, run.started
    facts = {
        "Id": run.id,
        "Architecture": spec.architecture,
        "What trains": policy(spec.policy).title,
        "Data set": spec.dataset,
        "Epochs": str(spec.epochs),
        "Replicate": f"{spec.replicate} (seeds {', '.join(map(str, spec.seeds.model_dump().values()))})",
        "Parameters": f"{run.counts.trainable:,} of {run.counts.total:,} train; γ and β {run.counts.batchnorm:,}, "
        f"output {run.counts.output:,}, shortcuts {run.counts.shortcut:,}",
        "State": f"{run.state}, attempt {run.attempt}",
        "Launched": _when(run.created_at),
        "Started": _when(run.started_at) if run.started_at else None,
        "Ended": _when(run.finished_at) if run.finished_at else None,
        "Engine": started.engine or None if started else None,
        "Device": f"{started.device}, {started.threads} threads, torch {started.torch}" if started else None,
        "Trained tensors (SHA-256)": run.result.digest if run.result else None,
        "Spec (SHA-256)": spec.digest,
    }
    rows = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items() if value is not None
    )
    text = escape(as_yaml(spec))
    return (
        f'<h2>Specification</h2><div class="card"><dl class="facts">{rows}</dl>'
        f"<details><summary>As YAML, to be loaded again</summary><pre tabindex='0'>{text}</pre></details></div>"
    )


def log(rows: Sequence[LogRow]) -> str:
    """What happened to the run, in the order in which it did."""
    lines = [[_when(row.at), str(row.attempt or NONE), row.kind, row.message] for row in rows]
    return (
        f'<h2>What happened</h2><div class="card words">{table(["Time", "Attempt", "What", "In words"], lines)}</div>'
    )


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.2f} %"


def _when(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M:%S} UTC"
