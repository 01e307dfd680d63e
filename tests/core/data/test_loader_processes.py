"""The processes that open a trainer's images: none outlives the trainer, and none is in the way when it is asked to
stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.run.spec import RunSpec
from tests.pictures import write_pictures

ROOT = Path(__file__).parents[3]
pytestmark = [pytest.mark.server, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


@pytest.fixture
def trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A long training in a process group of its own, as a worker starts it."""
    monkeypatch.setenv("ONLYBN_FOLDER", str(write_pictures(tmp_path / "pictures")))
    monkeypatch.setenv("ONLYBN_FOLDER_SIZE", "16")
    spec = RunSpec(architecture="resnet-8", policy="batchnorm", dataset="folder", epochs=400)
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    command = [
        sys.executable,
        "-m",
        "core",
        "train",
        "--spec",
        str(tmp_path / "spec.json"),
        "--out",
        str(tmp_path / "out"),
    ]
    command += ["--events", "-", "--lifeline", "--threads", "1"]
    with (
        (tmp_path / "errors.txt").open("wb") as errors,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "ONLYBN_LOADER_WORKERS": "2"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        ) as process,
    ):
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for_training(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that open its images, once it trains."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "point" and event["split"] == "train":
            break
    return children(process.pid)


def alive(pids: list[int]) -> list[int]:
    def lives(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    return [pid for pid in pids if lives(pid)]


def gone_within(seconds: float, pids: list[int]) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pids)


@pytest.mark.parametrize("how", ["kill", "kill group", "lifeline"])
def test_no_process_outlives_the_trainer(trainer: subprocess.Popen[bytes], how: str) -> None:
    openers = wait_for_training(trainer)
    assert len(alive(openers)) == 2
    if how == "kill":
        trainer.kill()
    elif how == "kill group":
        os.killpg(trainer.pid, signal.SIGKILL)
    else:
        assert trainer.stdin is not None
        trainer.stdin.close()  # whoever started it is gone
    trainer.wait(60)
    assert gone_within(3, openers)


def test_a_trainer_asked_to_stop_saves_and_ends(trainer: subprocess.Popen[bytes], tmp_path: Path) -> None:
    openers = wait_for_training(trainer)
    os.killpg(trainer.pid, signal.SIGTERM)  # as a worker does: the whole group
    assert trainer.stdout is not None
    events = [json.loads(line)["event"] for line in trainer.stdout]
    assert events[-2:] == ["checkpointed", "stopped"]
    assert trainer.wait(60) == 130
    assert gone_within(3, openers)
    assert (tmp_path / "errors.txt").read_text() == ""
