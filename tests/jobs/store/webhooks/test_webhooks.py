"""Webhooks on SQLite and on PostgreSQL: one message an end, one sender a message, and the owner's view."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from core.studies.catalog.table import study_spec
from jobs.quotas import Asker, Limits, Portion, Refused
from jobs.store.records import Run
from jobs.store.store import Store
from jobs.store.webhooks import outbox as module
from jobs.store.webhooks.endings import Wish
from jobs.store.webhooks.tables import MESSAGES, WEBHOOKS
from tests.events import finished
from tests.jobs.support import fake_spec, in_threads

URL = "https://hooks.example.org/told?key=1"
WISH = Wish(URL, "https://bn.example.org/run?id={}".format)
ADA, BOB = Asker("ada", "school"), Asker("bob", "school")


def launch(store: Store, name: str = "Ada 1", by: Asker = ADA) -> Run:
    return store.runs.submit(fake_spec(name), by=by, webhook=WISH)[0]


def end(store: Store, run: Run, how: str = "finished") -> None:
    claimed = store.claims.take("worker")
    assert claimed is not None and claimed.id == run.id
    if how == "finished":
        assert store.claims.finish(run.id, claimed.attempt, finished(run.spec, 0.75))
    else:
        assert store.claims.fail(run.id, claimed.attempt, "diverged", "The loss is no number.")


def messages(store: Store) -> list[dict[str, Any]]:
    with store.database.reading() as connection:
        return [json.loads(body) for body in connection.scalars(sa.select(MESSAGES.c.body).order_by(MESSAGES.c.number))]


def make_due(store: Store) -> None:
    """Let every wait and every lease be over."""
    with store.database.writing() as connection:
        waits = sa.update(MESSAGES).where(MESSAGES.c.due_at.is_not(None))
        connection.execute(waits.values(due_at=store.database.clock() - 1, leased_until=None))


def test_an_end_makes_one_message_that_says_what_it_was(store: Store) -> None:
    run = launch(store)
    store.runs.submit(fake_spec("without"), by=ADA)
    assert store.outbox.note() == 0 and store.webhooks.of(run.id).standing == "waiting"  # type: ignore[union-attr]
    end(store, run)
    assert store.outbox.note() == 1 and store.outbox.note() == 0
    (body,) = messages(store)
    assert body["type"] == "run.finished" and body["timestamp"].endswith("Z")
    assert body["data"] == {
        "id": run.id,
        "url": f"https://bn.example.org/run?id={run.id}",
        "name": "Ada 1",
        "state": "finished",
        "failure": None,
        "test_accuracy": 0.75,
        "epochs": 2,
        "architecture": "resnet-14",
        "policy": "batchnorm",
        "dataset": "digits",
        "replicate": 0,
    }


def test_every_way_to_end_is_told(store: Store) -> None:
    diverged = launch(store)
    end(store, diverged, "diverged")
    waiting = launch(store)
    store.runs.cancel(waiting.id)
    running = launch(store)
    claimed = store.claims.take("worker")
    assert claimed is not None and store.claims.cancel(running.id, claimed.attempt)
    removed = launch(store)
    store.switch.remove(removed.id)
    assert store.outbox.note() == 4
    said = [(body["type"], body["data"]["failure"]) for body in messages(store)]
    assert said == [("run.failed", "diverged")] + 3 * [("run.cancelled", None)]


def test_each_end_counts_even_where_nobody_looked_between_two(store: Store) -> None:
    run = launch(store)
    store.runs.cancel(run.id)
    assert store.runs.resume(run.id) is not None, "its end was not noted yet"
    end(store, run)
    store.outbox.note()
    assert [body["type"] for body in messages(store)] == ["run.cancelled", "run.finished"]
    ids = {message.id for _ in range(2) for message in store.outbox.take(1)}
    assert len(ids) == 1, "one at a time for each visitor"


def test_a_study_has_one_message_for_all_its_runs(store: Store) -> None:
    spec = study_spec("depth", "minutes")
    study = store.studies.launch(spec, by=ADA, webhook=WISH)
    for place, _ in enumerate(study.new_runs):
        assert store.outbox.note() == 0
        run = store.claims.take("worker")
        assert run is not None
        if place == 0:
            store.claims.fail(run.id, run.attempt, "diverged", "The loss is no number.")
        else:
            store.claims.finish(run.id, run.attempt, finished(run.spec))
    assert store.outbox.note() == 1
    (body,) = messages(store)
    many = len(study.new_runs)
    assert body["type"] == "study.failed" and body["data"]["name"] == "depth" and body["data"]["id"] == study.id
    assert [body["data"][key] for key in ("runs", "finished", "failed", "cancelled")] == [many, many - 1, 1, 0]
    assert store.studies.resume(study.id, by=ADA) and store.outbox.note() == 0
    again = store.claims.take("worker")
    assert again is not None and store.claims.finish(again.id, again.attempt, finished(again.spec))
    assert store.outbox.note() == 1 and messages(store)[1]["type"] == "study.finished"
    assert (store.webhooks.of(study.id) or pytest.fail()).url == URL


def test_a_cancelled_study_is_told_at_once(store: Store) -> None:
    study = store.studies.launch(study_spec("depth", "minutes"), by=ADA, webhook=WISH)
    store.studies.cancel(study.id)
    assert store.outbox.note() == 1 and messages(store)[0]["type"] == "study.cancelled"


def test_a_run_that_goes_over_to_another_owner_takes_no_address_along(store: Store) -> None:
    spec = study_spec("depth", "minutes")
    run, token = store.runs.submit(spec.members[0].spec, by=ADA, webhook=WISH)
    study = store.studies.launch(spec, by=BOB)
    store.runs.cancel(run.id)
    assert study.token and store.runs.may_change(run.id, study.token) and not store.runs.may_change(run.id, token)
    assert store.webhooks.of(run.id) is None, "the new owner does not see it"
    assert store.outbox.note() == 0 and messages(store) == []
    with store.database.reading() as connection:
        assert connection.execute(sa.select(WEBHOOKS)).all() == []


def test_two_senders_never_have_the_same_message(store: Store) -> None:
    for number in range(6):
        store.runs.cancel(launch(store, f"run {number}", Asker(f"visitor {number}", "school")).id)
    taken: list[str] = []

    def send(_: int) -> None:
        store.outbox.note()
        for _ in range(3):
            taken.extend(message.id for message in store.outbox.take(2))

    in_threads(4, send)
    assert len(taken) == len(set(taken)) == len(messages(store)) == 6


def test_a_message_whose_sender_was_killed_comes_back_with_the_same_id(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.runs.cancel(launch(store).id)
    store.outbox.note()
    (first,) = store.outbox.take(8)
    assert store.outbox.take(8) == [], "it is leased"
    monkeypatch.setattr(module, "LEASE_S", -1.0)
    make_due(store)
    (second,) = store.outbox.take(8)
    assert (second.id, second.body, second.attempt) == (first.id, first.body, 2)
    store.outbox.failed(first, "too late")  # the first sender lives after all: its word does not count
    store.outbox.delivered(second)
    now = store.webhooks.of(first.about)
    assert now is not None and (now.standing, now.problem, now.attempts) == ("delivered", None, 2)


def test_attempts_wait_longer_and_longer_and_end(store: Store) -> None:
    run = launch(store)
    store.runs.cancel(run.id)
    store.outbox.note()
    waits = []
    for attempt in range(1, len(module.WAITS_S) + 2):
        (message,) = store.outbox.take(8)
        assert message.attempt == attempt
        store.outbox.failed(message, "hooks.example.org did not answer")
        now = store.webhooks.of(run.id)
        assert now is not None and now.problem == "hooks.example.org did not answer"
        with store.database.reading() as connection:
            clock = connection.scalar(sa.select(store.database.clock())) or 0.0
        waits.append(now.next_at and round(now.next_at - clock, -1))
        assert store.outbox.take(8) == []
        make_due(store)
    assert waits == [60, 300, 1800, 7200, None]
    assert sum(module.WAITS_S) < 3 * 3600
    now = store.webhooks.of(run.id)
    assert now is not None and (now.standing, now.attempts) == ("failed", 5)


def test_a_receiver_that_wants_no_more_gets_no_more(store: Store) -> None:
    run = launch(store)
    store.runs.cancel(run.id)
    store.outbox.note()
    (message,) = store.outbox.take(8)
    store.outbox.failed(message, "hooks.example.org answered with status 410", gone=True)
    assert (store.webhooks.of(run.id) or pytest.fail()).standing == "failed"


def test_the_owner_has_it_sent_again_a_few_times(store: Store) -> None:
    run = launch(store)
    assert store.webhooks.send_again(run.id) == "there is no message to send again"
    store.runs.cancel(run.id)
    store.outbox.note()
    (message,) = store.outbox.take(8)
    assert store.webhooks.send_again(run.id) == "it is being sent"
    store.outbox.delivered(message)
    for left in (4, 3, 2, 1, 0):
        assert store.webhooks.send_again(run.id) is None
        now = store.webhooks.of(run.id)
        assert now is not None and (now.standing, now.again_left) == ("sending", left)
        (again,) = store.outbox.take(8)
        assert again.id == message.id and again.body == message.body
        store.outbox.delivered(again)
    assert "the most allowed" in (store.webhooks.send_again(run.id) or "")


def test_an_address_that_was_taken_away_gets_nothing(store: Store) -> None:
    run = launch(store)
    assert store.webhooks.remove(run.id) and not store.webhooks.remove(run.id)
    store.runs.cancel(run.id)
    assert store.outbox.note() == 0 and store.webhooks.of(run.id) is None


def test_what_belongs_to_a_deleted_run_goes_with_it(store: Store) -> None:
    run = launch(store)
    store.runs.cancel(run.id)
    store.outbox.note()
    store.runs.remove(run.id)
    store.runs.bury(-1.0)
    with store.database.reading() as connection:
        assert connection.execute(sa.select(WEBHOOKS)).all() == connection.execute(sa.select(MESSAGES)).all() == []


def test_a_visitor_may_have_so_many(store: Store) -> None:
    limits = Limits(owner=Portion(webhooks=2), address_owners=2)
    first, _ = store.runs.submit(fake_spec(), by=ADA, limits=limits, webhook=WISH)
    store.runs.submit(fake_spec(), by=ADA, limits=limits, webhook=WISH)
    with pytest.raises(Refused, match="2 webhooks of yours wait"):
        store.runs.submit(fake_spec(), by=ADA, limits=limits, webhook=WISH)
    with pytest.raises(Refused, match="2 webhooks of yours wait"):
        store.studies.launch(study_spec("depth", "minutes"), by=ADA, limits=limits, webhook=WISH)
    store.runs.submit(fake_spec(), by=ADA, limits=limits)  # without one it goes
    for _ in range(2):
        store.runs.submit(fake_spec(), by=BOB, limits=limits, webhook=WISH)
    with pytest.raises(Refused, match="from your network address"):
        store.runs.submit(fake_spec(), by=Asker("carl", "school"), limits=limits, webhook=WISH)
    store.runs.cancel(first.id)
    store.outbox.note()
    with pytest.raises(Refused):  # it is not delivered yet
        store.runs.submit(fake_spec(), by=ADA, limits=limits, webhook=WISH)
    (message,) = store.outbox.take(8)
    store.outbox.delivered(message)
    store.runs.submit(fake_spec(), by=ADA, limits=limits, webhook=WISH)


def test_a_launch_that_is_repeated_has_one_webhook(store: Store) -> None:
    for _ in range(2):
        store.runs.submit(fake_spec(), by=ADA, webhook=WISH, key="k" * 20)
    with store.database.reading() as connection:
        assert len(connection.execute(sa.select(WEBHOOKS)).all()) == 1
