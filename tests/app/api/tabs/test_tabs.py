"""A training of a tab over HTTP: it becomes a run to be verified once; whatever does not fit is refused in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.settings import Settings
from core.run.capsule import Origin
from core.run.spec import RunSpec
from jobs.store.store import Store
from tests.app.api.test_limits import ANNA, BEN, refused, site
from tests.tabs import SPEC, Sent, made_up

KEY = {"Idempotency-Key": "a key that nobody else knows"}
SENT = made_up()
LAST = len(SENT.events) - 1


def with_changed(field: str, value: object) -> str:
    return SPEC.model_copy(update={field: value}).model_dump_json()


def send(client: TestClient, sent: Sent, headers: dict[str, str] | None = None) -> Any:
    """Upload the capsule, then the curves. Returns the response to the latter."""
    client.post("/api/starts", content=sent.capsule, headers=headers)
    return client.post(f"/api/tabs?capsule={sent.digest}", content=sent.body, headers=headers)


def test_a_training_becomes_a_run_that_waits_to_be_verified(client: TestClient, store: Store, woken: list[str]) -> None:
    answer = send(client, SENT)
    assert answer.status_code == 201 and woken == [answer.json()["id"]]
    run = client.get(f"/api/runs/{woken[0]}").json()
    assert run["state"] == "queued" and run["spec"] == SPEC.model_dump(mode="json") and run["top1"] is None
    images = SPEC.images[1]
    said = {"top1": 0.5, "images": images, "correct": round(0.5 * images), "found": None, "differ": None}
    assert run["browser"] == said
    points = store.curves.points(run["id"])
    assert [point.step for point in points if point.split == "test"] == [0, 4], "the last test is the worker's"
    assert [point.step for point in points if point.split == "train"][-1] == 8
    assert [snapshot.step for snapshot in store.curves.snapshots(run["id"])] == [0, 4]
    assert [row.message for row in store.runs.log(run["id"])] == ["Trained in a browser; submitted to be verified."]
    owner = {"X-Owner-Token": answer.json()["owner_token"]}
    assert client.post(f"/api/runs/{run['id']}/cancel", json={}, headers=owner).json()["state"] == "cancelled"


def test_the_same_capsule_makes_one_run(client: TestClient, store: Store) -> None:
    first = send(client, SENT, KEY)
    again, of_another = send(client, SENT, KEY), send(client, SENT)
    assert (first.status_code, again.status_code, of_another.status_code) == (201, 200, 200)
    assert again.json() == first.json() and of_another.json() == {**first.json(), "owner_token": None}
    assert len(store.queue.waiting()) == 1
    other = send(client, made_up(top1=0.25), KEY)
    assert other.status_code == 200 and other.json() == first.json(), "the spec and the key are those of the first"
    assert send(client, made_up(top1=0.25)).status_code == 201


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (replace(SENT, capsule=SENT.capsule[:-4]), "the file is cut short"),
        (replace(SENT, capsule=SENT.capsule[:-4] + b"\0\0\0\0"), "is damaged: its tensors do not match its result"),
        (replace(SENT, capsule=SENT.capsule[:-4] + b"\0\0\xc0\x7f"), "a value that is not a finite number"),
        (made_up(origin=Origin(torch="2.14", device="cpu", threads=1)), "was not trained in a browser"),
        (made_up(says={"linked": "numbers in 8 bits"}), "was not trained in a browser"),
        (made_up(says={"spec": '{"architecture": "resnet-9"}'}), "holds a spec that cannot be run here"),
        (made_up(says={"version": "2"}), "is a capsule of version 2"),
        (made_up(SPEC.model_copy(update={"draw": 1})), "another version of the random draw"),
        (made_up(says={"spec": with_changed("policy", "all")}), "without the tensors that its spec"),
        (made_up(says={"spec": with_changed("epochs", 3)}), "a result that does not fit its spec"),
    ],
)
def test_a_capsule_that_does_not_fit_is_refused(client: TestClient, store: Store, sent: Sent, words: str) -> None:
    store.starts.keep(sent.capsule)  # also what the upload would refuse
    answer = client.post(f"/api/tabs?capsule={sent.digest}", content=sent.body)
    assert answer.status_code == 422 and words in answer.json()["detail"]
    assert store.queue.waiting() == []


SNAPSHOT = next(place for place, event in enumerate(SENT.events) if event["event"] == "snapshot")
GAMMA = SENT.events[SNAPSHOT]["gamma"]
TEST = next(place for place, event in enumerate(SENT.events) if event.get("split") == "test")
TRAIN = next(place for place, event in enumerate(SENT.events) if event.get("split") == "train")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (replace(SENT, events=()), "does not end with the result that the capsule has"),
        (SENT.having(LAST, top1=0.75), "does not end with the result that the capsule has"),
        (SENT.having(LAST, digest="0" * 64), "does not end with the result that the capsule has"),
        (replace(SENT, events=(SENT.events[-1], *SENT.events)), "a result before its end"),
        (replace(SENT, events=SENT.events[1:]), "has test points at other steps"),
        (replace(SENT, events=(SENT.events[TRAIN], *SENT.events)), "has train points at other steps"),
        (SENT.having(TEST, step=3), "has test points at other steps"),
        (SENT.having(TEST, top1=1.5), "has a test point at step 0 with impossible numbers"),
        (SENT.having(TEST, top1=float("nan")), "in line 1"),
        (SENT.having(TEST, loss=float("inf")), "in line 1"),
        (SENT.having(TRAIN, lr=0.5), "with impossible numbers"),
        (SENT.having(TRAIN, epoch=1.5), "has epoch 1.5 at step 4"),
        (SENT.having(LAST - 2, top1=0.25), "has a last test point that is not that of its result"),
        (SENT.having(SNAPSHOT, step=9), "snapshots at other steps"),
        (SENT.having(SNAPSHOT, disabled=[0]), "a snapshot at step 0 that is not one of this network"),
        (SENT.having(SNAPSHOT, gamma={**GAMMA, "counts": GAMMA["counts"][1:]}), "not one of this network"),
        (SENT.having(SNAPSHOT, gamma={**GAMMA, "quantiles": GAMMA["quantiles"][:-1]}), "not one of this network"),
        (SENT.having(SNAPSHOT, note="x" * (300 << 10)), "bytes in line 2; the limit is 262,144"),
        (SENT.having(TEST, event="started"), "in line 1"),
        (replace(SENT, events=SENT.events * 40), "more than 306 events"),
    ],
)
def test_curves_that_do_not_fit_are_refused(client: TestClient, store: Store, sent: Sent, words: str) -> None:
    answer = send(client, sent)
    assert answer.status_code == 422 and words in answer.json()["detail"], answer.json()
    assert answer.json()["detail"].startswith("the record of the training ")
    assert store.queue.waiting() == []


def test_the_capsule_comes_first(client: TestClient) -> None:
    answer = client.post(f"/api/tabs?capsule={SENT.digest}", content=SENT.body)
    assert answer.status_code == 404 and "upload it with POST /api/starts" in answer.json()["detail"]
    assert client.post("/api/tabs?capsule=short", content=SENT.body).status_code == 422
    assert client.post("/api/tabs", content=SENT.body).status_code == 422


def test_the_limits_are_those_of_a_launch(store: Store) -> None:
    client = site(store, owner_waiting=1)
    assert send(client, SENT, ANNA).status_code == 201
    other = made_up(top1=0.25)
    refused(send(client, other, ANNA), "of yours are waiting; the limit is 1")
    assert send(client, other, BEN).status_code == 201
    refused(send(site(store, max_queued=2), made_up(top1=0.75)), "The queue is full")
    last = made_up(top1=0.125)
    store.starts.keep(last.capsule)
    store.switch.turn("drained")
    refused(client.post(f"/api/tabs?capsule={last.digest}", content=last.body), "accepts no new runs")


def test_what_is_too_large_or_too_dear_is_refused(store: Store) -> None:
    dear = send(site(store, run_minutes=0.01), SENT)
    assert dear.status_code == 422 and "To verify this training would take" in dear.json()["detail"]
    small = site(store, largest_start_mb=1)
    large = small.post(f"/api/tabs?capsule={SENT.digest}", content=b" " * (2 << 20))
    assert large.status_code == 413 and "1024 KB" in large.json()["detail"]


@pytest.mark.parametrize("settings", [Settings(max_queued=5, run_minutes=1)])
def test_a_long_training_costs_as_much_as_its_verification(client: TestClient) -> None:
    spec = RunSpec(architecture="resnet-20", policy="batchnorm", dataset="digits", epochs=300)
    assert client.post("/api/runs", json=spec.model_dump(mode="json")).status_code == 422
    assert send(client, made_up(spec)).status_code == 201
