"""Rooms on SQLite and on PostgreSQL: joining, the board, and that a nickname can be deleted everywhere."""

from __future__ import annotations

import pytest

from jobs.quotas import Asker, Refused
from jobs.store.rooms import rooms as module
from jobs.store.rooms.rooms import BadRoom
from jobs.store.store import Store
from jobs.store.tallies import Filters
from tests.jobs.support import fake_spec

TEACHER, ADA, BOB = Asker("t", "home"), Asker("a", "school"), Asker("b", "school")


def test_a_class_meets_on_one_board(store: Store) -> None:
    room, token = store.rooms.open("Course", "depth", TEACHER)
    assert store.rooms.may_change(room.id, token) and not store.rooms.may_change(room.id, "another")
    assert store.rooms.nickname(room.id, ADA) is None
    store.rooms.join(room.id, " Ada  Lovelace ", ADA)
    store.rooms.join(room.id, "Bob", BOB)
    ids = [
        store.runs.submit(fake_spec(name), by=by, room=room.id)[0].id for name, by in (("Ada 1", ADA), ("Bob 1", BOB))
    ]
    store.runs.submit(fake_spec("outside"), by=ADA)
    assert store.rooms.board(room.id) == [(ids[1], "Bob"), (ids[0], "Ada Lovelace")]
    assert store.runs.find(filters=Filters(room=room.id))[1] == 2
    now = store.rooms.get(room.id)
    assert now is not None and (now.title, now.question, now.members) == ("Course", "depth", ("Ada Lovelace", "Bob"))
    store.rooms.change(room.id, {"question": None})
    assert (store.rooms.get(room.id) or room).question is None


def test_a_nickname_is_deleted_everywhere_and_the_runs_stay(store: Store) -> None:
    room, _ = store.rooms.open("Course", None, TEACHER)
    store.rooms.join(room.id, "Ada", ADA)
    run = store.runs.submit(fake_spec("Ada: first"), by=ADA, room=room.id)[0]
    own = store.runs.submit(fake_spec("Ada outside"), by=ADA)[0]
    store.rooms.leave(room.id, ADA)
    assert store.rooms.nickname(room.id, ADA) is None and (store.rooms.get(room.id) or room).members == ()
    assert store.rooms.board(room.id) == [(run.id, None)]
    named, kept = store.runs.get(run.id), store.runs.get(own.id)
    assert named is not None and named.spec.name is None and named.spec.digest == run.spec.digest
    assert kept is not None and kept.spec.name == "Ada outside", "what is not of the room keeps its name"
    store.rooms.join(room.id, "Bob", BOB)
    assert store.rooms.remove(room.id, "Bob") and not store.rooms.remove(room.id, "Bob")
    store.rooms.close(room.id)
    assert store.rooms.get(room.id) is None and store.runs.get(run.id) is not None


@pytest.mark.parametrize("nickname", ["", " ", "<b>", "x" * 25, "-a", "a\nb\x00"])
def test_a_bad_nickname_is_refused(store: Store, nickname: str) -> None:
    room, _ = store.rooms.open("Course", None, TEACHER)
    with pytest.raises(BadRoom, match="a nickname has 1 to 24 letters"):
        store.rooms.join(room.id, nickname, ADA)


def test_nobody_takes_the_nickname_of_another(store: Store) -> None:
    room, _ = store.rooms.open("Course", None, TEACHER)
    store.rooms.join(room.id, "Ada", ADA)
    with pytest.raises(BadRoom, match="somebody else in this room is called Ada"):
        store.rooms.join(room.id, "Ada", BOB)
    store.rooms.join(room.id, "Ada", ADA)
    store.rooms.join(room.id, "Ada the second", ADA)
    store.rooms.join(room.id, "Ada", BOB)
    assert (store.rooms.get(room.id) or room).members == ("Ada", "Ada the second")
    with pytest.raises(BadRoom, match="there is no room nosuchroom"):
        store.rooms.join("nosuchroom", "Ada", ADA)


def test_rooms_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MEMBERS", 1)
    room, _ = store.rooms.open("Course", None, TEACHER)
    store.rooms.join(room.id, "Ada", ADA)
    with pytest.raises(BadRoom, match="the room is full: it has 1 members"):
        store.rooms.join(room.id, "Bob", BOB)
    for _ in range(module.MAX_HOURLY - 1):
        store.rooms.open("Course", None, TEACHER)
    with pytest.raises(Refused, match="10 rooms were opened from your network within an hour"):
        store.rooms.open("Course", None, TEACHER)
    assert store.rooms.open("Course", None, ADA)
