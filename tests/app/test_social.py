"""What is shown of a link elsewhere: the run's own words, escaped, and a picture."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from starlette.responses import HTMLResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.cards import Card, draw
from app.social import Preview, Social, asked, preview, tags, with_tags
from jobs.store import Store
from tests.app.conftest import Trainer

GRADIOS = """<!doctype html><html><head>
<meta charset="utf-8" />
<meta property="og:title" content="Gradio" />
<meta
  property="og:description"
  content=""
/>
<meta name="twitter:creator" content="@Gradio" />
<script>1</script></head><body><head></head></body></html>"""


@pytest.fixture
def site(store: Store) -> TestClient:
    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        await HTMLResponse(GRADIOS)(scope, receive, send)

    return TestClient(Social(pages, store))


def test_a_runs_link_says_what_it_is(site: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start(name="γ alone")
    trainer.test(run_id, 12, 0.5)
    trainer.finish(run_id, 0.75)
    html = site.get(f"/run?id={run_id}").text
    assert '<meta property="og:title" content="γ alone">' in html
    assert "ResNet-14 · BatchNorm only · Digits: 75.0% test accuracy. 1,120 of 174,970 parameters train" in html
    assert f'<meta property="og:image" content="http://testserver/api/card.png?runs={run_id}">' in html
    assert '<meta name="twitter:card" content="summary_large_image">' in html
    assert "<title>γ alone · OnlyBN</title>" in html
    assert "Gradio" not in html and html.count("og:title") == 1 and html.endswith("<body><head></head></body></html>")


def test_pages_without_a_run_speak_for_themselves(site: TestClient) -> None:
    assert "How much can a random network learn?" in site.get("/").text.replace(": how", ": How")
    assert "put to the test" in site.get("/paper").text
    assert 'content="Run"' in site.get("/run?id=nosuchrun1").text
    assert 'content="Gradio"' in site.get("/elsewhere").text, "what is not ours stays as it is"


def test_what_somebody_wrote_cannot_become_markup() -> None:
    lines = tags(Preview('"><script>', "<b>", "/c?a&b"), "http://host", 'http://host/run?id="><script>')
    assert "<script>" not in lines and "<b>" not in lines and "a&amp;b" in lines
    assert with_tags("no head", lines) == "no head"


def test_an_address_names_at_most_six_runs_and_only_such_as_can_be() -> None:
    assert asked("id=abcdef123") == ["abcdef123"]
    assert asked("run=abcdef123&eps=0.1") == ["abcdef123"]
    assert asked("compare=" + ",".join(f"run-id-{k}" for k in range(9)) + "&x=1") == [f"run-id-{k}" for k in range(6)]
    assert asked("id=%22%3E%3Cscript&runs=../../etc") == []
    assert preview("/run", "&".join(f"a{k}=1" for k in range(100)), lambda ids: {}) is not None


def test_the_picture_of_runs(client: TestClient, trainer: Trainer) -> None:
    runs = [trainer.start()[0] for _ in range(2)]
    trainer.test(runs[0], 12, 0.5)
    for query in (f"?runs={runs[0]}", f"?runs={runs[0]},{runs[1]}", ""):
        answer = client.get(f"/api/card.png{query}")
        assert answer.headers["content-type"] == "image/png"
        assert Image.open(BytesIO(answer.content)).size == (1200, 630)
        again = client.get(f"/api/card.png{query}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    assert client.get("/api/card.png?runs=nosuchrun").status_code == 404
    assert client.get("/api/card.png?runs=../etc").status_code == 422
    assert client.get(f"/api/card.png?runs={','.join([runs[0]] * 7)}").status_code == 422


def test_words_of_any_length_fit_on_the_picture() -> None:
    assert draw(Card("k", "W" * 400, ("word " * 60,), "99.9%", "w " * 90)) != draw(Card("k", "short"))
