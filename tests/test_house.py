"""The house keeps its shape: imports run one way, files can be read in one sitting, folders can be taken in."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("app", "core", "jobs")
LONGEST = 300
MODULES = 20
SOURCES = [p for top in (*PACKAGES, "static", "tests") for p in (ROOT / top).rglob("*") if p.is_file()]


def modules(*tops: str) -> list[Path]:
    """The Python modules below folders of the root."""
    return [path for top in tops for path in sorted((ROOT / top).rglob("*.py"))]


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


def test_counting_does_not_wait_for_jinja() -> None:
    code = "import sys, core.__main__\nassert 'jinja2' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_files_can_be_read_in_one_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in SOURCES
        if path.suffix in (".py", ".js") and (count := len(path.read_text().splitlines())) > LONGEST
    }
    assert not long


def test_a_folder_can_be_taken_in() -> None:
    """`__init__.py` and `__main__.py` are doors, not rooms."""
    doors = ("__init__.py", "__main__.py")
    rooms = Counter(str(path.parent.relative_to(ROOT)) for path in modules(*PACKAGES) if path.name not in doors)
    assert not {folder: count for folder, count in rooms.items() if count > MODULES}


def test_packages_run_nothing_when_they_are_imported() -> None:
    assert not [path for path in modules(*PACKAGES) if path.name == "__init__.py" and path.read_text().strip()]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_class_name_stands_twice_in_a_package(package: str) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in modules(package):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                found[node.name].append(str(path.relative_to(ROOT)))
    assert not {name: where for name, where in found.items() if len(where) > 1}


def test_every_module_says_what_lives_in_it() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in modules(*PACKAGES)
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


def test_no_file_names_another_host() -> None:
    """Pages ask no other host for anything; links that a person may follow are to the paper only."""
    allowed = re.compile(r"https?://(www\.w3\.org/|arxiv\.org/|127\.0\.0\.1|localhost)")
    found = [
        f"{path.relative_to(ROOT)}: {url}"
        for path in SOURCES
        if path.suffix in (".js", ".css", ".svg", ".html", ".j2")
        for url in re.findall(r"https?://[^\s\"'`)]+", path.read_text())
        if not allowed.match(url)
    ]
    assert not found
