"""The REST routes of a network in a link: its bytes as a link and as a QR code, and what its 8 bits cost."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from app.api.capsules import capsule_of
from app.api.common import COSTLY, Found, Here, Services, Site, described, wrong
from app.api.errors import Problem, parse, told
from app.web.answers import answer
from core.catalog.model import Model
from core.run.edits import MAX_EDITS, BadEdits, Edit, SurgeryRequest, check
from core.run.link.link import NoLink, obstacle
from core.run.link.made import link_of
from core.run.link.qr import TooLarge, qr
from core.run.link.text import address, base64url
from core.run.parameters import read_tensors
from core.run.problems import Fault
from core.run.tensorfile import BadTensorFile
from jobs.store.records import Run

EXAMPLE = '{"edits": [{"action": "zero", "below": 0.01}]}'

router = APIRouter()


class LinkRequest(Model):
    """Which network of a run to put into a link."""

    edits: tuple[Edit, ...] = Field((), max_length=MAX_EDITS, description="Of γ, applied one after another.")


class QrView(TypedDict):
    """A QR code that opens the network: an SVG picture, its version (1..40), and its modules a side."""

    svg: str
    version: int
    modules: int


class NetworkLinkView(TypedDict):
    """A network in a link. `obstacle`: why no link can carry it; all else is then null. `text`: the network of
    `size_bytes` as base64url, behind the `#` of the `link`. `qr`, or why there is none, in `qr_obstacle`. `cost`: the
    scores without (`exact`) and with 8 bits (`link`) on `images` of the `test_images`; null: not measured. POST
    /api/runs/{run_id}/evaluations with `{"link": true}` and the same edits measures it."""

    run: str
    obstacle: str | None
    text: str | None
    link: str | None
    size_bytes: int | None
    qr: QrView | None
    qr_obstacle: str | None
    cost: dict[str, Any] | None


async def _request(request: Request) -> LinkRequest:
    return parse(LinkRequest, await request.body(), told)


@router.get(
    "/api/runs/{run_id}/link",
    dependencies=[COSTLY],
    response_model=NetworkLinkView,
    responses=wrong(404, 422, 503),
    summary="Look at the network in a link",
)
def look_at_link(run: Found, here: Here, site: Site) -> Response:
    """The trained network itself in a link: no server has to keep it. The numbers have 8 bits; docs/link.md has the
    format."""
    return answer(_view(run, here, site, LinkRequest()))


@router.post(
    "/api/runs/{run_id}/link",
    dependencies=[COSTLY],
    response_model=NetworkLinkView,
    responses=wrong(404, 413, 422, 503),
    openapi_extra=described(LinkRequest, EXAMPLE),
    summary="Put an edited network into a link",
)
def link_edited(run: Found, here: Here, site: Site, request: Annotated[LinkRequest, Depends(_request)]) -> Response:
    """The same with some γ edited, as on the page Surgery. Nothing is stored."""
    return answer(_view(run, here, site, request))


def _view(run: Run, here: Services, site: str, request: LinkRequest) -> NetworkLinkView:
    said: NetworkLinkView = {
        "run": run.id,
        "obstacle": obstacle(run.spec) if run.state == "finished" else None,
        "text": None,
        "link": None,
        "size_bytes": None,
        "qr": None,
        "qr_obstacle": None,
        "cost": None,
    }
    if said["obstacle"]:
        return said
    measure = SurgeryRequest(edits=request.edits, link=True)
    try:
        content = _content(run, here, measure)
    except NoLink as error:
        return {**said, "obstacle": str(error)}
    text = base64url(content)
    said |= {"text": text, "link": address(site, text), "size_bytes": len(content)}
    try:
        code = qr(content, site)
        said["qr"] = {"svg": code.svg, "version": code.version, "modules": code.modules}
    except TooLarge as error:
        said["qr_obstacle"] = str(error)
    measured = here.store.evaluations.find(run.id, measure)
    said["cost"] = measured.result if measured and measured.state == "finished" else None
    return said


def _content(run: Run, here: Services, request: SurgeryRequest) -> bytes:
    """The bytes of the link. Raises Problem and NoLink."""
    file = capsule_of(run, here).content(here)
    try:
        check(request, run.spec)
        tensors = read_tensors(file, run.spec)
    except BadEdits as error:
        raise Problem(422, str(error), problems=[Fault(error.field, str(error))] if error.field else []) from error
    except BadTensorFile as error:
        raise Problem(404, f"the capsule of run {run.id} {error}") from error
    top1 = run.result.top1 if run.result else None
    return link_of(run.spec, tensors, top1, request.edits)
