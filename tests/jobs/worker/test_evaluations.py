"""Evaluations: served beside trainings, begun anew after a kill, and never left hanging."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.run.edits import Edit, SurgeryRequest
from core.run.spec import RunSpec
from jobs.queue import make_queue
from jobs.quotas import MAX_EVALUATIONS, MAX_EVALUATIONS_A_MINUTE, refuse_evaluation
from jobs.settings import WorkerSettings
from jobs.store import evaluations
from jobs.store.evaluations import Evaluation
from jobs.store.store import Store
from jobs.store.tables import EVALUATIONS
from jobs.worker.evaluator import Evaluator
from jobs.worker.worker import Worker
from tests.events import finished
from tests.jobs.support import FAKE_TRAINER, eventually, fake_spec
from tests.jobs.worker.test_supervisor import is_alive

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[3]
FAKE_EVALUATOR = (sys.executable, str(Path(__file__).parents[1] / "fake_evaluator.py"), "-")
DIES_ONCE, DIES, SLOW, REFUSED = range(1, 5)


def asked(what: float = 0, layer: str | None = None) -> SurgeryRequest:
    return SurgeryRequest(edits=(Edit(action="zero", below=what, layer=layer),))


def done_run(store: Store, capsule: bytes | None = b"capsule") -> str:
    """A finished run with a capsule."""
    spec = fake_spec()
    store.runs.submit(spec)
    run = store.claims.take("trainer")
    assert run is not None and store.claims.finish(run.id, run.attempt, finished(spec), capsule)
    return run.id


def now(store: Store, evaluation: Evaluation) -> Evaluation:
    found = store.evaluations.get(evaluation.id)
    assert found is not None
    return found


def state_of(store: Store, evaluation: Evaluation) -> str:
    return now(store, evaluation).state


# -- the statements, on both databases -----------------------------------------------------------------------


def test_from_the_queue_to_its_result(store: Store) -> None:
    run = done_run(store)
    first, new = store.evaluations.submit(run, asked(0.1))
    assert new and first.state == "queued" and store.evaluations.waiting() == (1, 1)
    assert store.evaluations.submit(run, asked(0.1)) == (first, False), "the same again is the same evaluation"
    second, new = store.evaluations.submit(run, asked(0.2))
    assert new and second.id != first.id
    held = store.evaluations.take("w")
    assert held is not None and (held.id, held.state, held.attempt) == (first.id, "running", 1)
    assert store.evaluations.beat(held, 0.25) and now(store, first).share == 0.25
    assert store.evaluations.finish(held, {"top1": 0.5})
    assert (now(store, first).state, now(store, first).result) == ("finished", {"top1": 0.5})
    assert store.evaluations.submit(run, asked(0.1))[0].result == {"top1": 0.5}, "what is known is not computed again"
    assert store.evaluations.get("nosuchevaluation") is None and store.evaluations.take("w").id == second.id
    assert store.evaluations.take("w") is None


def test_a_holder_that_lost_it_can_write_no_more(store: Store) -> None:
    evaluation, _ = store.evaluations.submit(done_run(store), asked())
    zombie = store.evaluations.take("one")
    assert store.evaluations.lose(evaluation.id, 1, "Its worker one has died.")
    assert not store.evaluations.lose(evaluation.id, 1, "Seen by a second reaper.")
    fresh = store.evaluations.take("two")
    assert fresh is not None and zombie is not None and fresh.attempt == 2
    assert not store.evaluations.beat(zombie, 0.9) and not store.evaluations.finish(zombie, {"top1": 0.1})
    assert not store.evaluations.fail(zombie, "no") and store.evaluations.finish(fresh, {"top1": 0.9})
    assert now(store, evaluation).result == {"top1": 0.9}


def test_a_failed_one_may_be_asked_for_again(store: Store) -> None:
    run = done_run(store)
    first, _ = store.evaluations.submit(run, asked())
    held = store.evaluations.take("w")
    assert held is not None and store.evaluations.fail(held, "no memory")
    assert (now(store, first).state, now(store, first).error) == ("failed", "no memory")
    second, new = store.evaluations.submit(run, asked())
    assert new and second.id != first.id


def test_one_that_nobody_does_is_given_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, _ = store.evaluations.submit(done_run(store), asked(1))
    held, _ = store.evaluations.submit(done_run(store), asked(2))
    store.evaluations.take("a worker that is switched off")
    monkeypatch.setattr(evaluations, "GIVEN_UP_AFTER_S", -1.0)
    for evaluation in (waits, held):
        assert now(store, evaluation).state == "failed"
        assert "No worker finished it" in (now(store, evaluation).error or "")


def test_old_ones_are_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run = done_run(store)
    for what in range(5):
        store.evaluations.submit(run, asked(what))
        held = store.evaluations.take("w")
        assert held is not None and store.evaluations.finish(held, {})
    open_, _ = store.evaluations.submit(run, asked(9))
    monkeypatch.setattr(evaluations, "KEPT", 2)
    store.evaluations.submit(run, asked(10))
    with store.database.reading() as connection:
        rows = connection.execute(sa.select(EVALUATIONS.c.state).order_by(EVALUATIONS.c.number)).scalars().all()
    assert rows == ["finished", "finished", "queued", "queued"]
    monkeypatch.setattr(evaluations, "KEPT_S", -1.0)
    store.evaluations.submit(run, asked(11))
    assert store.evaluations.get(open_.id) is not None, "what is not done is never forgotten"
    with store.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(EVALUATIONS)) == 3


def test_quotas_are_said_in_words() -> None:
    assert refuse_evaluation(0, 0) is None and refuse_evaluation(MAX_EVALUATIONS - 1, 100) is None
    assert f"the limit is {MAX_EVALUATIONS}" in (refuse_evaluation(MAX_EVALUATIONS, 0) or "")
    assert "within a minute" in (refuse_evaluation(0, MAX_EVALUATIONS_A_MINUTE) or "")


# -- the worker's side ---------------------------------------------------------------------------------------

Serve = Callable[..., Evaluator]


@pytest.fixture
def serve(settings: WorkerSettings, lite: Store) -> Iterator[Serve]:
    """Starts an evaluator; stopped at the end."""
    stopping, started = threading.Event(), []

    def serve(**options: float) -> Evaluator:
        evaluator = Evaluator(lite, settings, "worker", stopping, FAKE_EVALUATOR, **options)
        evaluator.start()
        started.append(evaluator)
        return evaluator

    settings.data.mkdir(parents=True, exist_ok=True)
    yield serve
    stopping.set()
    for evaluator in started:
        evaluator.join()


def submit(store: Store, what: float, capsule: bytes | None = b"capsule") -> Evaluation:
    return store.evaluations.submit(done_run(store, capsule), asked(what))[0]


def test_a_process_that_is_killed_is_started_again(lite: Store, serve: Serve) -> None:
    serve()
    evaluation = submit(lite, DIES_ONCE)
    eventually(lambda: state_of(lite, evaluation) == "finished")
    assert now(lite, evaluation).attempt == 2


def test_a_process_that_is_killed_each_time_fails_in_words(lite: Store, serve: Serve) -> None:
    serve()
    evaluation = submit(lite, DIES)
    eventually(lambda: state_of(lite, evaluation) == "failed")
    assert now(lite, evaluation).error == (
        "Given up after 3 attempts. The evaluating process was killed (SIGKILL, as happens when memory runs out)."
    )


def test_what_takes_too_long_is_ended(lite: Store, serve: Serve) -> None:
    serve(timeout_s=1.0)
    evaluation = submit(lite, SLOW)
    eventually(lambda: state_of(lite, evaluation) == "failed")
    assert now(lite, evaluation).error == "It took longer than 1 s and was stopped."


def test_a_refusal_is_passed_on_and_the_next_one_served(lite: Store, serve: Serve, settings: WorkerSettings) -> None:
    serve()
    refused, gone = submit(lite, REFUSED), submit(lite, 0, capsule=None)
    kept = done_run(lite, None)
    folder = settings.runs_folder / kept
    folder.mkdir(parents=True)
    (folder / "final.safetensors").write_bytes(b"from the folder")
    last, _ = lite.evaluations.submit(kept, asked())
    eventually(lambda: state_of(lite, last) == "finished")
    assert now(lite, refused).error == "the image is not there"
    assert "not on this worker's machine" in (now(lite, gone).error or "")
    assert (now(lite, last).result or {})["capsule"] == "from the folder"


def pid_of(store: Store, evaluation: Evaluation) -> int:
    eventually(lambda: state_of(store, evaluation) == "finished")
    return int((now(store, evaluation).result or {})["pid"])


def test_one_process_serves_all_that_come_soon_and_then_ends(lite: Store, serve: Serve) -> None:
    serve(kept_warm_s=2.0)
    pids = {pid_of(lite, submit(lite, 0)), pid_of(lite, submit(lite, REFUSED + 1))}
    assert len(pids) == 1
    eventually(lambda: not is_alive(*pids), 10)
    assert pid_of(lite, submit(lite, 0)) not in pids


def test_a_process_that_died_while_it_waited_is_replaced(lite: Store, serve: Serve) -> None:
    serve()
    pid = pid_of(lite, submit(lite, 0))
    os.kill(pid, signal.SIGKILL)
    after = submit(lite, 0)
    assert pid_of(lite, after) != pid


@pytest.fixture
def working(settings: WorkerSettings, lite: Store) -> Iterator[Worker]:
    """A whole worker with one slot, in threads of this process."""
    huey = make_queue(settings)
    worker = Worker(settings, lite, huey, FAKE_TRAINER, evaluator=FAKE_EVALUATOR, reap_every_s=0.5)
    thread = threading.Thread(target=worker.work)
    thread.start()
    yield worker
    worker.stopping.set()
    thread.join(timeout=60)
    huey.storage.close()
    assert not thread.is_alive()


def test_a_worker_that_trains_answers_all_the_same(lite: Store, working: Worker, spec: RunSpec) -> None:
    run = done_run(lite)
    training, _ = lite.runs.submit(fake_spec("pause=0.2 steps=200"))
    working.wake(training.id)
    eventually(lambda: lite.runs.get(training.id).step > 0)
    evaluation, _ = lite.evaluations.submit(run, asked())
    working.wake(evaluation.id)
    eventually(lambda: state_of(lite, evaluation) == "finished")
    assert lite.runs.get(training.id).state == "running" and lite.runs.get(training.id).attempt == 1


def test_a_worker_that_stops_gives_its_evaluation_back(lite: Store, working: Worker) -> None:
    evaluation = submit(lite, SLOW)
    eventually(lambda: state_of(lite, evaluation) == "running")
    began = time.monotonic()
    working.stopping.set()
    eventually(lambda: state_of(lite, evaluation) == "queued")
    assert time.monotonic() - began < 10


WORKER = """
import sys
from pathlib import Path
sys.path.insert(0, str(Path.cwd()))
from jobs.store.database import open_database
from jobs.queue import make_queue
from jobs.settings import WorkerSettings
from jobs.store.store import Store
from jobs.worker.worker import Worker
from tests.jobs.worker.test_evaluations import FAKE_EVALUATOR, FAKE_TRAINER
settings = WorkerSettings()
store, huey = Store(open_database(settings.store_url)), make_queue(settings)
Worker(settings, store, huey, FAKE_TRAINER, evaluator=FAKE_EVALUATOR).work()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_after_kill_9_of_a_worker_another_one_takes_over(settings: WorkerSettings, lite: Store) -> None:
    environment = os.environ | {"ONLYBN_DATA": str(settings.data), "ONLYBN_QUEUE_NAME": settings.queue_name}
    process = subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=environment)
    evaluation = submit(lite, SLOW)
    try:
        eventually(lambda: now(lite, evaluation).share == 0.5, 60)
        children = [
            int(pid)
            for path in Path(f"/proc/{process.pid}/task").glob("*/children")
            for pid in path.read_text().split()
        ]
    finally:
        process.kill()
        process.wait()
    assert children
    eventually(lambda: not any(map(is_alive, children)), 10)
    assert state_of(lite, evaluation) == "running"  # nobody has noticed yet
    huey = make_queue(settings)
    Worker(settings, lite, huey, FAKE_TRAINER, evaluator=FAKE_EVALUATOR).reap()
    huey.storage.close()
    assert state_of(lite, evaluation) == "queued"
