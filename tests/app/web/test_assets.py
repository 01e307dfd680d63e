"""The files that pages load: found, compressed, kept by the browser, and nothing else served."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.web.assets import ORDER, Assets, sheets
from app.web.packages import package_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "charts").mkdir(parents=True)
    (static / "charts" / "line.js").write_text("export const a = 1;\n" * 100)
    (static / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (static / "link.txt").symlink_to(tmp_path / "secret.txt")
    return static


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[Assets(folder)])) as client:
        yield client


def test_a_script_is_served_compressed_with_its_type(client: TestClient, folder: Path) -> None:
    answer = client.get("/static/charts/line.js", headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200 and answer.headers["content-encoding"] == "gzip"
    assert "javascript" in answer.headers["content-type"]
    assert answer.text == (folder / "charts" / "line.js").read_text()
    plain = client.get("/static/charts/line.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.text == answer.text


def test_a_browser_that_has_the_file_gets_304_until_it_changes(client: TestClient, folder: Path) -> None:
    first = client.get("/static/icon.svg")
    assert first.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    again = client.get("/static/icon.svg", headers=known)
    assert again.status_code == 304 and again.content == b""
    (folder / "icon.svg").write_text("<svg><!-- new --></svg>")
    changed = client.get("/static/icon.svg", headers=known)
    assert changed.status_code == 200 and "new" in changed.text


def test_a_versioned_address_is_kept(client: TestClient) -> None:
    assert "immutable" in client.get("/static/icon.svg?v=1").headers["cache-control"]


def test_the_sheets_come_as_one_in_their_order_until_one_changes(tmp_path: Path) -> None:
    (tmp_path / "sheets").mkdir()
    for file in sheets(tmp_path):
        file.write_text(f".{file.stem} {{ color: red; }}\n")
    with TestClient(Starlette(routes=[Assets(tmp_path)])) as client:
        first = client.get("/static/site.css", headers={"Accept-Encoding": "gzip"})
        assert first.headers["content-type"].startswith("text/css") and first.headers["content-encoding"] == "gzip"
        assert re.findall(r"\.(\w+) ", first.text) == list(ORDER)
        known = {"If-None-Match": first.headers["etag"], "Accept-Encoding": "gzip"}
        assert client.get("/static/site.css", headers=known).status_code == 304
        sheets(tmp_path)[-1].write_text(".new { color: blue; }")
        assert ".new" in client.get("/static/site.css", headers=known).text


@pytest.mark.parametrize("way", ["br", "gzip", "identity"])
def test_plotly_comes_in_each_encoding_and_is_the_version_of_the_package(way: str) -> None:
    """A script that the Compare page exports draws with the package; it should draw the same."""
    with TestClient(Starlette(routes=[Assets()])) as client:
        answer = client.get("/static/plotly.min.js", headers={"Accept-Encoding": way})
    assert answer.status_code == 200 and "javascript" in answer.headers["content-type"]
    assert answer.headers.get("content-encoding", "identity") == way
    script = answer.content
    head = (package_folder("plotly") / "package_data" / "plotly.min.js").read_bytes()[:500]
    version = re.search(rb"plotly.js v[\d.]+", head)
    assert version and version[0] in script[:500]
    assert len(script) < 1_300_000


def test_a_browser_gets_the_smallest_form_that_it_takes(client: TestClient) -> None:
    sizes = {}
    for accepted, way in {"gzip, deflate, br": "br", "gzip;q=0.5": "gzip", "": None}.items():
        answer = client.get("/static/charts/line.js", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("content-encoding") == way
        assert answer.headers["vary"] == "Accept-Encoding" and answer.text.startswith("export const")
        sizes[way] = int(answer.headers["content-length"])
    assert sizes["br"] < sizes["gzip"] < sizes[None]


@pytest.mark.parametrize(
    "path", ["../secret.txt", "%2e%2e/secret.txt", "charts/../../secret.txt", "link.txt", "", "charts", "no.js", "%00"]
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    answer = client.get(f"/static/{path}")
    assert answer.status_code == 404 and "secret" not in answer.text
    assert client.post("/static/icon.svg").status_code in (404, 405)


def test_gradios_hashed_scripts_are_kept_for_good(client: TestClient) -> None:
    folder = Assets().hashed
    name = max(folder.glob("index-*.js"), key=lambda path: path.stat().st_size).name
    answer = client.get(f"/assets/{name}", headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert client.get("/assets/../config.json").status_code == 404
    assert client.get("/assets/nothing.js").status_code == 404
