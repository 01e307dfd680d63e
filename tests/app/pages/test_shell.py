"""Pages without Gradio: what stands at an address without a page, and for whom."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/nowhere", "/run/abc", "/index.php"])
def test_who_looks_for_a_page_where_there_is_none_is_led_on(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == 404 and answer.headers["content-type"].startswith("text/html")
    assert "Page not found" in answer.text and 'href="/runs"' in answer.text
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert client.head(path, headers=BROWSER).status_code == 404


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/nowhere", "application/json"), ("/api/nothing", "text/html"), ("/static/no", "text/html")],
)
def test_programs_get_errors_as_before(client: TestClient, path: str, accept: str) -> None:
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == 404 and "Page not found" not in answer.text


def test_a_page_that_is_there_comes_whole(client: TestClient) -> None:
    answer = client.get("/api/docs", headers=BROWSER)
    assert answer.status_code == 200 and "/api/runs" in answer.text
    assert answer.text.count("<html") == answer.text.count("site-header") == 1
