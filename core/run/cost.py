"""What a run will cost: parameters, multiply-adds, time. It comes from plans alone, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod

from core.catalog.plan import Plan
from core.catalog.policy import Trains, trainable
from core.run.computation import HELD, IMAGES
from core.run.events import Counts
from core.run.findings import EPSILONS
from core.run.spec import RunSpec

MODEST_MACS_PER_S = 40e9
"""Multiply-adds a second that two ordinary cores do in this training; the stride of the points and
the estimates of time rest on it."""
STEP_OVERHEAD_S = 0.2e-3
"""Seconds that one layer costs in a step whatever its size (kernel calls, Python)."""
POINT_EVERY_S = 0.1
MAX_STRIDE = 25
ANALYSES_SHARE = 0.2
"""At most this share of a run's multiply-adds goes into its analyses; they look at fewer test images if necessary..."""
ANALYSED_AT_LEAST = 500
"""...but at no fewer than this."""
MAX_CLASSES = 16
"""Jacobians look at the logits of all classes, or of so many of them, spread evenly."""
ROWS_A_CHANNEL = 2.5
"""A Jacobian has a row for each image and class. With about as many rows as channels, its condition would be that of
the sample."""
JACOBIAN_SHARE = 0.005
"""At most this share of a run's multiply-adds goes into its Jacobians, in which each takes twenty times as long..."""
JACOBIAN_BYTES = 128 << 20
"""...and they take at most so much memory, as float32..."""
JACOBIAN_AT_LEAST = 8
"""...but they look at no fewer test images than this."""


def counts(plan: Plan, trains: Trains) -> Counts:
    """The parameter counts of `plan`: the columns of the paper's table 1 and what trains."""
    return Counts(
        total=plan.total,
        trainable=trainable(trains),
        batchnorm=plan.count("gamma", "beta"),
        output=plan.count("output", "output-bias"),
        shortcut=plan.count("shortcut"),
    )


def step_macs(plan: Plan, trains: Trains) -> int:
    """Multiply-adds that one training step needs for one image.

    The forward pass; the weight gradients of the layers that train; and the input gradients of all layers above the
    lowest that trains. Frozen weights need no gradient of their own, so BatchNorm alone costs 2/3 of training
    everything.
    """
    head = plan.output.features * plan.output.classes
    total, below = plan.macs, False
    for unit in plan.units():
        conv, norm = unit.convolution, unit.norm
        weight = f"{conv.name}.weight" in trains
        total += conv.macs * (weight + below)
        below |= weight or not trains.keys().isdisjoint(
            (f"{conv.name}.bias", f"{norm.name}.weight", f"{norm.name}.bias")
        )
    return total + head * ((f"{plan.output.name}.weight" in trains) + below)


def run_macs(spec: RunSpec) -> int:
    """Multiply-adds of a whole run: its steps, its tests, and the least squares where γ and β are computed."""
    computing = sum(_computing_macs(spec)) if spec.teacher else 0
    return _training_macs(spec) + tested_images(spec) * spec.plan.macs + computing


def _training_macs(spec: RunSpec) -> int:
    """Multiply-adds of all its steps, which are those of the teacher where there is one."""
    trained = spec.teacher or spec
    return spec.epochs * spec.images[0] * step_macs(trained.plan, trained.trains)


def tested_images(spec: RunSpec) -> int:
    """How many images the run's network answers in its tests: at initialisation and after every epoch; where γ and β
    are computed, at the start and at the end, there all training images, too."""
    train, test = spec.images
    return 2 * test + train if spec.teacher else (spec.epochs + 1) * test


def _computing_macs(spec: RunSpec) -> tuple[int, int]:
    """Multiply-adds of least squares: of the passes over the images, and of the systems that are solved."""
    teacher = spec.teacher or spec
    pairs = [*zip(teacher.plan.convolutions, spec.plan.convolutions, strict=True)]
    # A convolution reads the carriers, as many channels as the teacher's.
    across = sum(own.macs * other.outputs // own.outputs for other, own in pairs)
    widths = [
        (there.units[0].convolution.outputs, here.units[0].convolution.outputs)
        for there, here in zip(teacher.plan.blocks, spec.plan.blocks, strict=True)
    ]
    solved = sum(SOLVED_ROUNDS * SOLVED_PLACES * narrow * (2 * wide) ** 2 for narrow, wide in widths)
    return COMPUTED_PASSES * min(IMAGES, spec.images[0]) * across, solved


def computing_s(spec: RunSpec) -> float:
    """Processor seconds of the least squares; 0 where γ and β train."""
    if spec.teacher is None:
        return 0.0
    passes, solved = _computing_macs(spec)
    return passes / PASSES_MACS_PER_S + solved / SOLVING_MACS_PER_S


def analysed_images(spec: RunSpec) -> int:
    """How many test images the analyses at the end of a run look at; they make a pass for every threshold."""
    affordable = int(ANALYSES_SHARE * run_macs(spec) / (len(EPSILONS) * spec.plan.macs))
    return min(max(affordable, ANALYSED_AT_LEAST), spec.images[1])


def adapted_images(spec: RunSpec) -> int:
    """How many test images the adaptation of a run looks at, where its spec asks for one."""
    asked = spec.adapt.images if spec.adapt else None
    return asked or analysed_images(spec)


def adaptation_macs(spec: RunSpec) -> int:
    """Multiply-adds of the adaptation that a spec asks for; 0 where it asks for none."""
    return spec.adapt.macs(spec.plan, adapted_images(spec)) if spec.adapt else 0


def jacobian_images(spec: RunSpec) -> int:
    """How many test images the Jacobians of γ look at (core/trained/jacobian.py); 0 where there is no γ.

    Enough for ROWS_A_CHANNEL times as many rows as the widest layer has channels, or as many as its bounds allow.
    """
    plan, classes = spec.plan, min(spec.plan.output.classes, MAX_CLASSES)
    if not plan.norms:
        return 0
    wanted = ceil(ROWS_A_CHANNEL * max(norm.channels for norm in plan.norms) / classes)
    affordable = int(JACOBIAN_SHARE * run_macs(spec) / _jacobian_macs(plan))
    held = JACOBIAN_BYTES // (4 * classes * sum(norm.channels for norm in plan.norms))
    return min(max(min(wanted, affordable, held), JACOBIAN_AT_LEAST), spec.images[1])


def _jacobian_macs(plan: Plan) -> int:
    """Multiply-adds for one image: before the first step and after the last, a forward pass, and one back for each
    class."""
    return 2 * (1 + min(plan.output.classes, MAX_CLASSES)) * plan.macs


def jacobian_macs(spec: RunSpec) -> int:
    """Multiply-adds of a run's Jacobians."""
    return jacobian_images(spec) * _jacobian_macs(spec.plan)


def analyses_macs(spec: RunSpec) -> int:
    """Multiply-adds of the analyses at the end of a run."""
    return len(EPSILONS) * analysed_images(spec) * spec.plan.macs + jacobian_macs(spec)


def modest_step_s(spec: RunSpec) -> float:
    """Seconds that one step takes on two ordinary cores, roughly."""
    trained = spec.teacher or spec
    macs = step_macs(trained.plan, trained.trains) * min(spec.recipe.batch_size, spec.images[0])
    return macs / MODEST_MACS_PER_S + STEP_OVERHEAD_S * len(trained.plan.norms)


def point_stride(spec: RunSpec) -> int:
    """Steps between two train points: two cores give some points a second. It is the same on every machine.

    It depends on the spec alone, so that a run that was killed and resumed has the same points.
    """
    return max(1, min(MAX_STRIDE, int(POINT_EVERY_S / modest_step_s(spec))))


def keeps_snapshot(spec: RunSpec, step: int) -> bool:
    """Whether the snapshot at `step` is among the at most 300 that a run keeps.

    A short run keeps all; others keep those at the ends of (some) epochs and evenly between.
    """
    between, ends = _snapshot_strides(spec)
    return step in (0, spec.total_steps) or step % between == 0 or step % ends == 0


def _snapshot_strides(spec: RunSpec) -> tuple[int, int]:
    """Steps between two snapshots that are kept, and between those at the ends of epochs."""
    stride = point_stride(spec)
    between = stride * max(1, -(-spec.total_steps // (stride * 140)))
    return between, spec.steps_per_epoch * max(1, -(-spec.epochs // 150))


COMPUTED_PASSES = 3
"""How often least squares goes through each layer for each image."""
SOLVED_ROUNDS, SOLVED_PLACES = 8, 512
"""Of a system between two convolutions: how often it is solved, and at how many places it has equations."""
PASSES_MACS_PER_S, SOLVING_MACS_PER_S = 8e9, 18e9
"""Multiply-adds a second of one core in float32, of these passes and of these systems."""
COMPUTED_HELD = 15
"""How often least squares holds the teacher's largest layer, for all its images."""
TRAINING_MACS_PER_S, TESTING_MACS_PER_S = 70e9, 400e9
"""Multiply-adds a second of one core of a current server (AMD EPYC, Zen 4): of steps in bfloat16, and of tests.

These and the numbers below come from the runs of tests/benchmarks/price.py.
"""
START_S = 3.2
"""Processor seconds until a trainer has loaded its libraries and its data."""
JACOBIAN_MACS_PER_S = 3.5e9
"""The same of Jacobians: torch's kernels in float32, and most of the time goes into moving values."""
LAYER_STEP_S = 0.42e-3
"""Processor seconds that a norm layer costs in a step, whatever its size."""
BASE_BYTES = 760_000_000
"""Memory of a trainer without images and network."""
VALUES_HELD, PARAMETERS_HELD = 1.6, 10
"""How often a trainer holds the values of all layers, for a batch, and all parameters, as float32."""
TESTED_HELD = 3000
"""Of how many images a trainer holds the values of the largest layer, as float32: tests have batches of their own."""
SNAPSHOT_LAYER_BYTES, POINT_BYTES, FOLDER_BYTES = 400, 150, 30_000
"""Bytes of the folder of a run: for each layer of each snapshot, for each point, and for the rest."""
CHECKPOINTS, CHECKPOINT_S = 3, 10.0
"""Two checkpoints are kept while a third is written, and a run has one for each so many processor seconds."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a run is expected to take: seconds of processor time (all cores together), bytes of memory and of disk."""

    processor_s: float
    memory_bytes: int
    disk_bytes: int

    def as_dict(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in self.__slots__}


def price(spec: RunSpec) -> Price:
    """What the run of `spec` is expected to take on the CPU, before it starts; its disk at most, before its end.

    A machine without bfloat16 or without compiled kernels takes about twice the processor time.
    """
    return Price(_processor_s(spec), _memory_bytes(spec), _disk_bytes(spec))


def verification_price(spec: RunSpec) -> Price:
    """The same of a run that was trained in a browser: one test, and the analyses."""
    return Price(_analysing_s(spec, spec.images[1]), _memory_bytes(spec), _disk_bytes(spec))


def _processor_s(spec: RunSpec) -> float:
    layers = LAYER_STEP_S * spec.total_steps * len(spec.plan.norms)
    steps = _training_macs(spec) / TRAINING_MACS_PER_S + layers
    return _analysing_s(spec, tested_images(spec)) + steps + computing_s(spec)


def _analysing_s(spec: RunSpec, tested: int) -> float:
    """The start of the trainer, the test of so many images, and the analyses at the end."""
    tests = (tested + len(EPSILONS) * analysed_images(spec)) * spec.plan.macs / TESTING_MACS_PER_S
    return START_S + tests + adaptation_macs(spec) / TRAINING_MACS_PER_S + jacobian_macs(spec) / JACOBIAN_MACS_PER_S


def _memory_bytes(spec: RunSpec) -> int:
    plan, data = spec.plan, spec.data
    values = [unit.convolution.outputs * unit.convolution.size**2 for unit in plan.units()]
    batch = min(spec.recipe.batch_size, spec.images[0])
    images = 0 if data.streamed else sum(spec.images) * prod(data.shape)
    held = VALUES_HELD * batch * sum(values) + TESTED_HELD * max(values) + PARAMETERS_HELD * plan.total
    if teacher := spec.teacher:
        most = max(conv.outputs * conv.size**2 for conv in teacher.plan.convolutions)
        held += COMPUTED_HELD * min(IMAGES * most, spec.images[0] * most, HELD)
    return int(BASE_BYTES + images + 4 * held)


def _disk_bytes(spec: RunSpec) -> int:
    plan, trained = spec.plan, trainable((spec.teacher or spec).trains)
    between, ends = _snapshot_strides(spec)
    snapshots = spec.total_steps // between + spec.total_steps // ends + 2
    points = spec.total_steps // point_stride(spec) + 2 * spec.epochs
    running = 2 * sum(norm.channels for norm in plan.norms)
    moments = 1 if spec.recipe.optimizer == "sgd" else 2
    kept = 4 * (trained + running)
    checkpoints = min(CHECKPOINTS, 1 + int(_processor_s(spec) / CHECKPOINT_S)) * 4 * (trained * (1 + moments) + running)
    journal = SNAPSHOT_LAYER_BYTES * len(plan.norms) * snapshots + POINT_BYTES * points
    return FOLDER_BYTES + journal + kept + checkpoints
