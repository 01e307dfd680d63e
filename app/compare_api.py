"""The REST route of the comparison: what the page /compare asks once for its address."""

from fastapi import APIRouter, Request, Response

from app import compare
from app.services import Here, answer

router = APIRouter()


@router.get("/api/compare", response_model=compare.Comparison, summary="Runs side by side")
def look_at_comparison(request: Request, here: Here) -> Response:
    """The runs that an address of /compare names, and how it shows them: the same parameters as the page.

    `runs=ID,ID`, or `study=ID`, or a list's filters; `group=policy,epochs`, `metric`, `x`, `band`, `base` and so on.
    What cannot be followed is left out and named in `problems`.
    """
    return answer(compare.comparison(request.query_params, here.store, here.settings.public_url))
