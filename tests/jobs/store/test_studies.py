"""Studies in the store: launched, joined, cancelled and resumed as one, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from core.studies.asked.question import question_of
from core.studies.spec import Axis, Scale, StudySpec, StudyUnavailable
from jobs.store import studies
from jobs.store.store import Store
from jobs.store.studies import Launched
from tests.core.studies.made import finished
from tests.jobs.support import fake_spec


def tiny(replicates: int = 2, *policies: str, scale: Scale = "minutes") -> StudySpec:
    return StudySpec(
        study="random-k",
        scale=scale,
        base={"architecture": "resnet-8", "dataset": "digits", "epochs": 1},
        axes=(Axis(field="policy", values=policies or ("batchnorm", "random-2")),),
        replicates=replicates,
    )


def finish_next(store: Store, top1: float = 0.5) -> str:
    run = store.claims.take("worker")
    assert run is not None and store.claims.finish(run.id, run.attempt, finished(top1))
    return run.id


def test_a_study_is_launched_and_followed_as_one(store: Store) -> None:
    launched = store.studies.launch(tiny())
    study = store.studies.get(launched.id)
    assert study and study.spec == tiny() and study.state == "queued"
    assert [run.id for run in study.runs] == list(launched.new_runs) and len(launched.new_runs) == 4
    assert [run.spec.digest for run in study.runs] == [member.digest for member in tiny().members]
    assert launched.token and store.studies.may_change(launched.id, launched.token)
    assert store.runs.may_change(study.runs[0].id, launched.token), "its owner may cancel a single run, too"
    assert not store.studies.may_change(launched.id, "other") and not store.studies.may_change(
        "nothing", launched.token
    )
    assert finish_next(store) == study.runs[0].id
    assert (now := store.studies.get(launched.id)) and now.state == "running"
    for _ in range(3):
        finish_next(store)
    assert (done := store.studies.get(launched.id)) and done.state == "finished"
    assert store.studies.get("nothing") is None


def test_finished_and_waiting_runs_are_taken_not_repeated(store: Store) -> None:
    members = tiny().members
    done, _ = store.runs.submit(members[0].spec.model_copy(update={"name": "another name"}))
    finish_next(store)
    waiting, _ = store.runs.submit(members[1].spec)
    failed, _ = store.runs.submit(members[2].spec)
    store.runs.cancel(failed.id)
    launched = store.studies.launch(tiny())
    study = store.studies.get(launched.id)
    assert study and [run.id for run in study.runs[:2]] == [done.id, waiting.id]
    assert len(launched.new_runs) == 2 and failed.id not in {run.id for run in study.runs}
    again = store.studies.launch(tiny())
    assert again.new_runs == () and (second := store.studies.get(again.id)) and second.runs == study.runs
    assert [s.id for s in store.studies.latest()] == [again.id], "the newest of each question and scale"


def test_a_finished_study_is_found_not_made_again(store: Store) -> None:
    first = store.studies.launch(tiny())
    joined = store.studies.launch(tiny())
    assert joined.id != first.id and joined.token, "while it is under way each who launched it may cancel it"
    for _ in range(4):
        finish_next(store)
    assert store.studies.launch(tiny()) == Launched(joined.id, None, ())
    assert store.studies.launch(tiny(scale="evening")).id not in {first.id, joined.id}
    assert store.studies.launch(tiny(3)).new_runs != ()


def test_a_visitors_run_does_not_wait_for_a_study(store: Store) -> None:
    launched = store.studies.launch(tiny())
    alone, _ = store.runs.submit(fake_spec("mine"))
    assert alone.position == 1
    assert [run.position for run in store.runs.many(launched.new_runs).values()] != [1, 2, 3, 4]
    assert store.queue.waiting() == [alone.id, *launched.new_runs]
    claimed = store.claims.take("worker")
    assert claimed and claimed.id == alone.id
    assert (first := store.runs.get(launched.new_runs[0])) and first.position == 1
    assert store.queue.backlog() == 1, "a study takes one place, whatever its size"
    store.runs.submit(fake_spec("another"))
    assert store.queue.backlog() == 2


def test_minutes_do_not_wait_for_months(store: Store) -> None:
    months = store.studies.launch(tiny(2, "all", "none", scale="paper"))
    minutes = store.studies.launch(tiny(1))
    assert store.queue.waiting() == [*minutes.new_runs, *months.new_runs]
    joined = store.studies.launch(tiny(2, "none"))
    assert joined.new_runs == ()
    assert store.queue.waiting()[:2] == [months.new_runs[1], months.new_runs[3]], "what minutes want, too, moves up"


def test_cancel_takes_what_nobody_else_needs(store: Store) -> None:
    visitor, _ = store.runs.submit(tiny().members[0].spec)
    one = store.studies.launch(tiny())
    two = store.studies.launch(tiny(1))
    shared = {run.id for run in store.studies.get(two.id).runs}  # type: ignore[union-attr]
    ids = store.studies.cancel(one.id)
    assert ids is not None and visitor.id not in ids and not shared & set(ids)
    assert len(ids) == 2
    for run_id in ids:
        store.runs.cancel(run_id)
    assert (now := store.studies.get(one.id)) and now.cancelled and now.state == "cancelled", (
        "two of its runs wait for others"
    )
    rest = store.studies.cancel(two.id)
    assert rest is not None and set(rest) == shared - {visitor.id}, "who launched them has given them up, too"
    assert store.studies.cancel("nothing") is None


def test_resume_launches_what_failed_or_was_cancelled(store: Store) -> None:
    launched = store.studies.launch(tiny())
    finish_next(store)
    claimed = store.claims.take("worker")
    assert claimed and store.claims.fail(claimed.id, claimed.attempt, "diverged", "The loss became infinite.")
    assert (partly := store.studies.get(launched.id)) and partly.state == "running", (
        "a failed member does not stop the rest"
    )
    for run_id in store.studies.cancel(launched.id) or []:
        store.runs.cancel(run_id)
    assert (stopped := store.studies.get(launched.id)) and (stopped.state, stopped.cancelled) == ("cancelled", True)
    resumed = store.studies.resume(launched.id)
    assert resumed and len(resumed.new_runs) == 3 and resumed.token is None
    study = store.studies.get(launched.id)
    assert study and not study.cancelled and [run.state for run in study.runs] == ["finished", *["queued"] * 3]
    assert [run.spec.digest for run in study.runs] == [member.digest for member in tiny().members]
    assert launched.token and store.runs.may_change(resumed.new_runs[0], launched.token)
    again = store.studies.resume(launched.id)
    assert again and again.new_runs == ()
    assert store.studies.resume("nothing") is None


def test_a_run_that_ends_while_the_study_is_resumed_keeps_its_place(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched = store.studies.launch(tiny())
    for run_id in launched.new_runs[:2]:
        store.runs.cancel(run_id)
    read = studies.read_study

    def one_ends_meanwhile(text: str) -> StudySpec:
        store.runs.cancel(launched.new_runs[2])
        return read(text)

    monkeypatch.setattr(studies, "read_study", one_ends_meanwhile)
    resumed = store.studies.resume(launched.id)
    assert resumed and len(resumed.new_runs) == 2
    study = store.studies.get(launched.id)
    assert study and [run.state for run in study.runs] == ["queued", "queued", "cancelled", "queued"]
    assert (rest := store.studies.resume(launched.id)) and len(rest.new_runs) == 1


def test_a_study_that_cannot_be_made_leaves_nothing(store: Store) -> None:
    wrong = tiny(1, "bn")
    with pytest.raises(StudyUnavailable, match="unknown policy 'bn'"):
        store.studies.launch(wrong)
    assert store.studies.latest() == [] and store.runs.find()[1] == 0


def test_somebodys_own_question_is_a_study_that_no_list_of_the_papers_has(store: Store) -> None:
    fields = {"title": "Mine", "base": {"architecture": "resnet-8", "dataset": "digits", "epochs": 1}}
    asked = question_of({**fields, "vary": {"policy": ["all", "none"]}, "replicates": 2, "order": 3}).study()
    launched = store.studies.launch(asked)
    study = store.studies.get(launched.id)
    assert study and study.spec == asked and study.spec.asked and study.spec.asked.title == "Mine"
    assert [run.spec.digest for run in study.runs] == [member.digest for member in asked.members]
    assert store.studies.latest() == [] and store.studies.label(launched.id) == ("own", "Mine")
    assert [finish_next(store) for _ in range(4)] == [run.id for run in study.runs], "in its shuffled order"
    assert store.studies.launch(asked).id == launched.id, "an answered question is not asked again"
    store.switch.rename(study.runs[2].id, "Other")
    quiet = store.studies.get(launched.id)
    assert quiet and quiet.spec.asked and quiet.spec.asked.title == "A question"
    assert store.studies.label(launched.id) == ("own", "A question")
    assert [member.digest for member in quiet.spec.members] == [member.digest for member in asked.members]
