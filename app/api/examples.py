"""The route of the runs that came with the project, for the gallery of a fresh installation."""

from __future__ import annotations

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from app.api.common import Here
from app.views.runs import RunSummary, short
from app.views.summaries import summaries
from app.web.answers import answer

router = APIRouter()


class ExampleCard(TypedDict):
    """An example with its test accuracies (0..1) as [epoch, accuracy]."""

    run: RunSummary
    tests: list[tuple[float, float]]


class Gallery(TypedDict):
    """The examples that are still here; `compare`: the address of their comparison, null for fewer than two."""

    examples: list[ExampleCard]
    compare: str | None


@router.get("/api/examples", response_model=Gallery, summary="Look at the runs that came with the project")
def show_examples(here: Here) -> Response:
    """Real runs, trained elsewhere and shipped. Empty if they were left out or deleted."""
    runs = here.store.examples.all()
    cards: list[ExampleCard] = [
        {
            "run": shown,
            "tests": [(point.epoch, short(point.top1)) for point in here.store.curves.tests(run.id)],
        }
        for run, shown in zip(runs, summaries(runs, here.store, here.settings.public_url), strict=True)
    ]
    ids = ",".join(run.id for run in runs)
    gallery: Gallery = {"examples": cards, "compare": f"/compare?runs={ids}" if len(runs) > 1 else None}
    return answer(gallery)
