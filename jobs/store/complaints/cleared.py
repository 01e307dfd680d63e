"""What the operator has cleared stays so: conditions for those who write notes, tags, nicknames and titles."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from jobs.store.complaints.tables import COMPLAINTS

Kind = Literal["note", "tag", "nickname", "title"]
"""What a complaint is about: the note or a tag of a run; a nickname in a room, or the room's title."""
OF_RUN: tuple[Kind, ...] = ("note", "tag")
RENAMED = "Room"
"""The title of a room whose own was cleared."""


def was_cleared(
    connection: Connection, kind: Kind, *, run: int | None = None, room: int | None = None, text: str | None = None
) -> bool:
    """Whether the operator has cleared such a text of the run or room; `text`: this one."""
    mine = [COMPLAINTS.c.kind == kind, COMPLAINTS.c.standing == "cleared"]
    mine.append(COMPLAINTS.c.room == room if run is None else COMPLAINTS.c.run == run)
    if text is not None:
        mine.append(sa.func.lower(COMPLAINTS.c.text) == text.lower())
    return connection.scalar(sa.select(COMPLAINTS.c.number).where(*mine).limit(1)) is not None
