"""A line of the log: JSON where it is asked for, and never a secret in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from jobs import logs
from jobs.settings import WorkerSettings

SECRET = "s3cret-of-the-queue"


@pytest.fixture
def lines() -> Iterator[Callable[..., str]]:
    """What `log` writes under some settings."""
    root, stream = logging.getLogger(), StringIO()
    handler, before = logging.StreamHandler(stream), list(root.handlers)
    root.handlers = [handler]

    def write(log: Callable[[logging.Logger], object], **fields: str) -> str:
        settings = WorkerSettings(secret=SecretStr(SECRET), **fields)  # type: ignore[arg-type]
        logs.shape(settings, "%(levelname)s %(name)s: %(message)s")
        log(logging.getLogger("onlybn.test"))
        return stream.getvalue()

    yield write
    root.handlers = before


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "said",
    [
        f"the key is {SECRET}",
        "cannot open postgresql://ada:hunter2pass@host:5432/db?x=1",
        "redis://:hunter2pass@host/0 is away",
        "X-Owner-Token: hunter2pass",
        '{"owner_token": "hunter2pass"}',
        "Authorization: Bearer hunter2pass",
        "authorization: Basic hunter2pass, more",
        "Cookie: onlybn=hunter2pass",
        "GET /x?token=hunter2pass&y=1",
        "HF_TOKEN=hunter2pass",
        "password='hunter2pass'",
    ],
)
def test_no_line_holds_a_secret(lines: Callable[..., str], form: str, said: str) -> None:
    line = lines(lambda log: log.warning("%s", said), log_format=form)
    assert "hunter2pass" not in line and SECRET not in line and "***" in line


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_values_of_a_statement(lines: Callable[..., str], form: str) -> None:
    error = OperationalError("UPDATE runs SET owner = ?", {"owner": "0a1b2c\nhash"}, Exception("disk full"))

    def fail(log: logging.Logger) -> None:
        try:
            raise error
        except OperationalError:
            log.exception("it did not answer: %s", error)

    line = lines(fail, log_format=form)
    assert "0a1b2c" not in line and "disk full" in line and "UPDATE runs" in line


def test_words_that_are_no_secrets_stay(lines: Callable[..., str]) -> None:
    said = "Run a1: this owner token belongs to another run; see https://example.org/a@b and 12:30"
    assert lines(lambda log: log.warning(said)) == f"WARNING onlybn.test: {said}\n"


def test_json_is_an_object_a_line(lines: Callable[..., str]) -> None:
    def log_two(log: logging.Logger) -> None:
        log.warning('two\nlines, "quotes", γ')
        try:
            raise ValueError('token: "hunter2pass"')
        except ValueError:
            log.exception("oh")

    text = lines(log_two, log_format="json")
    first, second = (json.loads(line) for line in text.splitlines())
    assert first["message"] == 'two\nlines, "quotes", γ' and first["level"] == "warning"
    assert first["logger"] == "onlybn.test" and first["at"].endswith("+00:00") and "trace" not in first
    assert second["trace"].splitlines()[-1].startswith("ValueError") and "hunter2pass" not in text
