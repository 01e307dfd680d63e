"""The keys of launches: who asks twice, because the answer was lost, gets one run."""

from __future__ import annotations

import pytest

from core.run.spec import RunSpec
from jobs.store.store import Store
from jobs.store.submission import KeyTaken
from tests.jobs.support import fake_spec, in_threads


def test_a_launch_that_is_repeated_with_its_key_makes_one_run(store: Store, spec: RunSpec) -> None:
    key, answers = "a-key-that-nobody-knows", []
    in_threads(4, lambda _: answers.append(store.runs.submit(spec, key=key)))
    assert len({(run.id, token) for run, token in answers}) == 1
    run, token = answers[0]
    assert store.runs.may_change(run.id, token)
    assert store.runs.find()[1] == 1
    other, _ = store.runs.submit(spec, key=f"{key}2")
    assert other.id != run.id
    with pytest.raises(KeyTaken):
        store.runs.submit(fake_spec(epochs=3), key=key)
