"""The house keeps its shape: no torch where none may be, files can be read in one sitting, the README tells the truth.
`make lint` checks which package may import which."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SOURCES = [p for top in ("app", "core", "jobs", "static", "tests") for p in (ROOT / top).rglob("*") if p.is_file()]


@pytest.mark.server
def test_no_torch_in_the_web_process_or_the_worker() -> None:
    modules = (
        "core.__main__",
        "jobs.store.store",
        "jobs.worker.worker",
        "app.preview.preview",
        "app.live.feed",
        "app.server",
    )
    code = "".join(f"import {module}\nassert 'torch' not in sys.modules, '{module}'\n" for module in modules)
    done = subprocess.run([sys.executable, "-c", f"import sys\n{code}"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_files_can_be_read_in_one_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in SOURCES
        if path.suffix in (".py", ".js") and (count := len(path.read_text().splitlines())) > 350
    }
    assert not long


def test_every_setting_is_in_the_readme_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(ONLYBN_[A-Z_0-9]+)`", README, re.MULTILINE))
    assert documented == {f"ONLYBN_{name.upper()}" for name in Settings.model_fields}


def test_the_readmes_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name for pair in re.findall(r"`make ([a-z]+)`|^make ([a-z]+)$", README, re.MULTILINE) for name in pair if name
    }
    assert {"run", "test"} <= named <= targets


def test_no_file_names_another_host() -> None:
    """Pages ask no other host for anything; links that a person may follow are to the paper only."""
    allowed = re.compile(r"https?://(www\.w3\.org/|arxiv\.org/|127\.0\.0\.1|localhost)")
    found = [
        f"{path.relative_to(ROOT)}: {url}"
        for path in SOURCES
        if path.suffix in (".js", ".css", ".svg", ".html")
        for url in re.findall(r"https?://[^\s\"'`)]+", path.read_text())
        if not allowed.match(url)
    ]
    assert not found
