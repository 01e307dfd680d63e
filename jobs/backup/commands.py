"""The commands `backup`, `restore` and `alive` of `python -m jobs`."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from jobs.backup.archive import CannotBackUp, back_up, restore
from jobs.backup.rows import Damaged
from jobs.settings import WorkerSettings
from jobs.store.database import Database, open_database
from jobs.store.schema import WrongSchema
from jobs.store.store import Store

DONE, FAILED = 0, 1


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a parser."""
    saving = commands.add_parser("backup", help="write everything that cannot be recreated into one file")
    saving.add_argument("file", type=Path, metavar="FILE", help="the new archive, such as onlybn.tar.gz")
    saving.add_argument("--without-runs", action="store_true", help="only the database, without folders of runs")
    restoring = commands.add_parser("restore", help="restore a backup into an empty data folder and database")
    restoring.add_argument("file", type=Path, metavar="FILE", help="an archive that `backup` wrote")
    commands.add_parser("alive", help="exit with 0 if a worker on this machine reported recently, else with 1")


COMMANDS = ("backup", "restore", "alive")


def run(arguments: argparse.Namespace, settings: WorkerSettings) -> int:
    """Carry out one of the commands. Returns the exit code. Raises ValueError."""
    database = open_database(settings.store_url)
    try:
        return _run(arguments, settings, database)
    except (CannotBackUp, Damaged, WrongSchema) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except DBAPIError as error:
        print(f"error: the database does not respond: {str(error.orig).strip()}", file=sys.stderr)
        return FAILED
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    finally:
        database.close()


def _run(arguments: argparse.Namespace, settings: WorkerSettings, database: Database) -> int:
    if arguments.command == "restore":
        size = restore(settings, database, arguments.file)
        print(f"Restored the database and {size.files} files of runs, {size.size_bytes / 1e6:.1f} MB.")
        return DONE
    if database.file is not None and not database.file.exists():
        raise CannotBackUp(f"there is no database {database.file}; ONLYBN_DATA names the data folder")
    if arguments.command == "alive":
        here = socket.gethostname()
        return DONE if any(worker.host == here for worker in Store(database).workers.alive()) else FAILED
    size = back_up(settings, database, arguments.file, with_runs=not arguments.without_runs)
    print(f"{arguments.file}: the database and {size.files} files of runs, {size.size_bytes / 1e6:.1f} MB.")
    return DONE
