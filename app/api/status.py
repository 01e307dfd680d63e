"""The REST routes of the server's health, and of its workers: what they do, and their machines."""

from typing import Literal

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from app.api.common import Here, wrong
from app.web.answers import answer
from jobs.store.records import Machine, WorkerNow


class Healthy(TypedDict):
    """The server's health: whether it answers, and how many workers live, runs wait, and runs run."""

    status: Literal["ok"]
    workers: int
    queued: int
    running: int


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
    """A worker: how many runs it can hold at once, and how many it holds. `machine`: null for an older version."""

    host: str
    slots: int
    running: int
    machine: MachineView | None


class Workers(TypedDict):
    workers: list[WorkerView]


router = APIRouter()


@router.get("/healthz", response_model=Healthy, responses=wrong(503), summary="Is the server well?")
def healthz(here: Here) -> Response:
    health = here.feed.health()
    said: Healthy = {
        "status": "ok",
        "workers": health.workers,
        "queued": health.queued,
        "running": health.running,
    }
    return answer(said)


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready}}, summary="Can the server do its work?")
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


@router.get("/api/workers", response_model=Workers, summary="Who trains here")
def show_workers(here: Here) -> Response:
    """The workers with a heartbeat within the last seconds, the oldest first."""
    said: Workers = {"workers": [_view(worker) for worker in here.store.workers.alive()]}
    return answer(said)


def _view(worker: WorkerNow) -> WorkerView:
    machine = _machine(worker.machine) if worker.machine else None
    return {"host": worker.host, "slots": worker.slots, "running": worker.running, "machine": machine}


def _machine(machine: Machine) -> MachineView:
    return {
        "processor": machine.processor,
        "cores": machine.cores,
        "load": machine.load,
        "memory_bytes": machine.memory_bytes,
        "disk_bytes": machine.disk_bytes,
        "disk_free_bytes": machine.disk_free_bytes,
    }
