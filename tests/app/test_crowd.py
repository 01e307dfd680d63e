"""Where many follow runs, the feed reads all of them at once, seldom, and answers from what it knows."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app import feed as feeds
from app.feed import Feed
from app.news import Cursors, Question
from jobs.store import Store
from tests.app.conftest import Clock, Trainer


def test_who_must_read_reads_all_that_are_watched(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = store.watch
    monkeypatch.setattr(store, "watch", lambda run_id, *after: read.append(run_id) or original(run_id, *after))
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
    original = store.watch

    def damaged(run_id: str, *after: int) -> Any:
        if run_id == ids[0]:
            raise RuntimeError("damaged")
        return original(run_id, *after)

    monkeypatch.setattr(store, "watch", damaged)
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
    original = store.watch
    monkeypatch.setattr(store, "watch", lambda *asked: meanwhile.append(feed.known(question)) or original(*asked))
    assert feed.known(question) is None
    assert feed.answer(question) == meanwhile[0]


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

    monkeypatch.setattr(store, "watch", away)
    clock.seconds += 0.6
    with pytest.raises(OperationalError):
        feed.answer(questions[0])
    assert len(asked) == 1
