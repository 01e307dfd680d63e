"""How much may be submitted. Pure rules: they take numbers and return a reason or None."""

from __future__ import annotations


def refuse_submission(waiting: int, max_queued: int) -> str | None:
    """Why nothing further may be queued while `waiting` requests wait; None if it may.

    A request is a single run or a study. A study takes one place, because its runs come after all single ones.
    """
    if waiting < max_queued:
        return None
    return (
        f"The queue is full: {waiting} runs and studies are waiting, and at most {max_queued} may. "
        "Try again when some have finished, or cancel one of yours that waits."
    )


MAX_EVALUATIONS = 50
"""Evaluations that may wait at once: some minutes of one worker's work."""
MAX_EVALUATIONS_A_MINUTE = 120


def refuse_evaluation(waiting: int, last_minute: int) -> str | None:
    """Why no further evaluation may be queued; None if it may. `last_minute`: how many came within that time."""
    if waiting >= MAX_EVALUATIONS:
        return f"{waiting} evaluations are waiting, and at most {MAX_EVALUATIONS} may. Try again in a minute."
    if last_minute >= MAX_EVALUATIONS_A_MINUTE:
        return (
            f"{last_minute} evaluations came within a minute, and at most {MAX_EVALUATIONS_A_MINUTE} may. Try again "
            "in a minute."
        )
    return None
