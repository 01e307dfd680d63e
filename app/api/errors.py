"""Every error of the API in one form, `{"detail": "a sentence for a person"}`, and never a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.web.answers import refuse
from core.studies.spec import StudyUnavailable
from jobs.quotas import Refused, TooExpensive
from jobs.store.breaker import DatabaseAway
from jobs.store.mapping import UnreadableRun

log = logging.getLogger("onlybn")
M = TypeVar("M", bound=BaseModel)


class Problem(Exception):
    """A request that fails: `status`, and the sentence that says why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def parse(model: type[M], body: bytes, explain: Callable[[ValidationError], str]) -> M:
    """Parse `body` (JSON) as a `model`. Raises Problem 422 with the text of `explain`."""
    try:
        return model.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise Problem(422, f"the body is not valid JSON: {error}") from error
    except ValidationError as error:
        raise Problem(422, explain(error)) from error


def explain(error: ValidationError | RequestValidationError) -> str:
    """The errors in a body's fields or a query's parameters, one sentence each."""
    return "; ".join(_sentence(problem) for problem in error.errors())


def _sentence(problem: Mapping[str, Any]) -> str:
    path = [str(part) for part in problem["loc"] if part not in ("query", "path", "header", "body", "[key]")]
    field, message = ".".join(path) or "the body", problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{field} is missing"
    if problem["type"] == "extra_forbidden":
        return f"{field} is not known here"
    message = message.replace("Input should", "must").replace("must be a valid integer", "must be a whole number")
    got = repr(problem.get("input"))
    return f"{field} {message[:1].lower()}{message[1:]}, got {got if len(got) <= 60 else f'{got[:57]}...'}"


def install(app: FastAPI) -> None:
    """Make `app` answer all errors in our form."""

    @app.exception_handler(Problem)
    def _problem(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return refuse(error.status, error.detail)

    @app.exception_handler(Refused)
    def _refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)
        answer = refuse(429, str(error))
        answer.headers["Retry-After"] = str(error.retry_s)
        return answer

    @app.exception_handler(TooExpensive)
    @app.exception_handler(StudyUnavailable)
    def _unavailable(request: Request, error: Exception) -> JSONResponse:
        return refuse(422, str(error))

    @app.exception_handler(UnreadableRun)
    def _unreadable(request: Request, error: Exception) -> JSONResponse:
        return refuse(409, str(error))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return refuse(422, explain(error))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        words = error.detail if error.detail != HTTPStatus(error.status_code).phrase else None
        answer = refuse(error.status_code, words or f"{HTTPStatus(error.status_code).phrase.lower()}: see /api/docs")
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(DatabaseAway)
    @app.exception_handler(DBAPIError)
    def _database(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, DatabaseAway):
            log.error("The database did not answer %s: %s", request.url.path, error)
        answer = refuse(503, "the database does not answer right now; please try again")
        answer.headers["Retry-After"] = "2"
        return answer

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> JSONResponse:
        return refuse(500, "something went wrong on the server; its log says what")
