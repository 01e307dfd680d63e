"""A data folder of its own with workers and a server as processes, runs to disturb, and what must hold afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.run.spec import RunSpec
from jobs.queue import make_queue, waker
from jobs.settings import WorkerSettings
from jobs.store.database import open_database
from jobs.store.records import TERMINAL, Run
from jobs.store.store import Store
from tests.faults.campaign.processes import Trainers, alive
from tests.faults.server import free_port
from tests.jobs.support import fake_spec

ROOT = Path(__file__).resolve().parents[3]
FAKE_WORKER = (str(ROOT / "tests" / "jobs" / "fake_worker.py"),)
REAL_WORKER = ("-m", "jobs")
PATIENCE_S = 180.0
START_S = 600.0
"""How long a server may take to start on a crowded machine; seconds on an idle one."""
SECRET = "campaign"
REAL = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits"}


class Bench:
    """Workers of one installation, on SQLite and a queue in a file unless URLs say otherwise.

    `real`: they train with torch. `environment`: further settings of all processes.
    """

    def __init__(self, folder: Path, *, real: bool = False, database: str = "", queue: str = "", **more: str) -> None:
        self.folder, self.data, self.real = folder, folder / "data", real
        self.scratch = folder / "scratch"
        self.scratch.mkdir(parents=True)
        self.data.mkdir()
        self.settings = WorkerSettings(
            data=self.data, database_url=database or None, queue_url=queue or None, secret=SecretStr(SECRET)
        )
        self.store = Store(open_database(self.settings.store_url))
        self.store.migrate()
        self.huey = make_queue(self.settings)
        self.wake = waker(self.huey)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("ONLYBN_")}
        self.environment |= {"ONLYBN_DATA": str(self.data), "ONLYBN_THREADS": "1", "ONLYBN_DEVICE": "cpu"}
        self.environment |= {
            "ONLYBN_DATABASE_URL": self.settings.store_url,
            "ONLYBN_QUEUE_URL": queue,
            "ONLYBN_SLOTS": "1",
        }
        self.environment |= {
            "TMPDIR": str(self.scratch),
            "ONLYBN_SECRET": SECRET,
            "ONLYBN_EXAMPLES": "false",
            "ONLYBN_SLOTS": "1",
            **more,
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self.web: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.ids: list[str] = []
        self.log = folder / "log.txt"
        self.trainers = Trainers(folder)
        self.trainers.start()

    # -- processes -------------------------------------------------------------------------------------------

    def _start(self, arguments: tuple[str, ...], more: dict[str, str], **options: Any) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            command = [sys.executable, *arguments]
            environment = self.environment | more
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, **options)

    def start_worker(self, *prefix: str, **more: str) -> subprocess.Popen[bytes]:
        """One more worker. `prefix`: arguments of Python instead of the usual ones; `more`: settings of its own."""
        worker = self._start(prefix or (REAL_WORKER if self.real else FAKE_WORKER), more)
        self.workers.append(worker)
        return worker

    def start_web(self, *, worker: bool = False) -> subprocess.Popen[bytes]:
        """A server. `worker`: with a real one of its own."""
        self.port = self.port or free_port()
        more = {"ONLYBN_PORT": str(self.port), "ONLYBN_EMBEDDED_WORKER": str(worker).lower()}
        self.web = self._start(("-m", "app"), more)
        return self.web

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        if process in self.workers:
            self.workers.remove(process)

    def names(self) -> int:
        """How many workers say that they live."""
        return self.store.tallies.health().workers

    # -- runs ------------------------------------------------------------------------------------------------

    def submit(self, words: str = "", **fields: Any) -> str:
        """Queue a run: with the words of a fake trainer, or a real one of so many `epochs`."""
        spec = RunSpec.model_validate({**REAL, "epochs": 4, **fields}) if self.real else fake_spec(words, **fields)
        run, _ = self.store.runs.submit(spec)
        self.wake(run.id)
        self.ids.append(run.id)
        return run.id

    def run(self, run_id: str) -> Run:
        run = self.store.runs.get(run_id)
        assert run is not None
        return run

    def over(self, *ids: str) -> bool:
        return all(run.state in TERMINAL for run in self.store.runs.many(ids or self.ids).values())

    def finish(self, seconds: float = PATIENCE_S) -> float:
        """Wait until all runs have ended. Returns how long that took."""
        return wait("the end of all runs", self.over, seconds)

    # -- the server ------------------------------------------------------------------------------------------

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of an answer; 0 and None where there is none within 10 s."""
        data = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, named)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error, suppress(ValueError):
                return error.code, json.loads(error.read())
            return error.code, None
        except (OSError, ValueError, urllib.error.URLError):
            return 0, None

    def answers(self) -> bool:
        return self.ask("/healthz")[0] == 200

    def close(self) -> None:
        for process in [*self.workers, *([self.web] if self.web else [])]:
            with suppress(OSError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.trainers.stop()
        self.huey.storage.close()
        self.store.close()


@contextmanager
def bench(**options: Any) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="onlybn-campaign-", ignore_cleanup_errors=True) as folder:
        made = Bench(Path(folder), **options)
        try:
            yield made
        finally:
            made.close()


def wait(what: str, condition: Callable[[], object], seconds: float = PATIENCE_S, every_s: float = 0.05) -> float:
    """Seconds until `condition()` is true. Raises TimeoutError."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(every_s)
    return time.monotonic() - began


def wrong(bench: Bench, undisturbed: str | None = None, *, may_fail: int = 0, together_s: float = 0.5) -> list[str]:
    """What does not hold after the faults, once all runs have ended. `undisturbed`: a real run to compare with;
    `may_fail`: how many runs may have failed; `together_s`: how long two trainers of a run may live together."""
    found: list[str] = []
    runs = bench.store.runs.many(bench.ids)
    if missing := set(bench.ids) - set(runs):
        found.append(f"{len(missing)} runs are gone")
    open_runs = [run.id for run in runs.values() if run.state not in TERMINAL]
    if open_runs:
        found.append(f"{len(open_runs)} runs have not ended")
    failed = [run for run in runs.values() if run.state == "failed"]
    if len(failed) > may_fail:
        found.append(f"{len(failed)} runs failed: {failed[0].error_message}")
    finished = [run for run in runs.values() if run.state == "finished"]
    for run in finished:
        found += _curve(bench, run) if not bench.real else _same(bench, run, undisturbed)
    with suppress(TimeoutError):
        wait("the end of the trainers", lambda: not bench.trainers.now(), 5)
    if left_over := bench.trainers.now():
        found.append(f"{len(left_over)} trainers are left over")
    if overlap := bench.trainers.overlaps(together_s):
        found.append(f"two trainers of a run lived together, {len(overlap)} times, {max(overlap):.1f} s at most")
    with suppress(TimeoutError):
        wait("the end of temporary files", lambda: not _left(bench), 60)
    left = _left(bench)
    if left:
        found.append(f"{len(left)} temporary files, such as {left[0]}")
    return found + whole(bench)


def whole(bench: Bench) -> list[str]:
    """Whether the database says that it is whole, and each row belongs to something."""
    with bench.store.database.reading() as connection:
        if bench.store.database.file is None:
            return []  # its unique and foreign keys hold, or the inserts had failed
        told = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        strays = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    return [f"integrity_check says {told}"] * (told != "ok") + ["rows belong to nothing"] * bool(strays)


def _left(bench: Bench) -> list[str]:
    """Temporary files and folders that nobody uses."""
    found = [str(path.relative_to(bench.folder)) for path in bench.folder.rglob(".tmp-*")]
    return found + [path.name for path in bench.scratch.glob("onlybn-*") if not _in_use(path)]


def _in_use(path: Path) -> bool:
    """Whether the scratch folder is that of a living worker: onlybn-evaluations-PID-..."""
    parts = path.name.split("-")
    return len(parts) > 2 and parts[2].isdigit() and alive(int(parts[2]))


def _curve(bench: Bench, run: Run) -> list[str]:
    """A fake run of `steps=N` has the points 1..N once each (0, too, if it was resumed), with the loss 1/(step+1)."""
    points = bench.store.curves.points(run.id)
    steps = [point.step for point in points if point.split == "train" and point.step]
    if sorted(steps) != list(range(1, run.total_steps + 1)):
        return [f"run {run.id} has {len(steps)} points of {run.total_steps}"]
    if any(point.loss != 1 / (point.step + 1) for point in points if point.split == "train"):
        return [f"run {run.id} has wrong points"]
    return []


def _same(bench: Bench, run: Run, undisturbed: str | None) -> list[str]:
    """A real run has the bits, the curve and the snapshots of the undisturbed one."""
    if undisturbed is None or run.id == undisturbed:
        return []
    other, found = bench.run(undisturbed), []
    if run.result is None or other.result is None or run.result.digest != other.result.digest:
        found.append(f"run {run.id}: the trained tensors differ from those of the undisturbed run")
    if curve(bench, run.id) != curve(bench, undisturbed):
        found.append(f"run {run.id}: the curve differs from that of the undisturbed run")
    curves = bench.store.curves
    if [s.step for s in curves.snapshots(run.id)] != [s.step for s in curves.snapshots(undisturbed)]:
        found.append(f"run {run.id}: the snapshots differ from those of the undisturbed run")
    return found


def curve(bench: Bench, run_id: str) -> list[tuple[object, ...]]:
    """The points of a run, in order."""
    return sorted((p.split, p.step, p.loss, p.top1, p.lr) for p in bench.store.curves.points(run_id))
