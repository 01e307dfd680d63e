"""What the owner of a run says about it at any time: its name, a note and tags. None of them changes the training."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.run.spec import RunSpec
from jobs.store.complaints.cleared import was_cleared
from jobs.store.database import Database
from jobs.store.mapping import kept, read_run, read_spec, select_runs
from jobs.store.records import Run
from jobs.store.tables import LOG, RUNS

MAX_NOTE = 1000
"""Letters of a note."""
MAX_TAGS = 8
TAG = re.compile(r"[a-z0-9][a-z0-9.+-]{0,23}")
RENAMED = "Renamed by the operator."
"""What the log of a run says after that; its owner cannot rename it any more."""
NAMED = 500
"""Tags are counted over at most so many of the newest runs that have some."""


class BadLabel(ValueError):
    """A note or tag that is not allowed; the message says what is."""


@dataclass(eq=False)
class Labels:
    """Names, notes and tags of runs. The callers check who asks."""

    database: Database

    def change(self, run_id: str, values: dict[str, Any]) -> Run | None:
        """Give the run those of `name`, `note` and `tags` that are in `values`; None or empty takes them away.

        Returns None if there is no such run. Raises BadLabel, ValidationError for a bad name, and UnreadableRun.
        """
        new: dict[str, Any] = {}
        if "note" in values:
            new["note"] = _note(values["note"])
        if "tags" in values:
            new["tags"] = _together(values["tags"] or ())
        with self.database.writing() as connection:
            row = connection.execute(sa.select(RUNS).where(RUNS.c.id == run_id, kept()).with_for_update()).first()
            if row is None:
                return None
            if new.get("note") and was_cleared(connection, "note", run=row.number):
                raise BadLabel("the operator of this server has removed the note of this run, so a new note is refused")
            for tag in (new.get("tags") or "").split():
                if was_cleared(connection, "tag", run=row.number, text=tag):
                    raise BadLabel(f"the operator of this server has removed the tag {tag}")
            if "name" in values:
                _refuse_renamed(connection, row.number)
                new |= named(row.spec, values["name"])
            if new:
                connection.execute(sa.update(RUNS).where(RUNS.c.number == row.number).values(new))
            return read_run(connection.execute(select_runs().where(RUNS.c.number == row.number)).one())

    def tags(self, visitor: str | None = None) -> list[tuple[str, int]]:
        """The tags in use, with the number of runs of each, the most frequent first. `visitor`: of these runs only."""
        mine = [RUNS.c.visitor == visitor] if visitor else []
        some = sa.select(RUNS.c.tags).where(RUNS.c.tags.is_not(None), kept(), *mine)
        with self.database.reading() as connection:
            found = connection.scalars(some.order_by(RUNS.c.number.desc()).limit(NAMED)).all()
        return Counter(tag for tags in found for tag in tags.split()).most_common()


def named(spec: str, name: str | None) -> dict[str, Any]:
    """The columns of a run with the stored `spec` that gets `name`. Raises ValidationError."""
    renamed = RunSpec.model_validate({**read_spec(spec).model_dump(), "name": name or None})
    return {"name": renamed.name, "spec": renamed.model_dump_json()}


def _refuse_renamed(connection: sa.Connection, run: int) -> None:
    by_the_operator = (LOG.c.run == run, LOG.c.message == RENAMED)
    if connection.scalar(sa.select(LOG.c.id).where(*by_the_operator).limit(1)) is not None:
        raise BadLabel("the operator of this server has renamed this run, so its name cannot be changed")


def _note(note: str | None) -> str | None:
    words = (note or "").strip()
    if len(words) > MAX_NOTE:
        raise BadLabel(f"a note has at most {MAX_NOTE:,} characters; this one has {len(words):,}")
    if any(not letter.isprintable() and letter != "\n" for letter in words):
        raise BadLabel("a note may not have control characters other than line breaks")
    return words or None


def _together(tags: Sequence[str]) -> str | None:
    """The tags as a row stores them: with a space before and after each, so that one can be looked for."""
    each = list(dict.fromkeys(tag.strip().lower() for tag in tags if tag.strip()))
    for tag in each:
        if not TAG.fullmatch(tag):
            raise BadLabel(f"a tag is a word of up to 24 letters a-z, digits and . + -; got {tag[:40]!r}")
    if len(each) > MAX_TAGS:
        raise BadLabel(f"a run has at most {MAX_TAGS} tags; got {len(each)}")
    return f" {' '.join(each)} " if each else None
