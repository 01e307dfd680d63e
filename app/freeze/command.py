"""`python -m app freeze`: writes the finished runs of an installation as a static site that needs no server."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.api.common import Services
from app.freeze import bodies, pages
from app.freeze.folder import MARK, Folder, replaced
from app.freeze.runs import RUN_BYTES, FrozenRun, frozen
from app.freeze.wanted import read_filters, wanted
from app.pages.options import options
from app.settings import Settings
from app.web.security import ISOLATION
from core.documents import templates
from core.machine.processor import available_cores
from core.version import VERSION
from jobs.store.database import open_database
from jobs.store.store import Store
from jobs.store.tallies import Filters

FIXED_BYTES = 5_000_000
"""The most that a frozen site should have besides its runs."""
MOST_PROCESSES, RUNS_A_PROCESS = 8, 50
"""A process takes seconds to start, which pays for so many runs."""
NAMED = 5
"""So many runs are named in a warning."""
HEADERS = "".join(("/*\n", *(f"  {name}: {value}\n" for name, value in ISOLATION.items())))
"""The _headers, which some file servers read: with these a tab trains with several threads. A Space has them from its
README.md."""
LARGE_FILES = """*.gz filter=lfs diff=lfs merge=lfs -text
*.woff2 filter=lfs diff=lfs merge=lfs -text
"""
"""The .gitattributes: a Space takes binary files only so."""


@dataclass(frozen=True)
class Written:
    """What was written. `runs`: the size of each run's files by its id; `thinned`, `bare`: how many runs have not all
    snapshots of single layers, and not their trained network."""

    runs: dict[str, int]
    files: int
    size: int
    largest: tuple[str, int]
    thinned: int
    bare: int
    reported: int
    unreadable: int
    seconds: float

    @property
    def fixed(self) -> int:
        return self.size - sum(self.runs.values())


def command(settings: Settings, store: Store, out: Path, given: Sequence[str], console: Console) -> int:
    """Freeze and say what was written. Raises BadFilter, NotOurs and OSError."""
    done = freeze(settings, store, out, read_filters(given), console)
    for line in said(done, out):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    if settings.auth != "none":
        console.print("Visitors of this installation must sign in (ONLYBN_AUTH); those of a frozen site need not.")
    return 0


def freeze(settings: Settings, store: Store, out: Path, filters: Filters, console: Console | None = None) -> Written:
    """Write the site to `out`. Raises NotOurs and OSError."""
    started = time.monotonic()
    console = console or Console(stderr=True)
    # Links in a frozen site lead to its own pages, not to those of the installation.
    settings = settings.model_copy(update={"public_url": None})
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total}"))
    with replaced(out.resolve()) as folder, Progress(*columns, TimeElapsedColumn(), console=console) as bar:
        found = wanted(store, filters)
        task = bar.add_task("Runs", total=len(found.runs))
        runs: list[FrozenRun] = []
        for run in _each(settings, store, [run.id for run in found.runs]):
            for name, content in run.files.items():
                folder.write(name, content)
            runs.append(FrozenRun(run.id, run.summary, dict.fromkeys(run.files, b""), run.thinned))
            bar.advance(task)
        sizes = {run.id: sum(folder.sizes[name] for name in run.files) for run in runs}
        task = bar.add_task("Studies and lists", total=None)
        for address, body in bodies.shared(runs, services(settings, store)):
            folder.keep(address, body)
            bar.advance(task)
        made = datetime.now(UTC)
        pages.write(folder, day_of(made))
        _describe(folder, len(runs), made)
    return Written(
        sizes,
        len(folder.sizes),
        folder.size,
        folder.largest,
        sum(run.thinned for run in runs),
        sum("capsule" in run.summary["missing"] for run in runs),
        found.reported,
        found.unreadable,
        time.monotonic() - started,
    )


def services(settings: Settings, store: Store) -> Services:
    """The services of the API, which the bodies are made with. Nothing is launched."""
    return Services.of(settings, store, lambda run_id: None, options)


def said(done: Written, out: Path) -> Iterator[str]:
    """What was written, in lines."""
    count = len(done.runs)
    name, size = done.largest
    yield (
        f"{count:,} {'run' if count == 1 else 'runs'}, {done.files:,} files, {_bytes(done.size)} "
        f"({_bytes(done.fixed)} besides the runs' own files) in {done.seconds:.1f} s: {out}"
    )
    yield f"Largest file: {name}, {_bytes(size)}"
    if not count:
        yield "No finished run matches, so the site shows the paper's questions and the shipped results only."
    large = sorted((size, name) for name, size in done.runs.items() if size > RUN_BYTES)[::-1]
    if large:
        names = ", ".join(f"{name} ({_bytes(size)})" for size, name in large[:NAMED])
        more = f" and {len(large) - NAMED:,} more" if len(large) > NAMED else ""
        yield f"Above {_bytes(RUN_BYTES)}: {names}{more}"
    if done.thinned:
        yield f"{done.thinned:,} deep networks: some snapshots are there for all layers together only"
    if done.bare:
        yield f"{done.bare:,} without the trained network, which is too large or not on this machine"
    if done.reported:
        yield f"{done.reported:,} left out: somebody reported their name, note or tag, and nobody has decided yet"
    if done.unreadable:
        yield f"{done.unreadable:,} left out: this version cannot read them"
    if done.fixed > FIXED_BYTES:
        yield f"The part that all runs share is larger than {_bytes(FIXED_BYTES)}."


def _each(settings: Settings, store: Store, ids: Sequence[str]) -> Iterator[FrozenRun]:
    """The frozen runs in the order of `ids`, made by several processes where there are many."""
    slots = min(available_cores(), MOST_PROCESSES, 1 + len(ids) // RUNS_A_PROCESS)
    if slots == 1:
        here = services(settings, store)
        yield from (one for run_id in ids if (one := _one(run_id, here, set(ids))))
        return
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(slots, context, _begin, (settings, set(ids))) as pool:
            yield from (one for one in pool.map(_in_process, ids, chunksize=4) if one)
    except BrokenProcessPool as error:
        raise OSError("a process that was freezing runs has died, perhaps for lack of memory") from error


def _one(run_id: str, here: Services, others: set[str]) -> FrozenRun | None:
    """None for a run that was deleted in the meantime."""
    run = here.store.runs.get(run_id)
    return frozen(run, here, others) if run else None


_here: tuple[Services, set[str]] | None = None
"""The services of a process that freezes runs."""


def _begin(settings: Settings, others: set[str]) -> None:
    global _here
    store = Store(open_database(settings.store_url), settings.artefacts_place)
    _here = (services(settings, store), others)


def _in_process(run_id: str) -> FrozenRun | None:
    assert _here is not None, "_begin ran before"
    return _one(run_id, *_here)


def day_of(made: datetime) -> str:
    """1 December 2026"""
    return f"{made.day} {made:%B %Y}"


def _describe(folder: Folder, runs: int, made: datetime) -> None:
    """The files that say what this is, to people, to a Space and to the next freeze."""
    values = {"title": "OnlyBN", "version": VERSION, "day": day_of(made)}
    count = f"{runs:,} finished {'run' if runs == 1 else 'runs'}"
    folder.write("README.md", templates.render("app/freeze/readme.md.j2", runs=count, **values))
    folder.write("_headers", HEADERS)
    folder.write(".gitattributes", LARGE_FILES)
    folder.write(MARK, orjson.dumps({"onlybn": VERSION, "made": made.isoformat(), "runs": runs}))


def _bytes(size: int) -> str:
    """12 kB, 3.4 MB, in units of 1,000."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
