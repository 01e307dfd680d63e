"""Temporary folders of workers: a living one's stays, a killed one's goes with the next worker."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from jobs.worker.scratch import FORGOTTEN_AFTER_S, PREFIX, scratch

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from jobs.worker.scratch import scratch
with scratch() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_the_folder_of_a_killed_worker_goes_and_that_of_a_living_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    command, environment = [sys.executable, "-c", HOLD], os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as worker:
        theirs = Path(worker.stdout.readline().strip())
        with scratch() as ours:
            assert theirs.is_dir() and ours.is_dir()
        assert not ours.exists()
        worker.kill()
        worker.wait()
        with scratch():
            assert not theirs.exists()


def test_a_folder_without_a_lock_goes_after_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    young, old = tmp_path / f"{PREFIX}1-young", tmp_path / f"{PREFIX}2-old"
    for folder in (young, old):
        folder.mkdir()
    os.utime(old, (0, time.time() - 2 * FORGOTTEN_AFTER_S))
    with scratch():
        assert young.is_dir() and not old.exists()
