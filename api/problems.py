"""Errors as problem+json (RFC 9457), in one place; nothing else knows their statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from api.strict import strict_json
from api.wording import words_of
from detector.errors import (
    BrokerError,
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
_WORDS = {
    404: "There is nothing at this path; /openapi.json lists what there is.",
    405: "This path does not know this method; the header Allow names those that it knows.",
}


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


class Overloaded(SerinusError):  # noqa: N818 - a state of ours, and no mistake
    """More questions are waiting than will be answered in time."""


class Refused(SerinusError):  # noqa: N818 - a decision, and no mistake
    """The caller may not; `status` is 401 or 403, `challenges` say how to log in.

    Each is sent as a header of its own: of two in one header Chromium sees the first only.
    """

    def __init__(self, message: str, *, status: int = 403, challenges: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.challenges = tuple(challenges)


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
    """An error as an answer."""
    if isinstance(error, RequestValidationError):
        return _invalid(error, request_id)
    status = _status_of(error)
    response = problem(
        status,
        _detail_of(error, status),
        field=error.field if isinstance(error, InputError) else None,
        request_id=request_id,
        headers=_headers_of(error, status),
    )
    for challenge in error.challenges if isinstance(error, Refused) else ():
        response.headers.append("WWW-Authenticate", challenge)
    return response


def _status_of(error: Exception) -> int:
    """The one table from errors to statuses."""
    match error:
        case InputError():
            return 422 if error.semantic else 400
        case NotFoundError():
            return 404
        case Refused():
            return error.status
        case HTTPException():
            return error.status_code
        case Overloaded() | StoreError() | SourceError() | BrokerError() | TimeoutError():
            return 503
    return 500


def _detail_of(error: Exception, status: int) -> str:
    """What is said of our own errors is in the log: it may hold what is nobody's business."""
    match error:
        case HTTPException():
            return _WORDS.get(status, str(error.detail))
        case ConfigError():
            return "The configuration is wrong; see the log."
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return "An error of serinus itself; the log has it under this request id."
    return str(error) or "This took too long; nothing was decided. Ask again."


def _headers_of(error: Exception, status: int) -> Mapping[str, str] | None:
    match error:
        case HTTPException():
            return error.headers
    return {"Retry-After": str(RETRY_AFTER_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else None


def _invalid(error: RequestValidationError, request_id: str | None) -> Response:
    """400 for no JSON, 404 for a path that names nothing, 422 for what cannot be meant."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    where, path = place[0], ".".join(part for part in place[1:] if part != "inline")
    if first["type"] == "json_invalid":
        detail = f"The body is not JSON: {first.get('ctx', {}).get('error', first['msg'])}"
        return problem(400, detail, field="body", request_id=request_id)
    field = path or where
    if where == "path":
        return problem(404, _told(first, field), field=field, request_id=request_id)
    return problem(422, _told(first, field), field=field, request_id=request_id)


def _told(first: Mapping[str, Any], field: str) -> str:
    match first["type"]:
        case "extra_forbidden":
            return f"There is no field {field!r}."
        case "unknown_query":
            return f"There is no parameter {field!r}: {first['msg']}."
        case "missing":
            return f"{field} is missing."
        case "model_attributes_type" | "dict_type" if field == "body":
            return "The body must be a JSON object, sent with Content-Type: application/json."
        case "model_attributes_type" | "dict_type":
            return f"{field} must be a JSON object."
    return f"{field}: {words_of(first)}"


def _methods(request: Request) -> list[str]:
    """All methods of a path: the router names those of the first route alone."""
    found = [m for m in ("GET", "POST", "PUT", "DELETE") if _is_known(request, m)]
    return ["HEAD", *found] if "GET" in found else found


def _is_known(request: Request, method: str) -> bool:
    asked = {**request.scope, "method": method}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


def install_problems(app: FastAPI) -> None:
    """Give the app its one handler."""
    log = structlog.get_logger("serinus.problems")

    async def answer(request: Request, error: Exception) -> Response:
        request_id = getattr(request.state, "request_id", None)
        response = problem_of(error, request_id)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["Allow"] = ", ".join(_methods(request))
        if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("request failed", request_id=request_id, exc_info=error)
        return response

    for kind in (SerinusError, RequestValidationError, HTTPException, TimeoutError):
        app.add_exception_handler(kind, answer)
