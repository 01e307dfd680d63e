"""What a GPU computes here, how fast, and whether a run survives a kill on it: one script for the first real minutes.

    python -m tests.benchmarks.gpu --json gpu.json                     # all parts, at most 12 minutes
    python -m tests.benchmarks.gpu --parts right speed --minutes 4
    python -m tests.benchmarks.gpu --device cpu --small                # a rehearsal without a GPU

right: logits and gradients of γ and β of each family and kind of policy, on the device and in float64 on the CPU.
speed: images per second, memory, and the hours of the paper's 160 epochs, through the engine and through plain modules.
queue: a run through `python -m app` on the device, killed and resumed, with the bits of one that nobody disturbed.
long: ResNet-14, then ResNet-32, with the paper's own 160 epochs on CIFAR-10, as far as the time goes.
Each part gets a share of the time and stops by itself; what was measured is written after each part.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.engine.choice import Engine, make_engine
from core.engine.modules import ModuleEngine
from core.machine.files import datasets_folder
from core.network.freezing import draw_network
from core.run.spec import RunSpec

ROOT = Path(__file__).parents[2]
RIGHT = (
    ("resnet-14", "batchnorm"),
    ("resnet-56", "batchnorm"),
    ("resnet-110", "batchnorm"),
    ("resnet-14", "all"),
    ("resnet-14", "random-2"),
    ("resnet-14", "supermask-50"),
    ("wrn-14-4", "batchnorm"),
    ("vgg-11", "batchnorm"),
    ("imagenet-resnet-18", "batchnorm"),
    ("imagenet-resnet-50", "batchnorm"),
)
NETWORKS = ("resnet-14", "resnet-32", "resnet-56", "resnet-110", "wrn-14-4", "resnet-218", "resnet-434", "resnet-866")
IMAGES, EPOCHS = 50_000, 160
SHARES = {"right": 0.15, "speed": 0.35, "queue": 0.1, "long": 0.4}
"""The part of the time that each part may take."""
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--parts", nargs="+", choices=list(SHARES), default=list(SHARES))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--small", action="store_true", help="small networks and few images, for a rehearsal")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    title = torch.cuda.get_device_name(device) if device.type == "cuda" else "a CPU, as a rehearsal"
    print(f"{title}, torch {torch.__version__}")
    found: dict[str, Any] = {"device": title, "torch": torch.__version__}
    whole = sum(SHARES[part] for part in arguments.parts)
    parts: dict[str, Callable[..., list[Row]]] = {"right": right, "speed": speed, "queue": queue, "long": long_runs}
    for part in arguments.parts:
        until = time.monotonic() + 60 * arguments.minutes * SHARES[part] / whole
        print(f"\n{part}")
        try:
            found[part] = parts[part](device, arguments.batch, until, arguments.small)
        except Exception as error:  # the next part may work all the same, and its minutes are dear
            found[part] = f"{type(error).__name__}: {error}"
            print(f"  failed: {found[part]}", flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    return 1 if any(isinstance(found.get(part), str) for part in arguments.parts) else 0


def spec_of(architecture: str, policy: str, batch: int) -> RunSpec:
    run = {"architecture": architecture, "policy": policy, "dataset": "cifar-10", "epochs": EPOCHS}
    return RunSpec.model_validate({**run, "recipe": {"batch_size": batch}, "copy_of_data": None})


def images_of(run: RunSpec, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(1)
    images = torch.randn(count, *run.data.shape, generator=draw).contiguous(memory_format=torch.channels_last)
    return images.to(device), torch.randint(0, 10, (count,), generator=draw).to(device)


def right(device: torch.device, batch: int, until: float, small: bool) -> list[Row]:
    """Against float64 on the CPU: relative norm of the difference of the logits, cosine of the whole gradient."""
    rows: list[Row] = []
    for architecture, policy in RIGHT[:1] if small else RIGHT:
        if time.monotonic() > until:
            break
        run = spec_of(architecture, policy, 32)
        network, trainable = draw_network(run)
        exact = copy.deepcopy(network).double()
        images, labels = images_of(run, 32, torch.device("cpu"))
        wanted = results(ModuleEngine(exact), exact, images.double(), labels)
        network = network.to(device).to(memory_format=torch.channels_last)
        engine = make_engine(network, run, device)
        got = results(engine, network, images.to(device), labels.to(device))
        row: Row = {"architecture": architecture, "policy": policy, "engine": engine.words}
        row["logits"] = float((got[0] - wanted[0]).norm() / wanted[0].norm())
        row["cosine"] = float(F.cosine_similarity(got[1], wanted[1], dim=0)) if trainable else 1.0
        rows.append(row)
        print(f"  {architecture:<20}{policy:<14}logits {row['logits']:.1e}  gradient {row['cosine']:.4f}", flush=True)
    return rows


def results(engine: Engine, network: torch.nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    logits = engine.train(images, 0)
    F.cross_entropy(logits, labels).backward()
    gradients = [p.grad.double().flatten().cpu() for p in network.parameters() if p.grad is not None]
    return logits.detach().double().cpu(), torch.cat(gradients)


def speed(device: torch.device, batch: int, until: float, small: bool) -> list[Row]:
    """A step with the update of γ and β left out, through the engine that a run gets, and through the modules."""
    rows: list[Row] = []
    for architecture in NETWORKS[:1] if small else NETWORKS:
        if time.monotonic() > until:
            break
        run = spec_of(architecture, "batchnorm", batch)
        images, labels = images_of(run, batch, device)
        row: Row = {"architecture": architecture}
        for way in ("engine", "modules"):
            network = draw_network(run)[0].to(device).to(memory_format=torch.channels_last)
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
            engine = make_engine(network, run, device) if way == "engine" else ModuleEngine(network)
            seconds = min(timed(engine, images, labels, device) for _ in range(2 if small else 5))
            row[way] = batch / seconds
            row[f"{way} MiB"] = torch.cuda.max_memory_allocated(device) >> 20 if device.type == "cuda" else None
        row["hours"] = IMAGES * EPOCHS / row["engine"] / 3600
        rows.append(row)
        print(
            f"  {architecture:<14}{row['engine']:>10,.0f} images/s, modules {row['modules']:>8,.0f}, "
            f"{row['engine MiB']} MiB, 160 epochs {row['hours']:.2f} h",
            flush=True,
        )
    return rows


def timed(engine: Engine, images: Tensor, labels: Tensor, device: torch.device, steps: int = 10) -> float:
    """Seconds a step."""
    began = 0.0
    for step in range(-3, steps):
        if step == 0:
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            began = time.perf_counter()
        F.cross_entropy(engine.train(images, step), labels).backward()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - began) / steps


def queue(device: torch.device, batch: int, until: float, small: bool) -> list[Row]:
    """One training of digits to its end, and one killed after its first checkpoint and resumed: the same bits."""
    words = ["--architecture", "resnet-14", "--policy", "batchnorm", "--dataset", "digits", "--device", str(device)]
    words += ["--set", "epochs=80" if small else "epochs=200", "--no-analysis", "--events", "-"]
    with tempfile.TemporaryDirectory() as folder:
        whole = _told(_start(words, f"{folder}/whole"))
        process = _start(words, f"{folder}/killed")
        assert process.stdout
        for line in process.stdout:
            if '"checkpointed"' in line or time.monotonic() > until:
                break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        resumed = _told(_start(words, f"{folder}/killed"))
    row: Row = {"digest": whole[-1]["digest"], "resumed from": resumed[0]["resumed_from"], "engine": whole[0]["engine"]}
    row["same bits"] = whole[-1]["digest"] == resumed[-1]["digest"]
    print(f"  {row['engine']}: resumed from step {row['resumed from']}, same bits: {row['same bits']}", flush=True)
    return [row]


def long_runs(device: torch.device, batch: int, until: float, small: bool) -> list[Row]:
    """The paper's own setting, as far as the time goes; ends at a checkpoint."""
    rows: list[Row] = []
    work = Path(os.environ.get("OUT", "runs")) / "gpu"
    for architecture in ("resnet-14",) if small else ("resnet-14", "resnet-32"):
        if time.monotonic() > until:
            break
        words = ["--architecture", architecture, "--policy", "batchnorm", "--device", str(device), "--events", "-"]
        data = (
            ["--dataset", "digits", "--epochs", "2"] if small else ["--preset", "paper-cifar", "--dataset", "cifar-10"]
        )
        process = _start([*words, *data], str(work / architecture))
        try:
            out, _ = process.communicate(timeout=max(1.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate()
        events = [json.loads(line) for line in out.splitlines()]
        last = next((event for event in reversed(events) if event.get("split") == "test"), {})
        done = any(event["event"] == "finished" for event in events)
        row: Row = {
            "architecture": architecture,
            "finished": done,
            "epoch": last.get("epoch"),
            "top1": last.get("top1"),
        }
        rows.append(row)
        print(f"  {architecture}: epoch {row['epoch']}, test accuracy {row['top1']}, finished: {done}", flush=True)
    return rows


def _start(words: list[str], out: str) -> subprocess.Popen[str]:
    env = {**os.environ, "ONLYBN_DATA": str(datasets_folder().parent)}
    command = [sys.executable, "-m", "core", "train", *words, "--out", out]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)


def _told(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0, f"exit code {process.returncode}"
    return [json.loads(line) for line in out.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
