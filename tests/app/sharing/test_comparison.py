"""The shell of a comparison's file: three pieces, between which the page puts what it shows."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.api import comparison
from app.sharing.links import LinkPreview
from tests.app.conftest import Trainer
from tests.app.sharing.test_report import EVIL, Tags


def test_the_shell_names_its_runs(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start(name="Digits")
    before, between, after = client.get(f"/api/compare/shell?runs={run_id}").json()["pieces"]
    assert "<h1>" in before and f'href="http://127.0.0.1:7860/compare?runs={run_id}"' in before
    assert between.strip() == '</main><script id="report-data" type="application/json">'
    assert after.startswith("</script><script>")


def test_what_strangers_write_stays_text(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Today's rules for names would refuse this one; the file must not depend on them."""
    monkeypatch.setattr(comparison, "preview", lambda *_: LinkPreview(EVIL, EVIL))
    pieces = client.get("/api/compare/shell", params={"find": EVIL}).json()["pieces"]
    assert len(pieces) == 3
    names = Tags("".join(pieces)).names
    assert names.count("script") == 2 and "img" not in names
