"""Packs: one network for several tasks, nothing forgotten to the bit; the same capsules again; refusals in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from core.data.batches import batches
from core.run.pack import BadPack, Packed, pack, packed, together, unpack
from core.run.spec import RunSpec
from core.trained.capsule import capsule_in, read_capsule, rebuild
from core.trained.tasks import KeptTask, SharedNetwork, forgetting
from tests.core.program import core
from tests.core.trained.test_capsule import trained
from tests.core.training.test_loop import spec

pytestmark = pytest.mark.training

CPU = torch.device("cpu")
TASKS = ("whole", "rotated-1", "permuted-3", "half-1")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The capsules of a run of each task, and of some that belong to no pack with these."""
    runs: dict[str, dict[str, Any]] = {
        **{name: {"task": name} for name in TASKS},
        "other seed": {"task": "rotated-2", "replicate": 1},
        "other policy": {"task": "rotated-2", "policy": "batchnorm+output"},
        "all": {"task": "rotated-2", "policy": "all"},
        "none": {"task": "rotated-2", "policy": "none", "norm": {"kind": "group"}},
    }
    found = {}
    for name, changes in runs.items():
        folder = tmp_path_factory.mktemp("run")
        trained(spec(**{"epochs": 1, "recipe": {"batch_size": 64, "lr": 0.3}, **changes}), folder)
        found[name] = folder / "final.safetensors"
    return found


def members(files: dict[str, Path], *names: str) -> list[Packed]:
    return [packed(name, files[name].read_bytes()) for name in names]


def test_every_task_comes_back_to_the_bit(files: dict[str, Path], tmp_path: Path) -> None:
    torch.set_num_threads(1)
    content = pack(members(files, *TASKS))
    capsules = [capsule_in(member.content, member.name) for member in unpack("x", content)]
    shared = SharedNetwork(capsules, CPU)
    assert shared.frozen == capsules[0].frozen
    rows = list(measured(shared, tmp_path))
    for name, capsule, kept in zip(TASKS, capsules, rows, strict=True):
        assert kept.identical and kept.forgotten == 0
        assert kept.before.scores.top1 == read_capsule(files[name]).result.top1, "as when it was trained"
        images, _ = next(batches(capsule.spec, tmp_path, CPU).test())
        shared.put_in(TASKS.index(name))
        with torch.no_grad():
            assert torch.equal(shared.network(images), rebuild(capsule)(images)), "the network of the task alone"
    assert len({kept.before.logits for kept in rows}) == len(TASKS)
    own = [kept.others[place].top1 for place, kept in enumerate(rows) if kept.others]
    assert own == [kept.before.scores.top1 for kept in rows]
    assert shared.frozen == capsules[0].frozen, "nothing has written into the shared weights"


def measured(shared: SharedNetwork, folder: Path) -> Iterator[KeptTask]:
    return forgetting(shared, lambda capsule: batches(capsule.spec, folder, CPU), across=True)


def test_what_another_task_leaves_behind_is_seen(files: dict[str, Path], tmp_path: Path) -> None:
    """The measure can fail: a network in which a task's β are not put back answers otherwise."""
    shared = SharedNetwork([read_capsule(files[name]) for name in TASKS[:2]], CPU)
    put_in, turns = shared.put_in, []

    def forgetful(number: int) -> None:
        turns.append(number)
        put_in(number)
        if len(turns) == 4:  # task 0 again, after 0, 0 and 1
            for norm in shared.capsules[0].spec.plan.norms:
                shared.network.get_parameter(f"{norm.name}.bias").data.add_(1.0)

    shared.put_in = forgetful  # type: ignore[method-assign]
    first = next(forgetting(shared, lambda capsule: batches(capsule.spec, tmp_path, CPU)))
    assert not first.identical and first.others is None


def test_unpacking_gives_the_same_files(files: dict[str, Path]) -> None:
    found = unpack("x", pack(members(files, *TASKS)))
    assert [member.content for member in found] == [files[name].read_bytes() for name in TASKS]
    assert [member.spec.task for member in found] == list(TASKS)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["whole"], "a pack has from 2 to 64 capsules, got 1"),
        (["whole", "other seed"], "other seed has another weight seed"),
        (["whole", "other policy"], r"other policy has another policy \(batchnorm\+output\) than whole \(batchnorm\)"),
        (["whole", "all"], r"all trained stem.conv.weight \(policy all\): a pack swaps γ, β and the output layer"),
        (["none", "whole"], "none trained nothing"),
        (["whole", "rotated-1", "whole"], "whole has the same task as whole, Digits: a pack has each once"),
    ],
)
def test_capsules_that_make_no_pack_are_refused_in_words(files: dict[str, Path], names: list[str], words: str) -> None:
    with pytest.raises(BadPack, match=words):
        pack(members(files, *names))


def test_damaged_and_foreign_files_are_refused_in_words(files: dict[str, Path]) -> None:
    content = pack(members(files, *TASKS))
    for wrong, words in (
        (b"no", "x is not a safetensors file"),
        (content[:-8], "x is cut short"),
        (files["whole"].read_bytes(), "x is a capsule, not a pack"),
        (content.replace(b'"version":"1","capsules"', b'"version":"9","capsules"'), "x is a pack of version 9"),
        (content.replace(b"0.gamma", b"5.gamma"), "x"),
    ):
        with pytest.raises(BadPack, match=words):
            unpack("x", wrong)
    with pytest.raises(BadPack, match="y is a pack: unpack it first"):
        packed("y", content)


def test_runs_that_belong_together_are_found_by_their_specs(files: dict[str, Path]) -> None:
    def run(**changes: Any) -> RunSpec:
        return spec(**changes)

    specs = [run(), run(policy="all"), run(task="rotated-1"), run(replicate=1), run(task="rotated-1", epochs=3)]
    specs += [run(replicate=1, task="half-0"), run(task="half-0")]
    assert together(specs) == [[0, 2, 6], [3, 5]]
    assert together(specs[:2]) == []


def test_the_command_line_packs_shows_evaluates_and_unpacks(files: dict[str, Path], tmp_path: Path) -> None:
    there, capsules = tmp_path / "x.pack.safetensors", [files[name] for name in TASKS]
    done = core("capsule", "pack", *capsules, "--out", there)
    assert done.returncode == 0 and "4 tasks over one random network" in done.stdout, done.stderr
    shown = json.loads(core("capsule", "show", there, "--json").stdout)
    assert [row["task"] for row in shown["tasks"]] == list(TASKS) and shown["size_bytes"] == there.stat().st_size
    words = core("capsule", "evaluate", there, "--threads", "1")
    assert words.returncode == 0 and words.stdout.count("identical") == 4 and "to the bit" in words.stdout
    told = json.loads(core("capsule", "evaluate", there, "--threads", "1", "--across", "--json").stdout)
    assert told["frozen_as_trained"] is True and [row["forgotten"] for row in told["tasks"]] == [0.0] * 4
    assert all(row["before"]["top1"] == row["stored"] == row["others"][k] for k, row in enumerate(told["tasks"]))
    assert core("capsule", "unpack", there, "--out", tmp_path / "un").returncode == 0
    back = sorted((tmp_path / "un").iterdir())
    assert [path.read_bytes() for path in back] == [path.read_bytes() for path in capsules]
    for words_of, wrong in (
        (("verify", there), "takes a capsule"),
        (("pack", capsules[0], capsules[1]), "pack needs --out FILE"),
        (("pack", capsules[0], files["all"], "--out", there), "a pack swaps γ, β and the output layer"),
        (("pack", capsules[0], tmp_path / "no", "--out", there), "cannot read"),
        (("unpack", capsules[0]), "is a capsule, not a pack"),
        (("evaluate", there, "--task", "whole"), "a pack is evaluated on its own tasks"),
        (("show", capsules[0], capsules[1]), "capsule show takes one file, got 2"),
    ):
        refused = core("capsule", *words_of)
        assert refused.returncode == 2 and wrong in refused.stderr, refused.stderr


def test_a_capsule_is_evaluated_on_another_task(files: dict[str, Path]) -> None:
    own = json.loads(core("capsule", "evaluate", files["rotated-1"], "--json", "--threads", "1").stdout)
    other = json.loads(core("capsule", "evaluate", files["rotated-1"], "--task", "rotated-3", "--json").stdout)
    assert (own["task"], other["task"]) == ("rotated-1", "rotated-3") and own["loss"] != other["loss"]
