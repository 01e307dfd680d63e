"""A connection to PostgreSQL that gives up waiting. Needs psycopg, which is an optional package.

The server's own statement_timeout and the keepalives of TCP do not help where something between holds the line: it
answers for the server, and the answer never comes.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import psycopg


class Impatient(psycopg.Connection[Any]):
    """Waits `patience_s` for an answer, then closes itself and raises OperationalError."""

    patience_s = float("inf")

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        return super().wait(self._bounded(gen), *arguments, **options)

    def _bounded(self, inner: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """`inner`, which is resumed several times a second while nothing comes."""
        until = time.monotonic() + self.patience_s
        try:
            wanted = next(inner)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > until:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"the server did not respond within {self.patience_s:g} s")
                wanted = inner.send(ready)
        except StopIteration as end:
            return end.value
