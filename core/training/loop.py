"""Trains one network as its spec says and yields events. Nothing here talks to the outside.

The same spec gives the same bits on the same machine with the same number of threads, whether or not the run was
stopped and resumed in between: data order and augmentation follow from (seed, epoch), points from the spec alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from core.network.devices import device_of
from core.network.group import Group
from core.run.events import Event
from core.run.spec import RunSpec
from core.training.computing import Computing
from core.training.failures import failure, failure_elsewhere
from core.training.training import Training

CHECKPOINT_EVERY_S = 5.0


def train(
    spec: RunSpec,
    folder: Path | None = None,
    *,
    data_folder: Path = Path("data/datasets"),
    device: str = "auto",
    attempt: int = 1,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
    group: Group | None = None,
    analyses: bool = True,
) -> Iterator[Event]:
    """Train `spec` to its end, from the newest checkpoint in `folder` if there is one.

    Yields Started, then Measured, Snapshot, Progress and Checkpointed, then Analysed (unless `analyses` is false), and
    at last Finished, Failed, or Stopped (once `should_stop()` is true). Without a `folder` nothing is saved. Raises
    nothing that a user can cause.

    In a `group` of processes each calls this with the same spec. The first one reads and writes the `folder` and has
    the events that count; all stop when one is asked to.
    """
    step, group = 0, group or Group()
    try:
        kind = Computing if spec.teacher else Training
        training = kind(spec, folder, data_folder, device_of(device), attempt, group)
        for event in training.run(should_stop, checkpoint_every_s, analyses):
            step = getattr(event, "step", step)
            yield event
        group.wait()
    except Exception as error:
        failed = failure(spec, step, error)
        if failed:
            group.tell(failed.model_dump_json())
        else:
            failed = failure_elsewhere(group, error)
        yield failed
