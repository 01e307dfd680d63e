"""What the environment may say, and the rules on how much may be queued."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from jobs.quotas import refuse_submission
from jobs.settings import WorkerSettings, available_cores


def test_an_empty_environment_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ONLYBN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    settings = WorkerSettings()
    assert settings.data == tmp_path / "data"
    assert settings.store_url == f"sqlite:///{tmp_path}/data/onlybn.db"
    assert settings.trainer_threads == available_cores()
    assert (settings.slots, settings.lease_s, settings.device) == (None, 30, "auto")
    assert not settings.data.exists()


@pytest.mark.parametrize(
    ("database", "given", "place"),
    [
        ("", "", "folder"),
        ("sqlite:////srv/onlybn.db", "", "folder"),
        ("postgresql://there/onlybn", "", "database"),
        ("postgres://there/onlybn", "folder", "folder"),
        ("", "database", "database"),
        ("postgresql://there/onlybn", "s3://bucket/onlybn", "s3://bucket/onlybn"),
    ],
)
def test_artefacts_go_where_other_machines_find_them(
    monkeypatch: pytest.MonkeyPatch, database: str, given: str, place: str
) -> None:
    monkeypatch.setenv("ONLYBN_DATABASE_URL", database)
    monkeypatch.setenv("ONLYBN_ARTEFACTS", given)
    assert WorkerSettings().artefacts_place == place


def test_variables_have_a_prefix_and_empty_ones_count_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLYBN_SLOTS", "2")
    monkeypatch.setenv("ONLYBN_DATABASE_URL", "")
    monkeypatch.setenv("ONLYBN_THREADS", "")
    monkeypatch.setenv("ONLYBN_PORT", "7999")
    settings = WorkerSettings()
    assert settings.slots == 2
    assert settings.database_url is None
    assert settings.trainer_threads == max(1, available_cores() // 2)


@pytest.mark.parametrize(
    ("name", "value"), [("SLOTS", "0"), ("LEASE_S", "nan"), ("DEVICE", "tpu"), ("THREADS", "x"), ("ARTEFACTS", "disk")]
)
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ONLYBN_{name}", value)
    with pytest.raises(ValidationError):
        WorkerSettings()


def test_a_full_queue_says_so() -> None:
    assert refuse_submission(199, 200) is None
    reason = refuse_submission(200, 200)
    assert reason is not None
    assert reason.startswith("The queue is full: 200 runs and studies are waiting; the limit is 200.")
