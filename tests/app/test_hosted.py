"""`python -m app` as a host starts it: on a disk that is wiped, behind a password, with logs for programs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from app import __main__ as program
from app.settings import Settings
from jobs.store.database import open_database
from jobs.store.store import Store
from tests.app.conftest import SPEC
from tests.app.test_start import PATIENCE_S, Start, alive, children, free_port, linux, start, told  # noqa: F401


def post(port: int, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.load(answer))


def test_a_wiped_disk_has_its_runs_again(start: Start, tmp_path: Path) -> None:  # noqa: F811
    """Killed, so that only the copy of a moment before is there; then stopped in order."""
    settings = {
        "ONLYBN_SNAPSHOT": str(tmp_path / "bucket"),
        "ONLYBN_SNAPSHOT_EVERY_S": 5,
        "ONLYBN_EMBEDDED_WORKER": "no",
    }
    ids = []
    for how in (signal.SIGKILL, signal.SIGTERM):
        port = free_port()
        server = start(ONLYBN_PORT=port, **settings)
        assert server.stdout
        said = server.stdout.readline()
        if ids:
            assert said.startswith("The database was restored from ")
            said = server.stdout.readline()
        assert said.startswith("OnlyBN is at ")
        ids.append(post(port, "/api/runs", {**SPEC, "replicate": len(ids)})["id"])
        if how is signal.SIGKILL:
            _wait_for_copy_with(tmp_path / "bucket", ids[0])
        server.send_signal(how)
        server.wait(PATIENCE_S)
        shutil.rmtree(tmp_path / "data")
    bare = Settings(data=tmp_path / "third", snapshot=tmp_path / "bucket")
    program.bring_back(bare)
    store = Store(open_database(bare.store_url))
    assert all(store.runs.get(run_id) for run_id in ids)
    store.close()


def _wait_for_copy_with(bucket: Path, run_id: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for note in bucket.glob("*.json"):
            file = note.with_suffix(".db")
            if run_id.encode() in file.read_bytes():
                return
        time.sleep(0.1)
    pytest.fail("no copy came")


def test_a_bucket_is_for_sqlite(told: Any, tmp_path: Path) -> None:  # noqa: F811
    code, said = told(
        ONLYBN_PORT=str(free_port()),
        ONLYBN_SNAPSHOT=str(tmp_path),
        ONLYBN_DATABASE_URL="postgresql://127.0.0.1:1/nothing",
    )
    assert code == 2 and "ONLYBN_SNAPSHOT is for SQLite" in said


@linux
def test_a_password_stands_before_a_real_server_that_sigterm_stops(start: Start, tmp_path: Path) -> None:  # noqa: F811
    port = free_port()
    server = start(
        ONLYBN_PORT=port,
        ONLYBN_AUTH="password",
        ONLYBN_AUTH_PASSWORD="correct horse battery",
        ONLYBN_LOG_FORMAT="json",
    )
    assert server.stdout and json.loads(server.stdout.readline())["message"].startswith("OnlyBN is at ")
    for path in ("/", "/api/runs", "/static/site/site.js", "/theme.css", "/runs"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10)
        assert refused.value.code == 401
        refused.value.close()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
        assert json.load(answer)["status"] == "ready"
    (worker,) = children(server.pid)
    server.terminate()
    assert server.wait(PATIENCE_S) == 0
    assert not alive(worker)
    assert json.loads(server.stdout.read())["message"] == "OnlyBN has stopped."
    for line in (tmp_path / "errors.txt").read_text().splitlines():
        assert "correct horse" not in line and json.loads(line)["message"]


def test_a_dead_worker_and_a_bad_start_are_said_in_json(start: Start, told: Any, tmp_path: Path) -> None:  # noqa: F811
    port = free_port()
    server = start(ONLYBN_PORT=port, ONLYBN_LOG_FORMAT="json")
    assert server.stdout and json.loads(server.stdout.readline())["message"].startswith("OnlyBN is at ")
    (worker,) = children(server.pid)
    os.kill(worker, signal.SIGKILL)
    end = time.monotonic() + PATIENCE_S
    while not (lines := (tmp_path / "errors.txt").read_text().splitlines()) and time.monotonic() < end:
        time.sleep(0.1)
    assert json.loads(lines[-1])["message"].startswith("The worker ended with signal 9; starting another in ")
    code, said = told(ONLYBN_PORT=str(port), ONLYBN_LOG_FORMAT="json")
    assert code == 2 and f"port {port} is in use" in json.loads(said)["message"]
