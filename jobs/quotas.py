"""Who may submit how much. Pure rules: they look at numbers and answer with a reason or None."""

from __future__ import annotations


def refuse_submission(waiting: int, max_queued: int) -> str | None:
    """Why nothing further may be queued while `waiting` requests wait; None if it may.

    A request is a single run or a study: its runs come after all single ones, so it takes one place.
    """
    if waiting < max_queued:
        return None
    return (
        f"The queue is full: {waiting} runs and studies are waiting, and at most {max_queued} may. "
        "Try again when some have finished, or cancel one of yours that waits."
    )
