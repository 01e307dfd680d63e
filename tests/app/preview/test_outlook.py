"""What to expect of a run: ranges from the queue played through, and the run to compare it with."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.preview.outlook import starts
from core.run.spec import RunSpec
from jobs.lease import Identity
from jobs.store.store import Store
from jobs.store.workers import Fit
from tests.app.conftest import SPEC, Trainer


def submit(store: Store, **fields: Any) -> str:
    return store.runs.submit(RunSpec.model_validate({**SPEC, **fields}))[0].id


def outlook(client: TestClient, run_id: str) -> Any:
    answer = client.get(f"/api/runs/{run_id}/outlook")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("slots", "busy", "lengths", "begun"),
    [
        (1, [], [5, 5, 5], [0, 5, 10]),
        (1, [3], [5, 5], [3, 8]),
        (2, [3], [5, 1, 1], [0, 3, 4]),
        (2, [3, 9, 9], [5], [3]),
        (2, [], [], []),
    ],
)
def test_slots_take_the_next_run_as_soon_as_they_are_free(
    slots: int, busy: list[float], lengths: list[float], begun: list[float]
) -> None:
    assert starts([()] * slots, [(left, None) for left in busy], [(length, None) for length in lengths]) == begun


def test_a_run_with_a_label_waits_for_a_slot_that_has_it_and_holds_nobody_up() -> None:
    slots = [("gpu",), ()]
    assert starts(slots, [], [(5, "gpu"), (5, "gpu"), (5, None), (5, "a100"), (5, None)]) == [0, 5, 0, None, 5]
    assert starts(slots, [(3, None), (9, "gpu")], [(5, "gpu"), (5, None)]) == [9, 3]
    assert starts([], [(3, None)], [(5, None)]) == [None]


def test_why_a_run_waits_is_said_in_its_view_and_its_outlook(client: TestClient, store: Store) -> None:
    me = Identity.of_this_process()
    store.workers.hello(me, 2, fit=Fit(labels=("gpu",)))
    first = client.post("/api/runs?label=a100", json=SPEC).json()["id"]
    second, third = submit(store), store.runs.submit(RunSpec.model_validate(SPEC), label="gpu")[0].id
    said = [client.get(f"/api/runs/{run_id}").json() for run_id in (first, second, third)]
    assert [(run["label"], run["waits_for"]) for run in said] == [
        ("a100", "Needs a worker with the label a100; none is here."),
        (None, None),
        ("gpu", None),
    ]
    assert [outlook(client, run_id)["slots"] for run_id in (first, second, third)] == [0, 2, 2]
    starting = [outlook(client, run_id)["starts"] for run_id in (first, second, third)]
    assert starting[0] is None and starting[1]["low"] == starting[2]["low"] == 0


def test_who_waits_behind_others_waits_longer(client: TestClient, store: Store, trainer: Trainer) -> None:
    store.workers.hello(Identity.of_this_process(), 1)
    running, _ = trainer.start()
    trainer.say(running, 12)  # 3.25 s left, it says
    first, second = submit(store, epochs=4), submit(store)
    now, then, last = (outlook(client, run_id) for run_id in (running, first, second))
    assert now["starts"] is None and 2.7 < now["ends"]["low"] < now["ends"]["high"] < 1.5 * now["ends"]["low"]
    assert then["starts"] == now["ends"] and then["slots"] == 1 and then["basis"] == "assumed"
    assert last["starts"] == then["ends"] and last["starts"]["low"] < last["ends"]["low"] < last["ends"]["high"]
    trainer.finish(running)
    over = outlook(client, running)
    assert over["starts"] is None and over["ends"] is None and over["slots"] is None


def test_without_a_worker_nobody_can_say(client: TestClient, store: Store) -> None:
    said = outlook(client, submit(store))
    assert said["starts"] is None and said["ends"] is None and said["slots"] == 0


def finished(trainer: Trainer, **fields: Any) -> str:
    run_id, _ = trainer.start(**fields)
    trainer.finish(run_id)
    return run_id


def test_the_twin_differs_in_its_policy_alone(client: TestClient, store: Store, trainer: Trainer) -> None:
    mine = finished(trainer)
    assert outlook(client, mine)["twin"] is None
    for other in ({"epochs": 3}, {"replicate": 1}, {"recipe": {"lr": 0.3}}, {"init": {"norm": "ones"}}):
        finished(trainer, policy="random-2", **other)
    waiting = submit(store, policy="random-2")
    assert outlook(client, mine)["twin"] is None
    store.runs.cancel(waiting)
    assert outlook(client, mine)["twin"] is None
    whole = finished(trainer, policy="all", name="whole")
    assert outlook(client, mine)["twin"] == {
        "id": whole,
        "url": f"/run?id={whole}",
        "name": "whole",
        "policy": "all",
        "state": "finished",
        "as_many": False,
    }


def test_random_parameters_are_the_best_twin(client: TestClient, store: Store, trainer: Trainer) -> None:
    mine = finished(trainer)
    finished(trainer, policy="all")
    finished(trainer, policy="random-8")
    random = finished(trainer, policy="random-2")
    twin = outlook(client, mine)["twin"]
    assert twin["id"] == random and twin["as_many"]
    assert outlook(client, random)["twin"]["id"] == mine
