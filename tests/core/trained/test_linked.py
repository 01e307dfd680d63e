"""A network out of a link: it answers nearly as before, it is a capsule for all commands, and it says what it lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from core.network.builder import Network
from core.run.link.link import decode
from core.run.link.text import base64url, content_of
from core.run.parameters import read_parameters
from core.run.spec import RunSpec
from core.trained.capsule import read_capsule, rebuilt
from core.trained.linked import capsule_link
from tests.core.program import core
from tests.core.run.link.made import CARRIED, link, spec, tensors

EXAMPLES = Path(__file__).parents[3] / "static" / "examples"
SHIPPED = EXAMPLES / "1-batchnorm.safetensors"
AS_TRAINED = {"batchnorm": 0.8162, "random-2": 0.2813, "output": 0.3788}


def logits(network: Network, run: RunSpec) -> torch.Tensor:
    images = torch.randn((16, *run.data.shape), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return network(images.contiguous(memory_format=torch.channels_last))


@pytest.mark.parametrize("kind", CARRIED)
def test_the_network_of_a_link_answers_nearly_as_before(kind: str) -> None:
    """Of the answers' spread, rounding to 8 bits changes a few hundredths; a wrong fold would change all of it."""
    run = spec(**CARRIED[kind])
    before = logits(rebuilt(run, {name: torch.from_numpy(array) for name, array in tensors(run).items()}), run)
    opened = decode(link(run))
    after = logits(rebuilt(opened.spec, {n: torch.from_numpy(a.copy()) for n, a in opened.tensors.items()}), run)
    assert (after - before).std() < 0.08 * before.std()


def test_a_capsule_goes_into_a_link_and_back_and_every_command_takes_it(tmp_path: Path) -> None:
    printed = core("capsule", "link", SHIPPED, "--site", "https://example.org/")
    assert printed.returncode == 0, printed.stderr
    address = printed.stdout.strip()
    assert address.startswith("https://example.org/player/#A") and content_of(address) == capsule_link(
        read_capsule(SHIPPED)
    )
    assert "1,326 bytes" in printed.stderr and "81.62% without" in printed.stderr and "359 images" in printed.stderr
    out = tmp_path / "back" / "opened.safetensors"
    opened = core("capsule", "open", address, "--out", out)
    assert opened.returncode == 0, opened.stderr
    found = read_capsule(out)
    assert found.spec.model_copy(update={"name": None}) == read_capsule(SHIPPED).spec.model_copy(update={"name": None})
    assert abs(found.result.top1 - AS_TRAINED["batchnorm"]) < 0.02 and found.result.trainable == 1120
    assert "numbers in 8 bits" in found.linked and "points against the 81.62% of the run" in found.linked
    shown = core("capsule", "show", out)
    assert f"from a link  {found.linked}" in shown.stdout
    assert json.loads(core("capsule", "show", out, "--json").stdout)["linked"] == found.linked
    measured = json.loads(core("capsule", "evaluate", out, "--json").stdout)
    assert measured["top1"] == found.result.top1
    verified = core("capsule", "verify", out)
    assert verified.returncode == 0 and "identical to the seed's, to the last bit" in verified.stdout
    again = json.loads(core("capsule", "link", out, "--json").stdout)
    assert again["cost"]["exact"]["top1"] == pytest.approx(found.result.top1)


@pytest.mark.parametrize("given", ["file", "standard input", "text"])
def test_a_link_is_taken_from_where_it_is(tmp_path: Path, given: str) -> None:
    text, out = base64url(capsule_link(read_capsule(SHIPPED))), tmp_path / "opened.safetensors"
    file = tmp_path / "link.txt"
    file.write_text(text + "\n")
    word: str | Path = {"file": file, "standard input": "-", "text": text}[given]
    done = core("capsule", "open", word, "--out", out, input=f"see https://example.org/player/#{text}\n")
    assert done.returncode == 0 and out.is_file(), done.stderr


@pytest.mark.parametrize("name", ["2-random-2", "3-output"])
def test_the_cost_is_measured_and_printed(name: str) -> None:
    done = json.loads(core("capsule", "link", EXAMPLES / f"{name}.safetensors", "--json").stdout)
    cost, policy = done["cost"], name[2:]
    assert cost["exact"]["top1"] == pytest.approx(AS_TRAINED[policy], abs=1e-4) and cost["images"] == 359
    assert abs(cost["link"]["top1"] - cost["exact"]["top1"]) < 0.02


def test_edits_go_into_the_link(tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text('{"edits": [{"action": "zero", "below": 0.01}]}')
    done = core("capsule", "link", SHIPPED, "--request", request, "--no-measure")
    assert "was not measured" in done.stderr
    found = read_parameters(SHIPPED.read_bytes(), read_capsule(SHIPPED).spec)
    small = sum(int((abs(layer.gamma) < 0.01).sum()) for layer in found if layer.gamma is not None)
    assert decode(content_of(done.stdout)).told.edited == small > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["link", EXAMPLES / "4-all.safetensors"], "170,640 weights trained too"),
        (["qr", SHIPPED, "--out", "x.svg"], "needs --site URL"),
        (["qr", SHIPPED, "--site", "https://example.org/" + "long/" * 400, "--out", "x.svg"], "too many for a QR code"),
        (["open", "AQ"], "needs --out FILE"),
        (["open", "https://example.org/player/#AUVyZXNu", "--out", "x"], "checksum does not match"),
        (["open", SHIPPED, "--out", "x"], "not plain text"),
        (["link", SHIPPED, "--request", "nowhere.json"], "cannot read nowhere.json"),
    ],
)
def test_what_is_wrong_is_said(words: list[Any], message: str) -> None:
    done = core("capsule", *words)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


def test_the_qr_code_is_a_picture(tmp_path: Path) -> None:
    out = tmp_path / "code.svg"
    done = core("capsule", "qr", SHIPPED, "--site", "https://example.org", "--out", out, "--no-measure")
    assert done.returncode == 0 and out.read_text().startswith("<svg "), done.stderr
    assert "QR code of version 26, 121 modules a side" in done.stderr


def test_without_its_data_a_link_says_that_it_was_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = spec(dataset="cifar-10", copy_of_data=None)
    monkeypatch.setenv("ONLYBN_DATA", str(tmp_path))
    monkeypatch.setenv("ONLYBN_DOWNLOADS", "false")
    done = core("capsule", "open", base64url(link(run)), "--out", tmp_path / "x")
    assert done.returncode == 2 and "cannot be measured" in done.stderr
