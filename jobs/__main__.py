"""`python -m jobs`: a worker, on this machine or on another that shares database and queue; admin, and backups."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from core.machine.lifeline import die_with_parent
from core.machine.signals import stop_on
from jobs import admin, logs
from jobs.backup import commands as backup
from jobs.queue import make_queue, shown
from jobs.settings import WorkerSettings, explain
from jobs.store.artefacts.address import PlaceAway
from jobs.store.database import open_database
from jobs.store.schema import WrongSchema
from jobs.store.store import Store
from jobs.worker.until import ENDS, Reason, lasted, read_until
from jobs.worker.worker import Tersely, Worker

STOPPED, UNREACHABLE, BAD_SETTINGS, UNFIT, WORK_LEFT = 0, 1, 2, 3, 75
"""Exit codes. 75 is EX_TEMPFAIL of sysexits.h: try again."""
WARNING = getattr(signal, "SIGUSR1", None)
"""What Slurm sends some time before that of a job is over."""
TEXT, DATES = "%(asctime)s %(name)s: %(message)s", "%H:%M:%S"


def main() -> int:
    began, arguments = time.monotonic(), _arguments()
    if arguments.lifeline:
        die_with_parent()
    _log_to_stderr()
    try:
        until = read_until(arguments.until, datetime.now().astimezone())
        settings = WorkerSettings() if arguments.labels is None else WorkerSettings(labels=arguments.labels)
        logs.shape(settings, TEXT, DATES)
        if arguments.command in backup.COMMANDS:
            return backup.run(arguments, settings)
        store = Store(open_database(settings.store_url), settings.artefacts_place)
        store.migrate()
        if arguments.command == "admin":
            return admin.run(arguments, settings, store)
        store.artefacts.check()
        huey = make_queue(settings)
    except ValidationError as error:
        return _give_up(BAD_SETTINGS, explain(error))
    except (ValueError, WrongSchema) as error:
        return _give_up(BAD_SETTINGS, str(error))
    except DBAPIError as error:
        return _give_up(UNREACHABLE, f"cannot open the database: {str(error.orig).strip()}")
    except OSError as error:
        return _give_up(UNREACHABLE, error.strerror or str(error) if isinstance(error, PlaceAway) else str(error))
    worker = Worker(settings, store, huey, until=until)
    _stop_on_signals(worker)
    slots = "one training" if worker.cores.slots == 1 else f"{worker.cores.slots} trainings"
    threads = f"{settings.trainer_threads} CPU threads each"
    if settings.slots is None and settings.threads is None and worker.cores.slots > 1:
        slots, threads = f"up to {slots}", f"{settings.trainer_threads} CPU threads together"
    if settings.processes > 1:
        threads = f"{settings.processes} processes each with {settings.trainer_threads} CPU threads"
    logs.say(
        settings,
        f"OnlyBN worker {worker.identity.name}\n"
        f"  database  {store.database.address}\n"
        f"  queue     {shown(settings)}\n"
        f"  runs      {slots} at once, {threads}, device {settings.device}\n"
        f"  folder    {settings.runs_folder}\n"
        f"  artefacts {settings.artefacts_place.partition('://')[0]}\n"
        f"  labels    {settings.labels.replace(',', ', ') or 'none'}\n"
        "Ctrl-C stops it; its trainings continue with the next worker.",
    )
    reason = worker.work()
    logs.say(settings, f"The worker ended after {lasted(began)}: {ENDS[reason]}. {worker.ledger.words()}")
    return _exit_code(worker, reason)


def _exit_code(worker: Worker, reason: Reason) -> int:
    if reason == "unfit":
        return UNFIT
    early = reason == "time" or (reason == "stopped" and worker.until.limited)
    return WORK_LEFT if early and worker.leaves_work() else STOPPED


def _arguments() -> argparse.Namespace:
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.command and (arguments.until or arguments.labels is not None):
        parser.error(f"--until and --labels are for a worker, not for {arguments.command}")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jobs",
        description="A worker: takes queued runs and trains them. `python -m app` starts one by itself; start more "
        "here or on other machines, with the same ONLYBN_DATABASE_URL, ONLYBN_QUEUE_URL and ONLYBN_SECRET.",
        epilog="Settings are environment variables: "
        + ", ".join(f"ONLYBN_{name.upper()}" for name in WorkerSettings.model_fields)
        + ". Exit codes: 0, it ended as asked; 1, database, queue or artefacts cannot be reached; 2, a wrong setting "
        "or option; 3, with --until, it cannot train here; 75, it was stopped and the queue still has runs for it.",
    )
    parser.add_argument(
        "--until",
        action="append",
        nargs="+",
        default=[],
        metavar="END",
        help="when to end: idle (nothing in the queue is for this worker), a duration such as 30m, a time such as "
        "18:30, or a number of runs such as 5 runs; of several, the first one that comes",
    )
    parser.add_argument("--labels", metavar="A,B", help="labels of this worker, in place of ONLYBN_LABELS")
    parser.add_argument("--lifeline", action="store_true", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", metavar="")
    admin.add_arguments(commands.add_parser("admin", help="pause, drain and open the queue; delete and rename runs"))
    backup.add_commands(commands)
    return parser


def _stop_on_signals(worker: Worker) -> None:
    asked: list[int] = []

    def stop(number: int, _frame: object) -> None:
        if asked and number != WARNING:  # asked twice: do not wait; the trainers end with this process
            os._exit(128 + signal.SIGINT)
        if number != WARNING:
            asked.append(number)
        if not worker.stopping.is_set():
            worker.stop("time" if number == WARNING else "stopped")

    stop_on(stop)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format=TEXT, datefmt=DATES)
    for name in ("huey", "huey.consumer", "huey.consumer.Worker", "huey.consumer.Scheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger(name).addFilter(Tersely())


def _give_up(code: int, message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
