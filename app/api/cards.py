"""The route of the pictures that shared links show."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api.common import COSTLY, Here, wrong
from app.api.errors import Problem
from app.sharing.cards import draw
from app.sharing.links import card_of, look, source_of
from app.views.address import Reading, read_source
from app.views.comparison import MAX_RUNS

KEEP_S = 300
"""How long others may cache a picture: the picture of a running run changes."""

router = APIRouter()
drawn = lru_cache(maxsize=64)(draw)
Names = Annotated[str, Query(max_length=300, description="As in the address of /compare: names separated by commas.")]


@router.get(
    "/api/card.png",
    dependencies=[COSTLY],
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, **wrong(404, 422)},
    summary="The picture of a shared link",
)
def show_card(
    request: Request,
    here: Here,
    runs: Annotated[
        str, Query(max_length=9000, description=f"Ids of at most {MAX_RUNS} runs, separated by commas.")
    ] = "",
    study: Annotated[str, Query(max_length=40, description="The id of a study.")] = "",
    without: Annotated[str, Query(max_length=9000, description="Ids of runs that are left out.")] = "",
    text: Annotated[str, Query(max_length=100, description="Part of a name or an id.")] = "",
    state: Names = "",
    policy: Names = "",
    architecture: Names = "",
    dataset: Names = "",
) -> Response:
    """A PNG of 1200×630 with the runs' names, accuracies and curves; without parameters, the site's own picture.

    For more than six runs, a study or a filter, it shows their number and the mean accuracy of each kind.
    """
    reading = Reading(request.query_params)
    given = read_source(reading)
    if reading.problems:
        raise Problem(422, " ".join(reading.problems))
    if len(given["runs"]) > MAX_RUNS:
        raise Problem(422, f"runs must be at most {MAX_RUNS} ids, got {len(given['runs'])}")
    source = source_of(request.query_params)
    shown = look(source, here.store) if source else None
    if source and shown is None:
        raise Problem(404, "there is no such run, or no such study, here")
    image = drawn(card_of(shown, here.store))
    headers = {
        "ETag": f'"{hashlib.sha256(image).hexdigest()[:20]}"',
        "Cache-Control": f"public, max-age={KEEP_S}",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(image, media_type="image/png", headers=headers)
