"""`python -m jobs admin`: what the operator does with the installation. It writes into the database; no token."""

from __future__ import annotations

import argparse
import sys

from pydantic import ValidationError

from core.run.problems import explain
from jobs.settings import WorkerSettings
from jobs.store.records import Mode
from jobs.store.store import Store

DONE, REFUSED = 0, 1
MODES: dict[str, tuple[Mode, str]] = {
    "pause": ("paused", "No new runs start; running ones continue."),
    "drain": ("drained", "New runs are refused; queued and running ones still finish."),
    "open": ("open", "The queue is open."),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands of `python -m jobs admin`."""
    commands = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")
    commands.add_parser("status", help="show the state of the queue and of the disk")
    for name, (_, meaning) in MODES.items():
        commands.add_parser(name, help=meaning)
    for name, meaning in (
        ("remove", "cancel and delete a run; its files are deleted an hour later"),
        ("restore", "bring a deleted run back"),
        ("pin", "never delete a run"),
        ("unpin", "undo pin"),
        ("dismiss", "dismiss the reports of a run's name or of text-NUMBER, which stays"),
        ("clear", "remove a reported note, tag, nickname or title: text-NUMBER"),
    ):
        commands.add_parser(name, help=meaning).add_argument("run", nargs="+", metavar="RUN_ID")
    commands.add_parser("reports", help="the names and texts that visitors have reported as offensive")
    rename = commands.add_parser("rename", help="give a run another name")
    rename.add_argument("run", metavar="RUN_ID")
    rename.add_argument("name", metavar="NAME", help="the new name; '' for none")


def run(arguments: argparse.Namespace, settings: WorkerSettings, store: Store) -> int:
    """Do what `arguments` say, and print it. Returns the exit code."""
    what: str = arguments.what
    if what == "status":
        _print_status(settings, store)
        return DONE
    if what in MODES:
        mode, meaning = MODES[what]
        store.switch.turn(mode)
        print(meaning)
        return DONE
    if what == "reports":
        _print_reports(store)
        return DONE
    if what == "rename":
        return _rename(arguments.run, arguments.name, store)
    missing = [run_id for run_id in arguments.run if not _change(what, run_id, store)]
    for run_id in missing:
        there_is_no = "no open report of" if what in ("dismiss", "clear") else "no run"
        print(f"error: there is {there_is_no} {run_id}", file=sys.stderr)
    of = "reports" if what in ("dismiss", "clear") else "runs"
    print(f"{len(arguments.run) - len(missing)} of {len(arguments.run)} {of}: {what}")
    return REFUSED if missing else DONE


def _change(what: str, run_id: str, store: Store) -> bool:
    if what == "remove":
        return store.switch.remove(run_id)
    if what == "restore":
        return store.runs.restore(run_id) is not None
    if what in ("dismiss", "clear"):
        return _settle(what, run_id, store)
    return store.switch.pin(run_id, what == "pin")


def _settle(what: str, named: str, store: Store) -> bool:
    """`named`: the id of a run whose name was reported, or text-NUMBER. False: there is no such report."""
    kind, _, number = named.partition("-")
    if kind == "text" and number.isdecimal():
        settle = store.complaints.clear if what == "clear" else store.complaints.dismiss
        return settle(int(number)) > 0
    return what == "dismiss" and store.reports.dismiss(named) > 0


def _rename(run_id: str, name: str, store: Store) -> int:
    try:
        if store.switch.rename(run_id, name or None):
            print(f"Run {run_id} is now called {name}." if name else f"Run {run_id} no longer has a name.")
            return DONE
        print(f"error: there is no run {run_id}", file=sys.stderr)
    except ValidationError as error:
        print(f"error: {explain(error)}", file=sys.stderr)
    return REFUSED


def _print_reports(store: Store) -> None:
    """A line a run: its id, how many visitors reported it, and its name. Then the other texts, as text-NUMBER."""
    reports, complaints = store.reports.open(), store.complaints.open()
    for one in reports:
        print(f"{one.run_id}  {one.reports:3}  {one.name}")
    for other in complaints:
        print(
            f"text-{other.number}  {other.complaints:3}  {other.kind} of {other.about}: {' '.join(other.text.split())}"
        )
    if not reports and not complaints:
        print("Nothing has been reported.")


def _print_status(settings: WorkerSettings, store: Store) -> None:
    health, last = store.tallies.health(), store.keeping.last_eviction()
    print(
        f"queue     {store.switch.mode()}\n"
        f"profile   {settings.profile}\n"
        f"workers   {health.workers}\n"
        f"waiting   {health.queued} runs, {store.queue.backlog()} requests of at most {settings.max_queued}\n"
        f"running   {health.running}\n"
        f"evicted   {f'{last.runs} runs when space was last needed' if last else 'nothing yet'}\n"
        f"reports   {len(store.reports.open()) + len(store.complaints.open())}"
    )
