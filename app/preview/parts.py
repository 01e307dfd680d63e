"""A network's parameters by the part that they belong to, and how many of each train. From plans, without torch."""

from __future__ import annotations

from typing_extensions import TypedDict

from core.catalog.plan import ROLES, Plan, Role
from core.catalog.policies import Policy

TITLES: dict[Role, str] = {
    "convolution": "Convolutions",
    "convolution-bias": "Convolution biases",
    "shortcut": "Shortcut convolutions",
    "gamma": "γ of the norm layers",
    "beta": "β of the norm layers",
    "output": "Output layer",
    "output-bias": "Output biases",
}
"""What people read for a parameter's role."""


class PartView(TypedDict):
    """One part: its role, its title, how many parameters it has and how many of them train (or have a score)."""

    role: Role
    title: str
    total: int
    trainable: int


def parts(plan: Plan, chosen: Policy) -> list[PartView]:
    """The parts that `plan` has, with what `chosen` trains in each; the sums are those of `cost.counts`."""
    single = {f"{name}.weight": count for name, count in chosen.scattered(plan).items()} | chosen.scored(plan)
    rows: list[PartView] = []
    for role in ROLES:
        members = [parameter for parameter in plan.parameters if parameter.role == role]
        if members:
            trainable = sum(p.size if chosen.trains(p) else single.get(p.name, 0) for p in members)
            rows.append({"role": role, "title": TITLES[role], "total": plan.count(role), "trainable": trainable})
    return rows
