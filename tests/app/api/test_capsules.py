"""Capsules of any size over HTTP, also of runs that were trained in another data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from jobs.store.artefacts.tables import PIECES
from jobs.store.store import Store
from tests.app.api.test_starts import file_of
from tests.app.conftest import HERE, SPEC, Trainer

SIZE = 6 << 20


@pytest.fixture(params=["database", "file"])
def kept(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Store:
    return Store(store.database, "database" if request.param == "database" else f"file://{tmp_path}/artefacts")


@pytest.fixture
def web(settings: Settings, kept: Store) -> Iterator[TestClient]:
    """The site on a machine that trains nothing."""
    app = make_app(settings, kept, lambda _: None, lambda: {"policies": []})
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def away(kept: Store, trainer: Trainer, tmp_path: Path) -> tuple[str, bytes]:
    """A running run whose trainer, on another machine, has just left its capsule."""
    path, content = tmp_path / "worker" / "final.safetensors", file_of({"format": "onlybn-capsule"}, floats=SIZE // 4)
    path.parent.mkdir()
    path.write_bytes(content)
    run_id, _ = trainer.start()
    assert kept.artefacts.keep(run_id, 1, "capsule", path)
    return run_id, content


def harm(kept: Store, tmp_path: Path, *, missing: bool) -> None:
    """Change a byte near the end, or take all away."""
    files = [path for path in (tmp_path / "artefacts").rglob("*") if path.is_file()]
    if files:
        content = files[0].read_bytes()
        files[0].unlink() if missing else files[0].write_bytes(content[:-9] + b"x" + content[-8:])
        return
    with kept.database.writing() as connection:
        last = sa.select(sa.func.max(PIECES.c.place)).scalar_subquery()
        harmed = sa.update(PIECES).where(PIECES.c.place == last).values(content=b"something else")
        connection.execute(sa.delete(PIECES) if missing else harmed)


def test_a_large_capsule_comes_whole(web: TestClient, kept: Store, trainer: Trainer, tmp_path: Path) -> None:
    run_id, content = away(kept, trainer, tmp_path)
    path = f"/api/runs/{run_id}/capsule"
    assert web.get(path).status_code == 404, "it is not finished"
    trainer.finish(run_id)
    answer = web.get(path, headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200 and answer.content == content and len(content) > SIZE
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["content-disposition"] == f'attachment; filename="onlybn-{run_id}.safetensors"'
    head = web.head(path, headers={"Accept-Encoding": "identity"})
    assert head.status_code == 200 and head.content == b"" and head.headers["content-length"] == str(len(content))
    assert web.get(path).content == content, "compressed"


def test_a_run_can_start_from_it(web: TestClient, kept: Store, trainer: Trainer, tmp_path: Path) -> None:
    run_id, _ = away(kept, trainer, tmp_path)
    trainer.finish(run_id)
    assert web.post("/api/preview", json={**SPEC, "start": {"run": run_id}}).status_code == 200


@pytest.mark.parametrize("missing", [False, True])
def test_a_damaged_one_is_no_whole_answer(
    web: TestClient, kept: Store, trainer: Trainer, tmp_path: Path, missing: bool
) -> None:
    run_id, content = away(kept, trainer, tmp_path)
    trainer.finish(run_id)
    harm(kept, tmp_path, missing=missing)
    if missing:
        answer = web.get(f"/api/runs/{run_id}/capsule")
        assert (answer.status_code, answer.json()["detail"]) == (404, f"the capsule of run {run_id} is damaged")
    else:
        got = b""
        try:
            with web.stream("GET", f"/api/runs/{run_id}/capsule") as answer:
                for piece in answer.iter_bytes():
                    got += piece
        except Exception:  # the connection was cut
            pass
        assert len(got) < len(content)
    refused = web.post("/api/preview", json={**SPEC, "start": {"run": run_id}})
    assert refused.status_code == 422 and "is damaged" in refused.json()["detail"]
    parameters = web.get(f"/api/runs/{run_id}/parameters")
    assert parameters.status_code == 404 and "is damaged" in parameters.json()["detail"]


def test_a_removed_one_is_gone(web: TestClient, kept: Store, trainer: Trainer, tmp_path: Path) -> None:
    run_id, _ = away(kept, trainer, tmp_path)
    trainer.finish(run_id)
    assert kept.runs.remove(run_id) is None and kept.runs.bury(0.0) == [run_id]
    kept.artefacts.clear([run_id])
    assert web.get(f"/api/runs/{run_id}/capsule").status_code == 404
    assert not [path for path in (tmp_path / "artefacts").rglob("*") if path.is_file()]
    with kept.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(PIECES)) == 0
