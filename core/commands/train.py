"""`python -m core train`: one run, or one of the processes of a run, from its arguments to its exit code.

Imports torch only where something trains: the import takes seconds, and a mistake in the arguments is reported before.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from core.commands.arguments import BadArguments, check_threads, spec_of
from core.commands.exit_codes import DONE, FAILED, STOPPED
from core.machine.files import START, datasets_folder, write_atomically
from core.machine.lifeline import die_with_launcher, die_with_parent
from core.machine.part import Part
from core.machine.signals import stop_on
from core.machine.threads import one_thread_a_core, spin_briefly
from core.run.computation import LEAST_SQUARES
from core.run.events import Analysed, Event, Failed, Finished, Measured, Snapshot, Stopped
from core.run.journal import Journal, record
from core.run.spec import RunSpec

ECHO_S = 3.0


def run(arguments: argparse.Namespace) -> int:
    """Train, alone or as one of several processes. Raises BadArguments, OtherRun."""
    spec = spec_of(arguments)
    check_threads(arguments)
    part = _part(spec)
    if not part.alone:
        die_with_launcher()
    if arguments.lifeline:
        die_with_parent(arguments.lease, first=part.first)
    if not part.first:
        return _follow(spec, arguments, part)
    journal = Journal(arguments.out, spec)
    try:
        journal.open()
        if arguments.start:
            write_atomically(arguments.out / START, arguments.start.read_bytes())
    except OSError as error:
        raise BadArguments(f"cannot write to {arguments.out}: {error.strerror}") from error
    if journal.finished():  # print it again: the reader may have missed its end
        if not part.alone:
            from core.network.group import dismiss  # noqa: PLC0415 - imports torch

            dismiss()
        stream: Iterator[Event] = (
            event for event in journal.events() if isinstance(event, Measured | Snapshot | Analysed | Finished)
        )
    else:
        stream = record(journal, _training(spec, arguments, part))
    return _exit_code(print_lines(stream) if arguments.events else _show(spec, stream))


def _part(spec: RunSpec) -> Part:
    """Which of the run's processes this is. Raises BadArguments if there are too many."""
    part = Part.of_this_process()
    if spec.teacher and not part.alone:
        raise BadArguments(f"{LEAST_SQUARES} needs one process, got {part.world}")
    if spec.recipe.batch_size < 2 * part.world and not part.alone:
        raise BadArguments(
            f"{part.world} processes need a batch_size of at least {2 * part.world}, two images each; got "
            f"{spec.recipe.batch_size}"
        )
    return part


def _follow(spec: RunSpec, arguments: argparse.Namespace, part: Part) -> int:
    """Train with the first process, and print nothing."""
    last: Event | None = None
    for event in _training(spec, arguments, part):
        last = event
    return _exit_code(last) if last else DONE


def _training(spec: RunSpec, arguments: argparse.Namespace, part: Part) -> Iterator[Event]:
    """The events of the training; none where the first process says that there is nothing to do."""
    # A supervised training is killed if it does not end; SIGTERM comes from its supervisor and, at once, from Slurm.
    stop = _stop_on_signals(math.inf if arguments.lifeline else 0.0) if part.alone else None
    spin_briefly()
    with one_thread_a_core(arguments.threads) as let_main_go:
        import torch  # noqa: PLC0415

        if arguments.threads:
            torch.set_num_threads(arguments.threads)
        let_main_go(lambda: torch.ones(1 << 20).add_(1))

    from core.machine.memory import keep_freed_memory  # noqa: PLC0415
    from core.network.devices import NoDevice, device_of  # noqa: PLC0415
    from core.network.group import Group, join  # noqa: PLC0415
    from core.training.loop import train  # noqa: PLC0415
    from core.training.verifying import verify  # noqa: PLC0415

    keep_freed_memory()
    try:
        device = device_of(arguments.device, part)
    except NoDevice as error:
        raise BadArguments(str(error)) from error
    group = Group() if part.alone else join(device)
    if group is None:
        return
    if stop is None:  # not before: a signal ends processes that still look for each other at once
        stop = _stop_on_signals(echo_s=ECHO_S)
    options: dict[str, Any] = {"data_folder": datasets_folder(), "device": str(device), "attempt": arguments.attempt}
    options |= {"should_stop": lambda: bool(stop)}
    if arguments.verify:
        yield from verify(spec, arguments.verify, arguments.out, **options)
        return
    for event in train(spec, arguments.out, **options, group=group, analyses=not arguments.no_analysis):
        yield event
    if not isinstance(event, Failed):  # after a failure nobody knows where the others are
        group.close()


def _stop_on_signals(echo_s: float = 0.0) -> list[float]:
    """A list that is empty until SIGTERM or SIGINT arrives; a second signal ends the process at once.

    Processes under torchrun get a signal twice, in torchrun's process group and again from torchrun. A signal within
    `echo_s` seconds of the first is therefore its echo and ends nothing.
    """
    received: list[float] = []

    def handle(_number: int, _frame: object) -> None:
        now = time.monotonic()
        if received and now - received[0] >= echo_s:
            os._exit(STOPPED)
        received.append(now)

    stop_on(handle)
    return received


def print_lines(stream: Iterator[Event]) -> Event | None:
    """Print one JSON object a line. Returns the last event."""
    last = None
    for event in stream:
        sys.stdout.write(f"{event.model_dump_json()}\n")
        sys.stdout.flush()
        last = event
    return last


def _show(spec: RunSpec, stream: Iterator[Event]) -> Event | None:
    from core.commands.console import show  # noqa: PLC0415 - only people need it

    return show(spec, stream, Console())


def _exit_code(last: Event | None) -> int:
    match last:
        case Finished():
            return DONE
        case Stopped():
            return STOPPED
        case Failed():
            return FAILED
    return FAILED
