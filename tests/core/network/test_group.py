"""One run by several processes: the images, the gradients and the curves of one process, and no process left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from core.data.batches import MemoryBatches
from core.machine.part import Part
from core.network.sync_batchnorm import synchronise
from core.run.events import EVENT, Event, Finished, Measured, Point, Started, Stopped
from core.run.spec import RunSpec
from core.trained.capsule import read_capsule
from core.training.loop import train
from tests.core.network.two_processes import SPECS, spec

pytestmark = pytest.mark.training

ROOT = Path(__file__).parents[3]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
WHAT = ("--architecture", "resnet-8", "--policy", "batchnorm", "--dataset", "digits", "--set", "batch_size=64")
PATIENCE_S = 120.0

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.mark.parametrize("world", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 16, 17, 128])
def test_the_parts_of_a_batch_are_the_batch(world: int, count: int) -> None:
    parts = [Part(rank, world).cut(100, 100 + count) for rank in range(world)]
    assert [row for part in parts for row in range(100 + count)[part]] == list(range(100, 100 + count))
    sizes = [part.stop - part.start for part in parts]
    assert all(size != 1 or count == 1 for size in sizes), "BatchNorm may need two"
    assert max(sizes) - min(size for size in sizes if size or not count) <= 1


def test_several_processes_see_the_images_of_one() -> None:
    run, cpu = spec("batchnorm"), torch.device("cpu")
    one = MemoryBatches(run, Path(), cpu)
    parts = [MemoryBatches(run, Path(), cpu, Part(rank, 3)) for rank in range(3)]
    for epoch in (0, 1):
        for whole, *cut in zip(one.train(epoch, 1), *(part.train(epoch, 1) for part in parts), strict=True):
            for column in (0, 1):
                assert torch.equal(whole[column], torch.cat([batch[column] for batch in cut]))
    tested = torch.cat([batch[1] for part in parts for batch in part.test()])
    assert torch.equal(tested, torch.cat([batch[1] for batch in one.test()]))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What two processes made of SPECS."""
    path = tmp_path_factory.mktemp("two") / "found.json"
    command = [*TORCHRUN, "-m", "tests.core.network.two_processes", str(path)]
    done = subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text())


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def test_the_gradients_are_those_of_torchs_ddp(found: dict[str, Any]) -> None:
    assert found["difference to DDP"] < 1e-6


@pytest.mark.parametrize("name", SPECS)
def test_two_processes_have_the_curve_of_one(name: str, found: dict[str, Any]) -> None:
    """To rounding, where no statistics are of half a batch; else close. One process has no image of a last batch."""
    events = train(SPECS[name], device="cpu", analyses=False)
    one = _points(list(events))
    two = [Measured.model_validate(point).point for point in found[name]["points"]]
    assert [(p.split, p.step, p.lr) for p in one] == [(p.split, p.step, p.lr) for p in two]
    tolerance = 0.05 if name == "batch" else 1e-5
    assert [p.loss for p in two] == pytest.approx([p.loss for p in one], abs=tolerance)
    if name != "batch":
        assert [(p.top1, p.top5) for p in one] == [(p.top1, p.top5) for p in two]
    assert len(set(found[name]["digests"])) == 1, "both hold the same network"


def test_the_first_process_tells_why_another_failed(found: dict[str, Any]) -> None:
    event = found["one fails"]["event"]
    assert (event["event"], event["kind"]) == ("failed", "out_of_memory")
    assert "resnet-8 at batch size 64 does not fit into memory" in event["message"]
    assert found["one fails"]["seconds"] < 10


def test_a_batch_too_small_is_refused_before_anything_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "core", "train", *WHAT, "--set", "batch_size=6", "--epochs", "1"]
    environment = {**_environment(), "RANK": "0", "WORLD_SIZE": "4", "LOCAL_RANK": "0"}
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "run"), "--events", "-"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    message = "4 processes need a batch_size of at least 8, two images each; got 6"
    assert (done.returncode, done.stderr) == (2, f"error: {message}\n")
    assert json.loads(done.stdout)["message"] == message, "torchrun swallows the exit code"


def test_synchronised_batchnorm_keeps_every_tensor() -> None:
    from core.network.builder import build

    run = spec("batchnorm")
    network = build(run.plan, run.init, seed=1)
    before = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    synchronise(network)
    after = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    assert list(before) == list(after) and all(before[name] is after[name] for name in before)


def test_synchronised_batchnorm_is_for_batchnorm() -> None:
    with pytest.raises(ValueError, match="sync_batchnorm is for BatchNorm; LayerNorm has no statistics of the batch"):
        spec("batchnorm", "layer", sync_batchnorm=True)


# -- as processes ------------------------------------------------------------------------------------------------


numbers = count()


class Launched:
    """`torchrun -m core train` on two processes, and what its first process has said so far."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self.said = folder, folder.with_name(f"{folder.name}-{next(numbers)}.said")
        with self.said.open("w") as out, self.said.with_suffix(".log").open("w") as log:
            command = [*TORCHRUN, "-m", "core", "train", *WHAT, *arguments, "--out", str(folder)]
            command += ["--events", "-", "--device", "cpu", "--no-analysis"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=out, stderr=log)

    def events(self) -> list[Event]:
        return [EVENT.validate_json(line) for line in self.said.read_text().splitlines(keepends=True) if "\n" in line]

    def ranks(self) -> list[int]:
        """The processes that train, the first one first."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                command, environment = path.with_name("cmdline").read_bytes(), path.read_bytes()
            except OSError:
                continue
            variables = dict(row.split(b"=", 1) for row in environment.split(b"\0") if b"=" in row)
            if str(self.folder).encode() in command and b"RANK" in variables:
                found[int(variables[b"RANK"])] = int(path.parent.name)
        return [found[rank] for rank in sorted(found)]

    @property
    def result(self) -> Finished:
        last = self.events()[-1]
        assert isinstance(last, Finished), last
        return last

    def end(self) -> int:
        """Wait for the launcher's end and the processes', and return its exit code."""
        code = self.process.wait(PATIENCE_S)
        _wait(lambda: not self.ranks())
        return code


@contextmanager
def launched(folder: Path, *arguments: str) -> Iterator[Launched]:
    run = Launched(folder, *arguments)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()


def _wait(condition: Callable[[], object]) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE_S, "waited in vain"
        time.sleep(0.02)
    return time.monotonic() - began


def _points(events: list[Event]) -> list[Point]:
    return [event.point for event in events if isinstance(event, Measured)]


def _trains(run: Launched) -> bool:
    return any(isinstance(event, Measured) for event in run.events()) and len(run.ranks()) == 2


EPOCHS = ("--epochs", "16")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Launched:
    """A run of two processes that nobody disturbed, after its end."""
    with launched(tmp_path_factory.mktemp("whole") / "run", *EPOCHS) as run:
        assert run.end() == 0
    return run


@linux
@pytest.mark.server
def test_killed_processes_leave_none_behind_and_go_on_to_the_same_bits(whole: Launched, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    with launched(folder, *EPOCHS) as run:
        _wait(lambda: _trains(run))
        os.kill(run.ranks()[1], signal.SIGTERM)
        run.end()
        assert isinstance(run.events()[-1], Stopped), "one was asked, all stop"
    with launched(folder, *EPOCHS) as run:
        _wait(lambda: _trains(run))
        run.process.kill()
        run.process.wait()
        assert _wait(lambda: not run.ranks()) < 5, "the launcher's end is theirs"
    with launched(folder, *EPOCHS) as run:
        assert run.end() == 0
    first, last = run.events()[0], run.events()[-1]
    assert isinstance(first, Started) and first.resumed_from
    assert (first.device, first.processes) == ("2 × cpu", 2)
    assert isinstance(last, Finished) and last.digest == whole.result.digest
    assert _points(run.events()) == _points(whole.events())
    one, two = (load_file(path / "final.safetensors") for path in (whole.folder, folder))
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@linux
@pytest.mark.server
def test_a_failure_and_a_finished_run_are_told_by_the_first_process_alone(whole: Launched) -> None:
    told = whole.events()
    with launched(whole.folder, *EPOCHS) as again:
        assert again.end() == 0
        assert again.events()[-1] == told[-1]
    with launched(whole.folder, "--epochs", "2") as other:
        assert other.end() == 1
    origin = read_capsule(whole.folder / "final.safetensors").origin
    assert (origin.device, origin.processes) == ("cpu", 2)
    (refused,) = other.events()
    assert refused.event == "failed" and "epochs is 16 there, 2 here" in refused.message
    assert RunSpec.model_validate_json((whole.folder / "spec.json").read_text()).epochs == 16
