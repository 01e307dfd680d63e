"""The REST routes of the comparison: the runs and the view of a /compare address, and the shell of its HTML file."""

from datetime import UTC, datetime

import orjson
from fastapi import APIRouter, Request, Response
from typing_extensions import TypedDict

from app.api.common import COSTLY, Here, Services, Site
from app.sharing.links import preview
from app.views import comparison as compare
from app.web.answers import answer, answer_if_new
from core.documents import document

router = APIRouter()


class Shell(TypedDict):
    """The HTML file of a comparison in three pieces; its sections and its data go between them.

    Neither may contain anything that ends its element: escape the text, and write \\u003c for "<" in the JSON.
    """

    pieces: list[str]


@router.get("/api/compare", response_model=compare.Comparison, summary="Runs side by side")
async def look_at_comparison(request: Request, here: Here) -> Response:
    """The runs that an address of /compare names, and its view. Takes the same parameters as the page.

    `runs=ID,ID`, or `study=ID`, or a list's filters; `group=policy,epochs`, `metric`, `x`, `band`, `base` and so on.
    Invalid values are left out and named in `problems`.
    """
    asked, known = request.query_params, request.headers.get("if-none-match")

    def make() -> bytes:
        return orjson.dumps(compare.comparison(asked, here.store, here.settings.public_url))

    if room := asked.get("room"):  # a class asks for the same at the same time
        return answer_if_new(await here.shared.get((room, request.url.query), make, here.costly), known)
    return answer_if_new(await here.costly.run(make), known)


@router.get(
    "/api/compare/shell",
    dependencies=[COSTLY],
    response_model=Shell,
    summary="The frame of a comparison's HTML file",
)
def show_shell(request: Request, here: Here, site: Site) -> Response:
    """The page puts the file together, because it knows what it shows. Takes the parameters of /compare."""
    return answer(shell_of(request.url.query, here, site))


def shell_of(query: str, here: Services, site: str) -> Shell:
    """The shell for the address of /compare with this query."""
    said = preview("/compare", query, here.store)
    assert said is not None, "there is a page /compare"
    link = f"{site}/compare?{query}"
    values = {"description": said.description, "link": link, "made": datetime.now(UTC)}
    return {"pieces": document.pieces("app/sharing/comparison.html.j2", said.title, ("figure.js",), **values)}
