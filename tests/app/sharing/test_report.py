"""A run's report: its numbers, its marks, and that nothing a stranger wrote becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

from markupsafe import escape
from starlette.testclient import TestClient

from app.sharing.report import Report, html
from core.documents.document import style
from core.version import VERSION
from tests.app.conftest import SPEC, Trainer

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'"


class Tags(HTMLParser):
    """Which elements a document has, and the texts of its scripts and style sheets."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        if self.names and self.names[-1] in ("script", "style"):
            self.texts.setdefault(self.names[-1], []).append(data)


def numbers(text: str) -> dict[str, object]:
    found = re.search(r'<script id="report-data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found
    result: dict[str, object] = json.loads(found[1])
    return result


def test_a_finished_run_as_a_file(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start(name="Digits")
    trainer.say(run_id, 3, 6, 12, 24, snapshots=(0, 24))
    trainer.test(run_id, 24, 0.5125)
    found = trainer.analyse(run_id)
    trainer.finish(run_id, top1=0.5125)
    answer = client.get(f"/api/runs/{run_id}/report")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="onlybn-{run_id}.html"'
    text = answer.text
    assert "<h1>Digits</h1>" in text
    assert "51.25%" in text
    assert f'href="http://127.0.0.1:7860/run?id={run_id}"' in text
    assert re.search(rf"Made 20\d\d-\d\d-\d\d \d\d:\d\d UTC by OnlyBN {re.escape(VERSION)} from", text)
    assert "not finished" not in text
    data = numbers(text)
    assert data["test"] == {"epoch": [2.0], "loss": [1.0], "top1": [0.5125]}
    moments = data["moments"]
    assert isinstance(moments, list) and [moment["epoch"] for moment in moments] == [0.0, 2.0]
    assert data["ablation"] == [row.model_dump() for row in found.ablation]
    for heading in ("Threshold ablation", "Layer by layer", "What happened", "Specification"):
        assert heading in text


def test_a_running_run_says_that_it_is_not_finished(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 3, 6, snapshots=(0,))
    text = client.get(f"/api/runs/{run_id}/report").text
    assert "This run was not finished when this file was made: it was at step 6 of 24." in text
    assert "This run has not been tested yet." in text


def test_a_waiting_run_has_no_charts(client: TestClient) -> None:
    run_id = client.post("/api/runs", json=SPEC).json()["id"]
    text = client.get(f"/api/runs/{run_id}/report").text
    assert "still in the queue" in text
    assert "nothing to draw" in text and "data-chart=" not in text.split("<script>")[0]


def test_what_strangers_write_stays_text(trainer: Trainer) -> None:
    """Today's rules for names would refuse this one; the file must not depend on them."""
    run_id, _ = trainer.start()
    trainer.say(run_id, 3, snapshots=(0,))
    trainer.store.claims.fail(run_id, 1, "error", EVIL)
    report = Report.of(run_id, trainer.store, f"http://here/{EVIL}")
    assert report and report.run.started
    spec = report.run.spec.model_copy(update={"name": EVIL})
    layers = tuple(layer.model_copy(update={"name": EVIL}) for layer in report.run.started.layers)
    started = report.run.started.model_copy(update={"layers": layers, "engine": EVIL})
    text = html(replace(report, run=replace(report.run, spec=spec, started=started)))
    tags = Tags(text)
    assert tags.names.count("script") == 2 and "img" not in tags.names
    assert text.count(escape(EVIL)) >= 7 + len(layers), "name, title, link twice, error, log, engine, layers"
    layers_told = numbers(text)["layers"]
    assert isinstance(layers_told, list) and layers_told[0]["name"] == EVIL


def test_only_its_own_script_and_style_may_run(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    text = client.get(f"/api/runs/{run_id}/report").text
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy and policy[1].startswith("default-src 'none'; ")
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(scripts) == len(styles) == 1
    for kind, content in (("script", scripts[0]), ("style", styles[0])):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]


def test_its_colours_are_the_sites() -> None:
    light, dark = style().split("@media (prefers-color-scheme: dark)")
    assert "--ground: #f6f7f9" in light and "--ground: #0e1116" in dark


def test_no_such_run(client: TestClient) -> None:
    answer = client.get("/api/runs/nothing-here/report")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("there is no run nothing-here here")
