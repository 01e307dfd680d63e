"""The REST routes of the comparison: the runs and the view of a /compare address, and the shell of its HTML file."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from typing_extensions import TypedDict

from app.api.common import COSTLY, Here, Site
from app.sharing.links import preview
from app.views import comparison as compare
from app.web.answers import answer
from core.documents import document

router = APIRouter()


class Shell(TypedDict):
    """The HTML file of a comparison in three pieces; its sections and its data go between them.

    Neither may contain anything that ends its element: escape the text, and write \\u003c for "<" in the JSON.
    """

    pieces: list[str]


@router.get("/api/compare", dependencies=[COSTLY], response_model=compare.Comparison, summary="Runs side by side")
def look_at_comparison(request: Request, here: Here) -> Response:
    """The runs that an address of /compare names, and its view. Takes the same parameters as the page.

    `runs=ID,ID`, or `study=ID`, or a list's filters; `group=policy,epochs`, `metric`, `x`, `band`, `base` and so on.
    Invalid values are left out and named in `problems`.
    """
    return answer(compare.comparison(request.query_params, here.store, here.settings.public_url))


@router.get(
    "/api/compare/shell",
    dependencies=[COSTLY],
    response_model=Shell,
    summary="The frame of a comparison's HTML file",
)
def show_shell(request: Request, here: Here, site: Site) -> Response:
    """The page puts the file together, because it knows what it shows. Takes the parameters of /compare."""
    query = request.url.query
    said = preview("/compare", query, here.store)
    assert said is not None, "there is a page /compare"
    link = f"{site}/compare?{query}"
    values = {"description": said.description, "link": link, "made": datetime.now(UTC)}
    return answer({"pieces": document.pieces("app/sharing/comparison.html.j2", said.title, ("figure.js",), **values)})
