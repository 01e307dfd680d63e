"""Rooms: a teacher opens one, everybody with its link joins with a nickname, and all runs of the room are on one board.

Nothing but the nickname is asked. Who leaves takes it away, also from the names of the runs.
"""

from __future__ import annotations

import hmac
import re
import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from jobs.quotas import HOUR_S, Asker, Refused
from jobs.store.complaints.cleared import was_cleared
from jobs.store.database import Database
from jobs.store.labels.labels import named
from jobs.store.mapping import kept
from jobs.store.rooms.tables import NICKNAMES, ROOMS
from jobs.store.submission import hashed, new_id, new_token
from jobs.store.tables import RUNS

NICKNAME = re.compile(r"[\w][\w .-]{0,22}[\w.]|[\w]")
MAX_MEMBERS = 100
MAX_ON_BOARD = 200
"""Runs; older ones are left out."""
MAX_HOURLY = 10
"""How many rooms one network address may open within an hour."""
KEPT_DAYS = 90
"""A room is closed so long after it was opened."""
ANYBODY = "unknown"
"""The visitor where nobody can be told apart."""


class BadRoom(ValueError):
    """What was asked of a room is not possible; the message says why."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room. `members`: nicknames in the order of the alphabet."""

    id: str
    title: str
    question: str | None
    created_at: float
    members: tuple[str, ...]


@dataclass(eq=False)
class Rooms:
    """Opens rooms, and knows who is in them."""

    database: Database

    def open(self, title: str, question: str | None, by: Asker) -> tuple[Room, str]:
        """A new room and the token of its teacher. Raises Refused."""
        token, now, room_id = new_token(), time.time(), new_id()
        row = {"id": room_id, "title": title, "question": question, "owner": hashed(token), "created_at": now}
        with self.database.writing() as connection:
            connection.execute(sa.delete(ROOMS).where(ROOMS.c.created_at < now - KEPT_DAYS * 24 * HOUR_S))
            recent = (ROOMS.c.address == by.address, ROOMS.c.created_at > now - HOUR_S)
            count = sa.select(sa.func.count()).select_from(ROOMS).where(*recent)
            if by.address is not None and (connection.scalar(count) or 0) >= MAX_HOURLY:
                raise Refused(
                    f"{MAX_HOURLY} rooms were opened from your network within an hour, the most allowed", HOUR_S
                )
            connection.execute(sa.insert(ROOMS).values(**row, visitor=by.owner, address=by.address))
        return Room(room_id, title, question, now, ()), token

    def get(self, room_id: str) -> Room | None:
        with self.database.reading() as connection:
            row = connection.execute(sa.select(ROOMS).where(ROOMS.c.id == room_id)).first()
            if row is None:
                return None
            inside = sa.select(NICKNAMES.c.nickname).where(NICKNAMES.c.room == row.number)
            members = tuple(connection.scalars(inside.order_by(NICKNAMES.c.nickname)))
        return Room(row.id, row.title, row.question, row.created_at, members)

    def may_change(self, room_id: str, token: str) -> bool:
        """Whether `token` is the teacher's."""
        with self.database.reading() as connection:
            owner = connection.scalar(sa.select(ROOMS.c.owner).where(ROOMS.c.id == room_id))
        return hmac.compare_digest(hashed(token), owner or "")

    def change(self, room_id: str, values: dict[str, Any]) -> None:
        """Set those of `title` and `question` that are in `values`. Raises BadRoom."""
        if values:
            with self.database.writing() as connection:
                if "title" in values and was_cleared(connection, "title", room=_number(connection, room_id)):
                    raise BadRoom(
                        "the operator of this server has removed the title of this room, so it cannot be changed"
                    )
                connection.execute(sa.update(ROOMS).where(ROOMS.c.id == room_id).values(values))

    def close(self, room_id: str) -> None:
        """Delete the room and all nicknames, also in the names of its runs. The runs stay."""
        with self.database.writing() as connection:
            number = _number(connection, room_id)
            inside = sa.select(NICKNAMES.c.visitor).where(NICKNAMES.c.room == number)
            for visitor in connection.scalars(inside).all():
                _forget(connection, room_id, number, visitor)
            connection.execute(sa.update(RUNS).where(RUNS.c.room == room_id).values(room=None))
            connection.execute(sa.delete(ROOMS).where(ROOMS.c.number == number))

    def join(self, room_id: str, nickname: str, by: Asker) -> None:
        """Be in the room as `nickname`, instead of an earlier one. Raises BadRoom."""
        name = " ".join(nickname.split())
        if not NICKNAME.fullmatch(name):
            raise BadRoom("a nickname has 1 to 24 letters, digits, spaces, dots and hyphens")
        try:
            with self.database.writing() as connection:
                number, visitor = _number(connection, room_id), by.owner or ANYBODY
                if was_cleared(connection, "nickname", room=number, text=name):
                    raise BadRoom("the operator of this server has removed this nickname; choose another one")
                before = _nickname(connection, number, visitor)
                inside = sa.select(sa.func.count()).select_from(NICKNAMES).where(NICKNAMES.c.room == number)
                if before is None and (connection.scalar(inside) or 0) >= MAX_MEMBERS:
                    raise BadRoom(f"the room is full: it has {MAX_MEMBERS} members")
                if before is not None:
                    _forget(connection, room_id, number, visitor)
                connection.execute(sa.insert(NICKNAMES).values(room=number, visitor=visitor, nickname=name))
        except IntegrityError as error:
            raise BadRoom(f"somebody else in this room is called {name}; choose another nickname") from error

    def leave(self, room_id: str, by: Asker) -> None:
        """Forget the nickname of `by`, also in the names of their runs. The runs stay on the board, without a name."""
        with self.database.writing() as connection:
            _forget(connection, room_id, _number(connection, room_id), by.owner or ANYBODY)

    def remove(self, room_id: str, nickname: str) -> bool:
        """The same for the member called `nickname`. False: there is none."""
        with self.database.writing() as connection:
            return forget_member(connection, _number(connection, room_id), nickname)

    def board(self, room_id: str) -> list[tuple[str, str | None]]:
        """The ids of the room's runs, the newest first, each with its owner's nickname; None: they have left."""
        inside = NICKNAMES.join(ROOMS, ROOMS.c.number == NICKNAMES.c.room)
        there = sa.select(NICKNAMES.c.visitor, NICKNAMES.c.nickname).select_from(inside).where(ROOMS.c.id == room_id)
        runs = sa.select(RUNS.c.id, RUNS.c.visitor).where(RUNS.c.room == room_id, kept())
        with self.database.reading() as connection:
            names = {row.visitor: row.nickname for row in connection.execute(there)}
            rows = connection.execute(runs.order_by(RUNS.c.number.desc()).limit(MAX_ON_BOARD)).all()
        return [(row.id, names.get(row.visitor or ANYBODY)) for row in rows]

    def nicknames(self, room_id: str) -> dict[str, str]:
        """What everybody in the room is called, by visitor."""
        inside = NICKNAMES.join(ROOMS, ROOMS.c.number == NICKNAMES.c.room)
        there = sa.select(NICKNAMES.c.visitor, NICKNAMES.c.nickname).select_from(inside).where(ROOMS.c.id == room_id)
        with self.database.reading() as connection:
            return {row.visitor: row.nickname for row in connection.execute(there)}

    def nickname(self, room_id: str, by: Asker) -> str | None:
        """What `by` is called in the room; None: not a member."""
        with self.database.reading() as connection:
            number = connection.scalar(sa.select(ROOMS.c.number).where(ROOMS.c.id == room_id))
            return None if number is None else _nickname(connection, number, by.owner or ANYBODY)


def forget_member(connection: Connection, number: int, nickname: str) -> bool:
    """Forget the member of room `number` who is called `nickname`. False: there is none."""
    who = sa.select(ROOMS.c.id, NICKNAMES.c.visitor).join(NICKNAMES, NICKNAMES.c.room == ROOMS.c.number)
    row = connection.execute(who.where(ROOMS.c.number == number, NICKNAMES.c.nickname == nickname)).first()
    if row is not None:
        _forget(connection, row.id, number, row.visitor)
    return row is not None


def _number(connection: Connection, room_id: str) -> int:
    """Raises BadRoom."""
    number: int | None = connection.scalar(sa.select(ROOMS.c.number).where(ROOMS.c.id == room_id))
    if number is None:
        raise BadRoom(f"there is no room {room_id} here; its teacher may have closed it")
    return number


def _nickname(connection: Connection, number: int, visitor: str) -> str | None:
    mine = (NICKNAMES.c.room == number, NICKNAMES.c.visitor == visitor)
    name: str | None = connection.scalar(sa.select(NICKNAMES.c.nickname).where(*mine))
    return name


def _forget(connection: Connection, room_id: str, number: int, visitor: str) -> None:
    """Delete the nickname of `visitor`, and take the names of their runs in the room away."""
    connection.execute(sa.delete(NICKNAMES).where(NICKNAMES.c.room == number, NICKNAMES.c.visitor == visitor))
    theirs = (RUNS.c.room == room_id, RUNS.c.visitor == visitor, RUNS.c.name.is_not(None), kept())
    for run in connection.execute(sa.select(RUNS.c.number, RUNS.c.spec).where(*theirs)).all():
        connection.execute(sa.update(RUNS).where(RUNS.c.number == run.number).values(named(run.spec, None)))
