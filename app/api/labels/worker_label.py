"""The label that a launch asks for: only a worker that has it takes the run."""

from typing import Annotated

from fastapi import Depends, Query

from app.api.common import Here, Services
from app.api.errors import invalid
from core.run.problems import Fault
from jobs.label import check_label


def _checked(
    here: Here,
    label: Annotated[
        str | None, Query(max_length=200, description="Only a worker with this label takes the run; see /api/workers.")
    ] = None,
) -> str | None:
    """Raises Problem 422."""
    try:
        wanted = check_label(label.strip()) if label and label.strip() else None
    except ValueError as error:
        raise invalid([Fault("label", f"label: {error}")]) from error
    if wanted and here.settings.profile == "demo":
        _refuse_unknown(wanted, here)
    return wanted


def _refuse_unknown(label: str, here: Services) -> None:
    """Everybody sees the label of a run, so strangers may not make them up. Raises Problem 422."""
    there = sorted({known for worker in here.store.workers.alive() for known in worker.labels})
    if label not in there:
        which = f"has the label {label}; there are {', '.join(there)}" if there else "has a label now"
        raise invalid([Fault("label", f"label: no worker here {which}")])


WorkerLabel = Annotated[str | None, Depends(_checked)]
"""The label that a launch asks for, if any."""
