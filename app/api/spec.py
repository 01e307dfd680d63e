"""The spec of a run in the body of a request: as JSON, or as hand-written text."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from typing_extensions import TypedDict

from app.api import starts
from app.api.common import By, Here, Services, wrong
from app.api.errors import Problem, parse
from app.preview.spec_text import BadText, as_json, shortened
from app.web.answers import answer
from core.run.problems import explain
from core.run.spec import RunSpec
from jobs.quotas import Asker

EXAMPLE = '{"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 2, "replicate": 0}'
TEXT = {"text/plain": {"schema": {"type": "string"}, "example": "architecture: resnet-14\npolicy: batchnorm\n"}}

router = APIRouter()


class ReadSpec(TypedDict):
    """A spec as POST /api/runs takes it, with only what differs from the defaults."""

    spec: dict[str, Any]


def spec_of(body: bytes, here: Services, by: Asker) -> RunSpec:
    """The spec in `body` (JSON), which `by` sent. Raises Problem.

    It may take seconds, because a spec for a folder of images lists the folder; run it in a thread.
    """
    return parse(RunSpec, starts.resolved(body, here, by), explain)


async def _spec(request: Request, here: Here, by: By) -> RunSpec:
    return await run_in_threadpool(spec_of, await request.body(), here, by)


Spec = Annotated[RunSpec, Depends(_spec)]
"""The spec in the body of the request."""


@router.post(
    "/api/spec",
    response_model=ReadSpec,
    responses=wrong(413, 422),
    openapi_extra={"requestBody": {"required": True, "content": TEXT}},
    summary="Read a spec written in YAML or JSON",
)
async def read_spec(request: Request, here: Here, by: By) -> Response:
    """The spec in the body, checked as for a launch. An error names the wrong line or field."""
    return answer(await run_in_threadpool(_read, await request.body(), here, by))


def _read(text: bytes, here: Services, by: Asker) -> ReadSpec:
    try:
        spec = spec_of(as_json(text), here, by)
    except BadText as error:
        raise Problem(422, str(error)) from error
    starts.refuse_unknown_start(spec, here)
    return {"spec": shortened(spec)}
