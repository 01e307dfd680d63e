"""`python -m core capsule pack A B C --out X`, and what `show`, `evaluate` and `unpack` do with a pack.

`evaluate` draws the network once, puts every task's tensors in, and measures what is forgotten (exit code 1: any logit
has changed).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.commands.arguments import BadArguments
from core.commands.capsule import elsewhere, seen_as
from core.commands.exit_codes import DONE, FAILED
from core.data.batches import Batches, batches
from core.data.memory import DataUnavailable
from core.machine.files import datasets_folder, write_atomically
from core.network.devices import device_of, device_title
from core.run.cost import counts
from core.run.pack import MAX_BYTES, BadPack, Packed, is_pack, pack, packed, unpack
from core.run.tensorfile import BadTensorFile, header_of
from core.trained.capsule import Capsule, capsule_in
from core.trained.tasks import KeptTask, SharedNetwork, forgetting

WIDTH = 104
"""Letters that the table needs."""


def make(arguments: argparse.Namespace) -> int:
    """Write the pack of the files of the command line. Raises one of core.commands.capsule.REFUSALS."""
    if arguments.out is None:
        raise BadArguments("pack needs --out FILE, such as --out tasks.pack.safetensors")
    members = []
    for path in arguments.files:
        content = _content(path)
        members.append(packed(str(path), content))
    content = pack(members)
    opened = _opened(arguments.out, content, members)  # refuses what is damaged
    try:
        write_atomically(arguments.out, content)
    except OSError as error:
        raise BadArguments(f"cannot write {arguments.out}: {error.strerror}") from error
    return _show(arguments, opened)


def is_one(arguments: argparse.Namespace) -> bool:
    """Whether the file is a pack, or the command line wants one; what is no capsule either is refused elsewhere."""
    if arguments.action == "unpack":
        return True
    try:
        return is_pack(header_of(arguments.file))
    except (BadTensorFile, OSError):
        return False


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line asks of a pack. Raises one of core.commands.capsule.REFUSALS."""
    actions = {"show": _show, "evaluate": _evaluate, "unpack": _unpack}
    if arguments.action not in actions:
        raise BadArguments(f"capsule {arguments.action} takes a capsule; {arguments.file} is a pack: unpack it first")
    content = _content(arguments.file)
    return actions[arguments.action](arguments, _opened(arguments.file, content, unpack(str(arguments.file), content)))


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadPack(f"{path} is larger than {MAX_BYTES >> 20} MB")
        return path.read_bytes()
    except OSError as error:
        raise BadPack(f"cannot read {path}: {error.strerror}") from error


def _each(members: list[Packed]) -> str:
    """The kilobytes of a task beside those of a whole network."""
    whole = 4 * counts(members[0].spec.plan, members[0].spec.trains).total
    kilobytes = sorted({f"{member.kept_bytes / 1000:.1f}" for member in members})
    return f"{' or '.join(kilobytes)} kB a task (the whole network: {whole / 1000:,.1f} kB)"


@dataclass(frozen=True)
class Opened:
    """A pack and its capsules, read and checked."""

    path: Path
    content: bytes
    members: list[Packed]
    capsules: list[Capsule]

    def told(self) -> list[dict[str, Any]]:
        """What it says of each task."""
        return [
            {
                "dataset": member.spec.dataset,
                "task": member.spec.task,
                "kept_bytes": member.kept_bytes,
                "test_examples": member.spec.images[1],
                "stored": capsule.result.top1,
            }
            for member, capsule in zip(self.members, self.capsules, strict=True)
        ]

    @property
    def names(self) -> list[str]:
        return [seen_as(capsule.spec) for capsule in self.capsules]


def _opened(path: Path, content: bytes, members: list[Packed]) -> Opened:
    return Opened(path, content, members, [capsule_in(member.content, member.name) for member in members])


def _show(arguments: argparse.Namespace, opened: Opened) -> int:
    spec, size = opened.capsules[0].spec, len(opened.content)
    if arguments.json:
        specs = [capsule.spec.model_dump(mode="json") for capsule in opened.capsules]
        rows = [{**row, "spec": spec} for row, spec in zip(opened.told(), specs, strict=True)]
        print(json.dumps({"file": str(opened.path), "size_bytes": size, "tasks": rows}))
        return DONE
    print(f"{opened.path}, {size:,} bytes: {len(opened.members)} tasks over one random network")
    print(f"{spec.architecture} with {spec.norm.title}, weight seed {spec.seeds.init}, policy {spec.policy}")
    print(_each(opened.members))
    table = _table("task", "test top-1 when trained", "kB")
    for name, row in zip(opened.names, opened.told(), strict=True):
        table.add_row(name, f"{row['stored']:.2%}", f"{row['kept_bytes'] / 1000:.1f}")
    _print(table)
    return DONE


def _unpack(arguments: argparse.Namespace, opened: Opened) -> int:
    folder = arguments.out or Path()
    for number, member in enumerate(opened.members):
        path = folder / f"{number}-{member.spec.dataset}-{member.spec.task}.safetensors"
        try:
            write_atomically(path, member.content)
        except OSError as error:
            raise BadArguments(f"cannot write {path}: {error.strerror}") from error
        print(path)
    return DONE


def _evaluate(arguments: argparse.Namespace, opened: Opened) -> int:
    if arguments.dataset or arguments.task:
        raise BadArguments("a pack is evaluated on its own tasks: leave out --dataset and --task")
    device, origins = device_of(arguments.device), [capsule.origin for capsule in opened.capsules]
    torch.set_num_threads(arguments.threads or origins[0].threads)
    try:
        shared = SharedNetwork(opened.capsules, device)
        rows = _followed(shared, across=arguments.across)
    except DataUnavailable as error:
        raise BadArguments(str(error)) from error
    except RuntimeError as error:
        raise BadArguments(f"cannot evaluate on {arguments.device}: {str(error).splitlines()[0]}") from error
    here = device_title(device)
    why = next(filter(None, (elsewhere(here, shared.engine.words, origin) for origin in origins)), None)
    if arguments.json:
        tasks = [{**told, **_row(kept)} for told, kept in zip(opened.told(), rows, strict=True)]
        print(json.dumps({"tasks": tasks, "frozen_as_trained": _unchanged(shared), "elsewhere": why}))
    else:
        _report(opened, rows, shared, why)
    return DONE if all(kept.identical for kept in rows) else FAILED


def _followed(shared: SharedNetwork, *, across: bool) -> list[KeptTask]:
    console, rows = Console(stderr=True), []
    columns = (TextColumn("evaluating"), BarColumn(), TextColumn("{task.percentage:.0f}%"), TimeElapsedColumn())

    def data(capsule: Capsule) -> Batches:
        return batches(capsule.spec, datasets_folder(), shared.device)

    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(shared.capsules))
        for kept in forgetting(shared, data, across=across):
            rows.append(kept)
            bar.update(task, advance=1)
    return rows


def _unchanged(shared: SharedNetwork) -> bool:
    """Whether the shared weights are, after all tasks, those that every run trained with."""
    return shared.frozen == shared.capsules[0].frozen


def _row(kept: KeptTask) -> dict[str, Any]:
    return {
        "before": kept.before.scores._asdict(),
        "after": kept.after.scores._asdict(),
        "forgotten": kept.forgotten,
        "identical": kept.identical,
        "others": None if kept.others is None else [scores.top1 for scores in kept.others],
    }


def _report(opened: Opened, rows: list[KeptTask], shared: SharedNetwork, why: str | None) -> None:
    table = _table("task", "when trained", "first", "after all others", "forgotten", "logits", "kB")
    for name, told, kept in zip(opened.names, opened.told(), rows, strict=True):
        table.add_row(
            *(name, f"{told['stored']:.2%}", f"{kept.before.scores.top1:.2%}", f"{kept.after.scores.top1:.2%}"),
            *(f"{100 * kept.forgotten:.2f} points", "identical" if kept.identical else "DIFFERENT"),
            f"{told['kept_bytes'] / 1000:.1f}",
        )
    _print(table)
    if rows[0].others is not None:
        across = _table("test images of", *(f"γ of {name}" for name in opened.names))
        for name, kept in zip(opened.names, rows, strict=True):
            across.add_row(name, *(f"{scores.top1:.1%}" for scores in kept.others or ()))
        _print(across)
    bits = "as the runs had them, to the bit" if _unchanged(shared) else "NOT those that the runs had"
    print(f"{len(rows)} tasks over one random network: {_each(opened.members)}. Its frozen weights are {bits}.")
    if why:
        print(f"The last digits may differ from the stored ones: {why}.")


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _print(table: Table) -> None:
    # A narrow terminal wraps lines, which loses nothing.
    Console(width=max(Console().width, WIDTH + 20 * len(table.columns))).print(table)
