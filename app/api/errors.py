"""Every error of the API in one form, `{"detail": "a sentence for a person"}`, and never a stack trace.

Where fields of a body are wrong, `problems` has a sentence for each."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.views.cleaned import cleaned
from app.web.answers import refuse
from app.web.bodies import BadJson, read_json
from app.web.limits import Busy
from core.catalog.model import Misfit, quoted
from core.run.problems import Fault
from core.studies.spec import StudyUnavailable
from jobs.quotas import Refused, TooExpensive
from jobs.store.breaker import DatabaseAway
from jobs.store.mapping import UnreadableRun

log = logging.getLogger("onlybn")
M = TypeVar("M", bound=BaseModel)
TOLD = 5
"""The most errors of one request that are told."""
QUIET_S = 60.0
"""How long the log says nothing more of a database that does not answer."""


class Problem(Exception):
    """A request that fails: `status`, the sentence that says why, further `headers` of the response, and what is wrong
    with which field of a body."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        problems: Sequence[Fault] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.problems = problems


def parse(model: type[M], body: bytes, tell: Callable[[ValidationError], list[Fault]]) -> M:
    """Parse `body` (JSON) as a `model`. Raises Problem 422 with what `tell` says, as one text and field by field."""
    try:
        return model.model_validate(read_json(body))
    except BadJson as error:
        raise Problem(422, str(error)) from error
    except ValidationError as error:
        raise invalid(tell(error)) from error


def invalid(found: list[Fault]) -> Problem:
    """The refusal of a body with these errors."""
    clean = [Fault(cleaned(field), cleaned(sentence)) for field, sentence in found]
    return Problem(422, "; ".join(sentence for _, sentence in clean), problems=clean)


def told(error: ValidationError | RequestValidationError) -> list[Fault]:
    """The errors in a body's fields or a query's parameters; the last entry counts those beyond TOLD."""
    problems = error.errors()
    found = [Fault(".".join(_path(problem)), _sentence(problem)) for problem in problems[:TOLD]]
    return found if len(problems) <= TOLD else [*found, Fault("", f"and {len(problems) - TOLD} more")]


def _path(problem: Mapping[str, Any]) -> list[str]:
    path = [str(part)[:60] for part in problem["loc"] if part not in ("query", "path", "header", "body", "[key]")]
    misfit = _misfit(problem)
    return [*path, misfit.field] if misfit else path


def _misfit(problem: Mapping[str, Any]) -> Misfit | None:
    cause = problem.get("ctx", {}).get("error")
    return cause if isinstance(cause, Misfit) else None


def _sentence(problem: Mapping[str, Any]) -> str:
    field, message = ".".join(_path(problem)) or "the body", problem["msg"].removeprefix("Value error, ")
    if misfit := _misfit(problem):
        return f"{field.removesuffix(misfit.field)}{misfit}"
    if problem["type"] == "missing":
        return f"{field} is missing"
    if problem["type"] == "extra_forbidden":
        return f"{field} is not a known field"
    message = message.replace("Input should", "must").replace("must be a valid integer", "must be a whole number")
    message = message.replace("must be a valid number, unable to parse string as a number", "must be a number")
    return f"{field} {message[:1].lower()}{message[1:]}, got {quoted(problem.get('input'))}"


def install(app: FastAPI) -> None:
    """Make `app` answer all errors in our form."""
    _install_away(app)

    @app.exception_handler(Problem)
    def _problem(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        answer = refuse(error.status, error.detail, [told._asdict() for told in error.problems])
        answer.headers.update(error.headers)
        return answer

    @app.exception_handler(Busy)
    def _busy(request: Request, error: Exception) -> JSONResponse:
        answer = refuse(429, "the server has too many of these requests; please try again in a moment")
        answer.headers["Retry-After"] = "1"
        return answer

    @app.exception_handler(Refused)
    def _refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)
        answer = refuse(429, str(error))
        answer.headers["Retry-After"] = str(error.retry_s)
        return answer

    @app.exception_handler(TooExpensive)
    @app.exception_handler(StudyUnavailable)
    def _unavailable(request: Request, error: Exception) -> JSONResponse:
        return refuse(422, cleaned(str(error)))

    @app.exception_handler(UnreadableRun)
    def _unreadable(request: Request, error: Exception) -> JSONResponse:
        return refuse(409, cleaned(str(error)))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        problem = invalid(told(error))
        return refuse(422, problem.detail, [told._asdict() for told in problem.problems])

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        words = error.detail if error.detail != HTTPStatus(error.status_code).phrase else None
        answer = refuse(error.status_code, words or f"{HTTPStatus(error.status_code).phrase.lower()}: see /api/docs")
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> JSONResponse:
        return refuse(500, "something went wrong on the server; its log has the details")


def _install_away(app: FastAPI) -> None:
    """Make `app` say that its database does not answer; the log says it once in QUIET_S."""
    logged_at = float("-inf")

    @app.exception_handler(DatabaseAway)
    @app.exception_handler(DBAPIError)
    def _database(request: Request, error: Exception) -> JSONResponse:
        nonlocal logged_at
        if isinstance(error, DBAPIError) and time.monotonic() - logged_at > QUIET_S:
            logged_at = time.monotonic()
            # No text of the database's: it may quote the statement and its values.
            route = getattr(request.scope.get("route"), "path", "a page")
            log.error("The database did not answer %s: %s", route, type(error.orig).__name__)
        answer = refuse(503, "the database does not respond right now; please try again")
        answer.headers["Retry-After"] = "2"
        return answer
