"""What a run leaves behind, over HTTP: γ and β of a moment, findings as JSON and CSV, the capsule, and all refusals."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.settings import Settings
from core.run.findings import Findings
from tests.app.conftest import Trainer


def rows(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_one_moment(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    answer = client.get(f"/api/runs/{run_id}/snapshots/3")
    assert answer.status_code == 404 and "no snapshot" in answer.json()["detail"]
    trainer.say(run_id, 1, snapshots=(0, 3))
    for step, found in ((0, 0), (2, 0), (3, 3), (24, 3)):
        view = client.get(f"/api/runs/{run_id}/snapshots/{step}").json()
        assert view["step"] == found and view["gamma"]["counts"][4][1 + found] == 4 and len(view["disabled"]) == 15
    assert client.get(f"/api/runs/{run_id}/snapshots/-1").status_code == 422


def test_findings_as_json_and_csv_are_the_same(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    path = f"/api/runs/{run_id}/findings"
    early = client.get(path)
    assert early.status_code == 404 and "when its training is complete" in early.json()["detail"]
    assert client.get(f"/api/runs/{run_id}").json()["findings"] is False
    findings = trainer.analyse(run_id)
    trainer.finish(run_id)
    assert client.get(f"/api/runs/{run_id}").json()["findings"] is True
    assert Findings.model_validate(client.get(path).json()) == findings
    answer = client.get(f"{path}?format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="onlybn-{run_id}-layers.csv"'
    layers = rows(answer.text)
    assert len(layers) == len(findings.layers) == 15
    assert (layers[3]["layer"], float(layers[3]["gamma_mean"])) == (
        findings.layers[3].name,
        findings.layers[3].gamma.mean,
    )
    assert {row["shortcut"] for row in layers} == {"true", "false"}
    ablation = rows(client.get(f"{path}?format=csv&table=ablation").text)
    assert [float(row["change"]) for row in ablation] == [row.change for row in findings.ablation]
    relus = rows(client.get(f"{path}?format=csv&table=relus").text)
    assert [float(row["mostly_off"]) for row in relus] == [row.mostly_off for row in findings.relus]
    channels = rows(client.get(f"{path}?format=csv&table=channels").text)
    assert [float(row["zero_share"]) for row in channels] == [s for row in findings.relus for s in row.zero_shares]
    assert channels[-1]["channel"] == str(findings.relus[-1].channels - 1)
    assert findings.jacobian is not None
    jacobians = rows(client.get(f"{path}?format=csv&table=jacobians").text)
    assert [row["layer"] for row in jacobians] == [row.name for row in findings.jacobian.layers]
    assert [float(row["end_number"]) for row in jacobians] == [row.end.number for row in findings.jacobian.layers]
    assert client.get(f"{path}?table=all").status_code == 422


def test_a_capsule_comes_from_the_database_or_from_the_folder(
    client: TestClient, trainer: Trainer, settings: Settings
) -> None:
    run_id, _ = trainer.start()
    path = f"/api/runs/{run_id}/capsule"
    early = client.get(path)
    assert early.status_code == 404 and "only a finished run has a capsule" in early.json()["detail"]
    trainer.finish(run_id, capsule=b"from the database")
    answer = client.get(path)
    assert answer.content == b"from the database"
    assert answer.headers["content-disposition"] == f'attachment; filename="onlybn-{run_id}.safetensors"'

    large, _ = trainer.start()
    trainer.finish(large)
    away = client.get(f"/api/runs/{large}/capsule")
    assert away.status_code == 404 and f"runs/{large}/final.safetensors" in away.json()["detail"]
    folder = settings.runs_folder / large
    folder.mkdir(parents=True)
    (folder / "final.safetensors").write_bytes(b"from the folder")
    assert client.get(f"/api/runs/{large}/capsule").content == b"from the folder"


@pytest.mark.parametrize("what", ["findings", "capsule"])
def test_an_unknown_run_has_nothing(client: TestClient, what: str) -> None:
    answer = client.get(f"/api/runs/NoSuchRun12345/{what}")
    assert answer.status_code == 404 and "no run NoSuchRun12345" in answer.json()["detail"]
