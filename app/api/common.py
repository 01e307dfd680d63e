"""Shared by all routes: their services, the run that an address names, and helpers for their documentation."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, NotRequired, Self

from fastapi import Depends, Header, Path, Request
from pydantic import BaseModel
from typing_extensions import TypedDict

from app.api.errors import Problem
from app.live.feed import Feed
from app.live.folder import DataFolder
from app.live.probe import Probe
from app.preview.estimate import Estimator
from app.preview.outlook import Outlooks
from app.settings import Settings
from app.views.studies import Studies
from app.web.auth.tries import Tries
from app.web.limits import Limiter
from app.web.shared import Shared
from app.web.visitor import asker_of
from jobs.quotas import Asker
from jobs.store.mapping import UnreadableRun
from jobs.store.records import ID_PATTERN, Run
from jobs.store.store import Store


@dataclass(frozen=True)
class Services:
    """The services of the routes. `wake(run_id)` tells the workers about a new row; a lost message does no harm.

    `specs`, `texts`, `files`: what parses specs, specs in YAML, and files of tensors, each in few threads; `costly`:
    what takes more than a tenth of a second otherwise; `quick`: what must answer whatever else goes on. `shared`: what
    everybody in a room asks for, by its id; `tries`: wrong admin tokens.
    """

    settings: Settings
    store: Store
    wake: Callable[[str], object]
    feed: Feed
    estimator: Estimator
    outlooks: Outlooks
    studies: Studies
    options: Callable[[], dict[str, Any]]
    probe: Probe
    folder: DataFolder
    specs: Limiter = field(default_factory=lambda: Limiter(2, waiting=30))
    texts: Limiter = field(default_factory=lambda: Limiter(1, waiting=8))
    files: Limiter = field(default_factory=lambda: Limiter(1, waiting=8))
    costly: Limiter = field(default_factory=lambda: Limiter(3, waiting=40))
    quick: Limiter = field(default_factory=lambda: Limiter(8, waiting=2000))
    shared: Shared[Any] = field(default_factory=Shared)
    tries: Tries = field(default_factory=Tries)

    @classmethod
    def of(
        cls, settings: Settings, store: Store, wake: Callable[[str], object], options: Callable[[], dict[str, Any]]
    ) -> Self:
        """The services of an installation; `options()` returns the choices of the form."""
        url, estimator = settings.public_url, Estimator(store)
        return cls(
            settings,
            store,
            wake,
            Feed(store, url),
            estimator,
            Outlooks(store, estimator, url),
            Studies(store, url, settings.largest_study, shipped=settings.examples),
            options,
            Probe(store),
            DataFolder(settings.data),
        )


class WrongField(TypedDict):
    """What is wrong with one field of a body; `field` is dotted, and empty for the whole body."""

    field: str
    sentence: str


class Wrong(TypedDict):
    """An error: why the request was refused, and of a body also field by field."""

    detail: str
    problems: NotRequired[list[WrongField]]


RunId = Annotated[str, Path(pattern=ID_PATTERN, description="The run's id.")]


def described(model: type[BaseModel], example: object) -> dict[str, Any]:
    """The documentation of a JSON body that we parse ourselves; `example` is an object or JSON text."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}}


def wrong(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route, for its documentation."""
    return {status: {"model": Wrong} for status in statuses}


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Here = Annotated[Services, Depends(services_of)]
"""The services, as a parameter of a route."""


def _by(request: Request, here: Here) -> Asker:
    return asker_of(request, here.settings.signing_key())


By = Annotated[Asker, Depends(_by)]
"""Who sent the request."""


async def _in_turn(here: Here) -> AsyncIterator[None]:
    async with here.costly.slot():
        yield


COSTLY = Depends(_in_turn, scope="function")
"""Of routes that take long: few run at once, so that threads stay free for all others. Raises Busy."""


def _site(request: Request, here: Here) -> str:
    return here.settings.public_url or str(request.base_url).rstrip("/")


Site = Annotated[str, Depends(_site)]
"""The address of this site, for links in downloaded files."""


def found(run_id: RunId, here: Here) -> Run:
    """The run with the id `run_id`. Raises Problem 404, and UnreadableRun."""
    run = here.store.runs.get(run_id)
    if run is None:
        raise Problem(404, f"there is no run {run_id} here; it may have been made on another server")
    return run


Found = Annotated[Run, Depends(found)]


def _existing(run_id: RunId, here: Here) -> str:
    with suppress(UnreadableRun):
        found(run_id, here)
    return run_id


Existing = Annotated[str, Depends(_existing)]
"""The id of a run that exists, even if this version cannot read it."""


def refuse_lost(run: Run, *, curves: bool) -> None:
    """Raises Problem 404 if the curves of the run (else: its trained network) were deleted."""
    if run.evicted_at is not None:
        what = "curves and snapshots of run {} were" if curves else "trained network of run {} was"
        raise Problem(404, f"the {what.format(run.id)} deleted to make room for newer runs")
    if run.dropped_at is not None and not curves:
        raise Problem(
            404, f"the trained network of run {run.id} was deleted: it was larger than this server keeps by default"
        )


Token = Annotated[str | None, Header(max_length=200)]
"""The owner token, which proves who launched a run or a study."""

EXAMPLE_STAYS = (
    "run {id} came with the project and has no owner, so no token can {what} it; the operator can delete all examples "
    "with ONLYBN_EXAMPLES=false"
)


def refuse_others(run_id: str, here: Services, token: str | None, what: str) -> None:
    """Allow `what` only with the owner token of the run, or of the study that launched it. Raises Problem 403."""
    if token and here.store.runs.may_change(run_id, token):
        return
    with suppress(UnreadableRun):
        run = here.store.runs.get(run_id)
        if run and run.example:
            raise Problem(403, EXAMPLE_STAYS.format(id=run_id, what=what))
    if not token:
        raise Problem(
            403, f"only the person who launched this run can {what} it: send its owner_token as X-Owner-Token"
        )
    raise Problem(403, "this owner token belongs to another run")
