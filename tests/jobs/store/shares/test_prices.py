"""What a run costs more than is allowed, and what would fit instead."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core.run.cost import price
from jobs.quotas import Cap, Limits, TooExpensive
from jobs.store.shares.prices import too_expensive
from jobs.store.store import Store
from tests.jobs.store.test_studies import tiny
from tests.jobs.support import fake_spec

MINUTE = Limits(cap=Cap(processor_s=60.0))


def test_what_would_fit_fits_and_one_epoch_more_does_not() -> None:
    long = fake_spec(epochs=400, architecture="resnet-56")
    said = too_expensive(long, MINUTE.cap)
    found = re.search(r"of one processor core; at most 60 seconds are allowed here. (\d+) epochs", said or "")
    assert found
    epochs = int(found[1])
    fits, over = (fake_spec(epochs=number, architecture="resnet-56") for number in (epochs, epochs + 1))
    assert too_expensive(fits, MINUTE.cap) is None and too_expensive(over, MINUTE.cap)


def test_fewer_images_where_even_one_epoch_is_too_much() -> None:
    spec = fake_spec(epochs=3, architecture="resnet-110", dataset="fashion-mnist", test_examples=1000)
    said = too_expensive(spec, MINUTE.cap)
    found = re.search(r"1 epoch of ([\d,]+) training images would fit", said or "")
    assert found
    fewer = {"train_examples": int(found[1].replace(",", "")), "epochs": 1}
    assert too_expensive(spec.model_copy(update=fewer), MINUTE.cap) is None
    assert "A smaller network would fit" in (too_expensive(spec, Cap(processor_s=1.0)) or "")


def test_a_smaller_batch_where_memory_is_short() -> None:
    spec = fake_spec(architecture="resnet-110", dataset="fashion-mnist", recipe={"batch_size": 4096})
    cap = Cap(memory_bytes=(price(spec).memory_bytes + price(fake_spec()).memory_bytes) // 2)
    found = re.search(r"A batch of ([\d,]+) images instead of 4,096 would fit", too_expensive(spec, cap) or "")
    assert found
    recipe = spec.recipe.model_copy(update={"batch_size": int(found[1].replace(",", ""))})
    assert too_expensive(spec.model_copy(update={"recipe": recipe}), cap) is None


def test_disk_is_part_of_the_price() -> None:
    large = fake_spec(architecture="wrn-14-32", policy="all")
    assert price(large).disk_bytes > 400e6
    assert "MB of disk; at most 100 MB are allowed" in (too_expensive(large, Cap(disk_bytes=100_000_000)) or "")
    assert too_expensive(large, Cap()) is None, "no cap, no refusal"


def test_every_way_to_queue_a_run_asks_for_its_price(store: Store) -> None:
    tight = replace(MINUTE, cap=Cap(processor_s=1.0))
    with pytest.raises(TooExpensive):
        store.runs.submit(fake_spec(), limits=tight)
    with pytest.raises(TooExpensive):
        store.studies.launch(tiny(), limits=tight)
    run, _ = store.runs.submit(fake_spec())
    study = store.studies.launch(tiny())
    for run_id in (run.id, *study.new_runs):
        store.runs.cancel(run_id)
    with pytest.raises(TooExpensive):
        store.runs.resume(run.id, limits=tight)
    with pytest.raises(TooExpensive):
        store.studies.resume(study.id, limits=tight)
    assert store.queue.waiting() == [] and store.runs.state(run.id) == "cancelled"


@pytest.mark.parametrize("more", [{"epochs": 9}, {"architecture": "resnet-56"}, {"policy": "all"}])
def test_more_work_costs_more(more: dict[str, object]) -> None:
    assert price(fake_spec(**more)).processor_s > price(fake_spec()).processor_s
