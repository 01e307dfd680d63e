"""What the pages of a frozen site share: the answers of the API about lists, studies and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import Response

from app.api import comparison, examples, preview, studies
from app.api.common import Services
from app.api.questions import questions
from app.freeze.runs import SITE, FrozenRun
from app.pages.options import COUNTED
from app.views.comparison import grammar
from core.catalog.architectures import FAMILIES
from core.run.spec import RunSpec
from core.studies.shipped import ShippedStudy
from jobs.store.studies import Study

Body = tuple[str, bytes]
"""An address of the API, and the response to it."""
DATASET = "cifar-10"
"""Of the counts on the page About."""


def shared(runs: Sequence[FrozenRun], here: Services) -> Iterator[Body]:
    """All of them; `runs` in the order of the list."""
    there = {run.id for run in runs}
    yield "/api/runs", orjson.dumps({"runs": [run.summary for run in runs]})
    yield "/api/tags", orjson.dumps(_tags(runs))
    yield "/api/examples", orjson.dumps(_examples(there, here))
    yield "/api/experiments", _body(preview.list_experiments(here))
    yield "/api/glossary", _body(preview.show_glossary())
    yield "/api/compare", orjson.dumps(grammar())
    yield "/api/compare/shell", orjson.dumps(comparison.shell_of("", here, SITE))
    yield from _counts(here)
    yield from _studies(runs, here)


def _body(response: Response) -> bytes:
    return bytes(response.body)


def _tags(runs: Sequence[FrozenRun]) -> list[dict[str, Any]]:
    """As `app/api/labels` has them, of these runs."""
    counts = Counter(tag for run in runs for tag in run.summary["tags"])
    return [{"tag": tag, "runs": number} for tag, number in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]


def _examples(there: set[str], here: Services) -> dict[str, Any]:
    gallery = orjson.loads(_body(examples.show_examples(here)))
    cards = [card for card in gallery["examples"] if card["run"]["id"] in there]
    ids = ",".join(card["run"]["id"] for card in cards)
    return {"examples": cards, "compare": f"/compare?runs={ids}" if len(cards) > 1 else None}


def _counts(here: Services) -> Iterator[Body]:
    family = next(iter(FAMILIES.values()))
    for number in family.featured:
        for policy in COUNTED:
            query = {"architecture": f"{family.name}-{number}", "policy": policy, "dataset": DATASET}
            spec = RunSpec.model_validate({**query, "epochs": 1})
            yield f"/api/count?{urlencode(query)}", orjson.dumps(preview.look_ahead(spec, here))


def _studies(runs: Sequence[FrozenRun], here: Services) -> Iterator[Body]:
    """The questions of the paper, and every finished study whose runs are all here."""
    there = {run.id for run in runs}
    said = here.studies.questions()
    asked = {run.summary["study"] for run in runs} - {None}
    known = {view["id"] for view in said["studies"]} | asked
    found = {study.id: study for name in known if (study := here.store.studies.get(name))}
    whole = {name: study for name, study in found.items() if study.runs and all(run.id in there for run in study.runs)}
    studies_ = [view for view in said["studies"] if view["id"] in whole]
    yield "/api/studies", orjson.dumps({**said, "studies": studies_})
    for name, study in whole.items():
        yield from _study(name, study, here)
    for name, (shipped, _) in here.studies.shipped.items():
        yield from _study(name, shipped, here)


def _study(name: str, study: Study | ShippedStudy, here: Services) -> Iterator[Body]:
    base = f"/api/studies/{name}"
    yield base, _body(studies.look_at_study(study, here))
    yield f"{base}/results", _body(studies.download_results(study, here))
    if study.spec is not None:
        yield f"{base}/report", _body(studies.download_report(study, here, SITE))
    if study.spec is not None and study.spec.asked:
        yield f"{base}/results.csv", _body(questions.download_data(study, here))
        yield f"{base}/results.json", _body(questions.show_data(study, here))
