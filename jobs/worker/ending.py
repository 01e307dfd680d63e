"""How a training ended that did not report its end itself, in words that strangers may read."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

UNSURE = "The worker could not reach the database for so long that another one might have taken the run, so it stopped."


def describe_end(code: int, errors: Sequence[str], who: str = "training", *, memory: bool = False) -> str:
    """Why a process ended with exit code `code` (minus a signal's number), having written `errors` last.

    `who`: what it did; `memory`: the system killed it because memory ran out.
    """
    if memory:
        reason = f"The system killed the {who} process because memory ran out"
    elif code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = ", as happens when memory runs out" if -code == signal.SIGKILL else ""
        reason = f"The {who} process was killed ({name}{hint})"
    else:
        reason = f"The {who} process ended with exit code {code}"
    return f"{reason}. It wrote last: {' | '.join(errors[-3:])}" if errors else f"{reason}."


def describe_error(error: Exception) -> str:
    """An error of ours. Those of the database and of the file system carry statements and paths, which stay in the
    log."""
    if isinstance(error, SQLAlchemyError):
        return "the database refused the results of the training"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error) or type(error).__name__
