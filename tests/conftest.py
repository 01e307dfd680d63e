"""Fixtures and helpers that all tests share, which tests `make check` leaves out, and which tests run where."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from jobs.store.database import open_database
from jobs.store.store import Store

os.environ.setdefault("GOMP_SPINCOUNT", "5000")  # before torch is imported, as `python -m core train` does
if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a core
    os.environ.setdefault("OMP_NUM_THREADS", "1")

MEMORY, ROOM = Path("/dev/shm"), 4 << 30
"""A folder in memory, and the bytes that it must have free. There the tests do not wait for a disk."""


def keep_in_memory() -> None:
    """Put temporary files, also those of the processes that tests start, into memory where this machine has room."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    there = os.statvfs(MEMORY)
    if there.f_bavail * there.f_frsize >= ROOM and not there.f_flag & (os.ST_NOEXEC | os.ST_RDONLY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


keep_in_memory()  # in the process that starts the workers; these inherit it

MARKS = {
    "postgres_url": "services",
    "redis_url": "services",
    "start": "server",
}
"""The mark of a test that uses such a fixture."""
FIRST = ("browser", "server", "training")
"""What takes longest begins first, so that no worker is left alone with it."""
BROWSER = Path(__file__).with_name("browser")
"""The folder of the tests that drive a browser."""
SITES = ("access", "gallery", "keyboard", "manners", "paper", "surgery", "training")
"""The tests in a browser that need more servers than `site`. They share one worker, and the others another one."""


class Rooms(LoadScopeScheduling):
    """The tests of a file run in one worker and share its fixtures; all tests in a browser run in two."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder, _, name = file.rpartition("/test_")
        if folder != "tests/browser":
            return file
        return f"{folder}: {'several sites' if name.removesuffix('.py') in SITES else 'one site'}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Rooms:
    return Rooms(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder and the fixtures that they use, and begin with what takes longest."""
    for item in items:
        if item.path.parent == BROWSER:
            item.add_marker("browser")
            item.add_marker(pytest.mark.flaky(reruns=1))
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARKS:
                item.add_marker(MARKS[fixture])

    def rank(item: pytest.Item) -> int:
        return next((place for place, mark in enumerate(FIRST) if item.get_closest_marker(mark)), len(FIRST))

    files: dict[Path, int] = {}
    for item in items:
        files[item.path] = min(rank(item), files.get(item.path, len(FIRST)))
    items.sort(key=lambda item: files[item.path])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show why a test in a browser needed a second try: a page that fails once in a while has a fault, too."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"second try: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


_numbers = count()


@pytest.fixture(autouse=True)
def _clean_settings(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """No test reads this machine's settings or writes into the project's data folder."""
    for name in list(os.environ):
        if name.startswith("ONLYBN_"):
            monkeypatch.delenv(name)
    if "tmp_path" in request.fixturenames:
        folder: Path = request.getfixturevalue("tmp_path")
    else:  # a folder that is made only if something is written there: most tests write nothing
        folder = tmp_path_factory.getbasetemp() / f"unnamed-{next(_numbers)}"
    monkeypatch.setenv("ONLYBN_DATA", str(folder / "data"))
    yield


@pytest.fixture(scope="session")
def make_database(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Puts an SQLite file with empty tables somewhere: a copy, since making the tables takes ten times as long."""
    empty = tmp_path_factory.mktemp("database") / "empty.db"
    store = Store(open_database(f"sqlite:///{empty}"))
    store.migrate()
    store.close()

    def make(file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(empty, file)

    return make
