"""The REST routes of complaints about notes, tags, nicknames and titles: who makes them, and what settles them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from app.api.admin import Admin
from app.api.common import By, Existing, Here, described, wrong
from app.api.errors import Problem, parse, told
from app.api.rooms.rooms import Existing as ExistingRoom
from app.api.rooms.rooms import room_url
from app.views.runs import run_url
from app.web.answers import answer
from core.catalog.model import Model
from jobs.store.complaints.cleared import OF_RUN, Kind
from jobs.store.labels.labels import MAX_NOTE

MAX_TEXT = 2 * MAX_NOTE
Number = Annotated[int, Path(ge=1, lt=2**53, description="The number of the complaint.")]


class RunComplaint(Model):
    """What of a run is offensive: its note, or the tag `text`."""

    kind: Literal["note", "tag"]
    text: str | None = Field(None, max_length=MAX_TEXT)


class RoomComplaint(Model):
    """What of a room is offensive: its title, or the nickname `text`."""

    kind: Literal["title", "nickname"]
    text: str | None = Field(None, max_length=MAX_TEXT)


class ComplaintTaken(TypedDict):
    """A complaint, made now or earlier by the same visitor."""

    id: str
    reported: bool


class ComplaintView(TypedDict):
    """A text about which `complaints` visitors have complained; `id`: of the run or room. Times are Unix seconds."""

    number: int
    kind: Kind
    id: str
    url: str
    text: str
    complaints: int
    first_at: float
    last_at: float


class ComplaintsView(TypedDict):
    complaints: list[ComplaintView]


class Settled(TypedDict):
    """How many complaints about the text were settled."""

    number: int
    settled: int


router = APIRouter()


async def _of_run(request: Request) -> RunComplaint:
    return parse(RunComplaint, await request.body(), told)


async def _of_room(request: Request) -> RoomComplaint:
    return parse(RoomComplaint, await request.body(), told)


@router.post(
    "/api/runs/{run_id}/report",
    response_model=ComplaintTaken,
    responses=wrong(404, 409, 422, 429),
    openapi_extra=described(RunComplaint, {"kind": "note"}),
    summary="Report an offensive note or tag",
)
def report_run(run_id: Existing, what: Annotated[RunComplaint, Depends(_of_run)], here: Here, by: By) -> Response:
    """Tell the operator that the note or a tag of a run is offensive. A second report of the same visitor changes
    nothing. The text stays until somebody has looked at it."""
    return _take(what.kind, run_id, what.text, here, by)


@router.post(
    "/api/rooms/{room_id}/report",
    response_model=ComplaintTaken,
    responses=wrong(404, 409, 422, 429),
    openapi_extra=described(RoomComplaint, {"kind": "nickname", "text": "rude"}),
    summary="Report an offensive nickname or title",
)
def report_room(room: ExistingRoom, what: Annotated[RoomComplaint, Depends(_of_room)], here: Here, by: By) -> Response:
    """The same for a nickname in a room, or the title of the room."""
    return _take(what.kind, room.id, what.text, here, by)


@router.get(
    "/api/admin/complaints",
    response_model=ComplaintsView,
    responses=wrong(403),
    dependencies=[Admin],
    summary="List reported notes, tags, nicknames and titles",
)
def list_complaints(here: Here) -> Response:
    """The texts that visitors reported, the most reported first; those that were settled or are gone are left out."""
    url = here.settings.public_url
    said: ComplaintsView = {
        "complaints": [
            {
                "number": one.number,
                "kind": one.kind,
                "id": one.about,
                "url": run_url(one.about, url) if one.kind in OF_RUN else room_url(one.about, url),
                "text": one.text,
                "complaints": one.complaints,
                "first_at": one.first_at,
                "last_at": one.last_at,
            }
            for one in here.store.complaints.open()
        ]
    }
    return answer(said)


@router.post(
    "/api/admin/complaints/{number}/clear",
    response_model=Settled,
    responses=wrong(403, 404),
    dependencies=[Admin],
    summary="Remove a reported text",
)
def clear_text(number: Number, here: Here) -> Response:
    """Remove the note, the tag, the nickname or the title. Its owner cannot bring it back."""
    return _settled(number, here.store.complaints.clear(number))


@router.post(
    "/api/admin/complaints/{number}/dismiss",
    response_model=Settled,
    responses=wrong(403, 404),
    dependencies=[Admin],
    summary="Dismiss the reports of a text",
)
def dismiss_complaints(number: Number, here: Here) -> Response:
    """The text stays, and further reports of it are settled already."""
    return _settled(number, here.store.complaints.dismiss(number))


def _take(kind: Kind, about: str, text: str | None, here: Here, by: By) -> Response:
    if kind in ("tag", "nickname") and not text:
        raise Problem(422, f"text is missing: which {kind}?")
    if not here.store.complaints.complain(kind, about, text, by):
        raise Problem(409, f"there is no such {kind} to report; it may have changed")
    said: ComplaintTaken = {"id": about, "reported": True}
    return answer(said)


def _settled(number: int, settled: int) -> Response:
    if not settled:
        raise Problem(404, f"there is no open report {number}")
    said: Settled = {"number": number, "settled": settled}
    return answer(said)
