"""The REST routes for use before a launch: the choices, the preview of a spec, experiments, the glossary."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response
from typing_extensions import TypedDict

from app.api import starts
from app.api.common import COSTLY, Here, Services, described, wrong
from app.api.errors import parse
from app.api.spec import EXAMPLE, Spec
from app.form.experiments import EXPERIMENTS
from app.pages.experiments import ExperimentView, view
from app.pages.glossary import GLOSSARY
from app.preview.preview import Preview, preview
from app.views.cleaned import cleaned
from app.web.answers import answer
from core.run.problems import told
from core.run.spec import MAX_EPOCHS, RunSpec

router = APIRouter()


class TermView(TypedDict):
    """A word and its meaning."""

    title: str
    sentence: str


@router.get("/api/count", response_model=Preview, responses=wrong(422, 429), summary="Count parameters")
async def count(
    here: Here,
    architecture: Annotated[str, Query(max_length=60)],
    policy: Annotated[str, Query(max_length=60)],
    dataset: Annotated[str, Query(max_length=60)] = "cifar-10",
    epochs: Annotated[int, Query(ge=1, le=MAX_EPOCHS)] = 1,
) -> Response:
    """How many parameters exist and train: the response of POST /api/preview for these few fields."""
    fields = {"architecture": architecture, "policy": policy, "dataset": dataset, "epochs": epochs}
    return await here.specs.run(_counted, orjson.dumps(fields), here)


@router.post(
    "/api/preview",
    response_model=Preview,
    responses=wrong(413, 422, 429),
    openapi_extra=described(RunSpec, EXAMPLE),
    summary="Look at a run before launching it",
)
async def preview_run(spec: Spec, here: Here) -> Response:
    """Counts, time estimate, command line, the picture of the network, and warnings."""
    return await here.specs.run(_previewed, spec, here)


@router.get("/api/options", summary="All choices")
def show_options(here: Here) -> Response:
    """Architectures, policies, data sets and defaults, as the form shows them."""
    return answer(here.options())


@router.get("/api/experiments", dependencies=[COSTLY], response_model=list[ExperimentView], summary="First experiments")
def list_experiments(here: Here) -> Response:
    """The questions of the first page, the runs behind each, the words of its answer, and the time that it takes."""
    return answer([view(experiment, here.estimator.estimate) for experiment in EXPERIMENTS.values()])


@router.get("/api/glossary", response_model=dict[str, TermView], summary="The glossary of this site")
def show_glossary() -> Response:
    """The title and the sentence of each term, by its name."""
    terms = {term.name: {"title": term.title, "sentence": term.sentence} for term in GLOSSARY.values()}
    return answer(terms)


def _counted(body: bytes, here: Services) -> Response:
    return answer(look_ahead(parse(RunSpec, body, told), here))


def _previewed(spec: RunSpec, here: Services) -> Response:
    starts.refuse_misfit(spec, here)
    return answer(look_ahead(spec, here))


def look_ahead(spec: RunSpec, here: Services) -> Preview:
    """The preview of a spec as the routes answer it."""
    estimate = here.estimator.estimate(spec)
    said = preview(spec, estimate, here.settings.data, here.settings.limits.cap)
    return {**said, "warnings": [cleaned(warning) for warning in said["warnings"]]}
