"""The route that all live panels poll: what is new since the cursors of their last request."""

from fastapi import APIRouter, Request, Response
from starlette.routing import Route

from app.api.common import described, services_of, wrong
from app.api.errors import parse, told
from app.live.messages import Answer, Question
from app.web.answers import answer

router = APIRouter()


@router.post(
    "/api/feed",
    response_model=Answer,
    responses=wrong(413, 422),
    openapi_extra=described(Question, '{"runs": {"RUN_ID": {"points": 0, "snapshots": 0, "log": 0}}, "layer": null}'),
    summary="What is new",
)
async def ask_feed(request: Request) -> Response:
    """News about some runs since the cursors of the last response; all live panels poll it."""
    question, here = parse(Question, await request.body(), told), services_of(request)
    return answer(here.feed.known(question) or await here.quick.run(here.feed.answer, question))


FIRST = Route("/api/feed", ask_feed, methods=["POST"])
"""The same for the server's first place: it is asked once a second by each panel, and FastAPI's way there costs more
than the answer (tests/benchmarks/README.md)."""
