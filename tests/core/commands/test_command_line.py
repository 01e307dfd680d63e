"""`python -m core` as a person and as the worker use it: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from core.run.spec import derive_seed
from tests.core.program import COMMAND, ROOT, TRAIN, core, core_process, lines, start

pytestmark = pytest.mark.training


def points(events: list[dict[str, Any]]) -> dict[tuple[int, str], dict[str, Any]]:
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for event in events:
        if event["event"] == "point":
            assert found.setdefault((event["step"], event["split"]), event) == event, "a repeated point is the same"
    return found


def test_count() -> None:
    done = core("count", "--architecture", "resnet-110", "--policy", "batchnorm", "--json")
    assert json.loads(done.stdout) == {
        "total": 1_730_714,
        "trainable": 8_288,
        "batchnorm": 8_288,
        "output": 650,
        "shortcut": 2_560,
        "macs_per_image": 253_149_824,
    }
    assert "1,730,714" in core("count", "--architecture", "resnet-110", "--policy", "batchnorm").stdout
    hundred = core("count", "--architecture", "resnet-110", "--policy", "output", "--classes", "100", "--json")
    assert json.loads(hundred.stdout)["trainable"] == 6_500


def test_a_run_its_folder_and_its_repetition(tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = core_process(*TRAIN, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "finished" in done.stdout and "top-1" in done.stdout
    assert json.loads((out / "spec.json").read_text())["seeds"]["init"] > 0
    events = lines((out / "events.jsonl").read_text())
    assert events[0]["event"] == "started" and events[-1]["event"] == "finished"
    with safe_open(out / "final.safetensors", "pt") as final:
        assert set(final.keys()) == {"gamma", "beta", "running_mean", "running_var"}, (
            "what trains, and no frozen weight"
        )
        assert json.loads(final.metadata()["spec"])["policy"] == "batchnorm"
    again = core(*TRAIN, "--out", out, "--events", "-")
    told = [event for event in events if event["event"] in ("point", "snapshot", "analysed", "finished")]
    assert again.returncode == 0 and lines(again.stdout) == told, "a finished run is told again, not trained again"
    other = core_process(*TRAIN, "--replicate", "1", "--out", out)
    assert other.returncode == 2
    assert "another run (replicate is 0 there, 1 here)" in other.stderr


LONG = [*TRAIN, "--set", "epochs=80", "--events", "-"]
"""Several times as long as it takes to the first checkpoint."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The events of the run that nobody disturbs."""
    return lines(core(*LONG, "--out", tmp_path_factory.mktemp("whole")).stdout)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_goes_on_to_the_same_bits(
    number: signal.Signals, whole: list[dict[str, Any]], tmp_path: Path
) -> None:
    first = start(*LONG, "--out", tmp_path / "killed")
    seen = []
    assert first.stdout
    for line in first.stdout:
        seen.append(json.loads(line))
        if seen[-1]["event"] == "checkpointed":
            first.send_signal(number)
            break
    rest, _ = first.communicate(timeout=60)
    whole_lines = [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    seen += lines("".join(whole_lines))
    assert first.returncode == (-9 if number == signal.SIGKILL else 130)
    second = core(*LONG, "--out", tmp_path / "killed")
    assert second.returncode == 0, second.stderr
    resumed = lines(second.stdout)
    assert 0 < resumed[0]["resumed_from"] < resumed[0]["total_steps"]
    assert points(resumed) == points(whole), "the second command tells the whole curve"
    assert points(seen).items() <= points(whole).items()
    assert resumed[-1]["digest"] == whole[-1]["digest"]
    journal = lines((tmp_path / "killed" / "events.jsonl").read_text())
    assert points(journal) == points(whole)
    keys = [(e["step"], e["split"]) for e in journal if e["event"] == "point"]
    assert len(keys) == len(set(keys)), "no point twice"


def test_a_trainer_ends_when_its_parent_does(tmp_path: Path) -> None:
    words = [*COMMAND, *TRAIN, "--set", "epochs=400", "--out", str(tmp_path), "--events", "-"]
    code = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen({[*words, '--lifeline']!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 20
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")  # an orphan may stay a zombie where process 1 does not collect it
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "0"], "epochs must be a whole number from 1 to 400, got 0"),
        (["--epochs", "many"], "epochs must be a whole number from 1 to 400, got 'many'"),
        (["--policy", "bn"], "Allowed: batchnorm, all"),
        (["--dataset", "emnist"], "Allowed: digits"),
        (["--architecture", "resnet-16"], "nearest: resnet-14 and resnet-20"),
        (["--set", "lr=-1"], "recipe.lr must be a number above 0"),
        (["--set", "lr"], "--set takes KEY=VALUE"),
        (["--set", "architecture.depth=3"], "architecture has no parts"),
        (["--set", "depth=3"], "depth is not a field of a run"),
        (["--threads", "0"], "threads must be 1..1024"),
        (["--preset", "slow"], "unknown preset 'slow'. Allowed: paper-cifar, paper-imagenet, fast."),
        (
            ["--spec", "spec.json", "--set", "lr=5"],
            "--spec has the whole spec; leave out --architecture, --policy, --dataset, --epochs, --set lr=5, or change",
        ),
        (["--device", "cuda:99"], "device 'cuda:99' is not available here"),
        (["--device", "tpu"], "device 'tpu' is not available here"),
    ],
)
def test_bad_arguments(words: list[str], message: str, tmp_path: Path) -> None:
    done = core(*TRAIN, "--out", tmp_path / "out", *words)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_spec_from_a_file(tmp_path: Path) -> None:
    nowhere = core("train", "--spec", "/nowhere.json", "--out", tmp_path / "out")
    assert nowhere.returncode == 2 and "cannot read /nowhere.json: No such file or directory" in nowhere.stderr
    file = tmp_path / "spec.json"
    for content, message in (
        ("[1]", "error: a spec is an object with the fields of a run, got [1]"),
        ("nothing", "error: invalid JSON: expected ident at line 1 column 2\n"),
        ("{}", "architecture is missing"),
    ):
        file.write_text(content)
        done = core("train", "--spec", file, "--out", tmp_path / "out")
        assert done.returncode == 2 and message in done.stderr, done.stderr
    spec = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1, "train_examples": 64}
    file.write_text(json.dumps(spec))
    words = ("--out", tmp_path / "out", "--events", "-", "--threads", "1", "--device", "cpu", "--no-analysis")
    done = core("train", "--spec", file, *words)
    assert done.returncode == 0 and lines(done.stdout)[-1]["event"] == "finished", done.stderr


def test_the_settings_of_the_recipe(tmp_path: Path) -> None:
    words = ["--set", "lr=0.5", "--set", "recipe.lr_drops=[0.9]", "--set", "batch_size=32", "--set", "seeds.init=5"]
    words += ["--train-examples", "64"]
    assert core(*TRAIN, *words, "--out", tmp_path).returncode == 0
    spec = json.loads((tmp_path / "spec.json").read_text())
    assert (spec["recipe"]["lr"], spec["recipe"]["lr_drops"], spec["seeds"]["init"]) == (0.5, [0.9], 5)
    assert spec["train_examples"] == 64 and spec["seeds"]["order"] == derive_seed("order", 0)


def test_a_failed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLYBN_FASHION_MNIST", str(tmp_path / "nowhere"))
    words = [*TRAIN, "--dataset", "fashion-mnist", "--out", tmp_path / "out"]
    done = core(*words)
    assert done.returncode == 1
    assert "data_unavailable" in done.stdout and "Traceback" not in done.stderr
    last = lines(core(*words, "--events", "-").stdout)[-1]
    assert (last["event"], last["kind"]) == ("failed", "data_unavailable")
