"""Many who watch: one reads, and the others are answered from memory."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app.live.feed import Feed
from app.live.messages import Cursors, Question
from app.live.watched import Watched
from core.run.spec import RunSpec
from jobs.store.records import Batch
from jobs.store.store import Store
from tests.app.conftest import SPEC, Clock, Trainer
from tests.events import started


def test_what_one_watcher_has_read_the_others_get_from_memory(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = store.curves.delta
    monkeypatch.setattr(store.curves, "delta", lambda run_id, *after: read.append(run_id) or original(run_id, *after))
    ids = [trainer.start(replicate=replicate)[0] for replicate in range(3)]
    questions = [Question(runs={run_id: Cursors()}) for run_id in ids]
    both = Question(runs={run_id: Cursors() for run_id in ids[:2]})
    assert [feed.known(question) for question in questions] == [None] * 3, "nothing is known yet"
    for question in questions:
        feed.answer(question)
    assert read == ids
    told = [feed.known(question) for question in questions]
    assert told == [feed.answer(question) for question in questions] and feed.known(both) is not None
    assert read == ids
    read.clear()
    trainer.say(ids[1], 1)
    clock.seconds += 1
    assert feed.known(questions[0]) is None, "it may have something new"
    assert len(feed.answer(questions[1])["runs"][ids[1]]["points"]) == 1  # type: ignore[index]
    assert read == ids[1:2], "nobody has asked for the others since"
    assert feed.known(questions[1]) is not None and feed.known(both) is None
    assert feed.known(Question(runs=questions[1].runs, layer=0)) is None, "the layers of a snapshot may have to be read"


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
    clock.seconds += 1
    assert feed.answer(questions[1])["runs"][ids[1]]
    with pytest.raises(RuntimeError, match="damaged"):
        feed.answer(questions[0])


def test_nobody_waits_on_the_event_loop_while_another_reads(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, read = (Question(runs={trainer.start(replicate=replicate)[0]: Cursors()}) for replicate in range(2))
    feed.answer(read)
    clock.seconds += 1
    feed.answer(known)
    meanwhile: list[Any] = []
    original = store.curves.delta

    def ask_both(*asked: Any) -> Any:
        meanwhile.extend(feed.known(question) for question in (known, read))
        return original(*asked)

    monkeypatch.setattr(store.curves, "delta", ask_both)
    feed.answer(read)
    assert meanwhile == [feed.answer(known), None]


def test_an_answer_with_the_first_snapshot_has_the_layers(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that is made while another thread reads: its cursor says that the panel has them."""
    run, _ = store.runs.submit(RunSpec.model_validate(SPEC))
    question = Question(runs={run.id: Cursors(snapshots=0)})
    feed.answer(question)
    known = feed._watched[run.id]
    store.claims.take("worker")
    store.claims.record(run.id, 1, Batch(started=started(run.spec)))
    trainer.say(run.id, 1, snapshots=(0,))
    clock.seconds += 1
    meanwhile: list[Any] = []
    for step in ("_add_points", "_add_snapshots", "_add_speeds"):
        original = getattr(Watched, step)

        def asked(watched: Watched, rows: Any, original: Any = original) -> None:
            meanwhile.append(known.since(question.runs[run.id], None)[0])
            original(watched, rows)

        monkeypatch.setattr(Watched, step, asked)
    feed.answer(question)
    assert [len(delta["snapshots"]) for delta in meanwhile] == [0, 0, 1]
    assert meanwhile[2]["run"]["layers"] is not None


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
    clock.seconds += 1
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
    assert read.count(run_id) == 1 and read.count("no-such-run") < visitors, "a question that comes late is asked again"
    assert feed.known(Question(runs={"no-such-run": Cursors()})) is None, "of what is not there nothing is kept"
