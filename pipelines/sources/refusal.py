"""What an answer other than 200 means, in words that say what to do next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from detector.errors import SourceError

__all__ = ["BusyError", "FlakyError", "TooMuchError", "refusal"]

# Prometheus "too many samples", Mimir "maximum number of chunks/series/bytes", VictoriaMetrics
# "cannot select more than -search.maxSamples…" and "cannot process more than N samples", Thanos
# "exceeded … limit". A text that is too long ("mustn't exceed") is so for shorter spans too.
TOO_MUCH = re.compile(
    r"too many (samples|bytes)|(?<!mustn't )exceed|maximum|more than (-search\.max|\d+ samples)",
    re.IGNORECASE,
)
# Thanos where it may not answer with less, and one of its stores is away: no fault of the query.
STORE_AWAY = re.compile(r"rpc error: code = (Unavailable|DeadlineExceeded)")
LONGEST_QUIET_S = 60.0
QUOTED = 300


class FlakyError(Exception):
    """A failure that another try may mend; `final` is raised when there is none left."""

    def __init__(self, final: SourceError) -> None:
        super().__init__(str(final))
        self.final = final


class BusyError(FlakyError):
    """The source asked for `after_s` seconds of silence."""

    def __init__(self, final: SourceError, *, after_s: float) -> None:
        super().__init__(final)
        self.after_s = after_s


class TooMuchError(SourceError):
    """The span holds more than the source or our budget allows; a shorter one may do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="query_rejected", retryable=False)


class _Problem(msgspec.Struct):
    errorType: str = ""  # noqa: N815 - the API's word
    error: str = ""


_problems = msgspec.json.Decoder(_Problem)


def refusal(
    where: str, status: int, headers: Mapping[str, str], body: bytes
) -> SourceError | FlakyError:
    """The error that a reply with this status stands for."""
    problem = _problem(body)
    said = f": {_short(problem.error)}" if problem.error else ""
    match status:
        case 429:
            return _busy(f"{where} says we ask too often (429){said}", headers)
        case 422 if STORE_AWAY.search(problem.error):
            return SourceError(f"{where} cannot reach all of its stores (422){said}")
        case 422 if TOO_MUCH.search(problem.error):
            return TooMuchError(f"{where} says one query selects too much (422){said}")
        case 400 | 413 | 414 | 422:
            return _rejected(f"{where} rejected the query ({status}){said}")
        case 503 if problem.errorType == "timeout":
            return SourceError(f"{where} gave up on the query, it takes too long (503){said}")
        case 502 | 503 | 504:
            return FlakyError(SourceError(f"{where} is not available ({status}){said}"))
    return _elsewhere(where, status, headers, said)


def _elsewhere(where: str, status: int, headers: Mapping[str, str], said: str) -> SourceError:
    match status:
        case 401 | 403 | 407:
            text = f"{where} refused our credentials ({status}){said}; check the source's auth"
        case 404 | 405 | 410:
            text = f"{where} has no Prometheus API there ({status}); check the URL's path prefix"
        case _ if 300 <= status < 400:
            target = _host(headers.get("location", ""))
            text = (
                f"{where} redirects to {target} ({status}), maybe a login page; "
                "give the URL of the API itself and credentials"
            )
        case _ if status >= 500:
            return SourceError(f"{where} failed ({status}){said}")
        case _:
            text = f"{where} answered with status {status}, which is no answer of a Prometheus"
    return SourceError(text, retryable=False)


def _rejected(text: str) -> SourceError:
    return SourceError(text, code="query_rejected", retryable=False)


def _busy(text: str, headers: Mapping[str, str]) -> BusyError:
    after = headers.get("retry-after", "")
    seconds = float(after) if after.isdecimal() else 1.0
    error = SourceError(text, code="query_rejected")
    return BusyError(error, after_s=min(seconds, LONGEST_QUIET_S))


def _problem(body: bytes) -> _Problem:
    try:
        return _problems.decode(body)
    except msgspec.MsgspecError:
        return _Problem()


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= QUOTED else line[:QUOTED] + "…"


def _host(location: str) -> str:
    """Only the host of a redirect: its path and query may carry a token."""
    try:
        return urlsplit(location).hostname or "another path"
    except ValueError:
        return "an unreadable address"
