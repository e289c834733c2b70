"""Errors as problem+json (RFC 9457), in one place; nothing else knows which error is which status."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.strict import strict_json
from detector.errors import (
    ConfigError,
    InputError,
    NotFoundError,
    SerinusError,
    SourceError,
    StoreError,
)

__all__ = ["Overloaded", "Problem", "Refused", "install_problems", "problem", "problem_of"]

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2


class Problem(BaseModel):
    """What went wrong, for a program (`status`, `field`) and for a person (`detail`)."""

    type: str = Field("about:blank", description="Always `about:blank`: `status` says the kind.")
    title: str = Field(description="The status in words.", examples=["Unprocessable Content"])
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(
        description="What is wrong and what to do.",
        examples=["deadline is not after started_at"],
    )
    field: str | None = Field(
        None, description="The field of the body or the query to mend.", examples=["deadline"]
    )
    request_id: str | None = Field(
        None, description="The id of this request in the logs.", examples=["6f1c0e9a8b7d4c3f"]
    )


class Overloaded(SerinusError):
    """More questions are waiting than will be answered in time."""


class Refused(SerinusError):
    """The caller may not; `status` is 401 or 403, `challenge` says how to log in."""

    def __init__(self, message: str, *, status: int = 403, challenge: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.challenge = challenge


def problem(
    status: int,
    detail: str,
    *,
    field: str | None = None,
    request_id: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem+json answer."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "field": field,
        "request_id": request_id,
    }
    return Response(strict_json(body), status, headers=headers, media_type=MEDIA_TYPE)


def problem_of(error: Exception, request_id: str | None) -> Response:
    """The one table from errors to statuses."""
    again = {"Retry-After": str(RETRY_AFTER_S)}
    match error:
        case InputError():
            status = 422 if error.semantic else 400
            return problem(status, str(error), field=error.field, request_id=request_id)
        case NotFoundError():
            return problem(404, str(error), request_id=request_id)
        case Refused():
            challenge = {"WWW-Authenticate": error.challenge} if error.challenge else None
            return problem(error.status, str(error), request_id=request_id, headers=challenge)
        case Overloaded() | StoreError() | TimeoutError():
            detail = str(error) or "This took too long; nothing was decided. Ask again."
            return problem(503, detail, request_id=request_id, headers=again)
        case SourceError():
            return problem(503, str(error), request_id=request_id, headers=again)
        case RequestValidationError():
            return _invalid(error, request_id)
        case HTTPException():
            return problem(
                error.status_code, str(error.detail), request_id=request_id, headers=error.headers
            )
        case ConfigError():
            return problem(500, "The configuration is wrong; see the log.", request_id=request_id)
        case _:
            detail = "An error of serinus itself; the log has it under this request id."
            return problem(500, detail, request_id=request_id)


def _invalid(error: RequestValidationError, request_id: str | None) -> Response:
    """400 for a body that is no JSON, 422 for one that says something impossible."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    where, path = place[0], ".".join(part for part in place[1:] if part != "inline")
    if first["type"] == "json_invalid":
        detail = f"The body is not JSON: {first.get('ctx', {}).get('error', first['msg'])}"
        return problem(400, detail, field="body", request_id=request_id)
    field = path or where
    return problem(422, _told(first, field), field=field, request_id=request_id)


def _told(first: Mapping[str, Any], field: str) -> str:
    match first["type"]:
        case "extra_forbidden":
            return f"There is no field {field!r}."
        case "missing":
            return f"{field} is missing."
        case "model_attributes_type" | "dict_type":
            return f"{field} must be a JSON object, sent with Content-Type: application/json."
    return f"{field}: {str(first['msg']).removeprefix('Value error, ')}"


def install_problems(app: FastAPI) -> None:
    """Give the app its one handler."""
    log = structlog.get_logger("serinus.problems")

    async def answer(request: Request, error: Exception) -> Response:
        request_id = getattr(request.state, "request_id", None)
        response = problem_of(error, request_id)
        if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("request failed", request_id=request_id, exc_info=error)
        return response

    for kind in (SerinusError, RequestValidationError, HTTPException, TimeoutError):
        app.add_exception_handler(kind, answer)
