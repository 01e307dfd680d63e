"""The code in docs/extending.md works: a policy, an initialiser, a data set and a study from the page itself."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import pytest
import torch

from core.catalog import architectures, initializers
from core.catalog.datasets import DATASETS, DataSet
from core.catalog.initializers import WEIGHT_INITIALIZERS, WeightInitializer
from core.catalog.policies import POLICIES, POLICY_GROUPS
from core.catalog.policy import Policy, trainable
from core.catalog.registry import Registry
from core.data.memory import READERS
from core.network import builder
from core.network.freezing import freeze
from core.run.spec import Init
from core.studies.catalog.table import Catalog
from core.studies.spec import SCALES, StudySpec
from core.studies.verdicts import judge
from tests.core.studies.made import record

PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text()
PLAN = architectures.plan("resnet-14", (1, 28, 28), 10)


def code(name: str) -> Any:
    """The row that the block called `name` makes."""
    found = re.search(rf"^```python {name}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no block {name!r} in docs/extending.md"
    made: dict[str, Any] = {}
    exec(found[1], made)
    return made["row"]


def test_the_policy_trains_what_it_says() -> None:
    row: Policy = code("policy")
    assert row.name in Registry("policy", (*POLICIES.values(), row))
    assert row.group in POLICY_GROUPS
    network = builder.build(PLAN, Init(), seed=0)
    trained = freeze(network, row.trains(PLAN), seed=0)
    # 560 channels of norm layers (paper.md, table 1: 1,120 γ and β), 64 features and 10 classes.
    assert sum(tensor.numel() for tensor in trained.values()) == trainable(row.trains(PLAN)) == 560 + 64 * 10 + 10
    assert all(name.endswith("bias") or name == "output.weight" for name in trained)


def test_the_initialiser_draws_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    row: WeightInitializer = code("initialiser")
    table = Registry("weight initialiser", (*WEIGHT_INITIALIZERS.values(), row))
    monkeypatch.setattr(initializers, "WEIGHT_INITIALIZERS", table)
    init = Init.model_construct(weights=row.name, norm="ones")
    weight = builder.build(PLAN, init, seed=1).get_parameter("stage3.1.conv2.weight")
    assert weight.std().item() == pytest.approx((1 / (64 * 9)) ** 0.5, rel=0.02)
    again = builder.build(PLAN, init, seed=1).get_parameter("stage3.1.conv2.weight")
    assert torch.equal(weight, again)


def test_the_data_set_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row: DataSet = code("dataset")
    assert row.name in Registry("data set", (*DATASETS.values(), row))
    assert row.variable
    monkeypatch.setenv(row.variable, str(tmp_path))
    for prefix, count in (("train", row.train), ("t10k", row.test)):
        images = bytes(i % 251 for i in range(count * 28 * 28))
        labels = bytes(i % 26 for i in range(count))
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(
            b"\0\0\x08\x03" + struct.pack(">3I", count, 28, 28) + images
        )
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + struct.pack(">I", count) + labels)
    train, test = READERS[row.reader](row, tmp_path / "unused")
    assert train.images.shape == (row.train, *row.shape) and len(test) == row.test
    assert train.images[0, 0, 0, 5] == 5 and test.labels[-1] == 25


def test_the_study_can_be_decided(tmp_path: Path) -> None:
    found = re.search(r"^```yaml study\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    (tmp_path / "20-batch-size.yaml").write_text(found[1])
    named = Catalog(tmp_path)["batch-size"]
    for scale in SCALES:
        grid = named.grids[scale]
        axes = [{"field": field, "values": values} for field, values in grid.axes.items()]
        fields = {"study": named.name, "scale": scale, "base": grid.base, "replicates": grid.replicates, "axes": axes}
        study = StudySpec.model_validate(fields)
        for gain, outcome in ((0.0, "holds"), (0.2, "fails")):
            records = [record(m, 0.5 + gain * (m.spec.recipe.batch_size == 32)) for m in study.members]
            assert judge(named.criterion, study, records).outcome == outcome
