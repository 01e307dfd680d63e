"""The web server's environment variables."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings
from jobs.settings import explain


def test_the_defaults_need_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ONLYBN_DATA")
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert (settings.host, settings.port, settings.embedded_worker) == ("127.0.0.1", 7860, True)
    assert settings.url == "http://127.0.0.1:7860" and settings.data == tmp_path / "data"


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "DATABASE_URL", "PUBLIC_URL", "EMBEDDED_WORKER"):
        monkeypatch.setenv(f"ONLYBN_{name}", "")
    settings = Settings()
    assert settings.port == 7860 and settings.public_url is None and settings.embedded_worker


@pytest.mark.parametrize(
    ("host", "public", "url"),
    [
        ("0.0.0.0", "", "http://127.0.0.1:7860"),
        ("::", "", "http://[::1]:7860"),
        ("fe80::1", "", "http://[fe80::1]:7860"),
        ("lab.example.org", "", "http://lab.example.org:7860"),
        ("0.0.0.0", "https://bn.example.org/", "https://bn.example.org"),
    ],
)
def test_the_address_that_is_printed(monkeypatch: pytest.MonkeyPatch, host: str, public: str, url: str) -> None:
    monkeypatch.setenv("ONLYBN_HOST", host)
    monkeypatch.setenv("ONLYBN_PUBLIC_URL", public)
    assert Settings().url == url


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "http", "ONLYBN_PORT: "),
        ("PORT", "70000", "less than or equal to 65535, got '70000'"),
        ("EMBEDDED_WORKER", "perhaps", "ONLYBN_EMBEDDED_WORKER: "),
        ("PUBLIC_URL", "bn.example.org", "must be http:// or https:// and a host name without a path"),
        ("PUBLIC_URL", "https://example.org/bn", "without a path"),
        ("FRAME_ANCESTORS", "*; script-src *", "ONLYBN_FRAME_ANCESTORS: "),
        ("SLOTS", "0", "ONLYBN_SLOTS: "),
    ],
)
def test_a_wrong_value_is_explained(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    monkeypatch.setenv(f"ONLYBN_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert words in explain(caught.value)
