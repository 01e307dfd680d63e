"""Who may submit how much. Pure rules: they look at numbers and answer with a reason or None."""

from __future__ import annotations


def refuse_submission(queued: int, max_queued: int) -> str | None:
    """Why no further run may be queued while `queued` runs wait; None if one may."""
    if queued < max_queued:
        return None
    return (
        f"The queue is full: {queued} runs are waiting, and at most {max_queued} may. "
        "Try again when some have finished, or cancel one of yours that waits."
    )
