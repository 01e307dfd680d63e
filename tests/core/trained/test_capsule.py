"""Capsules: small, whole, the same network again to the bit; and what is none is refused in a sentence."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from core.machine.processor import processor
from core.network.tensors import digest_of
from core.run.capsule import Origin
from core.run.events import Finished
from core.run.spec import RunSpec
from core.trained.capsule import BadCapsule, Capsule, frozen_digest, pack, read_capsule, rebuild
from core.training.checkpoint import read_metadata
from core.training.loop import train
from core.training.training import Training
from tests.core.program import core
from tests.core.training.test_loop import spec
from tests.events import finished

pytestmark = pytest.mark.training

ROOT = Path(__file__).parents[3]
REBUILD = """
import hashlib, sys, torch
from pathlib import Path
from core.trained.capsule import read_capsule, rebuild
torch.set_num_threads(1)
capsule = read_capsule(Path(sys.argv[1]))
images = torch.linspace(-2, 2, 8 * 64).view(8, 1, 8, 8).contiguous(memory_format=torch.channels_last)
with torch.no_grad():
    print(hashlib.sha256(rebuild(capsule)(images).numpy().tobytes()).hexdigest())
"""


def trained(run: RunSpec, folder: Path) -> nn.Module:
    """A network trained on one thread for a few steps; its capsule lies in `folder`."""
    torch.set_num_threads(1)
    training = Training(run, folder, folder, torch.device("cpu"), 1)
    for event in training.run(lambda: False, 1e9):
        assert event.event != "failed", event
    return training.network.eval()


@pytest.mark.parametrize(
    ("changes", "groups"),
    [
        ({}, {"gamma", "beta", "running_mean", "running_var"}),
        ({"policy": "random-2-layer"}, {"values", "running_mean", "running_var"}),
        ({"policy": "supermask-30"}, {"scores", "running_mean", "running_var"}),
        (
            {"policy": "supermask-30+batchnorm+output"},
            {"scores", "gamma", "beta", "output", "output-bias", "running_mean", "running_var"},
        ),
        ({"policy": "output+shortcut"}, {"output", "output-bias", "shortcut", "running_mean", "running_var"}),
        ({"policy": "none"}, {"running_mean", "running_var"}),
        ({"norm": {"kind": "group"}}, {"gamma", "beta"}),
        ({"norm": {"kind": "none"}, "recipe": {"lr": 1e-4, "batch_size": 64}}, {"gamma", "beta"}),
        ({"policy": "output", "norm": {"affine": False}}, {"output", "output-bias", "running_mean", "running_var"}),
        ({"policy": "bias", "architecture": "vgg-11", "dataset": "fashion-mnist", "train_examples": 64}, None),
    ],
)
def test_a_rebuilt_network_gives_the_same_logits(
    changes: dict[str, Any], groups: set[str] | None, tmp_path: Path
) -> None:
    run = spec(**{"epochs": 1, **changes})
    network = trained(run, tmp_path)
    capsule = read_capsule(tmp_path / "final.safetensors")
    images = torch.randn(8, *run.data.shape).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        assert torch.equal(network(images), rebuild(capsule)(images))
    assert capsule.spec == run and capsule.carried == ()
    assert groups is None or set(load((tmp_path / "final.safetensors").read_bytes())) == groups


def test_a_fresh_process_gives_the_same_logits(tmp_path: Path) -> None:
    import hashlib

    network = trained(spec(), tmp_path)
    images = torch.linspace(-2, 2, 8 * 64).view(8, 1, 8, 8).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        expected = hashlib.sha256(network(images).numpy().tobytes()).hexdigest()
    path = str(tmp_path / "final.safetensors")
    done = subprocess.run([sys.executable, "-c", REBUILD, path], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == expected, done.stderr


def test_resnet_866_fits_into_600_kb() -> None:
    run = RunSpec.model_validate(
        {"architecture": "resnet-866", "policy": "batchnorm", "dataset": "cifar-10", "epochs": 160}
    )
    norms = run.plan.norms
    tensors = {
        f"{norm.name}.{part}": torch.zeros(norm.channels)
        for norm in norms
        for part in ("weight", "bias", "running_mean", "running_var")
    }
    origin = Origin(torch=torch.__version__, device="cpu", threads=2)
    content = pack(Capsule(run, finished(run), origin, tensors, (), "0" * 64))
    assert sum(tensor.numel() for tensor in tensors.values()) == 2 * 64_736
    assert len(content) <= 600_000


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("good")
    list(train(spec(epochs=1), folder, analyses=False))
    return (folder / "final.safetensors").read_bytes()


def changed(good: bytes, metadata: dict[str, str] | None = None, **tensors: torch.Tensor | None) -> bytes:
    """The capsule with other metadata, and with some tensors replaced or (None) left out."""
    merged = {name: tensor for name, tensor in {**load(good), **tensors}.items() if tensor is not None}
    return save(merged, metadata={**read_metadata(good), **(metadata or {})})


def header(rows: Any, data: bytes = b"") -> bytes:
    text = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(**fields: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **fields}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "only 0 bytes"),
        (b"\x80\x04pickle", "not a safetensors file"),
        (b"PK\x03\x04" + b"\0" * 100, "not a safetensors file"),
        ((1 << 62).to_bytes(8, "little") + b"{}", "header is larger than 1 MB"),
        ((1000).to_bytes(8, "little") + b"{}" * 10, "cut short: its header should have 1,000 bytes"),
        (header(b"not json"), "its header is not JSON"),
        (header(b"[" * 100_000), "its header is not JSON"),
        (header([]), "not a JSON object"),
        (header({"__metadata__": {"a": 1}}), "metadata that is not text"),
        (header({"a": 1}), "does not give dtype, shape and position of tensor 'a'"),
        (header({"a": entry(dtype="F7")}, b"\0" * 4), "unknown dtype 'F7'"),
        (header({"a": entry(shape=[-1])}, b"\0" * 4), "impossible shape"),
        (header({"a": entry(shape=[True])}, b"\0" * 4), "impossible shape"),
        (header({"a": entry(shape=[2**40, 2**40])}, b"\0" * 4), "place of 4 bytes"),
        (header({"a": entry(data_offsets=[4, 8])}, b"\0" * 8), "a gap or an overlap"),
        (header({"a": entry(), "b": entry()}, b"\0" * 4), "a gap or an overlap"),
        (header({"a": entry()}, b"\0" * 3), "cut short: 4 bytes of tensors are promised, 3 are there"),
        (header({"a": entry()}, b"\0" * 5), "1 bytes after its last tensor"),
        (header({"a": entry()}, b"\0" * 4), "not a capsule of OnlyBN"),
        (header({"x" * 400: entry()}, b"\0" * 4), "longer than 300 characters"),
    ],
)
def test_a_foreign_or_damaged_file_is_refused_in_a_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    refused(content, words, tmp_path)


def refused(content: bytes, words: str, folder: Path) -> None:
    path = folder / "file.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadCapsule) as error:
        read_capsule(path)
    assert words in str(error.value) and str(error.value).startswith(str(path))


@pytest.mark.parametrize("part", [0.001, 0.2, 0.5, 0.99, 0.9999])
def test_a_truncated_capsule_is_refused(good: bytes, part: float, tmp_path: Path) -> None:
    refused(good[: int(len(good) * part)], "", tmp_path)


@pytest.mark.parametrize(
    ("metadata", "tensors", "words"),
    [
        ({"format": "pt"}, {}, "not a capsule of OnlyBN"),
        ({"version": "9"}, {}, "capsule of version 9; this program reads version 1"),
        ({"spec": "{}"}, {}, "a spec that cannot be run here: architecture is missing"),
        ({"spec": "x" * 100}, {}, "a spec that cannot be run here"),
        ({"result": "{}"}, {}, "a result that cannot be read"),
        ({"origin": '{"torch": "2", "device": "cpu", "threads": 1000000}'}, {}, "a result that cannot be read"),
        ({"carried": "7"}, {}, "list of frozen tensors that cannot be read"),
        ({"carried": '["nothing.weight"]'}, {}, "carries frozen tensors that resnet-8 does not have: nothing.weight"),
        ({"carried": '["stem.norm.weight"]'}, {}, "does not have"),
        ({}, {"gamma": None}, "without the tensors that its spec requires: gamma"),
        ({}, {"extra": torch.zeros(3)}, "tensors that its spec does not have: extra"),
        ({}, {"gamma": torch.zeros(3)}, "holds gamma as F32 of shape [3]; its spec requires F32 of shape [336]"),
        ({}, {"gamma": torch.zeros(336).double()}, "holds gamma as F64"),
        ({}, {"gamma": torch.full((336,), float("nan"))}, "not a finite number, in stem.norm.weight"),
        ({}, {"running_var": torch.full((336,), -1.0)}, "holds a negative variance, in stem.norm.running_var"),
        ({}, {"beta": torch.ones(336)}, "is damaged: its tensors do not match its result"),
    ],
)
def test_a_capsule_that_contradicts_itself_is_refused(
    good: bytes, metadata: dict[str, str], tensors: dict[str, torch.Tensor | None], words: str, tmp_path: Path
) -> None:
    refused(changed(good, metadata, **tensors), words, tmp_path)


def test_the_spec_of_another_network_is_refused(good: bytes, tmp_path: Path) -> None:
    other = spec(architecture="resnet-14").model_dump_json()
    refused(changed(good, {"spec": other}), "its spec requires F32 of shape [560]", tmp_path)


def test_every_flipped_bit_of_the_data_is_noticed(good: bytes, tmp_path: Path) -> None:
    begin = 8 + int.from_bytes(good[:8], "little")
    for place in range(begin, len(good), (len(good) - begin) // 20):
        damaged = bytearray(good)
        damaged[place] ^= 0x10
        refused(bytes(damaged), "", tmp_path)


def test_show_evaluate_verify(tmp_path: Path) -> None:
    words = ["--architecture", "resnet-8", "--policy", "batchnorm", "--dataset", "digits", "--epochs", "1"]
    assert core("train", *words, "--threads", "1", "--no-analysis", "--out", tmp_path).returncode == 0
    file = tmp_path / "final.safetensors"
    shown = core("capsule", "show", file)
    assert shown.returncode == 0 and "policy batchnorm, 672 parameters" in shown.stdout
    told = json.loads(core("capsule", "show", file, "--json").stdout)
    assert told["size_bytes"] == file.stat().st_size and told["origin"]["threads"] == 1
    measured = json.loads(core("capsule", "evaluate", file, "--json").stdout)
    assert measured["top1"] == told["result"]["top1"] and measured["loss"] == told["result"]["loss"]
    verified = core("capsule", "verify", file)
    assert verified.returncode == 0 and "sound" in verified.stdout
    assert verified.stdout.count("images correct, as stored") == 2 and "the same to the last digit" in verified.stdout
    assert json.loads(core("capsule", "verify", file, "--json").stdout)["checks"]["frozen weights"]["passed"]
    other = core("capsule", "evaluate", file, "--dataset", "cifar-10")
    assert other.returncode == 2 and "cifar-10 has 3 image channels" in other.stderr

    nowhere = core("capsule", "verify", file, "--device", "cuda:99")
    assert nowhere.returncode == 2 and "device 'cuda:99' is not available here. Allowed: auto, cpu" in nowhere.stderr
    gpu = Origin(torch="2", device="Some GPU", threads=1)  # elsewhere a few answers may turn
    here = file.read_bytes()
    file.write_bytes(changed(here, {"origin": gpu.model_dump_json()}))
    assert core("capsule", "verify", file).returncode == 0
    file.write_bytes(here)

    capsule = read_capsule(file)
    lying = Finished.model_validate({**capsule.result.model_dump(), "top1": 0.99})
    file.write_bytes(changed(file.read_bytes(), {"result": lying.model_dump_json()}))
    refuted = core("capsule", "verify", file)
    assert refuted.returncode == 1 and "differ, although this machine trained it" in refuted.stdout
    file.write_bytes(b"nothing")
    bad = core("capsule", "verify", file)
    assert bad.returncode == 2 and bad.stderr.startswith("error: ") and "Traceback" not in bad.stderr
    assert "No such file" in core("capsule", "show", tmp_path / "nowhere").stderr


def test_a_capsule_says_on_what_and_by_how_many_it_was_made(good: bytes, tmp_path: Path) -> None:
    file = tmp_path / "final.safetensors"
    file.write_bytes(good)
    told = json.loads(core("capsule", "show", file, "--json").stdout)["origin"]
    assert (told["device"], told["processes"], told["processor"]) == ("cpu", 1, processor())
    two = Origin(torch="2.14", device="NVIDIA H100", threads=4, processes=2, processor="AMD EPYC")
    file.write_bytes(changed(good, {"origin": two.model_dump_json()}))
    assert "torch 2.14 on 2 × NVIDIA H100 (AMD EPYC), 4 threads each" in core("capsule", "show", file).stdout
    before = '{"torch": "2.14", "device": "cpu", "threads": 2}'
    file.write_bytes(changed(good, {"origin": before}))
    assert (read_capsule(file).origin.processes, read_capsule(file).origin.processor) == (1, "")


def test_frozen_weights_of_another_seed_are_noticed(good: bytes, tmp_path: Path) -> None:
    from core.trained.capsule import has_its_seeds_weights

    path = tmp_path / "file.safetensors"
    path.write_bytes(good)
    capsule = read_capsule(path)
    assert has_its_seeds_weights(capsule, rebuild(capsule))
    seeds = capsule.spec.seeds.model_copy(update={"init": 7})
    spec = RunSpec.model_validate({**capsule.spec.model_dump(), "seeds": seeds.model_dump()})
    other = dataclasses.replace(capsule, spec=spec)
    assert not has_its_seeds_weights(other, rebuild(other))
    assert digest_of(capsule.tensors) == capsule.result.digest != frozen_digest(rebuild(capsule), capsule.tensors)
