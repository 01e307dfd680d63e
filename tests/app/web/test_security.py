"""What strangers may not do, on the whole site with a Gradio page mounted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.server import make_app, mount_pages
from app.settings import Settings
from app.web import bodies
from app.web.bodies import MAX_BODY
from app.web.security import ISOLATION, Rules, Security
from jobs.store.database import open_database
from jobs.store.store import Store
from tests.app.conftest import SPEC, finish


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The site with a page that has an upload field, a private function and a second page."""
    import gradio as gr

    settings = Settings(data=tmp_path_factory.mktemp("data"))
    store = Store(open_database(settings.store_url))
    store.migrate()
    with gr.Blocks(analytics_enabled=False) as pages:
        text = gr.Textbox()
        gr.File()
        text.change(lambda value: value, text, text, api_name="secret", api_visibility="private")
    with pages.route("Runs", "runs"):
        gr.Markdown("runs")
    app = make_app(settings, store, lambda run_id: None, dict)
    mount_pages(app, pages, settings, {})
    with TestClient(app, base_url="http://127.0.0.1:7860", raise_server_exceptions=False) as client:
        yield client
    store.close()


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/api/runs", "/api/docs", "/healthz", "/api/no", "/static/no", "/login"]
)
def test_every_answer_carries_the_headers(site: TestClient, path: str) -> None:
    headers = site.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self' https://huggingface.co https://*.hf.space"
    assert policy["object-src"] == "'none'"
    assert "http" not in policy["script-src"]


@pytest.mark.parametrize(
    ("path", "isolated"),
    [("/tab", True), ("/static/engine/training/worker.js", True), ("/static/engine/thread.js", True), ("/", False)],
)
def test_memory_is_shared_where_something_trains(site: TestClient, path: str, isolated: bool) -> None:
    headers = site.get(path).headers
    assert {name: headers.get(name) for name in ISOLATION} == {
        name: value if isolated else None for name, value in ISOLATION.items()
    }


def test_the_pages_work(site: TestClient) -> None:
    for path in ("/", "/runs", "/theme.css", "/static/img/logo.svg"):
        assert site.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/UPLOAD"),
        ("GET", "/gradio_api/upload_progress?upload_id=1"),
        ("GET", "/gradio_api/proxy=https://a.hf.space/x"),
        ("GET", "/gradio_api/file=https://example.org/x"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file/etc/passwd"),
        ("GET", "/gradio_api/deep_link?session_hash=x"),
        ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/run-history/buckets"),
        ("POST", "/gradio_api/run/secret"),
        ("POST", "/gradio_api/call/secret"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/stream/x"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/vibe-edit"),
        ("GET", "/gradio_api/vibe-code"),
        ("GET", "/gradio_api/dev/reload"),
        ("GET", "/gradio_api/mcp/"),
        ("GET", "/gradio_api"),
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("POST", "/login"),
        ("GET", "/config"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
    ],
)
def test_gradios_other_routes_do_not_exist(site: TestClient, method: str, path: str) -> None:
    answer = site.request(method, path, json={"data": ["x"]} if method == "POST" else None)
    assert answer.status_code == 404 and answer.json()["detail"] == "there is nothing at this address"


@pytest.mark.parametrize("path", ["/api/runs", "/api/feed", "/api/preview", "/api/runs/NoSuchRun12345/cancel"])
def test_other_sites_cannot_act(site: TestClient, path: str) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:7861", "http://127.0.0.1:7860.evil.example"):
        answer = site.post(path, json=SPEC, headers={"Origin": origin})
        assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers
    assert site.post(path, json=SPEC, headers={"Origin": "http://127.0.0.1:7860"}).status_code != 403


def test_other_sites_cannot_read(site: TestClient) -> None:
    for path in ("/api/runs", "/", "/runs"):
        answer = site.get(path, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers
        preflight = site.options(
            path, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        )
        assert preflight.status_code == 400 and "access-control-allow-origin" not in preflight.headers


def test_forwarded_headers_of_strangers_are_ignored(site: TestClient) -> None:
    lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Gradio-Server": "https://evil.example"}
    for path in ("/", "/runs"):
        assert "evil.example" not in site.get(path, headers=lies).text


def test_large_bodies_are_refused(site: TestClient) -> None:
    whole = site.post("/api/runs", content=b"x" * (MAX_BODY + 1))
    assert whole.status_code == 413 and "8 KB" in whole.json()["detail"]
    pieces = site.post("/api/runs", content=(b"x" * 1000 for _ in range(MAX_BODY // 1000 + 1)))
    assert pieces.status_code == 413
    fits = site.post("/api/runs", content=b"x" * MAX_BODY)
    assert fits.status_code == 422


def test_files_of_the_data_folder_are_not_served(site: TestClient) -> None:
    for path in ("/static/../data/onlybn.db", "/file=data/onlybn.db", "/assets/../../data/onlybn.db"):
        assert site.get(path).status_code == 404


def call(app: Security, scope: dict[str, Any], *messages: dict[str, Any]) -> list[Any]:
    """Ask `app` as a server would; when the messages are used up, no more comes."""
    sent: list[Any] = []
    waiting = list(messages)

    async def receive() -> Any:
        if waiting:
            return waiting.pop(0)
        return await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    finish(app(scope, receive, send))
    return sent


async def never(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("the request must not come through")


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_WITHIN_S", 0.05)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/runs",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    sent = call(Security(never, Rules("'self'")), scope, {"type": "http.request", "body": b"{", "more_body": True})
    assert sent[0]["status"] == 408


def test_web_sockets_are_refused() -> None:
    sent = call(Security(never, Rules("'self'")), {"type": "websocket", "path": "/", "headers": []})
    assert sent == [{"type": "websocket.close", "code": 1000}]


def test_behind_a_proxy_its_address_is_the_sites(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, public_url="https://bn.example.org")
    store = Store(open_database(settings.store_url))
    store.migrate()
    app = make_app(settings, store, lambda run_id: None, dict)
    with TestClient(app, base_url="http://10.0.0.5:7860") as client:
        answer = client.post("/api/runs", json=SPEC, headers={"Origin": "https://bn.example.org"})
        assert answer.json()["url"] == f"https://bn.example.org/run?id={answer.json()['id']}"
        assert "connect-src 'self' https://bn.example.org" in answer.headers["content-security-policy"]
    store.close()
