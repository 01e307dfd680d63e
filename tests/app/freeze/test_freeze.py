"""A frozen site: its files say what the API says, and nothing that the API keeps to itself."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console
from starlette.testclient import TestClient

from app.__main__ import main
from app.freeze.command import Written, freeze, said
from app.freeze.folder import MARK, file_of
from app.freeze.wanted import read_filters
from app.pages.table import PAGES
from app.settings import Settings
from app.web.security import ISOLATION
from core.run.spec import RunSpec
from core.studies.catalog.table import study_spec
from jobs.quotas import Asker
from jobs.store.store import Store
from tests.app.conftest import SPEC, Trainer
from tests.app.freeze.test_wanted import done

SECRETS = ("visitor-of-ada", "address-of-ada", "Nickname of Ada")
ADDRESS = re.compile(rb'(?:href|src)="(?!https://|data:|#)([^"#?]*)')


def frozen(settings: Settings, store: Store, out: Path, *filters: str) -> Written:
    return freeze(settings, store, out, read_filters(filters), Console(file=StringIO()))


def read(out: Path, address: str) -> Any:
    return orjson.loads(gzip.decompress((out / file_of(address)).read_bytes()))


def contents(out: Path) -> Iterator[bytes]:
    """Every file, unpacked."""
    for path in out.rglob("*"):
        if path.is_file():
            yield gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def rich_run(trainer: Trainer, **fields: Any) -> str:
    """A finished run with curves, snapshots, findings and a capsule."""
    run_id, _ = trainer.start(**fields)
    trainer.say(run_id, 3, 6, 9, snapshots=(0, 12))
    trainer.test(run_id, 12, 0.5)
    trainer.analyse(run_id)
    trainer.finish(run_id, capsule=b"the capsule")
    return run_id


def test_a_run_has_the_answers_of_the_api(
    settings: Settings, store: Store, trainer: Trainer, client: TestClient, tmp_path: Path
) -> None:
    run_id = rich_run(trainer)
    out = tmp_path / "site"
    frozen(settings, store, out)
    whole, base = read(out, f"/api/runs/{run_id}"), f"/api/runs/{run_id}"
    live = client.get(base).json()
    assert whole["run"] == {**live, "missing": []}
    assert whole["schedule"] == client.get(f"{base}/schedule").json()
    cursors = {"points": 0, "snapshots": 0, "log": 0, "disabled": 0, "speeds": 0}
    fed = client.post("/api/feed", json={"runs": {run_id: cursors}, "layer": None}).json()["runs"][run_id]
    assert {**whole["feed"], "run": None} == {**fed, "run": None} and whole["feed"]["run"]["layers"] == live["layers"]
    assert whole["preview"]["cli"] == client.post("/api/preview", json=live["spec"]).json()["cli"]
    assert read(out, f"{base}/snapshots") == client.get(f"{base}/snapshots").json()
    assert read(out, f"{base}/findings") == client.get(f"{base}/findings").json()
    for ending in ("points?format=csv", "points?format=json", "findings?format=csv&table=relus", "capsule"):
        body = gzip.decompress((out / file_of(f"{base}/{ending}")).read_bytes())
        assert body == client.get(f"{base}/{ending}").content, ending
    listed = read(out, "/api/runs")["runs"]
    assert [run["id"] for run in listed] == [run_id] and listed[0]["top1"] == 0.75


def test_nothing_secret_is_frozen(settings: Settings, store: Store, tmp_path: Path) -> None:
    ada = Asker("visitor-of-ada", "address-of-ada")
    room, room_token = store.rooms.open("A class", None, ada)
    store.rooms.join(room.id, "Nickname of Ada", ada)
    run, token = store.runs.submit(RunSpec.model_validate(SPEC), by=ada, room=room.id)
    claimed = store.claims.take("ada-laptop-4242-9f3c")
    assert claimed is not None
    Trainer(store).finish(run.id)
    out = tmp_path / "site"
    assert set(frozen(settings, store, out).runs) == {run.id}
    for content in contents(out):
        for secret in (*SECRETS, token, room_token, room.id, "ada-laptop"):
            assert secret.encode() not in content


def test_a_name_that_the_operator_changed_is_gone(
    settings: Settings, store: Store, trainer: Trainer, tmp_path: Path
) -> None:
    run_id = done(trainer, name="Brmblfx")
    store.switch.rename(run_id, "A fine name")
    frozen(settings, store, tmp_path / "site")
    assert not any(b"Brmblfx" in content for content in contents(tmp_path / "site"))
    assert read(tmp_path / "site", "/api/runs")["runs"][0]["name"] == "A fine name"


def test_pages_lead_only_to_what_is_there(settings: Settings, store: Store, trainer: Trainer, tmp_path: Path) -> None:
    rich_run(trainer)
    out = tmp_path / "site"
    frozen(settings, store, out)
    pages = list(out.glob("*.html"))
    assert len(pages) == sum(page.frozen for page in PAGES.values()) >= 7
    for page in pages:
        text = page.read_bytes()
        targets = {target.decode() for target in ADDRESS.findall(text)}
        assert len(targets) > 10
        for target in targets:
            assert not target.startswith("/") and (out / target).is_file(), (page.name, target)
        assert b"data-live" not in text and b"/train" not in text.partition(b"onlybn-options")[0]
    assert b"/static/" not in (out / "static" / "site.css").read_bytes()


def test_studies_whose_runs_are_all_there(settings: Settings, store: Store, tmp_path: Path) -> None:
    spec = study_spec("random-k", "minutes")
    launched = store.studies.launch(spec)
    while store.claims.take("worker"):
        study = store.studies.get(launched.id)
        assert study is not None
        for run in study.runs:
            if run.state == "running":
                Trainer(store).finish(run.id)
    some, all_ = tmp_path / "some", tmp_path / "all"
    frozen(settings, store, all_)
    assert [study["id"] for study in read(all_, "/api/studies")["studies"]] == [launched.id]
    assert read(all_, f"/api/studies/{launched.id}")["state"] == "finished"
    assert (all_ / file_of(f"/api/studies/{launched.id}/results")).is_file()
    frozen(settings, store, some, "policy=batchnorm")
    assert read(some, "/api/studies")["studies"] == []
    assert not (some / file_of(f"/api/studies/{launched.id}")).exists()
    assert read(some, "/api/studies")["shipped"], "those that came with the project need no runs"


def test_a_space_can_take_it(settings: Settings, store: Store, tmp_path: Path) -> None:
    written = frozen(settings, store, tmp_path / "site")
    head = (tmp_path / "site" / "README.md").read_text("utf-8")
    assert head.startswith("---\n") and "\nsdk: static\n" in head
    headers = (tmp_path / "site" / "_headers").read_text("utf-8").splitlines()
    assert headers[0] == "/*"
    assert set(headers[1:]) == {f"  {name}: {value}" for name, value in ISOLATION.items()}
    assert all(f"{name.lower()}: {value}" in head for name, value in ISOLATION.items())
    assert "https://arxiv.org/abs/2003.00152" in head
    assert "*.gz filter=lfs" in (tmp_path / "site" / ".gitattributes").read_text()
    assert (tmp_path / "site" / MARK).is_file()
    assert written.runs == {} and written.fixed < 5_000_000
    assert any("No finished run matches" in line for line in said(written, tmp_path))


def test_the_command_says_what_it_wrote_and_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONLYBN_DATA", str(tmp_path / "data"))
    out = tmp_path / "site"
    monkeypatch.setattr("sys.argv", ["app", "freeze", "--out", str(out), "--filter", "policy=batchnorm"])
    assert main() == 0
    told = capsys.readouterr().err
    assert "1 run, " in told and "Largest file: static/plotly.min.js, 1.2 MB" in told
    for wrong, words in (
        (["--filter", "color=red"], "--filter knows text, policy"),
        (["--out", str(tmp_path)], "has files"),
    ):
        monkeypatch.setattr("sys.argv", ["app", "freeze", "--out", str(out), *wrong])
        assert main() == 2
        assert words in capsys.readouterr().err
    assert (out / "index.html").is_file()


def test_a_deep_network_keeps_the_last_snapshots_of_its_layers(
    settings: Settings, store: Store, trainer: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, _ = trainer.start(epochs=10)
    trainer.say(run_id, 3, snapshots=(0, 3, 6, 12, 24, 36))
    trainer.finish(run_id)
    whole = read_after(settings, store, tmp_path / "whole", run_id)
    monkeypatch.setattr("app.freeze.runs.SNAPSHOTS_BYTES", 10)
    thin = read_after(settings, store, tmp_path / "thin", run_id)
    assert len(whole) > 2 and [row["step"] for row in thin] == [whole[0]["step"], whole[-1]["step"]]
    assert thin[-1] == whole[-1]
    fed = read(tmp_path / "thin", f"/api/runs/{run_id}")["feed"]["snapshots"]
    assert [row["step"] for row in fed] == [row["step"] for row in whole], "all layers together keep all moments"


def read_after(settings: Settings, store: Store, out: Path, run_id: str) -> list[dict[str, Any]]:
    """The snapshots of a run in a site that is frozen now."""
    frozen(settings, store, out)
    rows: list[dict[str, Any]] = read(out, f"/api/runs/{run_id}/snapshots")["snapshots"]
    return rows
