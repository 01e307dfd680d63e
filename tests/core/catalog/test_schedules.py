"""The learning rate of every step against torch's schedulers and open_lth's formula."""

from __future__ import annotations

from bisect import bisect
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from core.catalog.schedules import SCHEDULES, learning_rate
from core.network.scores import summed_loss
from core.run.recipe import Recipe

PER_EPOCH, EPOCHS = 10, 12
TOTAL = PER_EPOCH * EPOCHS


def rates(**recipe: Any) -> list[float]:
    return [learning_rate(Recipe(**recipe), step, PER_EPOCH, TOTAL) for step in range(TOTAL)]


def test_one_cycle_is_torchs() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=TOTAL, cycle_momentum=False)
    theirs = [optimizer.param_groups[0]["lr"]]
    for _ in range(TOTAL - 1):  # it refuses to be asked for a step more
        optimizer.step()
        scheduler.step()
        theirs.append(optimizer.param_groups[0]["lr"])
    assert rates(schedule="one-cycle") == pytest.approx(theirs, rel=1e-9)


def test_cosine_is_torchs_and_ends_at_zero() -> None:
    found = rates(schedule="cosine")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=TOTAL - 1)
    theirs = []
    for _ in range(TOTAL):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert found == pytest.approx(theirs, abs=1e-9)
    assert found[0] == 0.1 and found[-1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("warm", [0, 1, 5])
def test_steps_and_warm_up_are_open_lths(warm: int) -> None:
    """open_lth: lr · gamma ** bisect(milestones, it) · min(1, it / warm-up its), by iterations."""
    milestones = [PER_EPOCH * epoch for epoch in (4, 8)]
    theirs = [
        0.1 * 0.1 ** bisect(milestones, it) * (min(1.0, it / (warm * PER_EPOCH)) if warm else 1.0)
        for it in range(TOTAL)
    ]
    assert rates(lr_drops=(1 / 3, 2 / 3), warmup_epochs=warm) == pytest.approx(theirs)


def test_the_paper_drops_at_imagenets_epochs() -> None:
    """90 epochs of 1,252 steps, five of them warm-up, drops at 30, 60 and 80 (paper.md, section 2)."""
    recipe = Recipe(lr=0.4, batch_size=1024, lr_drops=(30 / 90, 60 / 90, 80 / 90), warmup_epochs=5)
    at = {epoch: learning_rate(recipe, epoch * 1252, 1252, 90 * 1252) for epoch in (0, 5, 29, 30, 60, 80)}
    assert at[0] == 0 and at[5] == at[29] == 0.4
    assert [at[epoch] for epoch in (30, 60, 80)] == pytest.approx([0.04, 0.004, 0.0004])
    before = learning_rate(recipe, 30 * 1252 - 1, 1252, 90 * 1252)
    assert before == 0.4, "a drop holds from the first step of its epoch"
    assert learning_rate(recipe, 5 * 1252 // 2, 1252, 90 * 1252) == pytest.approx(0.2)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("warm", [0.0, 0.5, 3.0, 50.0])
def test_rates_are_finite_and_at_most_the_recipes(schedule: str, warm: float) -> None:
    found = rates(schedule=schedule, warmup_epochs=warm)
    assert all(0 <= rate <= 0.1 * (1 + 1e-12) for rate in found)
    assert warm == 0 or found[0] == 0
    for total in (1, 2):
        recipe = Recipe(schedule=schedule)
        assert all(0 <= learning_rate(recipe, step, 1, total) <= 0.1 for step in range(total))


def test_one_cycle_and_cosine_begin_after_the_warm_up() -> None:
    for name in ("cosine", "one-cycle"):
        warm = [learning_rate(Recipe(schedule=name, warmup_epochs=2), 20 + s, PER_EPOCH, TOTAL) for s in range(100)]
        alone = [learning_rate(Recipe(schedule=name), s, PER_EPOCH, 100) for s in range(100)]
        assert warm == pytest.approx(alone)


def test_label_smoothing_is_torchs() -> None:
    draw = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(7, 10, generator=draw), torch.arange(7)
    smooth = 0.9 * F.one_hot(labels, 10) + 0.1 / 10
    by_hand = -(smooth * logits.log_softmax(dim=1)).sum()
    assert float(summed_loss(logits, labels, 0.1)) == pytest.approx(float(by_hand), rel=1e-6)
