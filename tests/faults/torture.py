"""Several processes write to one SQLite database and copy its write-ahead log for minutes; then it must be whole.

Run it from the repository's root: `.venv/bin/python -m tests.faults.torture --minutes 15`. The log is copied a
thousand times as often as usual, since SQLite's WAL-reset fault is a race of microseconds. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jobs.store import database as module
from jobs.store.database import open_database

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4


def write(file: str, who: int, seconds: float) -> None:
    """One of the processes. Prints how many rows it has committed."""
    module.CHECKPOINT_EVERY, module.CHECKPOINT_BYTES = 2, 1
    database, until, rows = open_database(f"sqlite:///{file}"), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (?, ?, ?)", (who, rows, "x" * (rows % 3000)))
        rows += 1
        with database.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM t WHERE who = ?", (who,)).scalar() == rows
    database.close()
    print(rows)


def torture(seconds: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="onlybn-torture-") as folder:
        file = f"{folder}/x.db"
        database = open_database(f"sqlite:///{file}")
        with database.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE t (who INTEGER, row INTEGER, v TEXT, PRIMARY KEY (who, row))")
        commands = [
            [sys.executable, "-m", "tests.faults.torture", "--write", file, str(who), str(seconds)]
            for who in range(PROCESSES)
        ]
        writers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for command in commands]
        said = [int(writer.communicate()[0] or -1) for writer in writers]
        with database.reading() as connection:
            there = [
                connection.exec_driver_sql("SELECT count(*) FROM t WHERE who = ?", (who,)).scalar()
                for who in range(PROCESSES)
            ]
            whole = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        database.close()
    return {
        "sqlite": sqlite3.sqlite_version,
        "seconds": seconds,
        "processes": PROCESSES,
        "committed": sum(said),
        "missing": sum(said) - sum(there),
        "integrity": whole,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--write", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        file, who, seconds = arguments.write
        write(file, int(who), float(seconds))
        return 0
    found = torture(60.0 * arguments.minutes)
    print(json.dumps(found, indent=2))
    return 1 if found["missing"] or found["integrity"] != "ok" else 0


if __name__ == "__main__":
    sys.exit(main())
