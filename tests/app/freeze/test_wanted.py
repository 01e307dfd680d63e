"""Which runs a frozen site has."""

from __future__ import annotations

import pytest

from app.freeze.arguments import KEYS
from app.freeze.wanted import BadFilter, read_filters, wanted
from jobs.quotas import Asker
from jobs.store.store import Store
from jobs.store.tallies import Filters
from tests.app.conftest import Trainer

ADA = Asker("ada", "home")


def done(trainer: Trainer, **fields: object) -> str:
    """A finished run."""
    run_id, _ = trainer.start(**fields)
    trainer.finish(run_id)
    return run_id


def ids(store: Store, *given: str) -> list[str]:
    return [run.id for run in wanted(store, read_filters(given)).runs]


def test_only_finished_runs_and_the_newest_first(store: Store, trainer: Trainer) -> None:
    first, second = done(trainer), done(trainer, replicate=1)
    failed, _ = trainer.start(replicate=2)
    store.runs.cancel(failed)
    trainer.start(replicate=3)
    assert ids(store) == [second, first]


def test_removed_runs_stay_out(store: Store, trainer: Trainer) -> None:
    gone, kept = done(trainer), done(trainer, replicate=1)
    store.runs.remove(gone)
    assert ids(store) == [kept]


def test_filters_have_the_words_of_the_list(store: Store, trainer: Trainer) -> None:
    only, everything = done(trainer), done(trainer, policy="all", name="The whole network")
    deep = done(trainer, architecture="resnet-20")
    assert ids(store, "policy=all") == [everything]
    assert ids(store, "policy=all,batchnorm", "architecture=resnet-14") == [everything, only]
    assert ids(store, "?policy=batchnorm&architecture=resnet-20") == [deep]
    assert ids(store, "text=WHOLE") == [everything]
    assert ids(store, "dataset=cifar-10") == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("policy", "must be KEY=VALUE, got 'policy'"),
        ("policy=", "must be KEY=VALUE"),
        ("state=failed", f"knows {', '.join(KEYS)}; got 'state'"),
        ("policy=batchnrm", "policy: "),
        ("architecture=resnet-15", "architecture: "),
        ("dataset=digits,cats", "dataset: "),
        ("question=why", "question must be one of "),
        ("policy=all&policy=output", "has policy twice; write policy=A,B"),
    ],
)
def test_a_wrong_filter_says_what_would_be_right(given: str, words: str) -> None:
    with pytest.raises(BadFilter) as refused:
        read_filters([given])
    assert words in str(refused.value)


def test_runs_with_an_open_report_stay_out(store: Store, trainer: Trainer) -> None:
    named, noted, fine = done(trainer, name="Rude"), done(trainer, replicate=1), done(trainer, replicate=2)
    assert store.reports.report(named, ADA)
    store.labels.change(noted, {"note": "Rude, too"})
    assert store.complaints.complain("note", noted, None, ADA)
    found = wanted(store, Filters(states=("finished",)))
    assert ([run.id for run in found.runs], found.reported) == ([fine], 2)
    store.reports.dismiss(named)
    assert ids(store) == [fine, named]
