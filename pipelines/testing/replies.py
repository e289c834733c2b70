"""What a fault server does with a request, and what it sends."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["EMPTY_MATRIX", "ENDLESS_HEADS", "PLAIN_REPLIES", "Misbehaviour"]

EMPTY_MATRIX = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'


class Misbehaviour(StrEnum):
    """What a `FaultServer` does with a request; the names say what a client sees."""

    EMPTY = "an empty matrix, as a good server sends it"
    WARNINGS = "an empty matrix with a warning that it is partial"
    SLOW = "an empty matrix after a fifth of a second"
    BLACK_HOLE = "the request is taken and never answered"
    HANG_UP = "the connection is closed without an answer"
    HALF_BODY = "the connection is closed in the middle of the announced body"
    CUT_JSON = "half a body without announced length, then the end"
    HTML = "status 200 with a login page"
    GARBAGE = "status 200 with JSON of something else"
    VECTOR = "status 200 with an instant vector"
    WORDS_FOR_NUMBERS = "a matrix whose samples are not numbers"
    ENDLESS = "a body without end that is no JSON"
    ENDLESS_MATRIX = "a matrix without end"
    HUGE = "10 GB announced"
    DRIP = "an endless body, a byte at a time"
    HEADER_DRIP = "endless headers, a byte at a time"
    REDIRECT = "302 to a login page"
    UNAUTHORIZED = "401"
    NOT_FOUND = "404"
    BAD_QUERY = "400 as Prometheus says it"
    TOO_MANY_SAMPLES = "422 as Prometheus says it"
    BUSY = "429 with Retry-After: 1"
    BUSY_LONG = "429 with Retry-After: 3600"
    BROKEN = "500"
    UNAVAILABLE = "503 of a proxy"
    QUERY_TIMEOUT = "503 as Prometheus says it when a query takes too long"


def _problem(kind: str, text: str) -> bytes:
    return f'{{"status":"error","errorType":"{kind}","error":"{text}"}}'.encode()


# status line's end, further headers, body
PLAIN_REPLIES: Mapping[Misbehaviour, tuple[str, str, bytes]] = {
    Misbehaviour.EMPTY: ("200 OK", "", EMPTY_MATRIX),
    Misbehaviour.WARNINGS: (
        "200 OK",
        "",
        EMPTY_MATRIX[:-1] + b',"warnings":["store-2: connection refused"]}',
    ),
    Misbehaviour.HTML: ("200 OK", "", b"<!doctype html><title>Sign in</title>"),
    Misbehaviour.GARBAGE: ("200 OK", "", b'{"status":"success","data":[17]}'),
    Misbehaviour.VECTOR: (
        "200 OK",
        "",
        EMPTY_MATRIX.replace(b"matrix", b"vector"),
    ),
    Misbehaviour.WORDS_FOR_NUMBERS: (
        "200 OK",
        "",
        EMPTY_MATRIX.replace(b"[]", b'[{"metric":{"a":"b"},"values":[[1,"many"]]}]'),
    ),
    Misbehaviour.REDIRECT: (
        "302 Found",
        "Location: http://login.invalid/?next=secret\r\n",
        b"",
    ),
    Misbehaviour.UNAUTHORIZED: ("401 Unauthorized", "", b"who are you?"),
    Misbehaviour.NOT_FOUND: ("404 Not Found", "", b"404 page not found"),
    Misbehaviour.BAD_QUERY: ("400 Bad Request", "", _problem("bad_data", "parse error")),
    Misbehaviour.TOO_MANY_SAMPLES: (
        "422 Unprocessable Entity",
        "",
        _problem(
            "execution",
            "query processing would load too many samples into memory in query execution",
        ),
    ),
    Misbehaviour.BUSY: ("429 Too Many Requests", "Retry-After: 1\r\n", b"slow down"),
    Misbehaviour.BUSY_LONG: ("429 Too Many Requests", "Retry-After: 3600\r\n", b"slow down"),
    Misbehaviour.BROKEN: ("500 Internal Server Error", "", _problem("internal", "disk on fire")),
    Misbehaviour.UNAVAILABLE: ("503 Service Unavailable", "", b"no healthy upstream"),
    Misbehaviour.QUERY_TIMEOUT: (
        "503 Service Unavailable",
        "",
        _problem("timeout", "query timed out in expression evaluation"),
    ),
}
ENDLESS_HEADS: Mapping[Misbehaviour, bytes] = {
    Misbehaviour.ENDLESS: b"",
    Misbehaviour.ENDLESS_MATRIX: EMPTY_MATRIX[:-3] + b'{"metric":{},"values":[',
}
