"""Where many follow runs, the feed reads all of them at once, seldom, and answers from what it knows."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app.live import feed as feeds
from app.live.feed import Feed
from app.live.messages import Cursors, Question
from app.live.watched import Watched
from core.run.spec import RunSpec
from jobs.store.records import Batch
from jobs.store.store import Store
from tests.app.conftest import SPEC, Clock, Trainer
from tests.events import started


def test_who_must_read_reads_all_that_are_watched(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = store.curves.delta
    monkeypatch.setattr(store.curves, "delta", lambda run_id, *after: read.append(run_id) or original(run_id, *after))
    ids = [trainer.start(replicate=replicate)[0] for replicate in range(3)]
    questions = [Question(runs={run_id: Cursors()}) for run_id in ids]
    assert [feed.known(question) for question in questions] == [None] * 3, "nothing is known yet"
    for question in questions:
        feed.answer(question)
    assert sorted(read) == sorted(ids)
    read.clear()
    trainer.say(ids[1], 1)
    clock.seconds += 0.6
    assert feed.known(questions[0]) is None, "it may have something new"
    feed.answer(questions[0])
    assert sorted(read) == sorted(ids)
    told = [feed.known(question) for question in questions]
    assert told == [feed.answer(question) for question in questions], "the others need nothing of the database"
    assert [len(answer["runs"][run_id]["points"]) for run_id, answer in zip(ids, told, strict=True)] == [0, 1, 0]
    read.clear()
    clock.seconds += 3
    feed.answer(questions[0])
    assert read == ids[:1], "nobody had asked for the others lately"
    assert feed.known(questions[1]) is None


def test_a_crowd_is_content_with_what_is_a_second_old(feed: Feed, clock: Clock, trainer: Trainer) -> None:
    question = Question(runs={trainer.start()[0]: Cursors()})
    for _ in range(feeds.MANY_PER_S):
        feed.answer(question)
    assert not feed.is_crowded
    clock.seconds += 1.0
    feed.answer(question)
    assert feed.is_crowded
    clock.seconds += 0.9
    assert feed.known(question) is not None
    clock.seconds += 0.2
    assert feed.known(question) is None
    clock.seconds += 1.0
    assert not feed.is_crowded, "that was long ago"


def test_one_that_cannot_be_read_is_told_only_to_its_watchers(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [trainer.start(replicate=replicate)[0] for replicate in range(2)]
    questions = [Question(runs={run_id: Cursors()}) for run_id in ids]
    for question in questions:
        feed.answer(question)
    original = store.curves.delta

    def damaged(run_id: str, *after: int) -> Any:
        if run_id == ids[0]:
            raise RuntimeError("damaged")
        return original(run_id, *after)

    monkeypatch.setattr(store.curves, "delta", damaged)
    clock.seconds += 0.6
    assert feed.answer(questions[1])["runs"][ids[1]]
    with pytest.raises(RuntimeError, match="damaged"):
        feed.answer(questions[0])


def test_while_all_is_read_the_others_need_not_wait(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question(runs={trainer.start()[0]: Cursors()})
    feed.answer(question)
    clock.seconds += 0.6
    meanwhile: list[Any] = []
    original = store.curves.delta
    monkeypatch.setattr(store.curves, "delta", lambda *at: meanwhile.append(feed.known(question)) or original(*at))
    assert feed.known(question) is None
    assert feed.answer(question) == meanwhile[0]


def test_whoever_gets_the_first_snapshot_gets_the_layers(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also who asks while another thread reads: its cursor says that it has them."""
    run, _ = store.runs.submit(RunSpec.model_validate(SPEC))
    question = Question(runs={run.id: Cursors(snapshots=0)})
    feed.answer(question)
    store.claims.take("worker")
    store.claims.record(run.id, 1, Batch(started=started(run.spec)))
    trainer.say(run.id, 1, snapshots=(0,))
    clock.seconds += 0.6
    meanwhile: list[Any] = []
    for step in ("_add_points", "_add_snapshots", "_add_speeds"):
        original = getattr(Watched, step)

        def asked(watched: Watched, rows: Any, original: Any = original) -> None:
            meanwhile.append(feed.known(question))
            original(watched, rows)

        monkeypatch.setattr(Watched, step, asked)
    feed.answer(question)
    told = [answer["runs"][run.id] for answer in meanwhile]
    assert [len(news["snapshots"]) for news in told] == [0, 0, 1]
    assert [news["run"]["layers"] is not None for news in told if news["snapshots"]] == [True]


def test_a_run_removed_while_it_is_read_is_not_kept(
    feed: Feed, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, _ = trainer.start()
    trainer.finish(run_id)
    question = Question(runs={run_id: Cursors()})
    original = store.curves.delta

    def removed_then(*asked: Any) -> Any:
        found = original(*asked)
        store.runs.remove(run_id)
        feed.forget(run_id)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(store.curves, "delta", removed_then)
        feed.answer(question)
    assert feed.known(question) is None
    assert feed.answer(question)["runs"] == {run_id: None}


def test_without_a_database_nobody_waits_for_every_run(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [Question(runs={trainer.start(replicate=replicate)[0]: Cursors()}) for replicate in range(3)]
    for question in questions:
        feed.answer(question)
    asked: list[object] = []

    def away(*what: object) -> None:
        asked.append(what)
        raise OperationalError("select", {}, Exception("away"))

    monkeypatch.setattr(store.curves, "delta", away)
    clock.seconds += 0.6
    with pytest.raises(OperationalError):
        feed.answer(questions[0])
    assert len(asked) == 1


def test_many_who_open_the_same_link_at_once_wait_for_one_reading(
    feed: Feed, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, _ = trainer.start()
    question = Question(runs={run_id: Cursors(), "no-such-run": Cursors()})
    visitors = 8
    together = threading.Barrier(visitors)
    read: list[str] = []
    original = store.curves.delta

    def slowly(run_id: str, *after: int) -> Any:
        read.append(run_id)
        time.sleep(0.2)
        return original(run_id, *after)

    def ask(_: int) -> Any:
        together.wait()
        return feed.answer(question)["runs"]

    monkeypatch.setattr(store.curves, "delta", slowly)
    with ThreadPoolExecutor(visitors) as pool:
        told = list(pool.map(ask, range(visitors)))
    assert all(runs == told[0] for runs in told) and told[0]["no-such-run"] is None
    assert read.count(run_id) == 1 and read.count("no-such-run") < visitors, "who comes late asks again"
    assert feed.known(Question(runs={"no-such-run": Cursors()})) is None, "of what is not there nothing is kept"
