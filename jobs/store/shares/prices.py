"""Whether a run costs more than this installation allows, and words for what would fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from core.run.cost import price, verification_price
from core.run.spec import RunSpec
from jobs.quotas import MEGABYTE, Cap, TooExpensive
from jobs.store.mapping import read_spec
from jobs.store.tabs.tables import TABS

LEAST_IMAGES = 16
LEAST_BATCH = 16


def check_price(spec: RunSpec, cap: Cap) -> None:
    """Raises TooExpensive if the run of `spec` would cost more than `cap` allows."""
    if reason := too_expensive(spec, cap):
        raise TooExpensive(reason)


def check_verification(spec: RunSpec, cap: Cap) -> None:
    """Raises TooExpensive if verifying a training of `spec` in a browser would cost more than `cap` allows."""
    cost = verification_price(spec)
    for needs, most, words in (
        (cost.processor_s, cap.processor_s, lambda s: f"{_minutes(s)} of one processor core"),
        (cost.memory_bytes, cap.memory_bytes, lambda size: f"{_megabytes(size)} of memory"),
        (cost.disk_bytes, cap.disk_bytes, lambda size: f"{_megabytes(size)} of disk"),
    ):
        if _over(needs, most):
            raise TooExpensive(
                f"To verify this training would take {words(needs)}; at most {words(most)} are allowed here."
            )


def check_again(connection: Connection, row: Row[Any], cap: Cap) -> None:
    """The same check for the run of `row`, which was admitted before. Raises TooExpensive."""
    from_tab = connection.scalar(sa.select(TABS.c.run).where(TABS.c.run == row.number)) is not None
    (check_verification if from_tab else check_price)(read_spec(row.spec), cap)


def too_expensive(spec: RunSpec, cap: Cap) -> str | None:
    """Why the run of `spec` costs more than `cap` allows, and what would fit; None if it fits."""
    cost = price(spec)
    if _over(cost.processor_s, cap.processor_s):
        return (
            f"This run would cost {_minutes(cost.processor_s)} of one processor core; at most "
            f"{_minutes(cap.processor_s)} are allowed here. {_shorter(spec, cap)}"
        )
    if _over(cost.memory_bytes, cap.memory_bytes):
        return (
            f"This run would take {_megabytes(cost.memory_bytes)} of memory; at most {_megabytes(cap.memory_bytes)} "
            f"are allowed here. {_lighter(spec, cap)}"
        )
    if _over(cost.disk_bytes, cap.disk_bytes):
        return (
            f"This run would take {_megabytes(cost.disk_bytes)} of disk; at most {_megabytes(cap.disk_bytes)} are "
            f"allowed here. {_slimmer(spec, cap)}"
        )
    return None


def _over(cost: float, most: float) -> bool:
    return most > 0 and cost > most


def _shorter(spec: RunSpec, cap: Cap) -> str:
    def epochs(number: int) -> bool:
        return price(spec.model_copy(update={"epochs": number})).processor_s <= cap.processor_s

    if best := _largest(1, spec.epochs - 1, epochs):
        return f"{best:,} epochs instead of {spec.epochs:,} would fit."

    def images(number: int) -> bool:
        return price(spec.model_copy(update={"epochs": 1, "train_examples": number})).processor_s <= cap.processor_s

    if best := _largest(LEAST_IMAGES, spec.images[0] - 1, images):
        return f"1 epoch of {best:,} training images would fit."
    return "A smaller network would fit."


def _lighter(spec: RunSpec, cap: Cap) -> str:
    def batch(size: int) -> bool:
        recipe = spec.recipe.model_copy(update={"batch_size": size})
        return price(spec.model_copy(update={"recipe": recipe})).memory_bytes <= cap.memory_bytes

    if best := _largest(LEAST_BATCH, spec.recipe.batch_size - 1, batch):
        return f"A batch of {best:,} images instead of {spec.recipe.batch_size:,} would fit."
    return "A smaller network would fit."


def _slimmer(spec: RunSpec, cap: Cap) -> str:
    def epochs(number: int) -> bool:
        return price(spec.model_copy(update={"epochs": number})).disk_bytes <= cap.disk_bytes

    if best := _largest(1, spec.epochs - 1, epochs):
        return f"{best:,} epochs instead of {spec.epochs:,} would fit."
    return "A smaller network, or a policy that trains fewer parameters, would fit."


def _largest(least: int, most: int, fits: Callable[[int], bool]) -> int | None:
    """The largest number in least..most that fits, where more always costs more; None if there is none."""
    if most < least or not fits(least):
        return None
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if fits(middle) else (least, middle - 1)
    return least


def _minutes(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:,.0f} minutes" if minutes >= 2 else f"{seconds:,.0f} seconds"


def _megabytes(size: float) -> str:
    return f"{size / MEGABYTE:,.0f} MB"
