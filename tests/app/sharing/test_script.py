"""A run as a Python script and as a notebook: both run, and draw the points that the server has."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import plotly.graph_objects as go
import pytest
from starlette.testclient import TestClient

from jobs.store.store import Store
from tests.app.conftest import Trainer


@pytest.fixture
def run_id(trainer: Trainer) -> str:
    run_id, _ = trainer.start(name="Named: γ = 1 (really)")
    trainer.say(run_id, 1, 2, 3)
    trainer.test(run_id, 3, 0.5)
    trainer.finish(run_id)
    return run_id


def test_the_script_draws_the_points_and_says_how_to_train_again(
    client: TestClient, store: Store, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = client.get(f"/api/runs/{run_id}/script")
    assert answer.headers["content-disposition"].endswith(f'filename="onlybn-{run_id}.py"')
    shown: list[go.Figure] = []
    monkeypatch.setattr(go.Figure, "show", lambda figure: shown.append(figure))
    file = tmp_path / "curves.py"
    file.write_bytes(answer.content)
    made = runpy.run_path(str(file))
    points = store.curves.points(run_id)
    assert points and set(made["CURVES"]) == {point.split for point in points}
    for split, curve in made["CURVES"].items():
        assert curve["top1"] == [point.top1 for point in points if point.split == split]
    assert [figure.layout.yaxis.title.text for figure in shown] == ["accuracy", "loss"]
    assert made["NAME"] == "Named: γ = 1 (really)"
    assert "# python -m core train --architecture resnet-" in answer.text


def test_the_notebook_runs_cell_by_cell(client: TestClient, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = json.loads(client.get(f"/api/runs/{run_id}/script?format=ipynb").content)
    assert notebook["nbformat"] == 4 and len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    shown: list[go.Figure] = []
    monkeypatch.setattr(go.Figure, "show", lambda figure: shown.append(figure))
    space: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), space)
    assert len(shown) == 2
    assert "python -m core train" in "".join(notebook["cells"][-1]["source"])


def test_a_run_that_lost_its_curves_has_no_script(client: TestClient, store: Store, run_id: str) -> None:
    store.keeping.evict([run_id], 1.0)
    assert client.get(f"/api/runs/{run_id}/script").status_code == 404
