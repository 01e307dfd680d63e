"""Complaints about notes, tags, nicknames and titles, on SQLite and on PostgreSQL: once a visitor, bounded, settled."""

from __future__ import annotations

import pytest

from jobs.quotas import Asker, Refused
from jobs.store.complaints import complaints as module
from jobs.store.complaints.cleared import Kind
from jobs.store.labels.labels import BadLabel
from jobs.store.rooms.rooms import BadRoom
from jobs.store.store import Store
from tests.jobs.support import fake_spec

ADA, BOB, EVE = (Asker(name, f"address of {name}") for name in ("ada", "bob", "eve"))


def labelled(store: Store, note: str = "rude words", tags: tuple[str, ...] = ("rude", "depth")) -> str:
    run, _ = store.runs.submit(fake_spec(), by=EVE)
    store.labels.change(run.id, {"note": note, "tags": list(tags)})
    return run.id


def room_of(store: Store, title: str = "Rude title") -> str:
    room, _ = store.rooms.open(title, None, EVE)
    store.rooms.join(room.id, "Rude", EVE)
    store.rooms.join(room.id, "Bob", BOB)
    return room.id


def listed(store: Store) -> list[tuple[Kind, str, str, int]]:
    return [(one.kind, one.about, one.text, one.complaints) for one in store.complaints.open()]


def number(store: Store) -> int:
    (one,) = store.complaints.open()
    return one.number


def test_every_kind_of_text_is_reported_once_a_visitor(store: Store) -> None:
    run, room = labelled(store), room_of(store)
    for by in (ADA, ADA, BOB):
        assert store.complaints.complain("note", run, None, by)
    assert store.complaints.complain("tag", run, "rude", ADA)
    assert store.complaints.complain("nickname", room, "Rude", ADA)
    assert store.complaints.complain("title", room, None, ADA)
    assert listed(store)[0] == ("note", run, "rude words", 2)
    assert set(listed(store)[1:]) == {
        ("tag", run, "rude", 1),
        ("nickname", room, "Rude", 1),
        ("title", room, "Rude title", 1),
    }


def test_what_is_not_there_cannot_be_reported(store: Store) -> None:
    bare, _ = store.runs.submit(fake_spec())
    run, room = labelled(store), room_of(store)
    wrong: tuple[tuple[Kind, str, str | None], ...] = (
        ("note", bare.id, None),
        ("tag", bare.id, "rude"),
        ("tag", run, "another"),
        ("note", run, "other words"),
        ("nickname", room, "Nobody"),
        ("title", room, "Another title"),
        ("note", room, None),
        ("title", run, None),
        ("note", "NoSuchRun12345", None),
    )
    assert not [one for one in wrong if store.complaints.complain(*one, ADA)]
    store.switch.remove(run)
    assert not store.complaints.complain("note", run, None, ADA) and listed(store) == []


def test_a_cleared_note_is_gone_for_good(store: Store) -> None:
    run = labelled(store)
    store.complaints.complain("note", run, None, ADA)
    one = number(store)
    assert store.complaints.clear(one) == 1 and store.complaints.clear(one) == 0 and listed(store) == []
    now = store.runs.get(run)
    assert now is not None and now.note is None and now.tags == ("rude", "depth")
    assert store.runs.log(run)[-1].message == "The operator has removed the note."
    with pytest.raises(BadLabel, match="has removed the note"):
        store.labels.change(run, {"note": "other words"})
    store.labels.change(run, {"note": None, "tags": ["fine"]})


def test_a_cleared_tag_is_gone_and_the_others_stay(store: Store) -> None:
    run = labelled(store)
    store.complaints.complain("tag", run, "rude", ADA)
    store.complaints.clear(number(store))
    now = store.runs.get(run)
    assert now is not None and now.tags == ("depth",) and now.note == "rude words"
    assert store.labels.tags() == [("depth", 1)]
    with pytest.raises(BadLabel, match="has removed the tag rude"):
        store.labels.change(run, {"tags": ["depth", "RUDE"]})


def test_a_cleared_nickname_is_gone_everywhere_and_nobody_takes_it_again(store: Store) -> None:
    room = room_of(store)
    run, _ = store.runs.submit(fake_spec("Rude: first"), by=EVE, room=room)
    store.complaints.complain("nickname", room, "Rude", ADA)
    store.complaints.clear(number(store))
    assert store.rooms.board(room) == [(run.id, None)]
    now, there = store.runs.get(run.id), store.rooms.get(room)
    assert now is not None and now.spec.name is None and there is not None and there.members == ("Bob",)
    for name in ("Rude", "rude"):
        with pytest.raises(BadRoom, match="has removed this nickname"):
            store.rooms.join(room, name, EVE)
    store.rooms.join(room, "Eve", EVE)


def test_a_cleared_title_stays_away(store: Store) -> None:
    room = room_of(store)
    store.complaints.complain("title", room, None, ADA)
    store.complaints.clear(number(store))
    assert (store.rooms.get(room) or pytest.fail()).title == "Room"
    with pytest.raises(BadRoom, match="has removed the title"):
        store.rooms.change(room, {"title": "Ruder title"})
    store.rooms.change(room, {"question": "depth"})


def test_a_dismissal_is_about_this_text_only(store: Store) -> None:
    run = labelled(store, "harmless")
    store.complaints.complain("note", run, None, ADA)
    assert store.complaints.dismiss(number(store)) == 1 and listed(store) == []
    assert store.complaints.complain("note", run, None, BOB) and listed(store) == [], "it was looked at"
    store.labels.change(run, {"note": "rude after all"})
    assert store.complaints.complain("note", run, None, BOB)
    assert listed(store) == [("note", run, "rude after all", 1)]
    store.labels.change(run, {"note": None})
    assert listed(store) == [], "its owner took it away"


def test_reports_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HOURLY", 3)
    monkeypatch.setattr(module, "MAX_OF_A_TEXT", 2)
    run, _ = store.runs.submit(fake_spec("rude"))
    store.reports.report(run.id, Asker("someone", ADA.address))
    runs = [labelled(store, f"words {index}") for index in range(3)]
    assert [store.complaints.complain("note", one, None, ADA) for one in runs[:2]] == [True, True]
    with pytest.raises(Refused, match="3 reports came from your network address"):
        store.complaints.complain("note", runs[2], None, ADA)
    for index in range(4):
        assert store.complaints.complain("note", runs[2], None, Asker(f"visitor {index}", f"address {index}"))
    assert ("note", runs[2], "words 2", 2) in listed(store)


def test_complaints_go_with_what_they_are_about(store: Store) -> None:
    run, room = labelled(store), room_of(store)
    store.complaints.complain("note", run, None, ADA)
    store.complaints.complain("title", room, None, ADA)
    store.rooms.close(room)
    store.switch.remove(run)
    store.runs.bury(-1.0)
    assert listed(store) == [] and store.complaints.dismiss(1) == store.complaints.clear(2) == 0
