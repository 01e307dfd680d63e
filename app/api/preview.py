"""The routes that pages teach with: experiments to begin with, the glossary, and a spec that somebody pasted."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from typing_extensions import TypedDict

from app.api import starts
from app.api.common import Here, Services, answer, wrong
from app.api.errors import parse
from app.pages.glossary import GLOSSARY
from app.pages.questions import EXPERIMENTS, ExperimentView, view
from app.preview.spec_text import as_json, shortened
from core.run.problems import explain
from core.run.spec import RunSpec

TEXT = {"text/plain": {"schema": {"type": "string"}, "example": "architecture: resnet-14\npolicy: batchnorm\n"}}

router = APIRouter()


class ReadSpec(TypedDict):
    """A spec as POST /api/runs takes it, with what differs from the defaults only."""

    spec: dict[str, Any]


class TermView(TypedDict):
    """A word and what it means."""

    title: str
    sentence: str


@router.get("/api/experiments", response_model=list[ExperimentView], summary="Experiments to begin with")
def list_experiments(here: Here) -> Response:
    """The sentences of the Train page, the runs behind each, and how long they take on this server."""
    return answer([view(experiment, here.estimator.estimate) for experiment in EXPERIMENTS.values()])


@router.get("/api/glossary", response_model=dict[str, TermView], summary="The words of this site")
def show_glossary() -> Response:
    """Each term's title and its sentence, by its name."""
    terms = {term.name: {"title": term.title, "sentence": term.sentence} for term in GLOSSARY.values()}
    return answer(terms)


@router.post(
    "/api/spec",
    response_model=ReadSpec,
    responses=wrong(413, 422),
    openapi_extra={"requestBody": {"required": True, "content": TEXT}},
    summary="Read a spec written in YAML or JSON",
)
async def read_spec(request: Request, here: Here) -> Response:
    """The spec that the body says, checked as for a launch; the refusal names the line or the field that is wrong."""
    return answer(await run_in_threadpool(_read, await request.body(), here))


def _read(text: bytes, here: Services) -> ReadSpec:
    spec = parse(RunSpec, starts.resolved(as_json(text), here), explain)
    starts.refuse_unknown_start(spec, here)
    return {"spec": shortened(spec)}
