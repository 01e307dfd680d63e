"""The spec of a run in the body of a request: as JSON, or as hand-written text."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from typing_extensions import TypedDict

from app.api import starts
from app.api.common import By, Here, Services, wrong
from app.api.errors import Problem, parse
from app.preview.spec_text import as_json, shortened
from app.web.answers import answer
from app.web.bodies import BadJson, read_json
from core.catalog.datasets import DATASETS
from core.catalog.folder import missing
from core.run.handwritten import BadText
from core.run.problems import told
from core.run.spec import RunSpec
from jobs.quotas import Asker

EXAMPLE = '{"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 2, "replicate": 0}'
TEXT = {"text/plain": {"schema": {"type": "string"}, "example": "architecture: resnet-14\npolicy: batchnorm\n"}}

OTHER_IMAGES = "the form takes the images of this server, which are others; leave it out, or train where those are"

router = APIRouter()


class ReadSpec(TypedDict):
    """A spec as POST /api/runs takes it, with only what differs from the defaults."""

    spec: dict[str, Any]


def spec_of(body: bytes, here: Services, by: Asker) -> RunSpec:
    """The spec in `body` (JSON), which `by` sent. Raises Problem.

    It may take seconds, because a spec for a folder of images lists the folder; run it in a thread.
    """
    _refuse_foreign_contents(body)
    return parse(RunSpec, starts.resolved(body, here, by), told)


def _refuse_foreign_contents(body: bytes) -> None:
    """Raises Problem if a spec says what lies in a folder that is not here.

    The run would fail, and a network for 100,000 made-up classes is large.
    """
    if b'"contents"' not in body:
        return
    try:
        fields = read_json(body)
    except BadJson:
        return  # the parser of the spec reports the error
    dataset = fields.get("dataset") if isinstance(fields, dict) and fields.get("contents") is not None else None
    if isinstance(dataset, str) and dataset in DATASETS and (reason := missing(DATASETS[dataset])):
        raise Problem(422, f"contents: {reason}")


async def _spec(request: Request, here: Here, by: By) -> RunSpec:
    return await here.specs.run(spec_of, await request.body(), here, by)


Spec = Annotated[RunSpec, Depends(_spec)]
"""The spec in the body of the request."""


@router.post(
    "/api/spec",
    response_model=ReadSpec,
    responses=wrong(413, 422, 429),
    openapi_extra={"requestBody": {"required": True, "content": TEXT}},
    summary="Read a spec written in YAML or JSON",
)
async def read_spec(request: Request, here: Here, by: By) -> Response:
    """The spec in the body, checked as for a launch; images of another machine are refused. An error names the wrong
    line or field."""
    return answer(await here.texts.run(_read, await request.body(), here, by))


def _read(text: bytes, here: Services, by: Asker) -> ReadSpec:
    try:
        spec = spec_of(as_json(text), here, by)
    except BadText as error:
        raise Problem(422, str(error)) from error
    starts.refuse_unknown_start(spec, here)
    short = shortened(spec)
    again = RunSpec.model_validate(short)
    if other := [field for field in RunSpec.model_fields if getattr(again, field) != getattr(spec, field)]:
        raise Problem(422, f"{', '.join(other)}: {OTHER_IMAGES}")
    return {"spec": short}
