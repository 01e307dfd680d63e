"""What a browser said of a run that it trained, beside what the test here found."""

from __future__ import annotations

from typing_extensions import TypedDict

from jobs.store.records import Run


class BrowserView(TypedDict):
    """That a browser trained the run, and its own words: `top1` on `images` test images, `correct` of them. `found`:
    how many are correct by the test here, and how far that is from it in `differ`; null until the run has finished.
    """

    top1: float
    images: int
    correct: int
    found: int | None
    differ: int | None


def browser(run: Run) -> BrowserView | None:
    if run.claimed is None:
        return None
    images = run.spec.images[1]
    correct, found = round(run.claimed.top1 * images), round(run.result.top1 * images) if run.result else None
    return {
        "top1": run.claimed.top1,
        "images": images,
        "correct": correct,
        "found": found,
        "differ": None if found is None else abs(found - correct),
    }
