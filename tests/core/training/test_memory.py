"""What a training says of its memory: as the system counts it, of this process alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.machine.memory import used_bytes
from core.machine.processor import processor
from core.run.events import Progress, Started
from core.run.spec import RunSpec
from core.training.loop import train

ROOT = Path(__file__).parents[3]


def test_linux_is_read_to_the_kilobyte(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython: x\nVmHWM:\t  830000 kB\nVmRSS:\t  812000 kB\n")
    assert used_bytes(status) == (812_000 * 1024, 830_000 * 1024)
    status.write_text("VmHWM:\t 5 kB\nVmRSS:\t 6 kB\n")
    assert used_bytes(status) == (6 * 1024, 6 * 1024)
    status.write_text("Name:\tpython\n")
    assert used_bytes(status) == used_bytes(tmp_path / "none") == (None, None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it")
def test_a_large_array_is_seen_and_remembered() -> None:
    """In a process of its own: one that has trained keeps what it freed, and accepts no new runs for the array."""
    code = """
from os import urandom
from core.machine.memory import used_bytes
before = used_bytes()
block = urandom(64 << 20)
during = used_bytes()
del block
print(*before, *during, *used_bytes())
"""
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    before, _, during, most, after, peak = map(int, said.split())
    assert during - before > 60 << 20 and most >= during
    assert after < during and peak > most - (1 << 20)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it")
def test_a_training_says_where_it_runs_and_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.training.PROGRESS_EVERY_S", 0.0)
    spec = RunSpec.model_validate(
        {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1, "train_examples": 256}
    )
    events = list(train(spec, device="cpu", analyses=False))
    (started,) = [event for event in events if isinstance(event, Started)]
    assert started.processor == processor() and started.device == "cpu"
    said = [event for event in events if isinstance(event, Progress)]
    assert said
    for progress in said:
        assert progress.memory_bytes and progress.peak_bytes and progress.gpu_bytes is None
        assert 50 << 20 < progress.memory_bytes <= progress.peak_bytes
