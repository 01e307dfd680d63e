"""Events as a trainer of a given run would say them, for tests that need no training."""

from __future__ import annotations

from core.run.computation import Computed, ComputedLayer
from core.run.cost import counts
from core.run.events import Analysed, Finished, Layer, Started
from core.run.findings import (
    EPSILONS,
    Ablated,
    Condition,
    Conditions,
    Findings,
    Jacobian,
    LayerJacobian,
    LayerSpread,
    ReluOff,
    Spread,
)
from core.run.spec import RunSpec


def started(spec: RunSpec, attempt: int = 1, resumed_from: int | None = None) -> Started:
    return Started(
        spec_digest=spec.digest,
        attempt=attempt,
        resumed_from=resumed_from,
        total_steps=spec.total_steps,
        steps_per_epoch=spec.steps_per_epoch,
        train_examples=spec.images[0],
        test_examples=spec.images[1],
        counts=counts(spec.plan, spec.trains),
        layers=tuple(
            Layer(name=norm.name, channels=norm.channels, stage=norm.stage, shortcut=norm.shortcut)
            for norm in spec.plan.norms
        ),
        device="cpu",
        threads=2,
        torch="2",
        engine="fused (compiled kernels), bf16",
        processor="AMD EPYC, family 25 model 17",
    )


def finished(spec: RunSpec, top1: float = 0.9, loss: float = 0.3, seconds: float = 2.0) -> Finished:
    return Finished(
        step=spec.total_steps,
        epoch=spec.epochs,
        top1=top1,
        loss=loss,
        train_top1=top1,
        train_loss=loss,
        trainable=counts(spec.plan, spec.trains).trainable,
        disabled=0.1,
        digest="d" * 64,
        seconds=seconds,
    )


def analysed(spec: RunSpec, top1: float = 0.9) -> Analysed:
    """Findings that look like those of a trained network; every number is made up, and follows from the spec."""
    norms = spec.plan.norms
    layers = tuple(
        LayerSpread(
            name=norm.name,
            stage=norm.stage,
            shortcut=norm.shortcut,
            gamma=_spread(norm.channels, 0.2 + 0.01 * index),
            beta=_spread(norm.channels, -0.1),
        )
        for index, norm in enumerate(norms)
    )
    width = spec.plan.stem.convolution.outputs
    relus = [
        ReluOff(
            name="relu",
            stage=0,
            position=0,
            channels=width,
            mostly_off=0.0,
            always_off=0.0,
            zero_shares=_shares(width, 0.0, 0.0),
        )
    ]
    for block in spec.plan.blocks:
        path, count = block.units[0].convolution.name.rpartition(".")[0], len(block.units)
        relus += [
            ReluOff(
                name=f"{path}.relu{position}",
                stage=block.stage,
                position=position,
                after_addition=block.residual and position == count,
                channels=block.units[position - 1].convolution.outputs,
                mostly_off=0.25 if position == 1 else 0.125,
                always_off=0.125 if position == 1 else 0.0,
                zero_shares=_shares(block.units[position - 1].convolution.outputs, 0.25, 0.125)
                if position == 1
                else _shares(block.units[position - 1].convolution.outputs, 0.125, 0.0),
            )
            for position in range(1, count + 1)
        ]
    total = sum(norm.channels for norm in norms)
    inner = sum(norm.channels for norm in norms if not norm.shortcut)
    return Analysed(
        step=spec.total_steps,
        findings=Findings(
            gamma=_spread(total, 0.2) if norms else None,
            gamma_inner=_spread(inner, 0.25) if norms else None,
            beta=_spread(total, -0.1) if norms else None,
            beta_inner=_spread(inner, -0.15) if norms else None,
            layers=layers,
            ablation=tuple(
                Ablated(epsilon=e, zeroed=min(1.0, 1.5 * e), top1=top1 * (1 - e * e), change=-top1 * e * e)
                for e in (EPSILONS if norms else ())
            ),
            relus=tuple(relus),
            relu_mostly_off=0.2,
            relu_always_off=0.1,
            unused_parameters=12_345,
            test_examples=spec.images[1],
            seconds=1.25,
            jacobian=_jacobian(spec) if norms else None,
            computed=_computed(spec),
        ),
    )


def _computed(spec: RunSpec) -> Computed | None:
    """Half of the channels of every layer are in use; None where γ and β train."""
    if spec.teacher is None:
        return None
    layers = tuple(
        ComputedLayer(name=norm.name, channels=norm.channels, used=norm.channels // 2, explained=0.592)
        for norm in spec.plan.norms
    )
    return Computed(
        teacher=spec.teacher.architecture, teacher_digest="e" * 64, teacher_top1=0.961, images=1438, layers=layers
    )


def _jacobian(spec: RunSpec) -> Jacobian:
    """Condition numbers that grow with depth and with training; every fourth layer has a direction that is idle."""

    def condition(channels: int, number: float, idle: bool) -> Condition:
        return Condition(rank=channels - idle, greatest=number / 8, least=0.125, number=number)

    return Jacobian(
        images=16,
        classes=10,
        start=Conditions(median=12.5, idle=0.0),
        end=Conditions(median=25.0, idle=0.0125),
        layers=tuple(
            LayerJacobian(
                name=norm.name,
                stage=norm.stage,
                shortcut=norm.shortcut,
                channels=norm.channels,
                start=condition(norm.channels, 4.0 + index, False),
                end=condition(norm.channels, 8.0 + 2 * index, index % 4 == 3),
            )
            for index, norm in enumerate(spec.plan.norms)
        ),
    )


def _shares(channels: int, mostly: float, always: float) -> tuple[float, ...]:
    """Of `channels`, these shares off; the rest evenly between 0 and 0.95."""
    off, all_off = round(channels * mostly), round(channels * always)
    rest = channels - off
    return (*[1.0] * all_off, *[0.995] * (off - all_off), *(round(0.95 * k / rest, 4) for k in range(rest)))


def _spread(count: int, mean: float) -> Spread:
    return Spread(count=count, mean=mean, sd=0.48, negative=0.25, near_zero=0.3)
