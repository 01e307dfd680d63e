"""Workers, over HTTP."""

from __future__ import annotations

from starlette.testclient import TestClient

from app.live.probe import Probe
from app.server import make_app
from app.settings import Settings
from core.run.spec import RunSpec
from jobs.lease import Identity
from jobs.store.records import Machine
from jobs.store.store import Store
from jobs.store.workers import Fit
from tests.app.conftest import HERE, SPEC, Clock, Trainer


def test_workers_and_what_a_run_takes(client: TestClient, store: Store, trainer: Trainer) -> None:
    assert client.get("/api/workers").json() == {"mode": "open", "workers": []}
    me = Identity.of_this_process()
    store.workers.hello(me, 2, Machine("A processor", 4, 1.5, 16, 100, 41))
    assert client.get("/api/workers").json()["workers"] == [
        {
            "host": me.host,
            "slots": 2,
            "running": 0,
            "machine": {
                "processor": "A processor",
                "cores": 4,
                "load": 1.5,
                "memory_bytes": 16,
                "disk_bytes": 100,
                "disk_free_bytes": 41,
            },
            "trouble": None,
            "note": None,
            "labels": [],
        }
    ]
    run_id, _ = trainer.start()
    run = client.get(f"/api/runs/{run_id}").json()
    assert run["place"] == {"processor": "AMD EPYC, family 25 model 17", "threads": 2, "processes": 1}
    assert run["usage"] is None


def test_what_is_wrong_with_a_worker_is_said(client: TestClient, store: Store) -> None:
    sick = Fit("It accepts no runs, because a trial training fails: its disk is full.", "The queue does not answer.")
    store.workers.hello(Identity.of_this_process(), 2, None, sick)
    (worker,) = client.get("/api/workers").json()["workers"]
    assert (worker["trouble"], worker["note"]) == (sick.trouble, sick.note)
    health = client.get("/healthz").json()
    assert (health["status"], health["workers"]) == ("degraded", 0)
    assert f"A worker: {sick.trouble}" in health["troubles"]


def test_a_well_worker_makes_a_well_server(client: TestClient, store: Store) -> None:
    store.workers.hello(Identity.of_this_process(), 2)
    health = client.get("/healthz").json()
    assert (health["status"], health["workers"], health["troubles"]) == ("ok", 1, [])


def test_strangers_learn_no_names(store: Store, trainer: Trainer) -> None:
    store.workers.hello(Identity("box-7-abcdef", "box", None, 7, None), 1, Machine("P", 4, 1.5, 16, 100, 41))
    app = make_app(Settings(public_url="https://bn.example.org"), store, lambda _: None, dict)
    with TestClient(app, base_url=HERE) as client:
        (worker,) = client.get("/api/workers").json()["workers"]
        assert worker["host"] == "machine 1" and worker["machine"]["cores"] == 4
        assert worker["machine"]["disk_bytes"] is worker["machine"]["disk_free_bytes"] is None
        run, _ = store.runs.submit(RunSpec.model_validate({**SPEC, "replicate": 3}))
        assert store.claims.take("box.lan-4711-a1b2c3")
        assert store.claims.crash(run.id, 1, "It ended. It wrote last: OSError: /srv/secret/runs/x/points is gone")
        said = client.post("/api/feed", json={"runs": {run.id: {"log": 0}}}).text
        said += client.get(f"/api/runs/{run.id}").text + client.get(f"/api/runs/{run.id}/report").text
    assert "Taken by worker." in said and "runs/x/points is gone" in said
    assert not any(word in said for word in ("box.lan", "4711", "a1b2c3", "secret"))


def test_ready_says_each_part(client: TestClient, store: Store) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "database": "writable", "migrations": "current", "workers": 0}


def test_a_worker_is_seen(client: TestClient, store: Store) -> None:
    store.workers.hello(Identity.of_this_process(), 2)
    assert client.get("/readyz").json()["workers"] == 1


def test_another_versions_tables_are_not_ready(client: TestClient, store: Store) -> None:
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["migrations"]) == ("not ready", "another version's")


def test_a_database_that_takes_no_writes_is_not_ready(client: TestClient, store: Store) -> None:
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")  # the pool hands out this connection again
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["database"] == "read only"


def test_a_database_that_is_away_is_not_ready(client: TestClient, store: Store) -> None:
    assert store.database.file
    store.database.close()
    store.database.file.unlink()
    store.database.file.mkdir()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not ready",
        "database": "does not answer",
        "migrations": "unknown",
        "workers": 0,
    }


def test_it_is_asked_once_in_two_seconds(store: Store, clock: Clock) -> None:
    probe = Probe(store, clock)
    assert probe.readiness().is_ready
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert probe.readiness().is_ready
    clock.seconds += 2
    assert not probe.readiness().is_ready
