"""Surgery: edits do what they say, and its numbers are to the digit those of training and stored ablation."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.data.batches import batches
from core.engine.choice import make_engine
from core.run.cost import analysed_images
from core.run.edits import MAX_FEATURES, BadEdits, Edit, Look, SurgeryRequest, check, evaluated_images
from core.run.events import Analysed, Finished
from core.run.findings import Findings
from core.run.parameters import read_parameters
from core.run.spec import RunSpec
from core.run.tensorfile import BadTensorFile
from core.studies.records import NEAR_ZERO
from core.trained.capsule import Capsule, read_capsule, rebuild
from core.trained.surgery import Operation, Patient, compare, show
from core.training.loop import train
from tests.core.program import core, lines
from tests.core.training.test_loop import spec

pytestmark = pytest.mark.training

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a trained run: its capsule, and what was said of it."""
    folder = tmp_path_factory.mktemp("run")
    run = spec(replicate=1, epochs=4, train_examples=None, test_examples=None, recipe={"batch_size": 64, "lr": 0.1})
    torch.set_num_threads(1)
    events = list(train(run, folder, data_folder=folder, device="cpu"))
    told = {event.event: event.model_dump_json() for event in events if isinstance(event, Analysed | Finished)}
    (folder / "told.json").write_text(json.dumps(told))
    return folder


@pytest.fixture(scope="module")
def capsule(folder: Path) -> Capsule:
    return read_capsule(folder / "final.safetensors")


@pytest.fixture(scope="module")
def findings(folder: Path) -> Findings:
    return Analysed.model_validate_json(json.loads((folder / "told.json").read_text())["analysed"]).findings


def on(capsule: Capsule, folder: Path) -> Operation:
    torch.set_num_threads(1)
    network = rebuild(capsule, CPU)
    engine = make_engine(network, capsule.spec, CPU)
    return Operation(network, capsule.spec, engine, batches(capsule.spec, folder, CPU), CPU)


def measured(operation: Operation, *edits: Edit) -> dict[str, Any]:
    steps = compare(operation, edits, evaluated_images(operation.spec))
    while True:
        try:
            assert 0 < next(steps) <= 1
        except StopIteration as done:
            return dict(done.value)


def test_a_threshold_by_surgery_is_the_stored_ablation_to_the_digit(
    capsule: Capsule, folder: Path, findings: Findings
) -> None:
    operation = on(capsule, folder)
    total = sum(norm.channels for norm in capsule.spec.plan.norms)
    assert len({row.top1 for row in findings.ablation}) > 2, "an ablation that changes nothing shows nothing"
    for row in findings.ablation:
        result = measured(operation, Edit(action="zero", below=row.epsilon))
        assert result["edited"]["top1"] == row.top1
        assert result["off"] == round(row.zeroed * total)
        assert (result["images"], result["test_images"]) == (findings.test_examples, 359)


def test_a_masked_network_can_be_operated_on(tmp_path: Path) -> None:
    run = spec(policy="supermask-30+batchnorm", epochs=2, recipe={"batch_size": 64, "lr": 0.1}, train_examples=256)
    torch.set_num_threads(1)
    (analysed,) = [event for event in train(run, tmp_path, data_folder=tmp_path) if isinstance(event, Analysed)]
    operation = on(read_capsule(tmp_path / "final.safetensors"), tmp_path)
    row = analysed.findings.ablation[-1]
    result = measured(operation, Edit(action="zero", below=row.epsilon))
    assert 0 < row.zeroed < 1 and result["edited"]["top1"] == row.top1
    assert result["unedited"]["top1"] == analysed.findings.ablation[0].top1


def test_as_trained_is_the_result_of_the_training_to_the_digit(capsule: Capsule, folder: Path) -> None:
    told = capsule.result
    result = measured(on(capsule, folder), Edit(action="zero"), Edit(action="reset"))
    assert (result["changed"], result["images"]) == (0, 359)
    for which in ("unedited", "edited"):
        assert (result[which]["top1"], result[which]["loss"]) == (told.top1, told.loss)


def test_edits_come_one_after_another_and_leave_no_trace(capsule: Capsule, folder: Path) -> None:
    operation = on(capsule, folder)
    state = {name: tensor.clone() for name, tensor in operation.network.state_dict().items()}
    result = measured(
        operation,
        Edit(action="zero", layer="stem.norm", features=(0, 3)),
        Edit(action="flip", layer="stem.norm"),
        Edit(action="reset", layer="stem.norm", features=(3, 4)),
    )
    assert (result["off"], result["changed"]) == (1, 16 - 2)
    assert all(torch.equal(state[name], tensor) for name, tensor in operation.network.state_dict().items())


def test_what_each_edit_does() -> None:
    run = spec()
    network = nn.Module()
    for norm in run.plan.norms:
        _place(network, norm.name, torch.linspace(-0.5, 0.5, norm.channels))
    patient = Patient(network, run.plan)
    stem = patient.gammas["stem.norm"]
    trained = stem.detach().clone()
    patient.operate([Edit(action="zero", below=0.1)])
    assert torch.equal(stem == 0, trained.abs() < 0.1)
    patient.operate([Edit(action="flip", layer="stem.norm", features=(1,))])
    assert stem[1] == -trained[1] and torch.equal(stem[2:], trained[2:])
    others = [gamma for name, gamma in patient.gammas.items() if name != "stem.norm"]
    patient.operate([Edit(action="zero", layer="stem.norm")])
    assert (stem == 0).all() and all((gamma != 0).any() for gamma in others)
    patient.operate([Edit(action="zero"), Edit(action="reset", layer="stem.norm")])
    assert torch.equal(stem, trained) and all((gamma == 0).all() for gamma in others)
    patient.operate([Edit(action="zero", below=0.1), Edit(action="zero", below=0.2), Edit(action="flip", below=0.3)])
    assert (stem == 0).sum() == (trained.abs() < 0.2).sum(), "the second threshold looks at what the first has left"
    patient.reset()
    assert torch.equal(stem, trained) and patient.changed() == 0


def _place(network: nn.Module, path: str, gamma: torch.Tensor) -> None:
    for part in path.split("."):
        if part not in dict(network.named_children()):
            network.add_module(part, nn.Module())
        network = network.get_submodule(part)
    network.register_parameter("weight", nn.Parameter(gamma.clone()))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"edits": [{"action": "zero", "layer": "stage9.0.norm1"}]}, "edits.0.layer must be a norm layer of resnet-8"),
        ({"edits": [{"action": "zero", "layer": "stem.norm", "features": [16]}]}, "must be 0..15 in stem.norm, got 16"),
        ({"edits": [{"action": "zero", "layer": "stem.norm", "features": [1, 1]}]}, "distinct numbers"),
        ({"edits": [{"action": "zero", "features": [1]}]}, "features belong to a layer"),
        ({"edits": [{"action": "zero"}] * 201}, "at most 200 items"),
        ({"edits": [{"action": "burn"}]}, "'zero', 'flip' or 'reset'"),
        ({"edits": [{"action": "zero", "below": float("nan")}]}, "finite number"),
        ({"look": {"index": 359, "layer": "stem.norm"}}, "look.index must be 0..63, got 359"),
        ({"look": {"layer": "stem.norm"}}, "either index, its number in the test set, or pixels"),
        ({"look": {"index": 1, "pixels": "AA==", "layer": "stem.norm"}}, "either index"),
        ({"look": {"pixels": "AA==", "layer": "stem.norm"}}, "must have 64 bytes (1 × 8 × 8), got 1"),
        ({"look": {"pixels": "no base64!", "layer": "stem.norm"}}, "not valid base64"),
        ({"look": {"index": 1, "layer": "norm"}}, "look.layer must be a norm layer"),
        ({"look": {"index": 1, "layer": "stem.norm", "first": 16}}, "look.first must be 0..15"),
    ],
)
def test_what_does_not_fit_the_network_is_refused_in_words(request_: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as error:  # pydantic's is one, too
        check(SurgeryRequest.model_validate(request_), spec())
    assert words in str(error.value)


def test_a_network_without_gammas_has_nothing_to_edit() -> None:
    run = spec(policy="output", norm={"affine": False})
    with pytest.raises(BadEdits, match="no γ"):
        check(SurgeryRequest(edits=(Edit(action="zero"),)), run)
    check(SurgeryRequest(), run)
    wide = spec(architecture="vgg-16", dataset="cifar-10", policy="all")
    layer = Edit(action="zero", layer=wide.plan.norms[-1].name, features=tuple(range(512)))
    with pytest.raises(BadEdits, match="name whole layers"):
        check(SurgeryRequest(edits=(layer,) * (MAX_FEATURES // 512 + 1)), wide)


def test_an_evaluation_of_a_deep_network_looks_at_fewer_images() -> None:
    fields = {"dataset": "cifar-10", "epochs": 160, "policy": "batchnorm"}
    small, deep = (RunSpec.model_validate({**fields, "architecture": f"resnet-{depth}"}) for depth in (14, 866))
    assert evaluated_images(small) == analysed_images(small) == 10_000
    assert 100 <= evaluated_images(deep) < 1000


def test_a_look_at_an_image_of_the_test_set(capsule: Capsule, folder: Path) -> None:
    operation = on(capsule, folder)
    gone = Edit(action="zero", layer="stage1.0.norm1", features=(0, 3))
    result = show(operation, [gone], Look(index=7, layer="stage1.0.norm1"))
    split = operation.batches.test_split  # type: ignore[attr-defined]
    assert base64.b64decode(result["image"]["pixels"]) == split.images[7].numpy().tobytes()
    assert result["label"] == int(split.labels[7]) and result["off"] == [k in (0, 3) for k in range(16)]
    levels = np.frombuffer(base64.b64decode(result["maps"]["levels"]), np.int8).reshape(result["maps"]["shape"])
    assert levels.shape == (16, 8, 8) and abs(levels.astype(int)).max() == 127
    flat = [int(one.max()) - int(one.min()) for one in levels.astype(int)]
    assert flat[0] == flat[3] == 0, "without γ a map is β everywhere"
    # A feature that training itself has all but switched off may be flat in the picture, too: levels are 8 bits.
    strong = (capsule.tensors["stage1.0.norm1.weight"].abs() > NEAR_ZERO).tolist()
    shown = [level for k, level in enumerate(flat) if strong[k] and k not in (0, 3)]
    assert len(shown) > 8 and min(shown) > 0
    for which in ("unedited", "edited"):
        assert sum(row[which] for row in result["classes"]) == pytest.approx(1, abs=1e-5)
    again = show(operation, [], Look(pixels=result["image"]["pixels"], layer="stem.norm", first=10))
    assert again["label"] is None and again["maps"]["shape"] == [6, 8, 8] and not any(again["off"])
    before = {row["class"]: row["unedited"] for row in result["classes"]}
    assert {row["class"]: row["edited"] for row in again["classes"]} == before, "the image that was sent is that image"


def test_parameters_without_torch_are_those_of_the_capsule(capsule: Capsule, folder: Path) -> None:
    content = (folder / "final.safetensors").read_bytes()
    layers = read_parameters(content, capsule.spec)
    assert [layer.name for layer in layers] == [norm.name for norm in capsule.spec.plan.norms]
    for layer in layers:
        assert layer.gamma is not None and layer.beta is not None
        assert np.array_equal(layer.gamma, capsule.tensors[f"{layer.name}.weight"].numpy())
        assert np.array_equal(layer.beta, capsule.tensors[f"{layer.name}.bias"].numpy())
    with pytest.raises(BadTensorFile):
        read_parameters(content[:-8], capsule.spec)
    with pytest.raises(BadTensorFile, match="not those of its spec"):
        read_parameters(content, spec(architecture="resnet-14"))


def test_gammas_that_did_not_train_are_not_in_a_capsule(tmp_path: Path) -> None:
    run = spec(policy="output", epochs=1)
    list(train(run, tmp_path, analyses=False))
    layers = read_parameters((tmp_path / "final.safetensors").read_bytes(), run)
    assert len(layers) == 9 and all(layer.gamma is None and layer.beta is None for layer in layers)
    operation = on(read_capsule(tmp_path / "final.safetensors"), tmp_path)
    assert measured(operation, Edit(action="zero", layer="stem.norm"))["off"] == 16, "but they can be edited"


def test_on_the_command_line(folder: Path, findings: Findings, tmp_path: Path) -> None:
    file, request = folder / "final.safetensors", tmp_path / "request.json"
    row = findings.ablation[-2]
    request.write_text(json.dumps({"edits": [{"action": "zero", "below": row.epsilon}]}))
    done = core("capsule", "surgery", file, "--request", request)
    assert done.returncode == 0, done.stderr
    *progress, result = lines(done.stdout)
    assert progress[0]["event"] == "progress" and 0 < progress[0]["share"] <= 1
    assert result["event"] == "result" and result["edited"]["top1"] == row.top1
    assert result["elsewhere"] is None and result["threads"] == 1
    other = lines(core("capsule", "surgery", file, "--request", request, "--threads", "2").stdout)[-1]
    # On some processors two threads also choose another number format, which is what is said then.
    assert other["elsewhere"].startswith(("it was trained with 1 threads", "it was computed differently"))
    for content, words in (
        ('{"edits": [{"action": "zero", "layer": "nowhere"}]}', "edits.0.layer must be a norm layer"),
        ('{"edits": 7}', "edits: "),
        ("no JSON", "Invalid JSON"),
    ):
        request.write_text(content)
        bad = core("capsule", "surgery", file, "--request", request)
        assert bad.returncode == 2 and bad.stderr.startswith("error: ") and words in bad.stderr
        assert "Traceback" not in bad.stderr
    assert "needs --request" in core("capsule", "surgery", file).stderr


def test_requests_on_standard_input_are_answered_until_it_ends(
    folder: Path, findings: Findings, tmp_path: Path
) -> None:
    file, row = folder / "final.safetensors", findings.ablation[-1]
    ablation = {"edits": [{"action": "zero", "below": row.epsilon}]}
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing")
    asked = [(file, ablation), (broken, {}), (file, {"edits": 7}), (file, {}), (file, ablation)]
    text = "".join(json.dumps({"file": str(path), "request": request}) + "\n" for path, request in asked)
    done = core("capsule", "surgery", "-", input=text)
    assert done.returncode == 0, done.stderr
    said = [line for line in lines(done.stdout) if line["event"] != "progress"]
    assert [line["event"] for line in said] == ["result", "refused", "refused", "result", "result"]
    assert said[0]["edited"]["top1"] == said[4]["edited"]["top1"] == row.top1
    assert said[3]["edited"] == said[0]["unedited"] == said[4]["unedited"], "an edit leaves no trace in the next"
    assert "only 7 bytes" in said[1]["message"] and said[2]["message"].startswith("edits: ")
