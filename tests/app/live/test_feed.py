"""The feed: only what is new, one reading for many watchers, and cursors that survive a restart."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.live import feed as feeds
from app.live import layers
from app.live.feed import Feed
from app.live.messages import Cursors, Question
from app.live.watched import ENDED_S
from app.views import points as thinning
from core.run.cost import point_stride
from core.run.events import Point
from core.run.spec import RunSpec
from jobs.store.records import Batch
from jobs.store.store import Store
from tests.app.conftest import SPEC, Clock, Trainer


def ask(feed: Feed, run_id: str, layer: int | None = None, **cursors: int | None) -> Any:
    return feed.answer(Question(runs={run_id: Cursors(**cursors)}, layer=layer))["runs"][run_id]


def test_deltas_until_the_end(feed: Feed, clock: Clock, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, 2, 3, snapshots=(0, 3))
    delta = ask(feed, run_id, points=0, snapshots=0, log=0)
    assert [row[1] for row in delta["points"]] == [1, 2, 3]
    assert delta["points"][0][3:] == ("train", 1.0, 0.01, None, 0.1)
    assert [s["step"] for s in delta["snapshots"]] == [0, 3]
    assert [row["kind"] for row in delta["log"]][:2] == ["submitted", "claimed"]
    assert len(delta["run"]["layers"]) == len(delta["snapshots"][0]["disabled"]) == 15
    cursor = delta["cursor"]
    clock.seconds += 1
    nothing = ask(feed, run_id, **cursor)
    assert nothing["points"] == nothing["snapshots"] == nothing["log"] == [] and nothing["cursor"] == cursor
    assert "layers" not in nothing["run"]
    trainer.say(run_id, 4)
    trainer.test(run_id, 12, 0.5)
    trainer.finish(run_id)
    clock.seconds += 1
    end = ask(feed, run_id, **cursor)
    assert end["run"]["state"] == "finished" and [row[1] for row in end["points"]] == [4, 12]
    assert end["points"][-1][3:] == ("test", 1.0, 0.5, None, None)
    assert end["log"][-1]["kind"] == "finished"


def test_the_newest_rows_are_known_when_a_run_is_seen_as_ended(feed: Feed, clock: Clock, trainer: Trainer) -> None:
    """A panel stops asking at the end, so nothing may come after it."""
    run_id, _ = trainer.start()
    ask(feed, run_id)
    clock.seconds += 1
    trainer.say(run_id, *range(1, 30))
    trainer.finish(run_id)
    delta = ask(feed, run_id)
    assert delta["run"]["state"] == "finished" and len(delta["points"]) == 29


def test_a_run_that_ended_twice_is_told_to_its_second_end(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer
) -> None:
    """It was cancelled, resumed and cancelled again while nobody looked."""
    run_id, _ = trainer.start()
    trainer.say(run_id, 1)
    store.runs.cancel(run_id)
    store.claims.cancel(run_id, 1)
    assert ask(feed, run_id, points=0)["run"]["state"] == "cancelled"
    assert store.runs.resume(run_id) and store.claims.take("another")
    store.claims.record(run_id, 2, Batch(points=(Point(step=2, epoch=0.2, split="train", loss=1.0, top1=0.5, lr=0.1),)))
    store.runs.cancel(run_id)
    store.claims.cancel(run_id, 2)
    clock.seconds += 1
    delta = ask(feed, run_id, points=0, log=0)
    assert [row[1] for row in delta["points"]] == [1, 2]
    assert [row["kind"] for row in delta["log"]].count("cancelled") == 2


def test_what_is_not_wanted_is_not_sent(feed: Feed, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, snapshots=(1,))
    delta = ask(feed, run_id, points=None)
    assert delta["points"] == delta["snapshots"] == delta["log"] == []
    assert delta["cursor"] == dict.fromkeys(("points", "snapshots", "log", "disabled", "speeds"))


def test_a_new_server_goes_on_from_old_cursors(feed: Feed, store: Store, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, 2)
    cursor = ask(feed, run_id, snapshots=0, log=0)["cursor"]
    trainer.say(run_id, 3)
    assert [row[1] for row in ask(Feed(store), run_id, **cursor)["points"]] == [3]


def test_a_long_run_is_thinned_the_same_way_whenever_one_asks(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinning, "MAX_POINTS", 8)
    run_id, _ = trainer.start(epochs=40)
    stride = point_stride(RunSpec.model_validate({**SPEC, "epochs": 40}))
    steps = list(range(stride, 40 * 12 + 1, stride))
    seen: list[Any] = []
    cursor = 0
    for said in range(0, len(steps), 3):
        trainer.say(run_id, *steps[said : said + 3])
        trainer.test(run_id, steps[said], 0.5)
        clock.seconds += 1
        delta = ask(feed if said % 2 else Feed(store), run_id, points=cursor)
        seen += delta["points"]
        cursor = delta["cursor"]["points"]
        assert delta["latest"][1] == steps[: said + 3][-1], "the newest is always there"
    trainer.finish(run_id)
    clock.seconds += 1
    delta = ask(feed, run_id, points=cursor)
    seen += delta["points"]
    assert delta["latest"] is None
    train = [row[1] for row in seen if row[3] == "train"]
    assert train == sorted(set(train)) and len(train) <= 9 and train[-1] == steps[-1] and train[0] == steps[0]
    assert len(seen) - len(train) == len(range(0, len(steps), 3)), "all test points"
    assert ask(Feed(store), run_id, points=0)["points"] == seen
    assert ask(feed, run_id, points=delta["cursor"]["points"])["points"] == []


def test_many_watchers_cost_one_reading(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, _ = trainer.start()
    read: list[str] = []
    original = store.curves.delta
    monkeypatch.setattr(store.curves, "delta", lambda run_id, *after: read.append(run_id) or original(run_id, *after))
    for _ in range(100):
        assert ask(feed, run_id)["run"]["state"] == "running"
    assert len(read) == 1
    clock.seconds += 1
    ask(feed, run_id)
    assert len(read) == 2
    trainer.finish(run_id)
    for _ in range(3):
        clock.seconds += 1
        ask(feed, run_id)
    assert len(read) == 3  # an ended run is not read again


def test_sums_over_layers_or_one_layer(feed: Feed, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, snapshots=(0, 12, 24))
    delta = ask(feed, run_id, snapshots=0)
    assert delta["snapshots"][2]["gamma"][25] == sum(range(15)) and delta["snapshots"][2]["beta"][33] == 15
    one = ask(feed, run_id, layer=4, snapshots=0)
    assert [max(s["gamma"]) for s in one["snapshots"]] == [4, 4, 4] and one["snapshots"][2]["gamma"][25] == 4
    assert one["snapshots"][2]["gamma_quantiles"] == [0.5] * 7 and delta["snapshots"][2]["gamma_quantiles"] is None
    assert one["snapshots"][0]["disabled"] == delta["snapshots"][0]["disabled"]
    assert ask(feed, run_id, layer=15, snapshots=0)["snapshots"] == []  # no such layer


def test_speeds_come_as_they_are_measured(feed: Feed, clock: Clock, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 6)
    trainer.say(run_id, 6)  # said again, as while it tests
    delta = ask(feed, run_id, speeds=0)
    assert [row[1:] for row in delta["speeds"]] == [(0.5, 1234.6)]
    clock.seconds += 1
    trainer.say(run_id, 12)
    assert [row[1:] for row in ask(feed, run_id, **delta["cursor"])["speeds"]] == [(1.0, 1234.6)]
    assert ask(feed, run_id)["speeds"] == []


def test_a_failed_run_that_goes_on_is_read_anew(feed: Feed, clock: Clock, store: Store, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, 2)
    store.claims.fail(run_id, 1, "error", "no memory")
    assert ask(feed, run_id)["run"]["state"] == "failed"
    clock.seconds += 1
    assert ask(feed, run_id)["run"]["error"] == {"kind": "error", "message": "no memory"}
    store.runs.resume(run_id)
    clock.seconds += 1
    delta = ask(feed, run_id, points=0, log=0)
    assert delta["run"]["state"] == "queued" and delta["run"]["error"] is None
    assert [row[1] for row in delta["points"]] == [1, 2] and delta["log"][-1]["kind"] == "requeued"


def test_large_details_come_in_parts(feed: Feed, trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "MAX_CELLS", 2 * 67 * 15 * 2)
    run_id, _ = trainer.start(epochs=4)
    trainer.say(run_id, 1, snapshots=(0, 12, 24, 36, 48))
    seen, cursor = [], 0
    for last in (False, False, True):
        answer = feed.answer(Question(runs={run_id: Cursors(snapshots=cursor)}, layer=1))
        delta = answer["runs"][run_id]
        assert delta is not None and answer["interval_ms"] == (1000 if last else 100)
        seen += [s["step"] for s in delta["snapshots"]]
        cursor = delta["cursor"]["snapshots"] or 0
    assert seen == [0, 12, 24, 36, 48]


def test_a_snapshot_that_is_not_kept_leaves_with_the_next(feed: Feed, clock: Clock, trainer: Trainer) -> None:
    """A long run keeps some of its snapshots; the newest is there only to be watched."""
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, snapshots=(0, 1))
    assert [(s["step"], s["kept"]) for s in ask(feed, run_id, snapshots=0)["snapshots"]] == [(0, True), (1, False)]
    clock.seconds += 1
    trainer.say(run_id, 2, snapshots=(2,))
    assert [s["step"] for s in ask(feed, run_id, snapshots=0)["snapshots"]] == [0, 2]


def test_histograms_of_snapshots_that_left_are_forgotten(feed: Feed, clock: Clock, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    for step in range(1, 11):
        trainer.say(run_id, step, snapshots=(step,))
        clock.seconds += 1
        shown = [row["step"] for row in ask(feed, run_id, layer=1, snapshots=0)["snapshots"]]
    assert len(shown) < 10 and list(feed._watched[run_id]._histograms._kept[1]) == shown


def test_many_questions_slow_everybody_down(feed: Feed, clock: Clock) -> None:
    question = Question(runs={})
    assert feed.answer(question)["interval_ms"] == 1000
    for _ in range(3 * feeds.QUESTIONS_PER_S):
        feed.answer(question)
    clock.seconds += 1
    assert feed.answer(question)["interval_ms"] == 4000
    clock.seconds += 10
    assert feed.answer(question)["interval_ms"] == 1000


def test_memory_is_bounded(store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Feed(store)
    monkeypatch.setattr(feeds, "KEPT_RUNS", 2)
    for _ in range(4):
        run_id, _ = trainer.start()
        trainer.finish(run_id)
        ask(feed, run_id)
    for number in range(9):
        assert ask(feed, f"unknown{number}") is None
    assert len(feed._watched) == 2


def test_the_route(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 3)
    answer = client.post("/api/feed", json={"runs": {run_id: {"points": 0}, "NoSuchRun12345": {}}}).json()
    assert answer["runs"]["NoSuchRun12345"] is None
    assert answer["runs"][run_id]["points"][0][1:] == [3, 0.25, "train", 0.5, 0.03, None, 0.1]
    assert answer["interval_ms"] == 1000
    assert answer["server"] == {"queued": 0, "running": 1, "workers": 0, "mode": "open"}
    assert client.post("/api/feed", json={"runs": {}}).json()["runs"] == {}


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({}, "runs is missing"),
        ({"runs": []}, "runs"),
        ({"runs": {"no good": {}}}, "no good"),
        ({"runs": {"abcdefgh": {"points": -1}}}, "runs.abcdefgh.points must be greater than or equal to 0, got -1"),
        ({"runs": {"abcdefgh": {"points": 1e300}}}, "points"),
        ({"runs": {"abcdefgh": {"dots": 1}}}, "dots is not a known field"),
        ({"runs": {f"abcdefgh{i}": {} for i in range(21)}}, "runs"),
        ({"runs": {}, "layer": -1}, "layer"),
        ({"runs": {}, "what": 1}, "what is not a known field"),
    ],
)
def test_a_wrong_question_is_refused_in_words(client: TestClient, question: dict[str, Any], words: str) -> None:
    answer = client.post("/api/feed", json=question)
    assert answer.status_code == 422 and words in answer.json()["detail"], answer.text


def test_a_finished_run_that_loses_its_curves_or_goes_is_read_anew(
    feed: Feed, clock: Clock, store: Store, trainer: Trainer
) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, 2)
    trainer.finish(run_id)
    assert ask(feed, run_id)["run"]["lost"] is None
    assert store.keeping.evict([run_id], 5.0) == [run_id]  # by a worker, of which the server hears nothing
    clock.seconds += ENDED_S
    delta = ask(feed, run_id)
    assert delta["run"]["lost"] == {"at": 5.0, "curves": True} and delta["points"] == []
    assert store.switch.remove(run_id)
    clock.seconds += ENDED_S
    assert ask(feed, run_id) is None
