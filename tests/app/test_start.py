"""`python -m app` as a person starts and stops it: real processes, a real worker, real signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import __main__ as program
from app.settings import Settings
from jobs.store.database import open_database
from jobs.store.store import Store

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
"""A second or two is usual; more where other tests share the cores."""
Start = Callable[..., subprocess.Popen[str]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `python -m app` with some settings; what is still there at the end is killed."""
    begun: list[subprocess.Popen[str]] = []

    def start(**settings: str | int) -> subprocess.Popen[str]:
        env = {**os.environ, "ONLYBN_DATA": str(tmp_path / "data"), **{k: str(v) for k, v in settings.items()}}
        # As in pyproject.toml: Gradio leaves a loop open.
        command = [sys.executable, "-W", "error", "-W", "ignore:unclosed event loop:ResourceWarning", "-m", "app"]
        with (tmp_path / "errors.txt").open("w") as errors:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=errors, text=True)
        begun.append(process)
        return process

    yield start
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def children(pid: int) -> list[int]:
    """The processes that `pid` started and that still live."""
    text = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in text for child in file.read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


@linux
def test_it_answers_once_it_says_so_and_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    """After Ctrl-C; test_hosted sends SIGTERM, as hosts do."""
    port = free_port()
    server = start(ONLYBN_PORT=port)
    assert server.stdout
    assert server.stdout.readline() == f"OnlyBN is at http://127.0.0.1:{port}  (Ctrl-C stops it)\n"
    for path in ("/", "/runs", "/healthz"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            assert answer.status == 200
    assert "torch" not in Path(f"/proc/{server.pid}/maps").read_text()
    (worker,) = children(server.pid)
    # One connection that is kept open, and one whose request never ends.
    with socket.create_connection(("127.0.0.1", port)) as kept, socket.create_connection(("127.0.0.1", port)) as slow:
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
        kept.recv(100)
        slow.sendall(b"POST /api/runs HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.2)
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE_S) == 0
    assert not alive(worker)
    assert server.stdout.read() == "OnlyBN has stopped.\n"
    assert "Traceback" not in (tmp_path / "errors.txt").read_text()


@linux
def test_ctrl_c_twice_leaves_no_trace(start: Start, tmp_path: Path) -> None:
    port = free_port()
    server = start(ONLYBN_PORT=port)
    assert server.stdout and server.stdout.readline().startswith("OnlyBN is at ")
    (worker,) = children(server.pid)
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /api/runs HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.2)
        for _ in range(2):
            server.send_signal(signal.SIGINT)
            time.sleep(0.15)
        assert server.wait(PATIENCE_S) in (0, -signal.SIGINT)
    assert gone_within(worker, 10)
    assert "Traceback" not in (tmp_path / "errors.txt").read_text()


@linux
def test_the_worker_ends_with_a_killed_server(start: Start, tmp_path: Path) -> None:
    server = start(ONLYBN_PORT=free_port())
    while not (tmp_path / "data" / "queue.db").exists():
        time.sleep(0.02)
    store = Store(open_database(f"sqlite:///{tmp_path / 'data' / 'onlybn.db'}"))
    while not store.tallies.health().workers:
        time.sleep(0.05)
    store.close()
    (worker,) = children(server.pid)
    server.kill()
    server.wait()
    assert gone_within(worker, 5)


def test_a_taken_port_is_said_before_anything_starts(start: Start, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert start(ONLYBN_PORT=port).wait(PATIENCE_S) == 2
    said = (tmp_path / "errors.txt").read_text()
    assert said == f"error: port {port} is in use: stop the other program or set ONLYBN_PORT\n"
    assert not (tmp_path / "data").exists()


@pytest.fixture
def told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str]]]:
    """Runs `python -m app` in this process, where it must end at once: its exit code, and what it says."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*words: str, **settings: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["app", *words])
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        try:
            code = program.main()
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.err if code else said.out

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ONLYBN_PORT": "http"}, "ONLYBN_PORT"),
        ({"ONLYBN_HOST": "192.0.2.1", "ONLYBN_PORT": "7999"}, "cannot listen on 192.0.2.1 port 7999"),
        ({"ONLYBN_DATABASE_URL": "mysql://x/y", "ONLYBN_PORT": str(free_port())}, "ONLYBN_DATABASE_URL must be"),
        ({"ONLYBN_QUEUE_URL": "amqp://x", "ONLYBN_PORT": str(free_port())}, "ONLYBN_QUEUE_URL must begin with"),
    ],
)
def test_a_wrong_setting_is_said(told: Callable[..., tuple[int, str]], settings: dict[str, str], words: str) -> None:
    code, said = told(**settings)
    assert code == 2 and said.startswith("error: ") and words in said


def test_help_names_every_setting_and_starts_nothing(told: Callable[..., tuple[int, str]]) -> None:
    code, said = told("--help")
    assert code == 0
    for name, field in Settings.model_fields.items():
        assert f"ONLYBN_{name.upper()}\n" in said and field.description
    code, said = told("--port", "1")
    assert code == 2 and "unrecognized arguments: --port" in said


def test_stopping_while_it_starts_leaves_no_trace(start: Start, tmp_path: Path) -> None:
    server = start(ONLYBN_PORT=free_port())
    while not (tmp_path / "data" / "onlybn.db").exists():
        time.sleep(0.02)
    time.sleep(0.5)
    server.send_signal(signal.SIGINT)
    # Where the signal meets a library in the midst of its import, Python 3.11 ends by the same signal after all is
    # cleared up; a shell calls both an interrupt.
    assert server.wait(PATIENCE_S) in (0, -signal.SIGINT)
    assert "Traceback" not in (tmp_path / "errors.txt").read_text()
