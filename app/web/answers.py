"""The forms of answers: JSON, a file to keep, and a refusal in words."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from starlette.responses import JSONResponse, Response, StreamingResponse

JSON_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def answer(content: object, status: int = 200) -> Response:
    """`content` as JSON. FastAPI would copy and check it first, which the feed has no time for."""
    return Response(orjson.dumps(content), status, headers=JSON_HEADERS)


def refuse(status: int, detail: str) -> JSONResponse:
    """The form that all our errors have."""
    return JSONResponse({"detail": detail}, status)


def download(pieces: Iterable[str | bytes], media_type: str, name: str) -> Response:
    """`pieces` as a file called `name`, one after another."""
    return StreamingResponse(pieces, media_type=media_type, headers=attached(name))


def attached(name: str) -> dict[str, str]:
    """The header that makes a browser keep the answer as a file."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}
