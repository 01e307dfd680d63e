"""The REST route by which a training in a browser's tab becomes a run, once a worker has verified it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from typing_extensions import TypedDict

from app.api.common import By, Here, Services, wrong
from app.api.errors import Problem
from app.api.spec import spec_of
from app.api.starts import UNKNOWN
from app.views import runs as views
from app.web.answers import answer
from core.run.capsule import checked
from core.run.tab import BadRecord, obstacle, read_record
from core.run.tensorfile import BadTensorFile
from jobs.quotas import Asker
from jobs.store.runs import MissingStart
from jobs.store.submission import KeyTaken
from jobs.store.tabs.tabs import FromTab

EVENTS = {
    "application/jsonl": {
        "schema": {"type": "string"},
        "example": '{"event": "point", "step": 0, "epoch": 0, "split": "test", "loss": 2.3, "top1": 0.1}\n',
    }
}
Key = Annotated[str | None, Header(min_length=16, max_length=200)]

router = APIRouter()


class KeptTraining(TypedDict):
    """The run that verifies a training of a tab. `owner_token` lets its holder change it; null: somebody else has kept
    this training already, or you did without this key."""

    id: str
    url: str
    owner_token: str | None


@router.post(
    "/api/tabs",
    status_code=201,
    response_model=KeptTraining,
    responses={200: {"model": KeptTraining}, **wrong(404, 413, 422, 429)},
    openapi_extra={"requestBody": {"required": True, "content": EVENTS}},
    summary="Keep a training of a tab",
)
async def keep_training(
    request: Request,
    here: Here,
    by: By,
    capsule: Annotated[str, Query(pattern="^[0-9a-f]{64}$", description="SHA-256 of the uploaded capsule.")],
    idempotency_key: Key = None,
) -> Response:
    """Queue a run that verifies a network that a browser trained. Upload its capsule first, with POST /api/starts.

    The body is what the tab measured, as JSON lines: its points and snapshots in the words of `python -m core train
    --events -`, and last the result that the capsule has. A worker draws the frozen weights again, tests the network on
    the whole test set and analyses it. The run finishes only where that agrees with the result.

    The limits are those of a launch. The same capsule makes one run (200, if there is one).
    """
    return await here.files.run(_kept, await request.body(), capsule, here, by, idempotency_key)


def _kept(body: bytes, digest: str, here: Services, by: Asker, key: str | None) -> Response:
    training = _training(body, digest, here, by)
    try:
        run, token, new = here.store.tabs.submit(training, by=by, limits=here.settings.limits, key=key)
    except KeyTaken as error:
        raise Problem(422, str(error)) from error
    except MissingStart as error:
        raise Problem(404, UNKNOWN) from error
    if new:
        here.wake(run.id)
    kept: KeptTraining = {"id": run.id, "url": views.run_url(run.id, here.settings.public_url), "owner_token": token}
    return answer(kept, 201 if new else 200)


def _training(body: bytes, digest: str, here: Services, by: Asker) -> FromTab:
    """The training whose capsule has this SHA-256, and whose curves are in `body`. Raises Problem."""
    content = here.store.starts.get(digest)
    if content is None:
        raise Problem(404, UNKNOWN)
    try:
        capsule = checked(content)
    except BadTensorFile as error:
        raise Problem(422, f"the file {error}") from error
    if reason := obstacle(capsule):
        raise Problem(422, f"the capsule {reason}")
    spec = spec_of(capsule.stated.encode(), here, by)
    if spec.digest != capsule.spec.digest:
        raise Problem(422, "the spec of the capsule is not complete, so it means something else here")
    try:
        return FromTab(spec, digest, capsule.result, read_record(body, spec, capsule.result))
    except BadRecord as error:
        raise Problem(422, f"the record of the training {error}") from error
