"""Kinds of responses: JSON, a download, and an error with a message."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterable, Iterable

import orjson
from starlette.responses import JSONResponse, Response, StreamingResponse

JSON_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def answer(content: object, status: int = 200) -> Response:
    """A JSON response with `content`. FastAPI would copy and check it first, which is too slow for the feed."""
    return Response(orjson.dumps(content), status, headers=JSON_HEADERS)


def answer_if_new(body: bytes, known: str | None) -> Response:
    """A response with `body`, which is JSON, for one visitor; 304 if the request's If-None-Match, `known`, names it."""
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "X-Visitor-Token, Cookie"}
    if known is not None and tag in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def refuse(status: int, detail: str, problems: list[dict[str, str]] | None = None) -> JSONResponse:
    """An error response in the form that all our errors have; `problems`: {field, sentence} for each wrong field."""
    return JSONResponse({"detail": detail, "problems": problems} if problems else {"detail": detail}, status)


def download(pieces: Iterable[str | bytes] | AsyncIterable[str | bytes], media_type: str, name: str) -> Response:
    """A download named `name` that consists of `pieces`, sent one after another."""
    return StreamingResponse(pieces, media_type=media_type, headers=attached(name))


def attached(name: str) -> dict[str, str]:
    """The header that makes a browser save the response as a file."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}
