"""What a training tells of itself at its beginning, on its way and at its end, as its learner knows it."""

from __future__ import annotations

import torch

from core.machine.processor import processor
from core.network.scores import Scores
from core.network.tensors import digest_of
from core.run.cost import counts
from core.run.events import Finished, Layer, Progress, Started
from core.training.learner import Learner


def started(learner: Learner, attempt: int, resumed_from: int | None) -> Started:
    """`resumed_from`: the step of the checkpoint from which the training goes on."""
    spec, part, title = learner.spec, learner.group.part, learner.device_title
    train, test = spec.images
    return Started(
        spec_digest=spec.digest,
        attempt=attempt,
        resumed_from=resumed_from,
        total_steps=spec.total_steps,
        steps_per_epoch=spec.steps_per_epoch,
        train_examples=train,
        test_examples=test,
        counts=counts(learner.plan, spec.trains),
        layers=tuple(
            Layer(name=n.name, channels=n.channels, stage=n.stage, shortcut=n.shortcut) for n in learner.plan.norms
        ),
        device=title if part.alone else f"{part.world} × {title}",
        threads=torch.get_num_threads(),
        processes=part.world,
        torch=torch.__version__,
        engine=learner.engine.words,
        processor=processor(),
        taken=learner.taken.sentence if learner.taken else None,
    )


def progress(
    learner: Learner, elapsed_s: float, tested: int | None = None, analysed: tuple[float, float] | None = None
) -> Progress:
    """`tested`: how many images the test under way has seen; `analysed`: share of the analyses, and their seconds."""
    images = learner.batches.test_images
    share, seconds = analysed or (0.0, 0.0)
    rest = learner.speed.eta_s(learner.step, untested=0 if tested is None else images - tested)
    return Progress(
        step=learner.step,
        total_steps=learner.spec.total_steps,
        tested=None if tested is None else round(tested / images, 3),
        images_per_s=round(learner.speed.train_images_per_s, 1),
        elapsed_s=round(elapsed_s, 1),
        analysed=round(share, 3) if analysed else None,
        eta_s=round(seconds * (1 - share) / share, 1) if share else rest,
        **learner.memory(),
    )


def finished(learner: Learner, train: Scores, test: Scores, disabled: float, seconds: float) -> Finished:
    """`train` and `test`: the last values of the curves; `disabled`: the share of features that are switched off."""
    return Finished(
        step=learner.step,
        epoch=learner.epoch,
        **test._asdict(),
        train_loss=train.loss,
        train_top1=train.top1,
        trainable=sum(p.numel() for p in learner.trainable.values()),
        disabled=disabled,
        digest=digest_of(learner.result()),
        seconds=round(seconds, 3),
    )
