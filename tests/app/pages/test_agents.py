"""What /agents.md says is true: its ten lines of Python ask a real server, and the addresses exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.pages.agents import page
from tests.browser.conftest import serve

TINY = '"epochs": 1, "train_examples": 64, "test_examples": 32'
LINES, LONGEST = 10, 8_000


def program(text: str) -> str:
    """The Python in the page."""
    found = re.search(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_it_is_short_plain_text_with_this_sites_address(client: TestClient) -> None:
    answer = client.get("/agents.md")
    assert answer.headers["content-type"].startswith("text/plain") and "attachment" not in str(answer.headers)
    assert "http://127.0.0.1:7860/api/studies" in answer.text and len(answer.text) < LONGEST
    assert len(program(answer.text).splitlines()) == LINES and "&" not in answer.text
    assert "/agents.md" in client.get("/api/openapi.json").json()["info"]["description"]


def test_the_addresses_exist(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    known = {(method.upper(), re.sub(r"\{\w+\}", "ID", path)) for path, all_ in paths.items() for method in all_}
    said = set(re.findall(r"(GET|POST) (/api/[\w/.]*\w)", page("")))
    assert len(said) >= 7 and said <= known


@pytest.mark.server
@pytest.mark.training
def test_its_ten_lines_ask_wait_and_read_the_verdict(tmp_path: Path) -> None:
    for site in serve(tmp_path / "data", embedded_worker=True):
        text = page(site.url)
        assert '"epochs": 2' in text
        code = program(text).replace('"epochs": 2', TINY).replace("sleep(5)", "sleep(0.5)")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        words, _, sentence = done.stdout.strip().partition(" - ")
        assert words in ("holds here", "does not hold here", "not enough runs")
        assert "All parameters minus Nothing" in sentence and "n = 3" in sentence
