"""The REST routes of surgery on a finished run: its γ and β, and evaluations of the network with some γ edited, or
adapted to corrupted images."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from typing_extensions import TypedDict

from app.api.capsules import capsule_of
from app.api.common import COSTLY, By, Found, Here, Services, described, wrong
from app.api.errors import Problem, parse, told
from app.views.cleaned import cleaned
from app.web.answers import JSON_HEADERS, answer
from core.catalog.corruptions import CORRUPTIONS, WORST
from core.run.adaptation import Adaptation, obstacle
from core.run.edits import MAX_MAPS, BadEdits, SurgeryRequest, check, evaluated_images
from core.run.parameters import read_parameters
from core.run.problems import Fault
from core.run.spec import RunSpec
from core.run.tensorfile import BadTensorFile
from jobs.store.evaluations import Evaluation
from jobs.store.records import ID_PATTERN

EXAMPLE = (
    '{"edits": [{"action": "zero", "below": 0.01}, {"action": "flip", "layer": "stage1.0.norm1", "features": [3, 5]}]}'
)
NO_WORKER = "this needs a worker, and none is connected: try again in a moment"

router = APIRouter()


class LayerParametersView(TypedDict):
    """A norm layer. `gamma`, `beta`: a float32 value for each channel; null if the policy left them random, because
    only the rebuilt network has those values."""

    name: str
    channels: int
    stage: int
    shortcut: bool
    gamma: list[float] | None
    beta: list[float] | None


class CorruptionView(TypedDict):
    """A corruption of test images."""

    name: str
    title: str


class AdaptationView(TypedDict):
    """Whether the network can be adapted, or what the `obstacle` is; the corruptions, the worst severity, and the
    settings by default."""

    obstacle: str | None
    corruptions: list[CorruptionView]
    worst: int
    defaults: dict[str, Any]


class ParametersView(TypedDict):
    """γ and β of a finished run in forward order; how many test images an evaluation uses; the classes of the images,
    by number, and their shape: channels, height, width; how many maps a look returns; how it can be adapted."""

    run: str
    layers: list[LayerParametersView]
    images: int
    test_images: int
    classes: list[str]
    shape: tuple[int, int, int]
    streamed: bool
    maps: int
    adaptation: AdaptationView


class EvaluationView(TypedDict):
    """An evaluation. `share` is how much is done (0..1); `workers` is the number of running workers.

    `result` without `look`: `unedited` and `edited` (`loss`, `top1`, `top5`) on the same `images` of the
    `test_images`, and how many γ are `off` (0) and `changed`. With `look`: the image's `pixels` and `label`, its
    likeliest `classes` for both networks, its pixels as the tasks in `views` see it, and the edited network's `maps`
    of a layer (output of the norm layer; base64 of int8, -127..127 of `scale`), with those that are `off`. With
    `adapt`: `adapted`, a row for each corruption and severity with the accuracies as `trained`, with the `statistics`
    of the test images, and after steps down the `entropy`, each with its 95% interval, on `images` of the
    `test_images`. With `sight`: `images` with their pixels (base64) at every severity from 0. With `link`: the scores
    `exact` and in the 8 bits of a `link` of `size_bytes`, on `images` of the `test_images`. In all: the `device`,
    `threads` and `engine` that computed it, and `elsewhere`: why the last digits may differ from those of the
    training, null if they do not.
    """

    id: str
    run: str
    request: dict[str, Any]
    state: Literal["queued", "running", "finished", "failed"]
    attempt: int
    workers: int
    share: float | None
    created_at: float
    started_at: float | None
    finished_at: float | None
    result: dict[str, Any] | None
    error: str | None


EvaluationId = Annotated[str, Path(pattern=ID_PATTERN, description="The evaluation's id.")]


async def _request(request: Request) -> SurgeryRequest:
    return parse(SurgeryRequest, await request.body(), told)


@router.get(
    "/api/runs/{run_id}/parameters",
    dependencies=[COSTLY],
    response_model=ParametersView,
    responses=wrong(404),
    summary="Download γ and β",
)
def download_parameters(run: Found, here: Here) -> Response:
    """The exact γ and β of every norm layer of a finished run."""
    try:
        layers = read_parameters(capsule_of(run, here).content(here), run.spec)
    except BadTensorFile as error:
        raise Problem(404, f"the capsule of run {run.id} {error}") from error
    data = run.spec.data
    content = {
        "run": run.id,
        "layers": [vars(layer) for layer in layers],
        "images": evaluated_images(run.spec),
        "test_images": run.spec.images[1],
        "classes": data.classes,
        "shape": data.shape,
        "streamed": data.streamed,
        "maps": MAX_MAPS,
        "adaptation": _adaptation(run.spec),
    }
    # Write float32 with the fewest digits that restore it.
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, headers=JSON_HEADERS)


@router.post(
    "/api/runs/{run_id}/evaluations",
    status_code=201,
    response_model=EvaluationView,
    responses={200: {"model": EvaluationView}, **wrong(404, 413, 422, 429, 503)},
    openapi_extra=described(SurgeryRequest, EXAMPLE),
    summary="Evaluate an edited network",
)
def launch_evaluation(
    run: Found, here: Here, by: By, request: Annotated[SurgeryRequest, Depends(_request)]
) -> Response:
    """Queue a small job on a finished run: accuracy and loss with some γ edited, a look at one image, the accuracy on
    corrupted test images before and after adaptation without labels, or what the 8 bits of a link cost.

    Follow it with GET /api/evaluations/{evaluation_id}. Repeating the request returns the same evaluation with status
    200. Evaluations are kept for a week.
    """
    if run.state != "finished":
        raise Problem(422, f"run {run.id} is {run.state}; only a finished run can be edited")
    try:
        check(request, run.spec)
    except BadEdits as error:
        problems = [Fault(error.field, str(error))] if error.field else []
        raise Problem(422, str(error), problems=problems) from error
    if here.feed.health().workers == 0:
        raise Problem(503, NO_WORKER)
    evaluation, new = here.store.evaluations.submit(run.id, request, by=by, limits=here.settings.limits)
    if new:
        here.wake(evaluation.id)
    return answer(_view(evaluation, here), 201 if new else 200)


@router.get(
    "/api/evaluations/{evaluation_id}",
    response_model=EvaluationView,
    responses=wrong(404),
    summary="Look at an evaluation",
)
def look_at_evaluation(evaluation_id: EvaluationId, here: Here) -> Response:
    """The evaluation's state, progress and result."""
    evaluation = here.store.evaluations.get(evaluation_id)
    if evaluation is None:
        raise Problem(404, f"there is no evaluation {evaluation_id} here; they are kept for a week")
    return answer(_view(evaluation, here))


@router.post(
    "/api/evaluations/{evaluation_id}/cancel",
    response_model=EvaluationView,
    responses=wrong(403, 404),
    summary="Cancel an evaluation",
)
def cancel_evaluation(evaluation_id: EvaluationId, here: Here, by: By) -> Response:
    """End an evaluation that has not ended, at the request of the visitor who asked for it (by X-Visitor-Token, or by
    the network address). Its worker stops within a second; asking again begins a new one."""
    if here.store.evaluations.get(evaluation_id) is None:
        raise Problem(404, f"there is no evaluation {evaluation_id} here; they are kept for a week")
    if not here.store.evaluations.cancel(evaluation_id, by):
        raise Problem(403, "only the visitor who asked for this evaluation can cancel it")
    evaluation = here.store.evaluations.get(evaluation_id)
    assert evaluation is not None
    return answer(_view(evaluation, here))


def _adaptation(spec: RunSpec) -> AdaptationView:
    return {
        "obstacle": obstacle(spec.norm),
        "corruptions": [{"name": row.name, "title": row.title} for row in CORRUPTIONS.values()],
        "worst": WORST,
        "defaults": Adaptation().model_dump(mode="json"),
    }


def _view(evaluation: Evaluation, here: Services) -> EvaluationView:
    return {
        "id": evaluation.id,
        "run": evaluation.run_id,
        "request": evaluation.request.model_dump(mode="json"),
        "state": evaluation.state,
        "attempt": evaluation.attempt,
        "workers": here.feed.health().workers,
        "share": evaluation.share,
        "created_at": evaluation.created_at,
        "started_at": evaluation.started_at,
        "finished_at": evaluation.finished_at,
        "result": evaluation.result,
        "error": cleaned(evaluation.error) if evaluation.error else None,
    }
