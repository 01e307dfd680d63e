"""How long a freeze takes, and how large the site is.

    python -m tests.benchmarks.freeze                     # 500 runs
    python -m tests.benchmarks.freeze --runs 50 --out site

The runs are copies of the shipped examples (ResNet-14 on digits, 30 epochs), each with a replicate of its own, in a
store of their own. The aim: 500 runs in less than a minute, at most 5 MB and 100 kB a run.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console

from app.freeze.command import freeze, said
from app.freeze.wanted import read_filters
from app.settings import Settings
from jobs.store.database import open_database
from jobs.store.examples import Shipped, shipped
from jobs.store.store import Store
from jobs.store.tables import RUNS


def fill(store: Store, count: int) -> None:
    """Store `count` finished runs, which nobody would tell from those that were trained here."""
    originals = shipped()
    store.examples.take_in([_copy(originals[at % len(originals)], at) for at in range(count)])
    with store.database.writing() as connection:
        connection.execute(sa.update(RUNS).values(example=None, example_shows=None, example_machine=None))


def _copy(given: Shipped, replicate: int) -> Shipped:
    spec = given.example.spec.model_copy(update={"replicate": replicate, "name": None})
    return replace(given, name=f"{given.name}-{replicate}", example=given.example.model_copy(update={"spec": spec}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--out", type=Path, help="keep the site there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder) / "data")
        store = Store(open_database(settings.store_url))
        store.migrate()
        fill(store, given.runs)
        out = given.out or Path(folder) / "site"
        done = freeze(settings, store, out, read_filters([]), Console(stderr=True))
        store.close()
        for line in said(done, out):
            print(line)
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        print(f"{sum(one.ru_utime + one.ru_stime for one in used):.0f} s of processor time, with filling the store")
        mean = sum(done.runs.values()) / max(1, len(done.runs))
        print(f"{mean / 1e3:.1f} kB a run on average, {max(done.runs.values()) / 1e3:.1f} kB at most")


if __name__ == "__main__":
    main()
