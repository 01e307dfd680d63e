"""Answers the feed's questions before FastAPI sees them, for a part of the cost of the whole way.

A wrong question, one that is refused, and one that cannot be answered now go the whole way (`api.ask_feed`), which has
the words.
"""

from __future__ import annotations

import gzip
import logging
from contextlib import nullcontext

import orjson
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.live.batching import Pace
from app.live.feed import Feed
from app.live.messages import Answer, Question
from app.web.answers import JSON_HEADERS
from app.web.security import Rules, replayed, whole_body
from jobs.store.breaker import DatabaseAway

PATH = "/api/feed"
COMPRESSED_FROM = 4000
"""Bytes of an answer: what a follower gets once a second is less, and not worth the time."""
LEVEL = 5
LARGE = 200_000
"""Bytes that take long enough to compress that nobody else should wait for it: some 10 ms."""

log = logging.getLogger("onlybn")


class Shortcut:
    """In front of `app`, under the same `rules`."""

    def __init__(self, app: ASGIApp, feed: Feed, rules: Rules) -> None:
        self.app, self.feed, self.rules, self.pace = app, feed, rules, Pace()
        told = {**rules.headers, **JSON_HEADERS}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in told.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST"
        if not asks or self.rules.refusal(scope):
            with self.pace.awake() if scope["type"] == "http" else nullcontext():
                await self.app(scope, receive, send)
            return
        if self.feed.is_crowded:
            self.pace.rest()
        body = await whole_body(scope, receive)
        if isinstance(body, JSONResponse):
            await body(scope, receive, self.rules.sending(send))
            return
        news = await self._news(body)
        if news is None:
            await self.app(scope, replayed(body, receive), send)
            return
        content, headers = orjson.dumps(news), self._headers
        if len(content) >= COMPRESSED_FROM and _reads_gzip(scope):
            large = len(content) >= LARGE
            content = await run_in_threadpool(_zipped, content) if large else _zipped(content)
            headers = [*headers, (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        headers = [*headers, (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _news(self, body: bytes) -> Answer | None:
        try:
            question = Question.model_validate(orjson.loads(body))
        except ValueError:
            return None
        try:
            news = self.feed.known(question)  # to another thread and back takes longer than the answer
            return news or await run_in_threadpool(self.feed.answer, question)
        except (DBAPIError, DatabaseAway):
            return None
        except Exception:
            log.exception("The shortcut of the feed failed; the whole way answers")
            return None


def _zipped(content: bytes) -> bytes:
    return gzip.compress(content, LEVEL)


def _reads_gzip(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
