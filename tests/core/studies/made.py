"""Finished runs made up for tests: a member's spec with the accuracy that a test wants."""

from __future__ import annotations

from core.run.events import Finished
from core.run.findings import EPSILONS, Ablated, Findings, Spread
from core.studies.records import Record
from core.studies.spec import Member


def finished(top1: float, disabled: float = 0.1) -> Finished:
    return Finished(
        step=10,
        epoch=1.0,
        top1=top1,
        loss=1.0,
        train_top1=top1,
        train_loss=1.0,
        top5=min(1.0, top1 + 0.3),
        trainable=1120,
        disabled=disabled,
        digest="0" * 64,
        seconds=3.0,
    )


def findings(disabled: float = 0.1, change: float = 0.0, relu_off: float = 0.05) -> Findings:
    spread = Spread(count=464, mean=0.2, sd=0.4, negative=0.25, near_zero=disabled)
    return Findings(
        gamma=spread,
        gamma_inner=spread,
        beta=spread,
        beta_inner=spread,
        layers=(),
        ablation=tuple(Ablated(epsilon=e, zeroed=e, top1=0.5, change=change if e else 0.0) for e in EPSILONS),
        relus=(),
        relu_mostly_off=relu_off,
        relu_always_off=0.0,
        unused_parameters=0,
        test_examples=2000,
        seconds=1.0,
    )


def record(member: Member, top1: float, **found: float) -> Record:
    return Record(member.spec, finished(top1, found.get("disabled", 0.1)), findings(**found) if found else None)
