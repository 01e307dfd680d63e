"""The REST routes of packs: which runs are tasks over one random network, and their capsules in one file."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from typing_extensions import TypedDict

from app.api.capsules import capsule_of
from app.api.common import COSTLY, Here, Services, found, wrong
from app.api.errors import Problem
from app.sharing.wording import architecture_title
from app.web.answers import answer, attached
from core.catalog.policies import policy
from core.run.cost import counts
from core.run.layout import kept_bytes
from core.run.pack import FEWEST, MAX_BYTES, MOST, BadPack, pack, packed, together
from jobs.store.mapping import UnreadableRun
from jobs.store.records import ID_PATTERN, Run

MAX_RUNS = 200

Ids = Annotated[
    str,
    Query(
        max_length=41 * MAX_RUNS,
        pattern=f"^({ID_PATTERN.strip('^$')})(,{ID_PATTERN.strip('^$')})*$",
        description="Ids of runs with commas between them.",
    ),
]

router = APIRouter()


class PackedTask(TypedDict):
    """A run as a task of a pack: its data set with the task, the task's name, and the bytes that are its own."""

    run: str
    title: str
    dataset: str
    task: str
    kept_bytes: int


class PossiblePack(TypedDict):
    """Finished runs that are tasks over one random network, in words; `whole_bytes`: of all its parameters."""

    network: str
    replicate: int
    whole_bytes: int
    tasks: list[PackedTask]


class PossiblePacks(TypedDict):
    """The packs that the runs make, the largest first; a run may be in none."""

    packs: list[PossiblePack]


@router.get(
    "/api/packs",
    dependencies=[COSTLY],
    response_model=PossiblePacks,
    responses=wrong(404, 422),
    summary="Which runs share a random network",
)
def look_at_packs(here: Here, runs: Ids) -> Response:
    """The finished ones of `runs` that trained γ, β or the output layer, in groups over the same random weights.

    Two tasks make a pack; of the runs of one task it has the first."""
    chosen = [run for run in _runs(runs, here) if run.state == "finished"]
    groups = together([run.spec for run in chosen])
    return answer({"packs": [_possible([chosen[place] for place in group]) for group in groups]})


@router.get(
    "/api/packs/file",
    dependencies=[COSTLY],
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}, **wrong(404, 422, 503)},
    summary="Download several tasks as one pack",
)
def download_pack(here: Here, runs: Ids) -> Response:
    """The capsules of these runs in one file. `python -m core capsule evaluate` puts each task into the one random
    network and measures what it forgets; `unpack` gives back the capsules."""
    chosen = _runs(runs, here)
    if not FEWEST <= len(chosen) <= MOST:
        raise Problem(422, f"a pack has from {FEWEST} to {MOST} runs, got {len(chosen)}")
    files = [capsule_of(run, here) for run in chosen]
    if sum(file.size_bytes for file in files) > MAX_BYTES:
        raise Problem(422, f"these runs would make a pack of more than {MAX_BYTES >> 20} MB")
    try:
        content = pack([packed(f"run {file.run_id}", file.content(here)) for file in files])
    except BadPack as error:
        raise Problem(422, str(error)) from error
    name = f"onlybn-{len(chosen)}-tasks.pack.safetensors"
    return Response(content, media_type="application/octet-stream", headers=attached(name))


def _runs(ids: str, here: Services) -> list[Run]:
    wanted = list(dict.fromkeys(ids.split(",")))
    if len(wanted) > MAX_RUNS:
        raise Problem(422, f"runs may name {MAX_RUNS} runs, got {len(wanted)}")
    runs = []
    for run_id in wanted:
        try:
            runs.append(found(run_id, here))
        except UnreadableRun:
            raise Problem(422, f"run {run_id} cannot be read by this version") from None
    return runs


def _possible(runs: list[Run]) -> PossiblePack:
    spec = runs[0].spec
    return {
        "network": f"{architecture_title(spec.architecture)} · {policy(spec.policy).title}",
        "replicate": spec.replicate,
        "whole_bytes": 4 * counts(spec.plan, spec.trains).total,
        "tasks": [
            {
                "run": run.id,
                "title": run.spec.data.title,
                "dataset": run.spec.dataset,
                "task": run.spec.task,
                "kept_bytes": kept_bytes(run.spec),
            }
            for run in runs
        ],
    }
