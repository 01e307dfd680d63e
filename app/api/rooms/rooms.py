"""The REST routes of rooms: open one, join it with a nickname, and see everybody's runs on one board."""

from dataclasses import dataclass
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from app.api.common import By, Here, Services, Token, described, services_of, wrong
from app.api.errors import Problem, parse, told
from app.api.runs import Question
from app.web.answers import answer, answer_if_new
from app.web.visitor import asker_of
from core.catalog.model import Model
from jobs.store.records import ID_PATTERN
from jobs.store.rooms.rooms import ANYBODY, BadRoom, Room

RoomId = Annotated[str, Path(pattern=ID_PATTERN, description="The room's id.")]
TITLE = r"^[\w .,:;()!?’'–/γβ-]{1,80}$"


class RoomWanted(Model):
    """A room to open. `question`: the one of the first page that everybody is to answer; null: any run."""

    title: str = Field("Our room", pattern=TITLE)
    question: Question | None = None


class RoomChange(Model):
    """What of a room changes; what is left out stays."""

    title: str = Field("", pattern=TITLE)
    question: Question | None = None


class Nickname(Model):
    """How one is called in a room: 1 to 24 letters, digits, spaces, dots and hyphens."""

    nickname: str = Field(max_length=60)


class OnBoard(TypedDict):
    """A run of the room. `nickname`: null after its owner has left."""

    id: str
    nickname: str | None


class RoomView(TypedDict):
    """A room as everybody with its link sees it. `me`: the nickname of the sender of X-Visitor-Token; null: outside."""

    id: str
    url: str
    title: str
    question: str | None
    created_at: float
    me: str | None
    members: list[str]
    runs: list[OnBoard]


class Opened(TypedDict):
    """A new room. `owner_token` is shown only once; with it its teacher changes and closes the room."""

    id: str
    url: str
    owner_token: str


router = APIRouter()


async def _wanted(request: Request) -> RoomWanted:
    return parse(RoomWanted, await request.body(), told)


async def _change(request: Request) -> RoomChange:
    return parse(RoomChange, await request.body(), told)


async def _nickname(request: Request) -> Nickname:
    return parse(Nickname, await request.body(), told)


def _found(room_id: RoomId, here: Here) -> Room:
    room = here.store.rooms.get(room_id)
    if room is None:
        raise Problem(404, f"there is no room {room_id} here; its teacher may have closed it")
    return room


Existing = Annotated[Room, Depends(_found)]


@router.post(
    "/api/rooms",
    status_code=201,
    response_model=Opened,
    responses=wrong(422, 429),
    openapi_extra=described(RoomWanted, {"title": "Course on deep learning", "question": "depth"}),
    summary="Open a room",
)
def open_room(wanted: Annotated[RoomWanted, Depends(_wanted)], here: Here, by: By) -> Response:
    """Open a room for a class. Keep `owner_token`; share the link. A room is closed after 90 days."""
    room, token = here.store.rooms.open(wanted.title, wanted.question, by)
    opened: Opened = {"id": room.id, "url": room_url(room.id, here.settings.public_url), "owner_token": token}
    return answer(opened, 201)


@dataclass(frozen=True)
class Seen:
    """What everybody sees of a room at one moment, as JSON without `me`; and the nicknames by visitor."""

    rest: bytes
    names: dict[str, str]


@router.get("/api/rooms/{room_id}", response_model=RoomView, responses=wrong(404), summary="Look at a room")
async def look_at_room(room_id: RoomId, request: Request) -> Response:
    """The room, who is in it, and its runs, the newest first. At most a second old."""
    here = services_of(request)

    def look() -> Seen:
        names = here.store.rooms.nicknames(room_id)
        said = {key: value for key, value in _view(_found(room_id, here), here, None).items() if key != "me"}
        return Seen(orjson.dumps(said), names)

    seen: Seen = await here.shared.get((room_id, "room"), look, here.costly)
    me = seen.names.get(asker_of(request, here.settings.signing_key()).owner or ANYBODY)
    body = b'{"me":' + orjson.dumps(me) + b"," + seen.rest[1:]
    return answer_if_new(body, request.headers.get("if-none-match"))


@router.patch(
    "/api/rooms/{room_id}",
    response_model=RoomView,
    responses=wrong(403, 404, 422),
    openapi_extra=described(RoomChange, {"question": "depth"}),
    summary="Change a room",
)
def change_room(
    room: Existing, change: Annotated[RoomChange, Depends(_change)], here: Here, by: By, x_owner_token: Token = None
) -> Response:
    """Change the title or the question. Send the room's token."""
    _refuse_others(room, here, x_owner_token)
    try:
        here.store.rooms.change(room.id, change.model_dump(exclude_unset=True))
    except BadRoom as error:
        raise Problem(422, str(error)) from error
    here.shared.forget(room.id)
    return answer(_view(_found(room.id, here), here, here.store.rooms.nickname(room.id, by)))


@router.delete("/api/rooms/{room_id}", status_code=204, responses=wrong(403, 404), summary="Close a room")
def close_room(room: Existing, here: Here, x_owner_token: Token = None) -> Response:
    """Delete the room and all nicknames, also in the names of its runs. The runs stay."""
    _refuse_others(room, here, x_owner_token)
    here.store.rooms.close(room.id)
    here.shared.forget(room.id)
    return Response(status_code=204)


@router.post(
    "/api/rooms/{room_id}/join",
    response_model=RoomView,
    responses=wrong(404, 422),
    openapi_extra=described(Nickname, {"nickname": "Ada"}),
    summary="Join a room",
)
def join_room(room: Existing, wanted: Annotated[Nickname, Depends(_nickname)], here: Here, by: By) -> Response:
    """Be in the room under a nickname, the only thing that is kept of you. Another one replaces it."""
    try:
        here.store.rooms.join(room.id, wanted.nickname, by)
    except BadRoom as error:
        raise Problem(422, str(error)) from error
    here.shared.forget(room.id)
    return answer(_view(_found(room.id, here), here, here.store.rooms.nickname(room.id, by)))


@router.post("/api/rooms/{room_id}/leave", response_model=RoomView, responses=wrong(404), summary="Leave a room")
def leave_room(room: Existing, here: Here, by: By) -> Response:
    """Forget your nickname, also in the names of your runs in the room. The runs stay on the board."""
    here.store.rooms.leave(room.id, by)
    here.shared.forget(room.id)
    return answer(_view(_found(room.id, here), here, None))


@router.delete(
    "/api/rooms/{room_id}/members/{nickname}",
    response_model=RoomView,
    responses=wrong(403, 404),
    summary="Remove a member",
)
def remove_member(room: Existing, nickname: str, here: Here, by: By, x_owner_token: Token = None) -> Response:
    """Forget the nickname of somebody else. Send the room's token. Nothing keeps them from joining again."""
    _refuse_others(room, here, x_owner_token)
    if not here.store.rooms.remove(room.id, nickname):
        raise Problem(404, "nobody in this room has that nickname")
    here.shared.forget(room.id)
    return answer(_view(_found(room.id, here), here, here.store.rooms.nickname(room.id, by)))


def room_url(room_id: str, public_url: str | None = None) -> str:
    """The link of a room; an absolute path if the public address is unknown."""
    return f"{public_url or ''}/room?id={room_id}"


def _view(room: Room, here: Services, me: str | None) -> RoomView:
    return {
        "id": room.id,
        "url": room_url(room.id, here.settings.public_url),
        "title": room.title,
        "question": room.question,
        "created_at": room.created_at,
        "me": me,
        "members": list(room.members),
        "runs": [{"id": run_id, "nickname": nickname} for run_id, nickname in here.store.rooms.board(room.id)],
    }


def _refuse_others(room: Room, here: Services, token: str | None) -> None:
    if not (token and here.store.rooms.may_change(room.id, token)):
        raise Problem(403, "only the teacher who opened this room can do that: send its owner_token as X-Owner-Token")
