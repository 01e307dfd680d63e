"""The route that all live panels poll: what is new since the cursors of their last request."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.api.common import Here, described, wrong
from app.api.errors import explain, parse
from app.live.messages import Answer, Question
from app.web.answers import answer

router = APIRouter()


async def _question(request: Request) -> Question:
    return parse(Question, await request.body(), explain)


@router.post(
    "/api/feed",
    response_model=Answer,
    responses=wrong(413, 422),
    openapi_extra=described(Question, '{"runs": {"RUN_ID": {"points": 0, "snapshots": 0, "log": 0}}, "layer": null}'),
    summary="What is new",
)
def ask_feed(question: Annotated[Question, Depends(_question)], here: Here) -> Response:
    """News about some runs since the cursors of the last response; all live panels poll it."""
    return answer(here.feed.answer(question))  # live/fast_path.py answers most requests before they come here
