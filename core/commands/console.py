"""Shows the events of a training on a terminal: a progress bar and one line an epoch. Plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from core.run import events
from core.run.findings import Findings
from core.run.spec import RunSpec


def show(spec: RunSpec, stream: Iterator[events.Event], console: Console) -> events.Event | None:
    """Print `stream` until it ends. Returns its last event (None if there was none)."""
    last: events.Event | None = None
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} steps"))
    with Progress(*columns, TimeElapsedColumn(), TextColumn("{task.fields[rest]}"), console=console) as bar:
        task = bar.add_task("preparing", total=spec.total_steps, rest="")
        for event in stream:
            last = event
            if isinstance(event, events.Progress):
                verb = "training" if event.tested is None else f"testing, {event.tested:.0%}"
                verb = verb if event.analysed is None else f"analysing, {event.analysed:.0%}"
                rest = (
                    "" if event.eta_s is None else f"about {clock(event.eta_s)} left, {event.images_per_s:,.0f} img/s"
                )
                bar.update(task, description=verb, completed=event.step, rest=rest)
            elif isinstance(event, events.Measured | events.Snapshot):
                bar.update(task, completed=event.step)
            if line := _line(spec, event):
                bar.print(line)
    return last


def _line(spec: RunSpec, event: events.Event) -> str | None:
    match event:
        case events.Started(resumed_from=step, counts=counts):
            again = f"resumed from step {step}; " if step is not None else ""
            taken = f"{event.taken}\n" if event.taken else ""
            verb = "are computed" if spec.teacher else "train"
            return taken + (
                f"{again}{spec.architecture}, policy {spec.policy}, {spec.dataset}: {counts.trainable:,} of "
                f"{counts.total:,} parameters {verb}; {event.device}, {event.threads} threads"
            )
        case events.Measured(point=events.Point(split="test") as point):
            return f"epoch {point.epoch:g}: test top-1 {point.top1:.2%}, loss {decimal(point.loss)}"
        case events.Analysed(findings=findings):
            return _computed(findings) + (
                f"analysed on {findings.test_examples:,} test images: {findings.relu_always_off:.1%} of ReLU channels "
                f"always off, {findings.unused_parameters:,} parameters without effect{_conditioning(findings)}"
            )
        case events.Finished():
            return (
                f"[green]finished[/]: test top-1 {event.top1:.2%}, train {event.train_top1:.2%}, "
                f"{event.disabled:.1%} of features disabled, {clock(event.seconds)}"
            )
        case events.Failed():
            return f"[red]failed ({event.kind})[/]: {event.message}"
        case events.Warned():
            return f"[yellow]note[/]: {event.message}"
        case events.Stopped():
            return f"stopped at step {event.step}; the same command resumes from here"
    return None


def _computed(findings: Findings) -> str:
    """How γ and β were computed, a line for each layer; empty where they trained."""
    if (computed := findings.computed) is None:
        return ""
    rows = [
        f"{row.name:<24}{f'{row.used:,} of {row.channels:,}':>14}{row.explained:>9.1%}\n" for row in computed.layers
    ]
    return (
        f"computed from a {computed.teacher} (test top-1 {computed.teacher_top1:.2%}) and {computed.images:,} images: "
        f"channels in use, and the share that they explain\n{''.join(rows)}"
    )


def _conditioning(findings: Findings) -> str:
    """The condition number of γ at the start and at the end; empty where it is not known."""
    jacobian = findings.jacobian
    if jacobian is None or jacobian.start is None:
        return ""
    numbers = ["unknown" if one.median is None else f"{one.median:.3g}" for one in (jacobian.start, jacobian.end)]
    return f"; condition number of γ {numbers[0]} before, {numbers[1]} after"


def clock(seconds: float) -> str:
    """Seconds as `42 s`, `3:05 min` or `1:02:03 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d} h"


def decimal(loss: float | None) -> str:
    """A loss in four digits; in words where it is no finite number."""
    return "not finite" if loss is None else f"{loss:.4f}"
