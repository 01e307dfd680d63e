"""Names, notes and tags of runs, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from core.run.spec import RunSpec
from jobs.quotas import Asker
from jobs.store.labels.labels import MAX_NOTE, BadLabel
from jobs.store.store import Store
from jobs.store.tallies import Filters
from tests.jobs.support import fake_spec


def test_a_run_is_renamed_noted_and_tagged(store: Store, spec: RunSpec) -> None:
    run, _ = store.runs.submit(spec)
    labelled = store.labels.change(
        run.id, {"name": "Deep", "note": " two\nlines ", "tags": ["Depth", "first", "depth", " "]}
    )
    assert labelled is not None and labelled == store.runs.get(run.id)
    assert (labelled.spec.name, labelled.note, labelled.tags) == ("Deep", "two\nlines", ("depth", "first"))
    assert labelled.spec.digest == spec.digest, "the training is the same"
    assert store.runs.find(filters=Filters(text="deep"))[1] == 1
    kept = store.labels.change(run.id, {"note": None})
    assert kept is not None and (kept.spec.name, kept.note, kept.tags) == ("Deep", None, ("depth", "first"))
    bare = store.labels.change(run.id, {"name": None, "tags": []})
    assert bare is not None and (bare.spec.name, bare.tags) == (None, ())
    assert store.labels.change("nosuchrun", {"note": "x"}) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"note": "x" * (MAX_NOTE + 1)}, "a note has at most 1,000 characters; this one has 1,001"),
        ({"note": "a\x00b"}, "control characters other than line breaks"),
        ({"tags": ["two words"]}, "a tag is a word"),
        ({"tags": ["x" * 25]}, "a tag is a word"),
        ({"tags": ["%"]}, "a tag is a word"),
        ({"tags": [f"t{k}" for k in range(9)]}, "at most 8 tags; got 9"),
    ],
)
def test_a_bad_label_changes_nothing(store: Store, spec: RunSpec, values: dict[str, Any], said: str) -> None:
    run, _ = store.runs.submit(spec)
    before = store.labels.change(run.id, {"name": "Good", "note": "good", "tags": ["good"]})
    with pytest.raises(BadLabel, match=said):
        store.labels.change(run.id, {"name": "Other", **values})
    with pytest.raises(ValidationError):
        store.labels.change(run.id, {"note": "other", "name": "<b>"})
    assert store.runs.get(run.id) == before


def test_what_the_operator_named_keeps_its_name(store: Store, spec: RunSpec) -> None:
    run, _ = store.runs.submit(spec)
    store.labels.change(run.id, {"name": "Rude"})
    store.switch.rename(run.id, "Kind")
    with pytest.raises(BadLabel, match="has renamed this run, so its name cannot be changed"):
        store.labels.change(run.id, {"name": "Rude again"})
    noted = store.labels.change(run.id, {"note": "still mine"})
    assert noted is not None and (noted.spec.name, noted.note) == ("Kind", "still mine")


def test_runs_are_found_by_tag_question_and_visitor(store: Store) -> None:
    mine, other = Asker("me", "here"), Asker("you", "there")
    made = {}
    for name, by, question, tags in (
        ("a", mine, "depth", ["deep"]),
        ("b", mine, None, ["deeper", "red"]),
        ("c", other, "depth", ["deep", "red"]),
        ("d", other, "init", []),
    ):
        run, _ = store.runs.submit(fake_spec(name), by=by, question=question)
        made[name] = run.id
        store.labels.change(run.id, {"tags": tags})

    def found(**query: Any) -> list[str | None]:
        return [run.spec.name for run in store.runs.find(filters=Filters(**query))[0]]

    assert found(tag="deep") == ["c", "a"], "a tag is the whole word"
    assert found(tag="d_ep") == [] and found(tag="%") == []
    assert found(question="depth") == ["c", "a"] and found(visitor="me") == ["b", "a"]
    assert found(tag="red", visitor="me") == ["b"]
    assert found(text="RED") == ["c", "b"]
    assert store.labels.tags() == [("deep", 2), ("red", 2), ("deeper", 1)]
    assert store.labels.tags("you") == [("deep", 1), ("red", 1)]
    together, _ = store.runs.find(group="question")
    assert [run.question for run in together] == ["depth", "depth", "init", None]
