"""The REST routes of what the owner of a run says about it: its name, its note and its tags."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from app.api.common import COSTLY, By, Existing, Here, Token, described, found, refuse_others, wrong
from app.api.errors import Problem, invalid, parse, told
from app.views import runs as views
from app.web.answers import answer
from core.catalog.model import Model
from core.run.problems import told as told_spec
from jobs.store.labels.labels import MAX_NOTE, MAX_TAGS, BadLabel


class Labels(Model):
    """What the owner of a run says about it. What is left out does not change; null or nothing takes it away."""

    name: str | None = Field(None, max_length=200, description="The same rules as for the name in a spec.")
    note: str | None = Field(None, max_length=2 * MAX_NOTE, description=f"At most {MAX_NOTE:,} characters.")
    tags: list[str] | None = Field(None, max_length=4 * MAX_TAGS, description=f"At most {MAX_TAGS} words.")


class Tag(TypedDict):
    """A tag in use, and the number of runs that have it."""

    tag: str
    runs: int


router = APIRouter()


async def _labels(request: Request) -> Labels:
    return parse(Labels, await request.body(), told)


@router.patch(
    "/api/runs/{run_id}",
    response_model=views.RunView,
    responses=wrong(403, 404, 422),
    openapi_extra=described(Labels, {"name": "Deeper", "tags": ["depth"]}),
    summary="Name, note and tags",
)
def label_run(
    labels: Annotated[Labels, Depends(_labels)], run_id: Existing, here: Here, x_owner_token: Token = None
) -> Response:
    """Rename a run, or change its note or its tags, at any time. None of them changes its training or its digest.

    Send the token of the run, or of the study that launched it."""
    refuse_others(run_id, here, x_owner_token, "label")
    try:
        run = here.store.labels.change(run_id, labels.model_dump(exclude_unset=True))
    except BadLabel as error:
        raise Problem(422, str(error)) from error
    except ValidationError as error:
        raise invalid(told_spec(error)) from error
    here.feed.forget(run_id)
    return answer(views.whole(run or found(run_id, here), here.settings.public_url))


@router.get("/api/tags", dependencies=[COSTLY], response_model=list[Tag], summary="Tags in use")
def list_tags(here: Here, by: By, mine: bool = False) -> Response:
    """The tags of the newest runs, the most frequent first. `mine`: those of the sender of X-Visitor-Token."""
    tags: list[Tag] = [{"tag": tag, "runs": runs} for tag, runs in here.store.labels.tags(by.owner if mine else None)]
    return answer(tags)
