"""What trainings take and machines have, as the store keeps it: the newest, on old databases, too."""

from __future__ import annotations

from pathlib import Path

from core.run.events import Progress
from core.run.spec import RunSpec
from jobs.lease import Identity
from jobs.queue import make_queue
from jobs.settings import WorkerSettings
from jobs.store.records import Batch, Machine, Usage, WorkerNow
from jobs.store.store import Store
from jobs.worker.machine import machine
from jobs.worker.worker import Worker


def says(step: int, **memory: int) -> Batch:
    progress = Progress(step=step, total_steps=24, images_per_s=9, elapsed_s=1, eta_s=1, **memory)
    return Batch(progress=progress)


def test_a_run_keeps_what_its_trainer_said_last(store: Store, spec: RunSpec) -> None:
    store.runs.submit(spec)
    run = store.claims.take("worker")
    assert run is not None and run.usage is None
    store.claims.record(run.id, 1, says(1))
    assert (now := store.runs.get(run.id)) and now.usage is None, "an older trainer says nothing"
    store.claims.record(run.id, 1, says(2, memory_bytes=5 << 30, peak_bytes=6 << 30))
    store.claims.record(
        run.id, 1, says(3, memory_bytes=4 << 30, peak_bytes=7 << 30, gpu_bytes=1 << 30, gpu_peak_bytes=2 << 30)
    )
    assert (now := store.runs.get(run.id)) and now.usage == Usage(4 << 30, 7 << 30, 1 << 30, 2 << 30)
    assert store.claims.record(run.id, 2, says(4, memory_bytes=1, peak_bytes=1)) == "lost"
    assert store.runs.find()[0][0].usage == now.usage


def test_workers_say_what_they_do_and_how_their_machines_are(store: Store, spec: RunSpec) -> None:
    me = Identity.of_this_process()
    other = Identity("older", "attic", None, 1, None)
    here = Machine("A processor", 4, 3.25, 16 << 30, 100 << 30, 41 << 30)
    store.workers.hello(me, 2, here)
    store.workers.hello(other, 1)
    for _ in range(3):
        store.runs.submit(spec)
    for name in (me.name, me.name, "somebody else"):
        assert store.claims.take(name)
    assert store.workers.alive() == [WorkerNow(me.host, 2, 2, here), WorkerNow("attic", 1, 0, None)]
    later = Machine("A processor", 4, None, None, None, None)
    store.workers.hello(me, 2, later)
    assert store.workers.alive()[0].machine == later
    store.workers.bye([me.name])
    assert [worker.host for worker in store.workers.alive()] == ["attic"]


def test_a_machine_says_what_its_system_knows(tmp_path: Path) -> None:
    now = machine(tmp_path)
    assert now.cores >= 1 and now.processor
    assert now.disk_bytes and now.disk_free_bytes is not None and 0 <= now.disk_free_bytes <= now.disk_bytes
    gone = machine(tmp_path / "gone")
    assert gone.disk_bytes is None and gone.disk_free_bytes is None and gone.cores == now.cores


def test_a_worker_tells_the_store(settings: WorkerSettings, lite: Store) -> None:
    Worker(settings, lite, make_queue(settings)).reap()
    (worker,) = lite.workers.alive()
    assert worker.machine and worker.machine.disk_free_bytes and worker.running == 0
