"""What README, docs/ and CONTRIBUTING.md say is true: settings, commands, targets, routes, links and folders."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from app.settings import Settings
from core.commands.arguments import parser, spec_of
from core.version import VERSION
from tests.unchanged.record import RECORDED

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
README_BYTES = 7_000


def commands(text: str) -> list[list[str]]:
    """The words after `.venv/bin/` of every command in a fenced block."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(".venv/bin/")]


def engine_commands() -> list[list[str]]:
    """The arguments of each `python -m core` in the pages; of torchrun those behind `-m core`."""
    said = [words for page in PAGES for words in commands(page.read_text())]
    return [words[words.index("core") + 1 :] for words in said if "core" in words]


def test_the_change_log_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == VERSION
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text()


def test_readme_is_short() -> None:
    assert len(README.read_bytes()) <= README_BYTES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", page.read_text())
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


def test_every_page_is_linked_from_readme() -> None:
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", README.read_text()))
    assert linked == {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}


def test_every_setting_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `(ONLYBN_[A-Z_0-9]+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == {f"ONLYBN_{name.upper()}" for name in Settings.model_fields}


def test_settings_that_are_named_elsewhere_exist() -> None:
    known = {f"ONLYBN_{name.upper()}" for name in Settings.model_fields}
    known |= {"ONLYBN_TEST_POSTGRES_URL", "ONLYBN_TEST_REDIS_URL"}  # tests/jobs/conftest.py
    for page in PAGES:
        if page.stem == "extending":  # its example has a variable of its own
            continue
        assert set(re.findall(r"ONLYBN_[A-Z][A-Z_0-9]*[A-Z0-9]", page.read_text())) <= known, page


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        text = page.read_text()
        assert set(re.findall(r"`make ([a-z-]+)`", text)) | set(re.findall(r"^make ([a-z-]+)$", text, re.M)) <= targets
    assert {"run", "test"} <= set(re.findall(r"^make ([a-z-]+)$", README.read_text(), re.MULTILINE))


def test_commands_are_understood() -> None:
    for words in engine_commands():
        arguments = parser().parse_args(words)  # ends the test with what is wrong
        if arguments.command == "train" and not arguments.start:
            spec_of(arguments)


def test_there_are_commands() -> None:
    assert {words[0] for words in engine_commands()} == {"train", "count", "compute", "capsule", "studies"}


def test_options_of_train_exist() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text()
    helped = parser().format_help()
    named = set(re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE))
    actions = parser()._subparsers._group_actions[0].choices["train"]._option_string_actions  # type: ignore[union-attr]
    assert named and named <= set(actions), helped


def test_routes_exist() -> None:
    import json

    paths = json.loads(RECORDED.read_text())["openapi"]["paths"]
    known = {
        (method.upper(), re.sub(r"\{\w+\}", "{id}", path)) for path, methods in paths.items() for method in methods
    }
    said = set(re.findall(r"`(GET|POST|DELETE) (/(?:api|healthz)[\w/{}]*)`", (ROOT / "docs" / "api.md").read_text()))
    assert len(said) > 15
    assert said <= known


def test_architecture_names_every_folder() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    folders = {
        str(path.parent.relative_to(ROOT)) for top in ("app", "core", "jobs") for path in (ROOT / top).rglob("*.py")
    }
    folders |= {str(path.parent.relative_to(ROOT)) for path in (ROOT / "static").rglob("*.js")}
    wings = {folder for folder in folders if folder.count("/") <= 1}
    missing = [wing for wing in sorted(wings) if f"{wing.rpartition('/')[2]}/" not in text]
    assert not missing
    for named in re.findall(r"`((?:app|core|jobs|static|tests)/[\w/.-]+)`", text):
        assert (ROOT / named).exists(), named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_that_are_named_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":  # it names what was
        return
    named = set(re.findall(r"`((?:app|core|jobs|static|tests|docs)/[\w/.-]+\.\w+)`", page.read_text()))
    assert not [name for name in named if "NAME" not in name and not (ROOT / name).exists()]
