"""The REST routes of a question: its preview before it is asked, its words, and all its data afterwards."""

from fastapi import APIRouter, Response

from app.api.common import COSTLY, Here, Services, wrong
from app.api.questions.reading import ASKED, AskedStudy
from app.api.studies import FoundStudy, label_of
from app.views.asked import AskedPreview, asked_preview
from app.views.study_data import StudyData, as_csv, study_data
from app.web.answers import answer, attached
from core.run.spec import RunSpec
from core.studies.shipped import ShippedStudy
from jobs.store.studies import Study

router = APIRouter()


@router.post(
    "/api/studies/preview",
    dependencies=[COSTLY],
    response_model=AskedPreview,
    responses=wrong(413, 422, 429),
    openapi_extra=ASKED,
    summary="Look at your own question before asking it",
)
def preview_question(study: AskedStudy, here: Here) -> Response:
    """How many runs it makes, what they cost, how long they take, and why it would be refused. It starts nothing."""
    settings = here.settings
    return answer(asked_preview(study, here.estimator.estimate, settings.limits.cap, settings.largest_study))


@router.get(
    "/api/studies/{study_id}/results.json",
    dependencies=[COSTLY],
    response_model=StudyData,
    responses=wrong(404, 422),
    summary="All data of a study",
)
def show_data(study: FoundStudy, here: Here) -> Response:
    """The verdict, and every run with its spec, its result and the interval of its setting."""
    return answer(_data(study, here)[0])


@router.get(
    "/api/studies/{study_id}/results.csv",
    dependencies=[COSTLY],
    responses={200: {"content": {"text/csv": {}}}, **wrong(404, 422)},
    summary="Download all data of a study",
)
def download_data(study: FoundStudy, here: Here) -> Response:
    """One line a run: its state, every field of its spec, its results, and the interval of its setting."""
    text = as_csv(*_data(study, here))
    return Response(text, media_type="text/csv; charset=utf-8", headers=attached(f"onlybn-{label_of(study)}-runs.csv"))


def _data(study: Study | ShippedStudy, here: Services) -> tuple[StudyData, list[RunSpec]]:
    """The data of a study, and the specs of its runs in the same order."""
    states: list[tuple[str | None, str, RunSpec]]
    if isinstance(study, ShippedStudy):
        done = {run.spec.digest for run in study.runs}
        specs = [member.spec for member in study.spec.members]
        states = [(None, "finished" if spec.digest in done else "missing", spec) for spec in specs]
    else:
        states = [(run.id, run.state, run.spec) for run in study.runs]
    data = study_data(study.id, study.spec, states, here.studies.records(study))
    return data, [spec for _, _, spec in states]
