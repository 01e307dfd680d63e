"""`python -m core capsule adapt FILE`: adapts a trained network to corrupted test images without labels.

Prints a table, with --csv or --json all numbers. On a terminal it shows its progress.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.catalog.corruptions import CORRUPTIONS
from core.catalog.model import Misfit
from core.commands.arguments import BadArguments, adaptation_of
from core.commands.capsule import capsule_of
from core.commands.exit_codes import DONE
from core.data.batches import batches
from core.data.memory import DataUnavailable
from core.machine.files import datasets_folder
from core.network.devices import device_of
from core.run.adaptation import PREDICTIONS, Adaptation, Adapted, obstacle
from core.trained.capsule import Capsule, rebuild
from core.training.adaptation import adapting

WIDTH = 104
"""Letters that the table needs."""


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line asks. Raises one of core.commands.capsule.REFUSALS."""
    adaptation = adaptation_of(arguments)
    capsule = capsule_of(arguments.file)
    if reason := obstacle(capsule.spec.norm):
        raise BadArguments(reason)
    torch.set_num_threads(arguments.threads or capsule.origin.threads)
    try:
        rows = _adapted(capsule, adaptation, arguments.device)
    except (DataUnavailable, Misfit) as error:
        raise BadArguments(str(error)) from error
    except RuntimeError as error:
        raise BadArguments(f"cannot evaluate on {arguments.device}: {str(error).splitlines()[0]}") from error
    if arguments.json:
        asked = adaptation.model_dump(mode="json")
        print(json.dumps({"adapt": asked, "adapted": [row.model_dump() for row in rows]}))
    elif arguments.csv:
        _print_csv(rows)
    else:
        _print_table(rows)
    return DONE


def _adapted(capsule: Capsule, adaptation: Adaptation, device_name: str) -> tuple[Adapted, ...]:
    device, spec = device_of(device_name), capsule.spec
    data = batches(spec, datasets_folder(), device)
    if adaptation.images is not None and adaptation.images > data.test_images:
        raise Misfit("images", f"images must be at most {data.test_images:,}, got {adaptation.images:,}")
    steps = adapting(rebuild(capsule, device), spec, data, adaptation, adaptation.images)
    console = Console(stderr=True)
    columns = (TextColumn("adapting"), BarColumn(), TextColumn("{task.percentage:.0f}%"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=1.0)
        while True:
            try:
                bar.update(task, completed=next(steps))
            except StopIteration as done:
                rows: tuple[Adapted, ...] = done.value
                return rows


def _print_csv(rows: tuple[Adapted, ...]) -> None:
    """A line for each corruption and severity; shares are in 0..1."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    parts = [f"{name}{end}" for name in PREDICTIONS for end in ("", "_low", "_high")]
    writer.writerow(("corruption", "severity", "images", *parts))
    for row in rows:
        shares = [getattr(row, name) for name in PREDICTIONS]
        values = [value for share in shares for value in (share.share, share.low, share.high)]
        writer.writerow((row.corruption or "none", row.severity, row.images, *values))


def _print_table(rows: tuple[Adapted, ...]) -> None:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("corruption", "severity", *PREDICTIONS.values()):
        table.add_column(column, no_wrap=True)
    for row in rows:
        shares = [getattr(row, name) for name in PREDICTIONS]
        words = [f"{share.share:.1%} ({100 * share.low:.1f}–{100 * share.high:.1f})" for share in shares]
        title = CORRUPTIONS[row.corruption].title if row.corruption else "none"
        table.add_row(title, str(row.severity), *words)
    console = Console(width=max(Console().width, WIDTH))  # a narrow terminal wraps lines, which loses nothing
    console.print(table)
    console.print(f"Test accuracy on {rows[0].images:,} images, with 95% intervals.", highlight=False)
