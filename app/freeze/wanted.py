"""Which runs a frozen site has: the finished ones that pass the filters, without those that somebody reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from app.form.experiments import EXPERIMENTS
from app.freeze.arguments import KEYS
from app.views.address import Reading, filters_of, read_source
from jobs.store.complaints.cleared import OF_RUN
from jobs.store.records import Run, State
from jobs.store.store import Store
from jobs.store.tallies import Filters

PAGE = 200
FINISHED: tuple[State, ...] = ("finished",)


class BadFilter(ValueError):
    """A filter that cannot be read; the message says what is wrong."""


@dataclass(frozen=True)
class Chosen:
    """`runs` in the order of their launch, the newest first. `reported`: how many were left out because an open report
    says that their name, note or tag is offensive; `unreadable`: how many this version cannot read."""

    runs: Sequence[Run]
    reported: int
    unreadable: int


def read_filters(given: Sequence[str]) -> Filters:
    """The filters of `--filter`, which may be repeated. Raises BadFilter."""
    values: dict[str, str] = {}
    for words in given:
        pairs = parse_qsl(words.removeprefix("?"), keep_blank_values=True)
        if not pairs or any(not value for _, value in pairs):
            raise BadFilter(f"--filter must be KEY=VALUE, got {words!r}")
        for key, value in pairs:
            if key not in KEYS:
                raise BadFilter(f"--filter knows {', '.join(KEYS)}; got {key!r}")
            if key in values:
                raise BadFilter(f"--filter has {key} twice; write {key}=A,B for any of several values")
            values[key] = value
    reading = Reading(values)
    filters = filters_of(read_source(reading))
    if (question := values.get("question")) and question not in EXPERIMENTS:
        reading.problems.append(f"question must be one of {', '.join(EXPERIMENTS)}; got {question!r}.")
    if reading.problems:
        raise BadFilter(f"--filter: {' '.join(reading.problems)}")
    return replace(filters, states=FINISHED, question=values.get("question"))


def wanted(store: Store, filters: Filters) -> Chosen:
    """The runs for a frozen site. Nobody can answer a report there, so runs with an open one are left out."""
    suspects = {report.run_id for report in store.reports.open()}
    suspects |= {complaint.about for complaint in store.complaints.open() if complaint.kind in OF_RUN}
    found: list[Run] = []
    unreadable = offset = 0
    while True:
        page, total = store.runs.listed(filters, limit=PAGE, offset=offset)
        found += [run for run in page if isinstance(run, Run)]
        unreadable += sum(not isinstance(run, Run) for run in page)
        offset += PAGE
        if offset >= total:
            break
    kept = [run for run in found if run.id not in suspects]
    return Chosen(kept, len(found) - len(kept), unreadable)
