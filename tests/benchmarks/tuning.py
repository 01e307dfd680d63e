"""Norm tuning of a pretrained network: accuracy and trainable parameters of three policies, from a file of torchvision.

    ONLYBN_CIFAR_10=... nice -n 19 python -m tests.benchmarks.tuning FOLDER

A ResNet-18 is trained whole on CIFAR-10 and saved by torchvision itself, under its names; the command line then
tunes it on Fashion-MNIST as a folder of colour images. Beside each run, the same from random values. It stands in for
ImageNet's weights, which need a network: `--weights FILE` takes those. Finished runs in FOLDER are not repeated.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image
from safetensors.torch import save_file
from torchvision import models

from core.data.memory import load
from core.machine.files import datasets_folder
from core.run.torchvision_names import own_name
from core.trained.capsule import read_capsule, rebuild

ARCHITECTURE = "imagenet-resnet-18"
POLICIES = ("output", "batchnorm", "batchnorm+output")
SIZE = 32
RECIPE = {"output": "0.1", "batchnorm": "0.1", "batchnorm+output": "0.1"}
"""Learning rates: SGD, one cycle, the same for all."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, help="a file of torchvision's resnet18 instead of one trained here")
    parser.add_argument("--epochs", type=int, default=6, help="of the tuning")
    parser.add_argument("--source-epochs", type=int, default=8)
    parser.add_argument("--source-images", type=int, default=16_000)
    parser.add_argument("--images", type=int, default=2000, help="of Fashion-MNIST to tune on")
    parser.add_argument("--test-images", type=int, default=1000, help="of Fashion-MNIST to test on")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--replicates", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    folder: Path = arguments.folder
    _write_images(folder / "images", arguments.images, arguments.test_images)
    os.environ |= {"ONLYBN_LOADER_WORKERS": "0"} if arguments.threads == 1 else {}
    weights = arguments.weights or _source(arguments.threads, folder, arguments.source_epochs, arguments.source_images)
    print(f"{'start':<12}{'policy':<18}{'replicate':>9}{'trainable':>11}{'test top-1 %':>14}")
    for start, policy in ((s, p) for s in ("pretrained", "random") for p in POLICIES):
        for replicate in range(arguments.replicates):
            out = folder / f"{start}-{policy}-{replicate}"
            words = ["--policy", policy, "--dataset", "folder", "--epochs", str(arguments.epochs)]
            words += ["--replicate", str(replicate), "--set", "schedule=one-cycle", "--set", f"lr={RECIPE[policy]}"]
            _train(arguments.threads, out, *words, *(["--start", str(weights)] if start == "pretrained" else []))
            result = read_capsule(out / "final.safetensors").result
            print(f"{start:<12}{policy:<18}{replicate:>9}{result.trainable:>11,}{100 * result.top1:>14.2f}", flush=True)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")


def _source(threads: int, folder: Path, epochs: int, images: int) -> Path:
    """A ResNet-18 trained on CIFAR-10, as torchvision would save it."""
    out, weights = folder / "source", folder / "resnet18.safetensors"
    words = ["--policy", "all", "--dataset", "cifar-10", "--epochs", str(epochs), "--train-examples", str(images)]
    _train(threads, out, *words, "--test-examples", "1000", "--set", "schedule=one-cycle")
    capsule = read_capsule(out / "final.safetensors")
    print(f"source: CIFAR-10, {images:,} images, {epochs} epochs, test top-1 {capsule.result.top1:.2%}", flush=True)
    own = rebuild(capsule).state_dict()
    model = models.resnet18(num_classes=len(capsule.spec.data.classes))
    state = model.state_dict()
    model.load_state_dict({name: own.get(own_name(name), tensor) for name, tensor in state.items()})
    # Both data sets have ten classes: the run would take the output layer for the wrong ones.
    save_file({name: tensor for name, tensor in model.state_dict().items() if not name.startswith("fc.")}, weights)
    return weights


def _write_images(folder: Path, count: int, test_count: int) -> None:
    """Fashion-MNIST as class folders of colour images: `count` to train, `test_count` to test, always the same."""
    if not folder.is_dir():
        for name, split, images in zip(
            ("train", "val"), load("fashion-mnist", datasets_folder()), (count, test_count), strict=True
        ):
            chosen = split.first(images, 2)
            for number, (pixels, label) in enumerate(zip(chosen.images, chosen.labels.tolist(), strict=True)):
                place = folder / name / str(label)
                place.mkdir(parents=True, exist_ok=True)
                image = Image.fromarray(pixels[0].numpy()).convert("RGB")
                image.resize((SIZE * 8 // 7,) * 2).save(place / f"{number}.png")
    os.environ |= {"ONLYBN_FOLDER": str(folder), "ONLYBN_FOLDER_SIZE": str(SIZE)}


def _train(threads: int, out: Path, *words: str) -> None:
    if (out / "final.safetensors").exists():
        return
    command = [
        sys.executable,
        "-m",
        "core",
        "train",
        "--architecture",
        ARCHITECTURE,
        "--out",
        str(out),
        "--no-analysis",
    ]
    subprocess.run([*command, *words], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
