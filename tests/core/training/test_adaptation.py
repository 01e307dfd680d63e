"""Adaptation: the numbers of TENT written plainly in PyTorch; nothing but γ and β moves; a run can ask for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from core.data.augmentation import normalise
from core.data.batches import batches
from core.data.corruptions import corrupted
from core.draws.versions import drawn
from core.run.adaptation import Adaptation, Adapted
from core.run.cost import price
from core.run.edits import BadEdits, SurgeryRequest, adapted_images, check
from core.run.events import Analysed, Finished
from core.run.spec import RunSpec
from core.trained.capsule import Capsule, read_capsule, rebuild
from core.training.adaptation import Adaptable, ImageStream, adapting, entropy
from core.training.loop import train
from core.training.optimizers import OPTIMIZERS
from tests.core.program import core, lines
from tests.core.training.test_loop import spec

pytestmark = pytest.mark.training

CPU = torch.device("cpu")
PLAIN = {"batch_size": 64, "lr": 0.1, "precision": "fp32", "lean": False}
HALF = Adaptation(corruptions=("brightness", "rotation"), severities=(0, 3), lr=0.01)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run that was adapted at its end: its capsule, and what was said of it."""
    folder = tmp_path_factory.mktemp("run")
    run = spec(epochs=6, train_examples=None, test_examples=None, recipe=PLAIN, adapt=HALF.model_dump())
    torch.set_num_threads(1)
    events = list(train(run, folder, data_folder=folder, device="cpu"))
    told = {event.event: event.model_dump_json() for event in events if isinstance(event, Analysed | Finished)}
    (folder / "told.json").write_text(json.dumps(told))
    return folder


@pytest.fixture(scope="module")
def capsule(folder: Path) -> Capsule:
    return read_capsule(folder / "final.safetensors")


def adapted(capsule: Capsule, adaptation: Adaptation, images: int | None = None) -> tuple[Adapted, ...]:
    torch.set_num_threads(1)
    network, data = rebuild(capsule, CPU), batches(capsule.spec, Path("unused"), CPU)
    steps, shares = adapting(network, capsule.spec, data, adaptation, images), [0.0]
    while True:
        try:
            shares.append(next(steps))
        except StopIteration as done:
            assert shares == sorted(shares) and shares[-1] == pytest.approx(1)
            found: tuple[Adapted, ...] = done.value
            return found


def plainly(capsule: Capsule, name: str, severity: int, adaptation: Adaptation) -> list[float]:
    """The three accuracies by PyTorch's own modules, losses and optimisers, in the words of TENT's authors: train mode,
    no running statistics, Adam on the norm layers' weights and biases, and outputs from before the step."""
    split = batches(capsule.spec, Path("unused"), CPU).test_split  # type: ignore[attr-defined]
    order = drawn(2, adaptation.seed, "corruption", "order").order(len(split)).tolist()
    images = normalise(corrupted(split.images[order], name, severity, order, adaptation.seed), capsule.spec.data)
    labels = split.labels[order]
    network = rebuild(capsule, CPU)
    as_trained = (network(images).argmax(1) == labels).float().mean().item()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.track_running_stats, norm.running_mean, norm.running_var = False, None, None
        norm.requires_grad_(True)
    network.train()
    optimizer = torch.optim.Adam([p for norm in norms for p in norm.parameters()], lr=adaptation.lr)
    size = adaptation.batch_size
    with torch.no_grad():
        still = torch.cat([network(part).argmax(1) for part in images.split(size)])
    moving = []
    for part in images.split(size):
        logits = network(part)
        optimizer.zero_grad()
        chances = logits.softmax(1)
        loss = -(chances * chances.log()).sum(1).mean()
        loss.backward()
        optimizer.step()
        moving.append(logits.argmax(1))
    return [as_trained, *((found == labels).float().mean().item() for found in (still, torch.cat(moving)))]


@pytest.mark.parametrize("name", ["brightness", "gaussian-noise"])
def test_it_is_tent_written_plainly(capsule: Capsule, name: str) -> None:
    adaptation = Adaptation(corruptions=(name,), severities=(3,), lr=0.02, batch_size=32)
    (row,) = adapted(capsule, adaptation)
    found = [row.trained.share, row.statistics.share, row.entropy.share]
    assert found == pytest.approx(plainly(capsule, name, 3, adaptation), abs=2.5 / 359), "two images at most"
    assert len(set(found)) == 3, "numbers that are all equal compare nothing"
    assert (row.corruption, row.severity, row.images) == (name, 3, 359)
    for share in (row.trained, row.statistics, row.entropy):
        assert 0 <= share.low < share.share < share.high <= 1


def test_statistics_of_the_test_images_undo_a_change_of_brightness(capsule: Capsule) -> None:
    (row,) = adapted(capsule, Adaptation(corruptions=("brightness",), severities=(4,)))
    assert row.statistics.low > row.trained.high


def test_the_clean_images_come_once_and_are_the_result_of_the_training(capsule: Capsule) -> None:
    rows = adapted(capsule, HALF)
    assert [(row.corruption, row.severity) for row in rows] == [(None, 0), ("brightness", 3), ("rotation", 3)]
    assert rows[0].trained.share == capsule.result.top1


def test_only_gamma_and_beta_move_and_the_network_itself_not_at_all(capsule: Capsule) -> None:
    network, data = rebuild(capsule, CPU), batches(capsule.spec, Path("unused"), CPU)
    copy = Adaptable(network, capsule.spec, CPU)
    before = {name: tensor.clone() for name, tensor in copy.network.state_dict().items()}
    stream = ImageStream.of(data, capsule.spec, None, 0).corrupted("brightness", 3)
    optimizer = OPTIMIZERS["adam"](copy.affine, HALF.recipe)
    losses = []
    for step, (images, _) in enumerate(stream.arriving(64, capsule.spec.data)):
        copy.with_statistics(images)
        losses.append(float(entropy(copy.by_entropy(images, optimizer, 0.01, step))))
    after = copy.network.state_dict()
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    norms = {f"{norm.name}.{part}" for norm in capsule.spec.plan.norms for part in ("weight", "bias")}
    assert moved == norms == set(copy.affine)
    assert losses[-1] < losses[0], "the entropy falls"
    copy.reset()
    assert all(torch.equal(before[name], tensor) for name, tensor in copy.network.state_dict().items())

    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    list(adapting(network, capsule.spec, data, HALF, None))
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())


def test_the_same_seed_gives_the_same_rows(capsule: Capsule) -> None:
    assert adapted(capsule, HALF) == adapted(capsule, HALF)
    other = HALF.model_copy(update={"seed": 1})
    assert adapted(capsule, other) != adapted(capsule, HALF)


def test_entropy_in_nats() -> None:
    even = entropy(torch.zeros(3, 10))
    assert even.item() == pytest.approx(torch.tensor(10.0).log().item())
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    assert entropy(logits).item() == pytest.approx(torch.distributions.Categorical(logits=logits).entropy().item())
    assert entropy(torch.tensor([[200.0, -200.0]])).item() == 0, "a certain prediction has none, and it is no NaN"


def test_every_image_arrives_once_and_none_alone(capsule: Capsule) -> None:
    stream = ImageStream.of(batches(capsule.spec, Path("unused"), CPU), capsule.spec, 65, 0)
    sizes = [len(labels) for _, labels in stream.arriving(32, capsule.spec.data)]
    assert sizes == [32, 33], "the last image alone would have no statistics"
    assert sorted(stream.numbers) == sorted(set(stream.numbers)) and len(stream.numbers) == 65
    split = batches(capsule.spec, Path("unused"), CPU).test_split  # type: ignore[attr-defined]
    assert torch.equal(stream.images, split.images[list(stream.numbers)])
    assert torch.equal(stream.labels, split.labels[list(stream.numbers)])
    assert list(stream.numbers) != sorted(stream.numbers), "a test set may be sorted by class"


# -- a run that asks for it --------------------------------------------------------------------------------------


def test_a_run_that_asks_for_it_has_it_in_its_findings(folder: Path, capsule: Capsule) -> None:
    told = json.loads((folder / "told.json").read_text())
    findings = Analysed.model_validate_json(told["analysed"]).findings
    assert findings.adapted == adapted(capsule, HALF), "as from its capsule, to the digit"


def test_it_changes_the_digest_but_not_the_training(folder: Path, tmp_path: Path) -> None:
    plain = spec(epochs=6, train_examples=None, test_examples=None, recipe=PLAIN)
    asked = read_capsule(folder / "final.safetensors")
    assert plain.digest != asked.spec.digest
    assert "adapt" not in plain.model_dump() and "adapt" not in plain.model_dump_json()
    torch.set_num_threads(1)
    *_, last = train(plain, tmp_path, data_folder=tmp_path, device="cpu")
    assert isinstance(last, Finished) and last.digest == asked.result.digest
    (analysed,) = [json.loads(line) for line in [json.loads((folder / "told.json").read_text())["analysed"]]]
    assert "adapted" in analysed["findings"]


def test_a_run_that_adapts_is_dearer() -> None:
    fields = {"dataset": "cifar-10", "architecture": "resnet-56", "train_examples": None, "test_examples": None}
    assert price(spec(**fields, adapt={})).processor_s > price(spec(**fields)).processor_s


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"norm": {"kind": "layer"}, "adapt": {}},
            "adaptation needs BatchNorm; LayerNorm normalises each image by its own",
        ),
        ({"norm": {"kind": "none"}, "adapt": {}}, "normalises nothing"),
        ({"norm": {"affine": False}, "policy": "output", "adapt": {}}, "needs γ and β"),
        ({"adapt": {"images": 65}}, "adapt.images must be at most 64, got 65"),
        ({"adapt": {}}, "batch_size must be below the 64 test images that are looked at, got 64"),
        ({"adapt": {"severities": [6]}}, "severities must be 0..5, got 6"),
        ({"adapt": {"corruptions": ["fog"]}}, "unknown corruption 'fog'"),
        ({"adapt": {"corruptions": []}}, "corruptions must have at least one value"),
        ({"adapt": {"corruptions": ["blur", "blur"]}}, "corruptions may have each value only once"),
        ({"adapt": {"batch_size": 16, "images": 16}}, "batch_size must be below the 16"),
    ],
)
def test_what_cannot_be_adapted_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        spec(**changes)
    assert words in str(error.value)


# -- an evaluation -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"adapt": {}, "edits": [{"action": "zero"}]}, "leave out the edits"),
        ({"adapt": {}, "sight": {"corruption": "blur"}}, "one evaluation does one thing"),
        ({"adapt": {"lr": 0}}, "adapt.lr"),
        ({"adapt": {"images": 400}}, "adapt.images must be at most 64"),
        ({"adapt": {"batch_size": 64}}, "adapt.batch_size must be below the 64 test images"),
        ({"sight": {"corruption": "fog"}}, "unknown corruption 'fog'"),
        ({"sight": {"corruption": "blur", "count": 13}}, "sight.count"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_words(request_: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as error:
        check(SurgeryRequest.model_validate(request_), spec())
    assert words in str(error.value)


def test_a_network_without_batchnorm_is_refused_with_the_reason() -> None:
    small = SurgeryRequest.model_validate({"adapt": {"batch_size": 16}})
    check(small, spec())
    with pytest.raises(BadEdits, match="GroupNorm normalises each image by its own statistics"):
        check(small, spec(norm={"kind": "group"}))


def test_requests_from_before_keep_their_digest() -> None:
    request = SurgeryRequest.model_validate({"edits": [{"action": "zero", "below": 0.01}]})
    assert set(request.model_dump()) == {"edits", "look"}
    # Of the version before adaptation.
    assert request.digest == "88461b54c9ef8e6db0943a287a0e9b90bd84f7c0962e5dd1a713b22c4fb46ad1"


def test_a_deep_network_is_adapted_on_fewer_images() -> None:
    fields = {"dataset": "cifar-10", "epochs": 160, "policy": "batchnorm"}
    small, deep = (RunSpec.model_validate({**fields, "architecture": f"resnet-{depth}"}) for depth in (14, 866))
    one = Adaptation(corruptions=("blur",))
    assert adapted_images(one, small) == 10_000 and 100 <= adapted_images(one, deep) < 1000
    assert adapted_images(Adaptation(), small) < 10_000


def test_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    file, request = folder / "final.safetensors", tmp_path / "request.json"
    told = json.loads((folder / "told.json").read_text())
    stored = Analysed.model_validate_json(told["analysed"]).findings.adapted
    request.write_text(json.dumps({"adapt": HALF.model_dump()}))
    *progress, result = lines(core("capsule", "surgery", file, "--request", request).stdout)
    assert progress and [Adapted.model_validate(row) for row in result["adapted"]] == list(stored)
    assert (result["images"], result["test_images"]) == (359, 359)
    request.write_text(json.dumps({"sight": {"corruption": "rotation", "count": 3}}))
    shown = lines(core("capsule", "surgery", file, "--request", request).stdout)[-1]
    assert shown["shape"] == [1, 8, 8] and shown["strengths"] == [10, 20, 30, 45, 60]
    assert [len(image["pixels"]) for image in shown["images"]] == [6, 6, 6]
