"""The labels of workers, words such as gpu or a100 for what their machines have. A run may ask for one.

What its owner says about a run, its name, note and tags, is something else: `store/labels`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 32
LABEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")  # LONGEST
MOST = 16
"""Labels of one worker."""


def check_label(text: str) -> str:
    """The label that `text` is. Raises ValueError."""
    if not LABEL.fullmatch(text):
        raise ValueError(
            f"{text[:40]!r} is not a label: at most {LONGEST} lower-case letters, digits, - and _, and the first one "
            "is a letter or a digit"
        )
    return text


def read_labels(text: str) -> tuple[str, ...]:
    """The labels in `text`, which commas separate, each once and in order. Raises ValueError."""
    found = sorted({check_label(word.strip()) for word in text.split(",") if word.strip()})
    if len(found) > MOST:
        raise ValueError(f"a worker has at most {MOST} labels; got {len(found)}")
    return tuple(found)


def stored(labels: Sequence[str]) -> str | None:
    """The labels as a row stores them: with a space before and after each, so that one can be looked for."""
    return f" {' '.join(labels)} " if labels else None
