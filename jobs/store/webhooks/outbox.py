"""The messages to webhooks as those see them who send them: note ends, take what is due, say how an attempt went.

A taken message is leased: nobody else takes it until the lease is over. What a process that was killed has taken comes
back then, so a receiver may get a message twice, with the same id.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from jobs.store.database import Database
from jobs.store.tables import RUNS, STUDIES
from jobs.store.webhooks.endings import note_ends, some_ended
from jobs.store.webhooks.tables import MESSAGES, WEBHOOKS

WAITS_S = (60.0, 300.0, 1800.0, 7200.0)
"""How long a message waits after its first failed attempt, its second one and so on; then it is given up."""
LEASE_S = 120.0
"""More than an attempt can take, slow name servers included."""
LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Message:
    """A message that the caller may send now. `about`: the id of the run or study; `attempt`: 1 for the first."""

    number: int
    id: str
    about: str
    url: str
    body: str
    attempt: int


@dataclass(eq=False)
class Outbox:
    """The messages that are still to be sent."""

    database: Database

    def note(self) -> int:
        """Write the messages of what has ended since. Returns how many. Several processes may do so at once."""
        with self.database.reading() as connection:
            if not some_ended(connection):
                return 0  # the usual case, which writes nothing
        with self.database.writing() as connection:
            return note_ends(connection)

    def has_work(self) -> bool:
        """Whether something has ended that no message tells of yet, or a message is due now or under way."""
        with self.database.reading() as connection:
            due = sa.select(MESSAGES.c.number).where(MESSAGES.c.due_at <= self.database.clock()).limit(1)
            return some_ended(connection) or connection.scalar(due) is not None

    def take(self, most: int) -> list[Message]:
        """At most `most` messages that are due, of each visitor one at a time: no slow receiver holds others up."""
        m, w, clock = MESSAGES.c, WEBHOOKS.c, self.database.clock()
        free = (m.due_at <= clock, m.leased_until.is_(None) | (m.leased_until <= clock))
        due = sa.select(m.number, w.visitor).join(WEBHOOKS, w.number == m.webhook).where(*free)
        due = due.order_by(m.attempts, m.due_at).limit(LOOKED_AT)
        with self.database.reading() as connection:
            if connection.execute(due.limit(1)).first() is None:
                return []
        taken: list[Message] = []
        with self.database.writing() as connection:
            leased = sa.select(w.visitor).join(MESSAGES, m.webhook == w.number).where(m.leased_until > clock)
            busy = set(connection.scalars(leased)) - {None}
            for row in connection.execute(due).all():
                if len(taken) == most or row.visitor in busy:
                    continue
                lease = {"leased_until": clock + LEASE_S, "attempts": m.attempts + 1}
                if connection.execute(sa.update(MESSAGES).where(m.number == row.number, *free).values(lease)).rowcount:
                    taken.append(_read(connection, row.number))
                    busy |= {row.visitor} - {None}
        return taken

    def delivered(self, message: Message) -> None:
        """The receiver has taken it."""
        self._settle(message, delivered_at=self.database.clock(), due_at=None, problem=None)

    def failed(self, message: Message, problem: str, *, gone: bool = False) -> None:
        """The receiver has not taken it, and `problem` tells its owner why. `gone`: it is not to be tried again."""
        left = not gone and message.attempt <= len(WAITS_S)
        due = self.database.clock() + WAITS_S[message.attempt - 1] if left else None
        self._settle(message, due_at=due, problem=problem)

    def _settle(self, message: Message, **values: object) -> None:
        mine = (MESSAGES.c.number == message.number, MESSAGES.c.attempts == message.attempt)
        with self.database.writing() as connection:
            connection.execute(sa.update(MESSAGES).where(*mine).values(leased_until=None, **values))


def _read(connection: sa.Connection, number: int) -> Message:
    m, w = MESSAGES.c, WEBHOOKS.c
    about = sa.func.coalesce(RUNS.c.id, STUDIES.c.id)
    row = connection.execute(
        sa.select(m.number, m.id, about, w.url, m.body, m.attempts)
        .join(WEBHOOKS, w.number == m.webhook)
        .outerjoin(RUNS, RUNS.c.number == w.run)
        .outerjoin(STUDIES, STUDIES.c.number == w.study)
        .where(m.number == number)
    ).one()
    return Message(*row)
