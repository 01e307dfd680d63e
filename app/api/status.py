"""The REST routes of the server's health, and of its workers: what they do, and their machines."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from app.api.common import Here, wrong
from app.web.answers import answer
from jobs.store.records import Machine, Mode, WorkerNow


class Healthy(TypedDict):
    """The server's health. `workers`: how many live and take runs; `troubles`: what is wrong, each in a sentence; the
    status is `ok` where there is none. `mode`: of the queue; paused: no run begins; drained: nothing new is taken."""

    status: Literal["ok", "degraded"]
    workers: int
    queued: int
    running: int
    mode: Mode
    troubles: list[str]


class Ready(TypedDict):
    """Whether the server can serve requests, and each part that it needs. `workers`: how many live; 0 is no fault of
    the server."""

    status: Literal["ready", "not ready"]
    database: Literal["writable", "read only", "does not answer"]
    migrations: Literal["current", "another version's", "unknown"]
    workers: int


class MachineView(TypedDict):
    """A worker's report about its machine. `load`: busy threads within the last minute; the disk is that of its data
    folder; null if the system does not report it."""

    processor: str
    cores: int
    load: float | None
    memory_bytes: int | None
    disk_bytes: int | None
    disk_free_bytes: int | None


class WorkerView(TypedDict):
    """A worker: how many runs it can hold at once, and how many it holds. `machine`: null for an older version.
    `trouble`: why it takes no runs; `note`: what works worse than it should; null: nothing. `labels`: it also takes
    runs that ask for one of them."""

    host: str
    slots: int
    running: int
    machine: MachineView | None
    trouble: str | None
    note: str | None
    labels: list[str]


class Workers(TypedDict):
    """`mode`: of the queue."""

    mode: Mode
    workers: list[WorkerView]


router = APIRouter()


@router.get("/healthz", response_model=Healthy, responses=wrong(503), summary="Health of the server")
async def healthz(here: Here) -> Response:
    health = await here.quick.run(here.feed.health)
    troubles = list(health.troubles)
    if health.workers == 0:
        troubles.append("No worker accepts runs: launched runs stay in the queue.")
    said: Healthy = {
        "status": "degraded" if troubles else "ok",
        "workers": health.workers,
        "queued": health.queued,
        "running": health.running,
        "mode": health.mode,
        "troubles": troubles,
    }
    return answer(said)


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready}}, summary="Readiness of the server")
def readyz(here: Here) -> Response:
    """503 if the database cannot be read or written, or has another program's schema. Without a worker, runs wait."""
    found = here.probe.readiness()
    said: Ready = {
        "status": "ready" if found.is_ready else "not ready",
        "database": "writable" if found.writable else "read only" if found.answers else "does not answer",
        "migrations": "current" if found.current else "another version's" if found.answers else "unknown",
        "workers": found.workers,
    }
    return answer(said, 200 if found.is_ready else 503)


@router.get("/api/workers", response_model=Workers, summary="Workers")
def show_workers(here: Here) -> Response:
    """The workers with a heartbeat within the last seconds, the oldest first. A site that others can reach numbers its
    machines instead of naming them, and does not tell of their disks."""
    workers = here.store.workers.alive()
    if here.settings.is_public:
        workers = _unnamed(workers)
    said: Workers = {"mode": here.feed.health().mode, "workers": [worker_view(worker) for worker in workers]}
    return answer(said)


def _unnamed(workers: Sequence[WorkerNow]) -> list[WorkerNow]:
    """The workers for strangers: their hosts by number, and nothing of their disks."""
    numbers = {host: f"machine {number}" for number, host in enumerate(dict.fromkeys(w.host for w in workers), 1)}
    return [replace(w, host=numbers[w.host], machine=_undisked(w.machine)) for w in workers]


def _undisked(machine: Machine | None) -> Machine | None:
    return replace(machine, disk_bytes=None, disk_free_bytes=None) if machine else None


def worker_view(worker: WorkerNow) -> WorkerView:
    machine = _machine(worker.machine) if worker.machine else None
    return {
        "host": worker.host,
        "slots": worker.slots,
        "running": worker.running,
        "machine": machine,
        "trouble": worker.trouble,
        "note": worker.note,
        "labels": list(worker.labels),
    }


def _machine(machine: Machine) -> MachineView:
    return {
        "processor": machine.processor,
        "cores": machine.cores,
        "load": machine.load,
        "memory_bytes": machine.memory_bytes,
        "disk_bytes": machine.disk_bytes,
        "disk_free_bytes": machine.disk_free_bytes,
    }
