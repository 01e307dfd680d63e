"""The first page as a document: what it says before any script, and which addresses are old links to the form."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from app.form.experiments import EXPERIMENTS
from app.pages.landing import SCRIPT, found
from app.web.assets import STATIC
from app.web.modules import modules
from core.catalog.paper import QUOTES
from core.documents.numbers import rounded


def test_the_document_holds_the_finding_and_the_questions(client: TestClient) -> None:
    html = client.get("/").text
    body = html.partition("<main")[2].partition("onlybn-options")[0]
    finding = found()
    assert finding is not None
    for side in finding.sides:
        assert rounded(side.top1) in body.partition("</h1>")[0]
    assert "<polyline" in body and QUOTES["abstract"].text in body
    for experiment in list(EXPERIMENTS.values())[1:]:
        assert experiment.sentence in body.replace("&#x27;", "'")
    assert "gradio" not in html.lower()
    assert html.count("<title>") == 1 and 'property="og:title"' in html


def test_the_modules_of_the_page_are_named_in_its_head(client: TestClient) -> None:
    head = client.get("/").text.partition("</head>")[0]
    named = re.findall(r'rel="modulepreload" href="/static/([^"]+)"', head)
    assert named == list(modules(SCRIPT)) and named[-1] == SCRIPT
    assert {"base/dom.js", "server/api.js", "site/site.js"} < set(named)
    assert all((STATIC / name).is_file() for name in named)


@pytest.mark.parametrize("query", ["policy=all", "epochs=7&embed=1", "wishes=3", "init.norm=ones"])
def test_an_old_link_leads_to_the_form(client: TestClient, query: str) -> None:
    answer = client.get(f"/?{query}", follow_redirects=False)
    assert answer.status_code == 307 and answer.headers["location"] == f"/train?{query}"


@pytest.mark.parametrize("query", ["", "embed=1&theme=dark", "utm_source=x", "__theme=dark"])
def test_other_parameters_stay_on_the_first_page(client: TestClient, query: str) -> None:
    assert client.get(f"/?{query}", follow_redirects=False).status_code == 200


def test_every_question_can_be_answered() -> None:
    for experiment in EXPERIMENTS.values():
        assert len(experiment.names) == len(experiment.runs)
        assert len(set(experiment.decides)) == 2 and max(experiment.decides) < len(experiment.runs)
        assert experiment.claim.text and all(vars(experiment.meaning).values())
