"""What a line of the log looks like: text for people or JSON for programs, and never with a secret in it."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pydantic import SecretStr

from jobs.settings import WorkerSettings

HIDDEN = "***"
LONGEST_TRACE = 8000
SHORTEST_SECRET = 6
IN_ADDRESS = re.compile(r"(\w://[^\s:/@]*):[^\s/@]+@")
NAMED = re.compile(
    r"""(?ix)\b([\w-]*(?:token|password|secret|authorization|cookie|code_verifier))(["']?\s*[:=]\s*["']?)
    (?:(?:bearer|basic)\s+)?[^\s"',;&]+"""
)
PARAMETERS = re.compile(r"\[parameters: .*?\](?=\n|$)", re.DOTALL)
"""What SQLAlchemy adds to its errors: the values of a statement, with hashes of tokens among them."""


def shape(settings: WorkerSettings, text: str, dates: str | None = None) -> None:
    """Let every handler of the root logger write as the settings say; `text`: the format for people."""
    mask = Mask(secrets_of(settings))
    for handler in logging.getLogger().handlers:
        handler.setFormatter(InJson(mask) if settings.log_format == "json" else InText(mask, text, dates))


def say(settings: WorkerSettings, text: str, *, trouble: bool = False) -> None:
    """Print what is no record of a logger, such as a greeting, as the settings say; `trouble`: to standard error."""
    if settings.log_format == "json":
        record = logging.LogRecord("onlybn", logging.WARNING if trouble else logging.INFO, "", 0, text, None, None)
        text = InJson(Mask(secrets_of(settings))).format(record)
    print(text, file=sys.stderr if trouble else sys.stdout, flush=True)


def secrets_of(settings: WorkerSettings) -> set[str]:
    """The values that no line may hold."""
    found = {value.get_secret_value() for _, value in settings if isinstance(value, SecretStr)}
    for url in (settings.database_url, settings.queue_url):
        try:
            found.add(urlsplit(url or "").password or "")
        except ValueError:
            found.add(url or "")
    return {value for value in found if len(value) >= SHORTEST_SECRET}


class Mask:
    """Takes `secrets`, tokens, passwords in addresses, and values of SQL statements out of a text."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = sorted(secrets, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = PARAMETERS.sub(f"[parameters: {HIDDEN}]", text)
        return NAMED.sub(rf"\1\2{HIDDEN}", IN_ADDRESS.sub(rf"\1:{HIDDEN}@", text))


class InText(logging.Formatter):
    """Lines for people."""

    def __init__(self, mask: Mask, text: str, dates: str | None = None) -> None:
        super().__init__(text, dates)
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(super().format(record))


class InJson(logging.Formatter):
    """One JSON object a line: at (UTC), level, logger, message, process, and trace where there is an exception."""

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._mask(record.getMessage()),
            "process": record.process,
        }
        if record.exc_info:
            said["trace"] = self._mask(self.formatException(record.exc_info))[-LONGEST_TRACE:]
        return json.dumps(said, ensure_ascii=False)
