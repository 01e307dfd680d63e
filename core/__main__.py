"""`python -m core train|count`: the engine of the app without the app.

Exit codes: 0 done, 1 the run failed, 2 bad arguments, 130 stopped by a signal (the same command goes on).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from core import cost
from core.architectures import catalog
from core.arguments import BadArguments, parser, spec_of
from core.events import Event, Failed, Finished, Point, Snapshot, Stopped
from core.journal import Journal, OtherRun, record
from core.lifeline import die_with_parent
from core.policies import policy
from core.spec import RunSpec

DONE, FAILED, BAD_ARGUMENTS, STOPPED = 0, 1, 2, 130


def main() -> int:
    arguments = parser().parse_args()
    try:
        return {"train": train, "count": count}[arguments.command](arguments)
    except (BadArguments, OtherRun) as error:
        print(f"error: {error}", file=sys.stderr)
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
        counts = cost.counts(plan, policy(arguments.policy))
    except ValueError as error:
        raise BadArguments(str(error)) from error
    rows = {**counts.model_dump(), "macs_per_image": plan.macs}
    if arguments.json:
        print(json.dumps(rows))
    else:
        for name, value in rows.items():
            print(f"{name.replace('_', ' '):>15} {value:>16,}")
    return DONE


def train(arguments: argparse.Namespace) -> int:
    spec = spec_of(arguments)
    if arguments.threads is not None and not 1 <= arguments.threads <= 1024:
        raise BadArguments(f"threads must be 1..1024, got {arguments.threads}")
    journal = Journal(arguments.out, spec)
    try:
        journal.open()
    except OSError as error:
        raise BadArguments(f"cannot write to {arguments.out}: {error.strerror}") from error
    if arguments.lifeline:
        die_with_parent()
    stop = _stop_on_signals()
    if journal.finished():  # tell it again: whoever listened may have missed its end
        stream: Iterator[Event] = (
            event for event in journal.events() if isinstance(event, Point | Snapshot | Finished)
        )
    else:
        stream = record(journal, _training(spec, arguments, stop))
    return _exit_code(_print_lines(stream) if arguments.events else _show(spec, stream))


def _training(spec: RunSpec, arguments: argparse.Namespace, stop: list[int]) -> Iterator[Event]:
    # Read when torch loads OpenMP. Threads that wait by spinning make a training that shares its cores with a
    # browser or a second training many times slower (tests/benchmarks/waiting.py).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Seconds of import that neither `count` nor a mistake in the arguments should wait for.
    import torch  # noqa: PLC0415

    from core import training  # noqa: PLC0415

    devices = ["auto", "cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    devices += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if arguments.device not in devices:
        raise BadArguments(f"device {arguments.device!r} is not here. Allowed: {', '.join(devices)}")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    yield from training.train(
        spec,
        arguments.out,
        data_folder=Path(os.environ.get("ONLYBN_DATA") or "data") / "datasets",
        device=arguments.device,
        attempt=arguments.attempt,
        should_stop=lambda: bool(stop),
    )


def _stop_on_signals() -> list[int]:
    """A list that is empty until SIGTERM or SIGINT arrives."""
    received: list[int] = []

    def handle(number: int, _frame: object) -> None:
        if received:  # asked twice: do not wait for the end of the step
            os._exit(STOPPED)
        received.append(number)

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
    from core.console import show  # noqa: PLC0415 - only people need it

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
    sys.exit(main())
