"""Answers the feed's questions before FastAPI sees them, for a part of the cost of the whole way.

Wrong questions, and those that the database cannot answer now, go the whole way (`api.ask_feed`), which has the words.
"""

from __future__ import annotations

import gzip

import orjson
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.feed import Feed
from app.news import Question
from app.security import replayed
from app.services import answer

PATH = "/api/feed"
COMPRESSED_FROM = 1000
LEVEL = 5


class Shortcut:
    """A middleware within `Security`, which has read the body by then."""

    def __init__(self, app: ASGIApp, feed: Feed) -> None:
        self.app, self.feed = app, feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        message = await receive()
        question = _question(message)
        if question is None:
            await self.app(scope, replayed(message, receive), send)
            return
        try:
            if self.feed.is_ready(question):  # to another thread and back takes longer than the answer
                news = self.feed.answer(question)
            else:
                news = await run_in_threadpool(self.feed.answer, question)
        except DBAPIError:
            await self.app(scope, replayed(message, receive), send)
            return
        response = answer(news)
        if len(response.body) >= COMPRESSED_FROM and "gzip" in Headers(scope=scope).get("accept-encoding", ""):
            response.body = gzip.compress(response.body, LEVEL)
            response.headers["Content-Length"] = str(len(response.body))
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Vary"] = "Accept-Encoding"
        await response(scope, receive, send)


def _question(message: Message) -> Question | None:
    """The question in a whole body; None if it is none."""
    if message["type"] != "http.request" or message.get("more_body", False):
        return None
    try:
        return Question.model_validate(orjson.loads(message["body"]))
    except (orjson.JSONDecodeError, ValidationError):
        return None
