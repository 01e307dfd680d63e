"""`python -m core train|count|capsule|studies`: the engine of the app without the app.

torchrun starts several of these for one run; the first speaks and writes, the others only train along.

Exit codes: 0 done, 1 the run failed, 2 bad arguments, 130 stopped by a signal (the same command goes on).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from core.catalog import architectures as catalog
from core.catalog.policies import policy
from core.commands import studies
from core.commands.arguments import BadArguments, parser, spec_of
from core.machine.files import START, write_atomically
from core.machine.lifeline import die_with_launcher, die_with_parent
from core.machine.part import Part
from core.run import cost
from core.run.events import Analysed, Event, Failed, Finished, Measured, Snapshot, Stopped
from core.run.journal import Journal, OtherRun, record
from core.run.spec import RunSpec

DONE, FAILED, BAD_ARGUMENTS, STOPPED = 0, 1, 2, 130
ECHO_S = 3.0
SPIN = "5000"
"""Read when torch loads OpenMP. Threads that wait by spinning long (libgomp's default) make a training that shares its
cores with a browser or a second training ten times slower; threads that never spin make one that is alone half as fast.
A short spin is good for both (tests/benchmarks/waiting.py)."""


def main() -> int:
    arguments = parser().parse_args()
    try:
        return {"train": train, "count": count, "capsule": capsule, "studies": studies.run}[arguments.command](
            arguments
        )
    except (BadArguments, OtherRun, *studies.Problem) as error:
        print(f"error: {error}", file=sys.stderr)
        part = Part.of_this_process()
        if part.first and not part.alone and getattr(arguments, "events", None):  # torchrun swallows the exit code
            _print_lines(iter([Failed(step=0, kind="error", message=str(error))]))
        return BAD_ARGUMENTS
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads any more: no traceback at exit
        return FAILED


def count(arguments: argparse.Namespace) -> int:
    for name in ("classes", "channels", "size"):
        if not 1 <= getattr(arguments, name) <= 10_000:
            raise BadArguments(f"{name} must be 1..10000, got {getattr(arguments, name)}")
    try:
        shape = (arguments.channels, arguments.size, arguments.size)
        plan = catalog.plan(arguments.architecture, shape, arguments.classes)
        counts = cost.counts(plan, policy(arguments.policy).trains(plan))
    except ValueError as error:
        raise BadArguments(str(error)) from error
    rows = {**counts.model_dump(), "macs_per_image": plan.macs}
    if arguments.json:
        print(json.dumps(rows))
    else:
        for name, value in rows.items():
            print(f"{name.replace('_', ' '):>15} {value:>16,}")
    return DONE


def capsule(arguments: argparse.Namespace) -> int:
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)
    from core.commands import capsule as capsule_command  # noqa: PLC0415 - imports torch
    from core.commands import surgery as surgery_command  # noqa: PLC0415
    from core.trained.capsule import BadCapsule  # noqa: PLC0415

    if arguments.threads is not None and not 1 <= arguments.threads <= 1024:
        raise BadArguments(f"threads must be 1..1024, got {arguments.threads}")
    try:
        return surgery_command.run(arguments) if arguments.action == "surgery" else capsule_command.run(arguments)
    except (BadCapsule, capsule_command.BadUse) as error:
        raise BadArguments(str(error)) from error


def train(arguments: argparse.Namespace) -> int:
    spec = spec_of(arguments)
    if arguments.threads is not None and not 1 <= arguments.threads <= 1024:
        raise BadArguments(f"threads must be 1..1024, got {arguments.threads}")
    part = _part(spec)
    if not part.alone:
        die_with_launcher()
    if arguments.lifeline:
        die_with_parent()
    if not part.first:
        return _follow(spec, arguments, part)
    journal = Journal(arguments.out, spec)
    try:
        journal.open()
        if arguments.start:
            write_atomically(arguments.out / START, arguments.start.read_bytes())
    except OSError as error:
        raise BadArguments(f"cannot write to {arguments.out}: {error.strerror}") from error
    if journal.finished():  # tell it again: whoever listened may have missed its end
        if not part.alone:
            from core.network.group import dismiss  # noqa: PLC0415 - imports torch

            dismiss()
        stream: Iterator[Event] = (
            event for event in journal.events() if isinstance(event, Measured | Snapshot | Analysed | Finished)
        )
    else:
        stream = record(journal, _training(spec, arguments, part))
    return _exit_code(_print_lines(stream) if arguments.events else _show(spec, stream))


def _part(spec: RunSpec) -> Part:
    """Which of the run's processes this is. Raises BadArguments where they are too many for a batch."""
    part = Part.of_this_process()
    if spec.recipe.batch_size < 2 * part.world and not part.alone:
        raise BadArguments(
            f"{part.world} processes need a batch_size of at least {2 * part.world}, two images each; got "
            f"{spec.recipe.batch_size}"
        )
    return part


def _follow(spec: RunSpec, arguments: argparse.Namespace, part: Part) -> int:
    """Train along, in silence."""
    last: Event | None = None
    for event in _training(spec, arguments, part):
        last = event
    return _exit_code(last) if last else DONE


def _training(spec: RunSpec, arguments: argparse.Namespace, part: Part) -> Iterator[Event]:
    """The events of the training; none where the first process says that there is nothing to do."""
    stop = _stop_on_signals() if part.alone else None
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)
    # Seconds of import that neither `count` nor a mistake in the arguments should wait for.
    import torch  # noqa: PLC0415

    from core.machine.memory import keep_freed_memory  # noqa: PLC0415
    from core.network import group as distributed  # noqa: PLC0415
    from core.training import loop as training  # noqa: PLC0415

    keep_freed_memory()

    devices = ["auto", "cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    devices += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if arguments.device not in devices:
        raise BadArguments(f"device {arguments.device!r} is not here. Allowed: {', '.join(devices)}")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        device = distributed.own_device(arguments.device, part)
    except distributed.Unfit as error:
        raise BadArguments(str(error)) from error
    group = distributed.Group() if part.alone else distributed.join(torch.device(device))
    if group is None:
        return
    if stop is None:  # only now: a signal while they looked for each other has ended them at once
        stop = _stop_on_signals(echo_s=ECHO_S)
    for event in training.train(
        spec,
        arguments.out,
        data_folder=Path(os.environ.get("ONLYBN_DATA") or "data") / "datasets",
        device=device,
        attempt=arguments.attempt,
        should_stop=lambda: bool(stop),
        group=group,
        analyses=not arguments.no_analysis,
    ):
        yield event
    if not isinstance(event, Failed):  # else nobody knows where the others are
        group.close()


def _stop_on_signals(echo_s: float = 0.0) -> list[float]:
    """A list that is empty until SIGTERM or SIGINT arrives; a second signal does not wait for the end of the step.

    torchrun passes on to its processes what they, in its process group, have got already: a signal within `echo_s`
    seconds of the first is the first one's echo.
    """
    received: list[float] = []

    def handle(_number: int, _frame: object) -> None:
        now = time.monotonic()
        if received and now - received[0] >= echo_s:
            os._exit(STOPPED)
        received.append(now)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return received


def _print_lines(stream: Iterator[Event]) -> Event | None:
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


if __name__ == "__main__":
    code = main()
    if not Part.of_this_process().alone:
        # Threads of the process group can abort an interpreter that is being torn down.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
