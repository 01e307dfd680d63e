"""What is shown of a link elsewhere: the run's own words, escaped, and a picture."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy.event import listen
from starlette.responses import HTMLResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.pages.table import PAGES
from app.sharing.cards import Card, draw
from app.sharing.links import LinkPreview, asked, preview
from app.sharing.social import Social, tags, with_tags
from core.run.spec import RunSpec
from core.studies.catalog.table import STUDIES, study_spec
from jobs.store.store import Store
from tests.app.conftest import SPEC, Trainer

GRADIOS = """<!doctype html><html><head>
<meta charset="utf-8" />
<meta property="og:title" content="Gradio" />
<meta
  property="og:description"
  content=""
/>
<meta name="twitter:creator" content="@Gradio" />
<script>1</script></head><body><head></head></body></html>"""


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    await HTMLResponse(GRADIOS)(scope, receive, send)


@pytest.fixture
def site(store: Store) -> TestClient:
    return TestClient(Social(pages, store))


def test_a_runs_link_says_what_it_is(site: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start(name="γ alone")
    trainer.test(run_id, 12, 0.5)
    trainer.finish(run_id, 0.75)
    assert site.get(f"/run?id={run_id}").status_code == 200
    html = site.get(f"/run?id={run_id}").text
    assert '<meta property="og:title" content="γ alone">' in html
    assert "ResNet-14 · BatchNorm only · Digits: 75.0% test accuracy. 1,120 of 174,970 parameters train" in html
    assert f'<meta property="og:image" content="http://testserver/api/card.png?runs={run_id}">' in html
    assert '<meta name="twitter:card" content="summary_large_image">' in html
    assert "<title>γ alone · OnlyBN</title>" in html
    assert "Gradio" not in html and html.count("og:title") == 1 and html.endswith("<body><head></head></body></html>")


@pytest.mark.parametrize("query", ["NoSuchRun12345", "%3Cscript%3E", "../../x", "x" * 60])
def test_the_page_of_an_unknown_run_is_404(site: TestClient, query: str) -> None:
    answer = site.get(f"/run?id={query}", headers={"Accept": "text/html"})
    assert answer.status_code == 404 and "</head>" in answer.text
    assert site.get("/run").status_code == site.get("/compare?runs=NoSuchRun12345").status_code == 200


def test_pages_without_a_run_speak_for_themselves(site: TestClient) -> None:
    assert "How much can a random network learn?" in site.get("/").text.replace(": how", ": How")
    assert "put to the test" in site.get("/paper").text
    assert 'content="Run"' in site.get("/run?id=nosuchrun1").text
    assert 'content="Gradio"' in site.get("/elsewhere").text, "what is not ours stays as it is"


def test_what_somebody_wrote_cannot_become_markup() -> None:
    lines = tags(LinkPreview('"><script>', "<b>", "/c?a&b"), "http://host", 'http://host/run?id="><script>')
    assert "<script>" not in lines and "<b>" not in lines and "a&amp;b" in lines
    assert with_tags("no head", lines) == "no head"


def named(path: str, query: str) -> object:
    """What the address of a page names: a list of runs, a study, or filters."""
    source = asked(path, query)
    return source and {key: value for key, value in source.items() if value}


def test_an_address_names_runs_a_study_or_filters_and_only_such_as_can_be(store: Store) -> None:
    assert named("/run", "id=abcdef123&layer=2") == {"runs": ["abcdef123"]}
    assert named("/surgery", "run=abcdef123&eps=0.1") == {"runs": ["abcdef123"]}
    assert named("/runs", "compare=abcdef1,abcdef2&state=finished") == {"runs": ["abcdef1", "abcdef2"]}
    assert named("/paper", "study=abcdef123&state=finished") == {"study": "abcdef123"}
    filters = {"policy": ["batchnorm"], "dataset": ["digits"], "text": "<b>"}
    assert named("/compare", "policy=batchnorm,nonsense&dataset=digits&text=%3Cb%3E&metric=loss") == filters
    assert named("/run", "id=%22%3E%3Cscript&runs=../../etc") is None
    assert named("/compare", "runs=../../etc&study=%22%3E&dataset=nonsense") is None
    assert named("/", "dataset=digits") is None, "what the form shows is no run"
    assert named("/compare", "&".join(f"a{k}=1" for k in range(100))) is None
    assert preview("/compare", "&".join(f"a{k}=1" for k in range(100)), store) is not None


@pytest.fixture
def eight(trainer: Trainer) -> list[str]:
    """Six finished runs of two policies, one that trains, one that waits."""
    runs = []
    for policy in ("batchnorm", "random-2"):
        for replicate in range(3):
            runs.append(trainer.start(policy=policy, replicate=replicate)[0])
            trainer.test(runs[-1], 24, (top1 := 0.9 - 0.6 * (policy != "batchnorm") + replicate / 100))
            trainer.finish(runs[-1], top1)
    running, _ = trainer.start(policy="all")
    trainer.test(running, 12, 0.99)
    waiting, _ = trainer.store.runs.submit(RunSpec.model_validate({**SPEC, "policy": "none"}))
    return [*runs, running, waiting.id]


SAID = "6 of 8 runs finished. Mean test accuracy: BatchNorm only 91.0%, 2 random weights per channel 31.0%; best 92.0%."


def told(site: TestClient, address: str) -> tuple[str, str, str]:
    """Title, description and the picture's address, as a crawler reads them."""
    html = site.get(address).text
    found = [re.findall(rf'property="og:{name}" content="([^"]*)"', html) for name in ("title", "description", "image")]
    assert [len(one) for one in found] == [1, 1, 1]
    title, description, image = (unescape(one[0]) for one in found)
    return title, description, image.removeprefix("http://testserver")


def test_many_runs_are_told_by_kind(client: TestClient, site: TestClient, eight: list[str]) -> None:
    for address, title in (
        (f"/compare?runs={','.join(eight)}&metric=loss", "8 runs compared"),
        (f"/runs?compare={','.join(eight)}", "8 runs compared"),
        ("/compare?dataset=digits", "8 runs compared: Digits"),
        ("/runs?architecture=resnet-14&dataset=digits&page=2", "8 runs compared: ResNet-14 · Digits"),
    ):
        said, description, image = told(site, address)
        assert (said, description) == (title, SAID), address
        picture = client.get(image)
        assert picture.headers["content-type"] == "image/png"
        assert picture.content != client.get("/api/card.png").content
    said, description, _ = told(site, "/compare?state=finished&policy=batchnorm,all&text=%22%3E%3Cscript%3E")
    assert said == "Compare", "nothing matches"
    said, description, _ = told(site, f"/compare?state=finished&policy=batchnorm,all&without={eight[2]}")
    assert said == "2 runs compared: Finished · BatchNorm only or All parameters"
    assert description == "2 runs, all finished. Mean test accuracy: BatchNorm only 90.5%; best 91.0%."
    said, description, _ = told(site, "/compare?state=queued,running")
    assert description == "0 of 2 runs finished."


def test_a_study_is_told_by_its_question(client: TestClient, site: TestClient, store: Store) -> None:
    launched = store.studies.launch(study_spec("random-k", "minutes"))
    count = len(launched.new_runs)
    for path in ("/paper", "/compare"):
        title, description, image = told(site, f"{path}?study={launched.id}")
        assert title == STUDIES["random-k"].question
        assert description == f"A study of the paper’s question, scale minutes. 0 of {count} runs finished."
        assert client.get(image).headers["content-type"] == "image/png"
    for path in ("/paper", "/compare"):
        title, description, image = told(site, f"{path}?study=nosuchstudy")
        assert (title, description) == (PAGES[path].link_title, PAGES[path].description) and image == "/api/card.png"
    assert client.get("/api/card.png?study=nosuchstudy").status_code == 404


def test_a_preview_reads_no_run_and_no_curve(store: Store, eight: list[str]) -> None:
    """A page must not wait for what a crawler alone reads: one statement, however many runs there are."""
    statements: list[str] = []
    listen(
        store.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2])
    )  # connection, cursor, statement
    preview("/compare", "dataset=digits", store)
    (counted,) = (text for text in statements if text != "BEGIN")
    assert "GROUP BY" in counted and not {"runs.spec", "runs.started"} & set(counted.replace(",", " ").split())


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
    assert client.get("/api/card.png?dataset=nonsense").status_code == 422
    assert client.get(f"/api/card.png?runs={','.join(f'run-id-{k}' for k in range(201))}").status_code == 422


def test_words_of_any_length_fit_on_the_picture() -> None:
    assert draw(Card("k", "W" * 400, ("word " * 60,), "99.9%", "w " * 90)) != draw(Card("k", "short"))
