"""What the tests of fair shares have in common: who asks, limits, submissions."""

from __future__ import annotations

from typing import Any

from core.run.spec import RunSpec
from jobs.quotas import Asker, Limits, Portion
from jobs.store.store import Store

ANNA, BEN, CARL = (Asker(name, f"address of {name}") for name in ("anna", "ben", "carl"))


def limits(**share: Any) -> Limits:
    return Limits(max_queued=1000, owner=Portion(**share), address_owners=4)


def submit(store: Store, spec: RunSpec, by: Asker, number: int = 1, rules: Limits = Limits()) -> list[str]:  # noqa: B008
    return [store.runs.submit(spec, by=by, limits=rules)[0].id for _ in range(number)]


def served(store: Store, number: int) -> list[str]:
    return [run.id for _ in range(number) if (run := store.claims.take("worker"))]
