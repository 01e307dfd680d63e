"""The route that draws the picture of a shared link."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.cards import Card, draw
from app.errors import Problem
from app.services import Here, wrong
from app.social import MOST, RUN_ID, card_of

KEEP_S = 300
"""For how long others may keep a picture: that of a running run changes."""

router = APIRouter()
drawn = lru_cache(maxsize=64)(draw)


@router.get(
    "/api/card.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, **wrong(404, 422)},
    summary="The picture of a shared link",
)
def show_card(
    request: Request,
    here: Here,
    runs: Annotated[
        str, Query(max_length=300, description="Ids of at most six runs, with commas; none: the site.")
    ] = "",
) -> Response:
    """A PNG of 1200×630: what the runs are, how well they do, and their curves."""
    ids = [word for word in runs.split(",") if word]
    if len(ids) > MOST or not all(RUN_ID.fullmatch(word) for word in ids):
        raise Problem(422, f"runs must be the ids of at most {MOST} runs, with commas between")
    known = here.store.many(ids) if ids else {}
    if missing := [run_id for run_id in ids if run_id not in known]:
        raise Problem(404, f"there is no run {missing[0]} here")
    card: Card = card_of([known[run_id] for run_id in ids], here.store)
    image = drawn(card)
    headers = {
        "ETag": f'"{hashlib.sha256(image).hexdigest()[:20]}"',
        "Cache-Control": f"public, max-age={KEEP_S}",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(image, media_type="image/png", headers=headers)
