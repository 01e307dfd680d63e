"""What the tasks of a study forget: each pack of its runs is written, evaluated in a process of its own, and reported.

Imports no torch.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from core.machine.files import write_atomically
from core.run.pack import BadPack
from core.studies.folder import StudyFolder
from core.studies.tasks import packs

EVALUATE = (sys.executable, "-m", "core", "capsule", "evaluate")


def report_forgetting(folder: StudyFolder, words: Sequence[str], console: Console) -> None:
    """Write the packs of a study that has tasks below `packs/`, measure what they forget, and print it. `words` are
    further arguments (`--threads 2`)."""
    tasks: list[dict[str, Any]] = []
    count = 0
    try:
        for found in packs(folder):
            path = folder.folder / "packs" / found.name
            write_atomically(path, found.content)
            with console.status(f"evaluating the pack of {found.words}"):
                done = subprocess.run([*EVALUATE, str(path), "--json", *words], capture_output=True, text=True)
            if not done.stdout:
                console.print(f"[red]{path.name}: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}[/]")
                continue
            tasks += json.loads(done.stdout)["tasks"]
            count += 1
    except (BadPack, OSError) as error:
        console.print(f"[red]no pack: {error}[/]")
    if tasks:
        worst = max(100 * row["forgotten"] for row in tasks)
        same = sum(row["identical"] for row in tasks)
        console.print(
            f"Forgetting, measured in {count} packs in {folder.folder / 'packs'}: {worst:.2f} points at most; "
            f"all logits identical for {same} of {len(tasks)} tasks.",
            highlight=False,
            soft_wrap=True,
        )
