"""The finding in two numbers is that of the shipped results, and of a pair that differs in the policy only."""

from __future__ import annotations

from statistics import fmean

import pytest

from core.studies import shipped
from core.studies.headline import POLICIES, headline
from core.studies.shipped import ShippedRun

RUNS = list(shipped.read().values())


def on(dataset: str) -> list[ShippedRun]:
    return [run for run in RUNS if run.spec.dataset == dataset]


def test_the_finding_is_of_real_images_and_of_equally_many_parameters() -> None:
    found = headline(RUNS)
    assert found is not None and found.dataset == "cifar-10" and found.n >= 1
    for side in found.sides:
        (run, *_) = [
            run
            for run in on("cifar-10")
            if (run.spec.architecture, run.spec.policy, run.spec.epochs)
            == (found.architecture, side.policy, found.epochs)
        ]
        assert run.started.counts.trainable == found.trainable
        assert run.spec.copy_of_data is None or run.spec.copy_of_data.kind == found.copy
        if found.n == 1:
            assert side.top1 == run.result.top1
        assert side.curve[0][0] == 0 and side.curve[-1][0] == found.epochs
    assert found.points == pytest.approx(100 * (found.sides[0].top1 - found.sides[1].top1))


def test_replicates_are_averaged_in_pairs() -> None:
    twins = [run for run in on("fashion-mnist") if run.spec.policy in POLICIES and run.spec.architecture == "resnet-14"]
    found = headline(twins)
    assert found is not None and found.n > 1
    more = [run for run in twins if not (run.spec.policy == "random-2" and run.spec.replicate == 0)]
    fewer = headline(more)
    assert fewer is not None and fewer.n == found.n - 1, "a replicate without its twin does not count"
    values = [run.result.top1 for run in twins if run.spec.policy == "batchnorm" and run.spec.epochs == found.epochs]
    assert min(values) <= found.sides[0].top1 <= max(values) and found.sides[0].top1 != fmean([values[0]])


def test_without_a_pair_there_is_no_finding() -> None:
    assert headline([]) is None
    assert headline([run for run in RUNS if run.spec.policy == "batchnorm"]) is None
